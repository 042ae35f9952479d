"""Every query of the Grafana dashboard on a real InfluxDB that our own code has filled: what an analyst would see."""

import json
import time
import uuid
from collections.abc import AsyncIterator
from copy import copy
from typing import Any

import numpy as np
import pytest

from bus.codecs import encode
from bus.topics import HAZARDS, INCIDENTS
from hazards.alarm_floods import PERIOD, floor_period
from hazards.alarm_quality import WHOLE, Sounded, Standing, annunciations
from hazards.messages import Action, AlarmRecord, AlarmRecords, Certainty, HazardMessage, IncidentMessage, IncidentState
from storage.followers import Entry
from storage.outbox import INTERNAL
from storage.quality_points import Periods
from storage.series.events import points_of
from storage.series.influx import InfluxAccess, InfluxSeries
from storage.series.port import RESOLUTIONS, RawBlock, RollupBlock, SeriesTags, bucket_of
from tests.docker.compose import DOCKER
from tests.real.influx import Influx
from tests.whole.by_hand import influx_token

SECOND = 1_000_000
DASHBOARD = json.loads((DOCKER / "grafana/dashboards/bihuan.json").read_text("utf-8"))
PANELS = {p["id"]: p for p in DASHBOARD["panels"]}
VARIABLES = {v["name"]: v for v in DASHBOARD["templating"]["list"]}
SENSOR = SeriesTags("T-101", "temperature", "smelter", "alu", "Cel")


def incident(name: str, version: int, state: str, severity: int, certainty: str, at: int) -> IncidentMessage:
    return IncidentMessage(
        id=name, zone="smelter", enterprise="alu", family="fire", kinds=["flame"], devices=["CAM-1"], state=IncidentState(state),
        severity=severity, opened_at=at, updated_at=at, version=version, alarm_count=version, reason="opened",
        certainty=Certainty(certainty),
    )  # fmt: skip


def hazard(name: str, version: int, state: str, at: int) -> HazardMessage:
    return HazardMessage(id=name, zone="smelter", enterprise="alu", kind="fire", grade="major", confirmed=True, state=state, event="moved",
                         title="t", opened_at=at, updated_at=at, version=version, actor="li")  # fmt: skip


def entry(position: int, topic: str, message: Any, at: int) -> Entry:
    return Entry(position, topic, "updated", "x", "smelter", "alu", encode(message), at)


async def fill(series: InfluxSeries, now: int) -> None:
    """A little history of one zone: two incidents, two hazards, four alarms, an hour of a sensor."""
    minutes = np.array([now - (60 - n) * 60 * SECOND for n in range(60)], np.int64)
    none, one = np.zeros(60, np.int64), np.ones(60, np.int64)
    value = np.linspace(20.0, 79.0, 60)
    await series.write_raw(RawBlock([SENSOR], none, minutes, value))
    for resolution in (1, 60, 900):
        await series.write_rollups(RollupBlock(resolution, [SENSOR], none, minutes, one, value - 1, value, value + 1, value))
    records = [
        AlarmRecord(id=str(n), device="CAM-1", kind=kind, action=Action(action), at=now - 600 * SECOND, received_at=now, severity=2,
                    incident="i-1", reason="opened", score=0.9)
        for n, (kind, action) in enumerate([("flame", "raised"), ("flame", "cleared"), ("smoke", "pulse"), ("flame", "raised")])
    ]  # fmt: skip
    rows = [
        entry(1, INCIDENTS.name, incident("i-1", 1, "active", 2, "possible", now), now - 500 * SECOND),
        entry(2, INCIDENTS.name, incident("i-2", 1, "active", 3, "possible", now), now - 400 * SECOND),
        entry(3, INCIDENTS.name, incident("i-1", 2, "active", 1, "observed", now), now - 300 * SECOND),
        entry(4, INCIDENTS.name, incident("i-2", 2, "closed", 3, "possible", now), now - 200 * SECOND),
        entry(5, HAZARDS.name, hazard("h-1", 1, "proposed", now), now - 200 * SECOND),
        entry(6, HAZARDS.name, hazard("h-1", 2, "confirmed", now), now - 100 * SECOND),
        entry(7, HAZARDS.name, hazard("h-2", 1, "proposed", now), now - 100 * SECOND),
        entry(8, INTERNAL, AlarmRecords(zone="smelter", enterprise="alu", records=records), now),
    ]
    assert not await series.write_points([point for row in rows for point in points_of(row)])
    start = floor_period(now - 3600 * SECOND)
    sounded = annunciations([Sounded(f"i-{n}", start + n, "smelter", 2) for n in range(3)], [])
    periods = Periods({WHOLE.id: sounded}, {WHOLE.id: []}, synthetic=False)
    assert not await series.write_points([periods.point(WHOLE, at, Standing(2, 1, 3)) for at in (start, start + PERIOD)])


class Analyst:
    """Runs a query as Grafana does: ``v`` is the time range, ``${…}`` the dashboard's variables."""

    def __init__(self, server: Influx, bucket: str, now: int) -> None:
        self.server, self.chosen = server, {"bucket": bucket, "device": "T-101", "metric": "temperature", "resolution": "telemetry_1m"}
        start, stop = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now / SECOND + s)) for s in (-86_400, 60))
        self.option = f"option v = {{timeRangeStart: {start}, timeRangeStop: {stop}, windowPeriod: 1m}}\n"

    def ask(self, flux: str, **chosen: str) -> list[dict[str, str]]:
        for name, value in (self.chosen | chosen).items():
            flux = flux.replace(f"${{{name}}}", value)
        assert "${" not in flux, flux
        imports = "".join(f"{line}\n" for line in flux.splitlines() if line.startswith("import "))
        rest = "\n".join(line for line in flux.splitlines() if not line.startswith("import "))
        return self.server.query(imports + (self.option if "v." in rest else "") + rest)

    def panel(self, number: int, **chosen: str) -> list[list[dict[str, str]]]:
        return [self.ask(target["query"], **chosen) for target in PANELS[number]["targets"]]


@pytest.fixture
async def analyst(shared_influx: Influx) -> AsyncIterator[Analyst]:
    now = time.time_ns() // 1000
    bucket = bucket_of(f"dash-{uuid.uuid4().hex[:8]}")
    writing = influx_token(shared_influx, ("read", "buckets"), ("write", "buckets"), ("read", "orgs"))
    series = InfluxSeries(InfluxAccess(shared_influx.url, shared_influx.org, writing, bucket))
    await series.ensure()
    await fill(series, now)
    await series.close()
    reader = copy(shared_influx)  # with no more rights than docker/influxdb/tokens.sh gives to Grafana
    reader.token = influx_token(shared_influx, ("read", "buckets"))
    return Analyst(reader, bucket, now)


async def test_every_query_of_every_panel_answers_with_what_was_written(analyst: Analyst) -> None:
    asked = {number: analyst.panel(number) for number in PANELS}
    assert all(rows for answers in asked.values() for rows in answers), "a panel that shows nothing of all this is wrong"
    assert {r["state"]: r["count"] for r in asked[1][0]} == {"active": "1", "closed": "1"}
    assert {r["certainty"]: r["count"] for r in asked[2][0]} == {"observed": "1", "possible": "1"}
    assert {r["state"]: r["count"] for r in asked[3][0]} == {"confirmed": "1", "proposed": "1"}
    per_kind: dict[str, int] = {}
    for row in asked[4][0]:
        per_kind[row["kind"]] = per_kind.get(row["kind"], 0) + int(row["_value"])
    assert per_kind == {"flame": 2, "smoke": 1}, "ends are not counted"
    (row,) = asked[5][0]
    assert (row["id"], row["severity"], row["certainty"], row["state"], row["alarms"]) == ("i-1", "1", "observed", "active", "2")
    mean, low, high = asked[6]
    assert len(mean) == len(low) == len(high) == 60
    assert [float(a["_value"]) - float(b["_value"]) for a, b in zip(high, low, strict=True)] == [2.0] * 60
    assert [(r["position"], float(r["_value"])) for r in asked[7][0]] == [("all", 3.0), ("all", 0.0)]
    assert {r["_field"]: r["_value"] for r in asked[8][0]} == {"standing": "2", "stale": "1", "unacknowledged": "3"}


@pytest.mark.parametrize("resolution", RESOLUTIONS.values())
async def test_a_sensor_is_shown_in_every_resolution(analyst: Analyst, resolution: str) -> None:
    assert resolution in VARIABLES["resolution"]["query"].split(",")
    mean, low, high = analyst.panel(6, resolution=resolution)
    assert [float(r["_value"]) for r in mean] == pytest.approx(np.linspace(20, 79, 60).tolist())
    assert (len(low), len(high)) == ((0, 0) if resolution == "telemetry" else (60, 60))


async def test_the_choices_offer_what_there_is(analyst: Analyst) -> None:
    assert analyst.chosen["bucket"] in {r["name"] for r in analyst.ask(VARIABLES["bucket"]["query"])}
    assert [r["_value"] for r in analyst.ask(VARIABLES["device"]["query"])] == ["T-101"]
    assert [r["_value"] for r in analyst.ask(VARIABLES["metric"]["query"])] == ["temperature"]
    assert analyst.ask(VARIABLES["metric"]["query"], device="nobody") == []


def test_the_dashboard_belongs_to_the_provisioned_datasource_and_is_no_ones_to_change() -> None:
    provisioned = (DOCKER / "grafana/provisioning/datasources/influxdb.yaml").read_text()
    (uid,) = {t["datasource"]["uid"] for p in PANELS.values() for t in (*p["targets"], p)}
    assert f"uid: {uid}\n" in provisioned and "token: $__file{/tokens/grafana}" in provisioned
    assert not DASHBOARD["editable"] and DASHBOARD["uid"] == "bihuan"
    assert len(PANELS) == len(DASHBOARD["panels"]) >= 6
