"""Every Flux query of docs/time-series.md runs against a real InfluxDB and finds what it is for."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from bus.codecs import encode
from hazards.identity import signal_id
from hazards.messages import Action, AlarmRecord, AlarmRecords, HazardMessage, IncidentMessage, IncidentState
from storage.followers import Entry
from storage.series.events import points_of
from storage.series.influx import InfluxAccess, InfluxSeries
from storage.series.port import EventPoint, RawBlock, RollupBlock, SeriesTags, bucket_of
from tests.real.influx import Influx

DOCUMENT = Path(__file__).parents[3] / "docs" / "time-series.md"
QUERIES = dict(re.findall(r"^([^\n]+):\n```flux\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE))
SECOND = 1_000_000
DAY = 86_400 * SECOND
T_101, T_102 = SeriesTags("T-101", "temperature", "smelter", "alu", "Cel"), SeriesTags("T-102", "temperature", "smelter", "alu", "Cel")

Rows = list[dict[str, str]]


def columns(rows: Rows, *names: str) -> list[tuple[str, ...]]:
    return sorted(tuple(row[name] for name in names) for row in rows)


FOUND: dict[str, Callable[[Rows], bool]] = {
    "The newest value": lambda rows: columns(rows, "device", "_value") == [("T-101", "70"), ("T-102", "55")],
    "A curve with its band": lambda rows: set(columns(rows, "_field")) == {("max",), ("mean",), ("min",)},
    "The highest value of each day": lambda rows: columns(rows, "device", "_value") == [("T-101", "30"), ("T-102", "99")]
    and all(row["_time"].endswith("T16:00:00Z") for row in rows),
    "Minutes over a limit": lambda rows: columns(rows, "device", "minutes") == [("T-101", "4")],
    "The mean of a day": lambda rows: columns(rows, "device", "mean") == [("T-101", "28")],  # (10 · 1 + 30 · 9) / 10
    "Alarms a day by kind": lambda rows: sum(int(row["_value"]) for row in rows if row["kind"] == "flame") == 12,
    "The ten devices that alarm most": lambda rows: columns(rows, "device", "_value") == [("CAM-1", "12"), ("unregistered", "3")],
    "Incidents as they stand": lambda rows: columns(rows, "id", "state", "acknowledged") == [("i2", "cleared", "true")],
    "Seconds until": lambda rows: columns(rows, "id", "seconds") == [("i1", "30"), ("i2", "42.5")],
    "Hazards by state": lambda rows: columns(rows, "state", "overdue", "id") == [("closed", "false", "1"), ("rectifying", "true", "1")],
}


def test_every_query_has_its_expectation() -> None:
    assert len(QUERIES) == len(FOUND) and all(sum(q.startswith(f) for q in QUERIES) == 1 for f in FOUND)


def rolled(resolution: int, *windows: tuple[int, Sequence[float]], end: int, tags: SeriesTags = T_101) -> RollupBlock:
    """Windows by the number of their resolutions before ``end``."""
    start = np.array([end - n * resolution * SECOND for n, _ in windows], np.int64)
    count = np.array([len(v) for _, v in windows], np.int64)
    low, mean, high, last = (np.array([float(f(v)) for _, v in windows]) for f in (min, np.mean, max, lambda v: v[-1]))
    return RollupBlock(resolution, [tags], np.zeros(len(windows), np.int64), start, count, low, mean, high, last)


def events(now: int) -> list[EventPoint]:
    entries: list[Entry] = []

    def tell(message: msgspec.Struct, topic: str, at: int) -> None:
        entries.append(Entry(len(entries), topic, "updated", "", "smelter", "alu", encode(message), at))

    def records(n: int, device: str, zone: str, *, synthetic: bool = False) -> AlarmRecords:
        made = [
            AlarmRecord(id=signal_id(device, f"{i}{synthetic}"), device=device, kind="flame", action=Action.RAISED, at=now - 3600 * SECOND,
                        received_at=now, severity=1, incident="i1", reason="opened", synthetic=synthetic)
            for i in range(n)
        ]  # fmt: skip
        return AlarmRecords(zone=zone, enterprise="alu", records=made)

    tell(records(9, "CAM-1", "smelter"), "", now)
    tell(records(3, "CAM-1", "smelter", synthetic=True), "", now)
    tell(records(3, "NEW", "unassigned"), "", now)
    for id_, version, state, acknowledged, at in (
        ("i1", 1, "active", None, 0), ("i1", 2, "active", "li", 30), ("i1", 3, "closed", "li", 90),
        ("i2", 1, "active", None, 0), ("i2", 2, "cleared", "li", 42.5),
    ):  # fmt: skip
        opened = now - 7200 * SECOND
        tell(IncidentMessage(id=id_, zone="smelter", enterprise="alu", family="fire", kinds=["flame"], devices=["CAM-1"], opened_at=opened,
                             state=IncidentState(state), severity=1, updated_at=opened, version=version, alarm_count=1, reason="opened",
                             acknowledged_by=acknowledged), "incidents", opened + int(at * SECOND))  # fmt: skip
    for id_, version, state in (("h1", 1, "confirmed"), ("h1", 2, "rectifying"), ("h2", 1, "rectifying"), ("h2", 2, "closed")):
        tell(HazardMessage(id=id_, zone="smelter", enterprise="alu", kind="fire", grade="general", confirmed=True, state=state, event="x",
                           title="", opened_at=now, updated_at=now, version=version, actor="li", due_at=now - SECOND), "hazards",
             now - 3600 * SECOND + version)  # fmt: skip
    return [point for entry in entries for point in points_of(entry)]


@pytest.fixture(scope="module")
def filled(shared_influx: Influx) -> Influx:
    """A bucket of the default district with a little of everything."""

    now = time.time_ns() // 1000 // (900 * SECOND) * 900 * SECOND - 900 * SECOND
    midday = now // DAY * DAY - DAY + 4 * 3600 * SECOND  # in Shanghai, so that windows side by side are of one day there

    async def fill() -> None:
        series = InfluxSeries(InfluxAccess(shared_influx.url, shared_influx.org, shared_influx.token, bucket_of("")))
        await series.ensure()
        at = np.array([now - 5 * SECOND, now - 4 * SECOND, now - 5 * SECOND], np.int64)
        rejected = [
            *await series.write_raw(RawBlock([T_101, T_102], np.array([0, 0, 1]), at, np.array([20.0, 70.0, 55.0]))),
            *await series.write_rollups(rolled(60, *((n, [50, 61]) for n in range(1, 5)), *((n, [50, 51]) for n in range(5, 9)), end=now)),
            *await series.write_rollups(rolled(900, (1, [10]), (2, [30] * 9), end=midday)),
            *await series.write_rollups(rolled(900, (1, [99]), tags=T_102, end=midday)),
            *await series.write_points(events(now)),
        ]
        assert not rejected
        await series.close()

    asyncio.run(fill())
    return shared_influx


@pytest.mark.parametrize("title", QUERIES)
def test_a_query_of_the_documentation_finds_what_it_is_for(filled: Influx, title: str) -> None:
    rows = filled.query(QUERIES[title])
    expected = next(check for begin, check in FOUND.items() if title.startswith(begin))
    assert rows and expected(rows), rows
