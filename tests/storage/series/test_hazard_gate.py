"""The evidence gate on real SQL and real time series: sensors, cameras that were blind for a while, papers, and going on against it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hazards.errors import StorageUnavailable
from hazards.ledger import commands as ask
from hazards.ledger.gate import Answer
from hazards.ledger.hazard import Actor, Hazard
from hazards.ledger.lifecycle import State
from hazards.ledger.particulars import Paper, Stage
from hazards.ledger.rulings import NotByRule, NotForRole
from hazards.messages import Signal
from hazards.scope import EVERYTHING
from hazards.zones import Device, Enterprise, Grade, Site, Zone
from storage.database import Database
from storage.hazard_facts import series_asked
from storage.hazard_queries import hazard_events
from storage.hazards import Outcome, command_hazard, preview_gate, propose_hazard
from storage.incident_queries import list_incidents
from storage.incidents import apply_signals
from storage.series.influx import InfluxAccess, InfluxSeries
from storage.series.port import SeriesQuery, SeriesRun, SeriesTags, TimeSeries, TimeSeriesReader
from storage.series.sqlite import SqliteSeries
from storage.series_sight import SeriesSight, look, steps
from storage.site_store import apply_site
from storage.uploads import keep_upload
from tests.hazards.signals import SECOND, signal
from tests.real.influx import Influx
from tests.storage.series.conftest import NOON, TANK, raw, rolled

MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
SITE = Site(
    id="park", name="园区", enterprises=[Enterprise("alu", "铝业")],
    zones=[Zone("smelter", "熔铸车间", Grade.RED, "alu"), Zone("yard", "料场", Grade.ORANGE, "alu")],
    devices=[
        Device("CAM-1", "smelter", "camera", detectors=["flame"]),
        Device("T-1", "smelter", "sensor",
               settings={"metric": "temperature", "limits": {"high": 60, "high_high": 80}, "stale_after": "10m"}),
    ],
)  # fmt: skip
OFFICER, DEPARTMENT, BUREAU = Actor("li", "enterprise", "alu"), Actor("zhao", "department"), Actor("zhou", "bureau")
AFTER = Paper(stage=Stage.AFTER, taken_at=NOON, place="炉前", document="记录7")


@pytest.fixture
def park(database: Database) -> Database:
    with database.write() as connection:
        apply_site(connection, SITE, by="test", now=NOON)
    return database


def give(database: Database, hazard: Hazard, command: ask.HazardCommand, actor: Actor, *, now: int = NOON, **more: Any) -> Outcome:
    with database.write() as connection:
        return command_hazard(connection, hazard.id, command, actor=actor, scope=EVERYTHING, now=now, **more)


def rectifying(database: Database, kind: str = "heat", zone: str = "smelter", now: int = NOON) -> Hazard:
    """A serious hazard of that kind whose rectification began at ``now``."""
    command = ask.Propose(zone=zone, kind=kind, grade="serious", title="炉前")
    with database.write() as connection:
        hazard, _ = propose_hazard(connection, command, actor=DEPARTMENT, scope=EVERYTHING, command_id=kind + zone, now=now)
    give(database, hazard, ask.Confirm(grade="serious"), DEPARTMENT, now=now)
    return give(database, hazard, ask.StartRectification(), OFFICER, now=now).hazard


def claimed(database: Database, kind: str = "heat", zone: str = "smelter") -> Hazard:
    """One that was claimed at noon, with a paper that counts, whatever devices say."""
    return give(database, rectifying(database, kind, zone), ask.Claim(note="已整改", evidence=[AFTER]), OFFICER).hazard


async def seen_of(database: Database, reader: TimeSeriesReader | None, hazard: Hazard, now: int, *, claim: bool = False) -> SeriesSight:
    with database.read() as connection:
        asked = series_asked(connection, hazard, now=now, claim=claim)
    assert asked is not None
    return await look(reader, asked, now=now)


async def asked(database: Database, reader: TimeSeriesReader | None, hazard: Hazard, now: int) -> Answer:
    """What the gate says to the next step at ``now``."""
    seen = await seen_of(database, reader, hazard, now)
    with database.read() as connection:
        answer = preview_gate(connection, hazard, now=now, seen=seen)
    assert answer is not None
    return answer


async def write(series: TimeSeries, *readings: tuple[float, float], tags: SeriesTags = TANK) -> None:
    """Readings at so many hours after noon, as evaluate rolls them up."""
    points = [(round(hours * 3600), value) for hours, value in readings]
    await series.write_raw(raw(*points, tags=tags))
    for resolution in (1, 60, 900):
        windows: dict[int, list[float]] = {}
        for at, value in points:
            windows.setdefault((NOON // SECOND + at) // resolution * resolution - NOON // SECOND, []).append(value)
        await series.write_rollups(rolled(resolution, *windows.items(), tags=tags))


def calm(hours: float, until: float) -> list[tuple[float, float]]:
    """25 degrees every five minutes."""
    return [(minutes / 60, 25.0) for minutes in range(round(hours * 60), round(until * 60), 5)]


@given(st.integers(0, 40 * 24 * 3600), st.integers(0, 7200), st.integers(0, 999_999))
def test_the_windows_that_are_read_cover_the_time_once_and_keep_before_and_after_apart(claim_ago: int, before: int, odd: int) -> None:
    now = NOON + odd
    since = now - claim_ago * SECOND
    start = since - before * SECOND
    found = list(steps(start, since, now))
    assert [begin for _, begin, _ in found] + [now] == ([start] if found else []) + [end for _, _, end in found] or start == now
    assert all(begin < end for _, begin, end in found)
    for resolution, begin, end in found:
        if resolution > 1:
            assert begin % (resolution * SECOND) == 0 == end % (resolution * SECOND)
            assert begin >= since or end <= since
            assert end <= now - 2 * MINUTE, "the newest windows may not be written yet"
    assert sum((end - begin) // (resolution * SECOND) for resolution, begin, end in found) < 5000, "forty days of a sensor"


async def test_a_sensor_within_its_limits_shows_that_it_is_gone(park: Database, series: TimeSeries) -> None:
    hazard = claimed(park)
    await write(series, (-0.2, 85.0), *calm(-0.1, 8))
    answer = await asked(park, series, hazard, NOON + 8 * HOUR)
    assert (answer.verdict, answer.reasons) == ("clear", ["no_alarm", "within_limits"])
    (sensor,) = answer.sensors
    assert (sensor.device, sensor.metric, sensor.unit, sensor.highest, sensor.newest) == ("T-1", "temperature", "Cel", 25.0, 25.0)
    assert (sensor.start, sensor.end, answer.watchers[0].seen) == (NOON, NOON + 8 * HOUR, 100)
    seen = await seen_of(park, series, hazard, NOON + 8 * HOUR)
    assert give(park, hazard, ask.Accept(), DEPARTMENT, now=NOON + 8 * HOUR, seen=seen).hazard.state is State.ACCEPTED


@pytest.mark.parametrize(
    ("at", "value", "says", "limit"),
    [(0.001, 61.0, "beyond_since", "high"), (3.2, 90.0, "beyond_since", "high_high"), (7.999, 75.0, "beyond_limit", "high")],
)  # fmt: skip
async def test_a_sensor_that_is_or_was_beyond_its_limit_refuses_and_is_named(
    park: Database, series: TimeSeries, at: float, value: float, says: str, limit: str
) -> None:  # fmt: skip
    hazard = claimed(park)
    await write(series, *sorted([*calm(-0.1, 8), (at, value)]))
    seen = await seen_of(park, series, hazard, NOON + 8 * HOUR)
    refused = give(park, hazard, ask.Accept(), DEPARTMENT, now=NOON + 8 * HOUR, seen=seen)
    assert refused.refusal is not None and refused.refusal.gate is not None
    answer = refused.refusal.gate
    (sensor,) = answer.sensors
    assert (answer.verdict, answer.reasons, sensor.limit, sensor.value) == ("refuted", [says], limit, value)
    assert refused.hazard.refuted_by == ["T-1/temperature"] and refused.hazard.state is State.CLAIMED
    assert sensor.at is not None and abs(sensor.at - NOON - at * HOUR) < 15 * MINUTE
    with park.read() as connection:
        entry = hazard_events(connection, hazard.id, scope=EVERYTHING)[0][-1].entry
    assert entry.event == "gate_refused" and entry.details["gate"]["sensors"][0]["value"] == value
    with pytest.raises(NotByRule, match="still speaks against it"):
        give(park, hazard, ask.Accept(), DEPARTMENT, now=NOON + 8 * HOUR, seen=seen)


async def test_readings_of_another_zone_or_in_no_known_unit_say_nothing(park: Database, series: TimeSeries) -> None:
    hazard = claimed(park)
    await write(series, (0.5, 99.0), tags=structs.replace(TANK, zone="yard"))
    await write(series, (0.9, 99.0), tags=structs.replace(TANK, unit="kPa"))
    assert (await asked(park, series, hazard, NOON + HOUR)).reasons[:2] == ["all_blind", "no_readings"]
    await write(series, (0.95, 340.0), tags=structs.replace(TANK, unit="K"))
    (sensor,) = (await asked(park, series, hazard, NOON + HOUR)).sensors
    assert (sensor.says, round(sensor.value or 0, 2)) == ("beyond_limit", 66.85)


async def test_a_sensor_whose_readings_stopped_is_blind(park: Database, series: TimeSeries) -> None:
    hazard = claimed(park)
    await write(series, *calm(-0.1, 5))
    assert (await asked(park, series, hazard, NOON + 5 * HOUR)).verdict == "clear"
    answer = await asked(park, series, hazard, NOON + 6 * HOUR)
    assert (answer.verdict, answer.reasons) == ("blind", ["all_blind", "silent", "papers_given"])
    assert answer.passes and 80 <= answer.watchers[0].seen <= 90


class Slow(SqliteSeries):
    async def read(self, query: SeriesQuery) -> Sequence[SeriesRun]:
        await asyncio.sleep(3600)
        return []


@pytest.mark.parametrize("away", ["none", "no file", "nobody listens", "slow"])
async def test_a_time_series_that_is_away_passes_nothing_and_breaks_nothing(
    sqlite_database: Database, tmp_path: Path, free_port: int, away: str
) -> None:
    with sqlite_database.write() as connection:
        apply_site(connection, SITE, by="test", now=NOON)
    readers: dict[str, TimeSeriesReader | None] = {
        "none": None, "no file": SqliteSeries(tmp_path / "missing.sqlite", writing=False), "slow": Slow(tmp_path / "s.sqlite"),
        "nobody listens": InfluxSeries(InfluxAccess(f"http://127.0.0.1:{free_port}", "o", "t", "b")),
    }  # fmt: skip
    reader, hazard = readers[away], rectifying(sqlite_database)
    with sqlite_database.read() as connection:
        question = series_asked(connection, hazard, now=NOON, claim=True)
    assert question is not None
    seen = await look(reader, question, now=NOON, patience=0.2 if away == "slow" else 60)
    refused = give(sqlite_database, hazard, ask.Claim(note="已整改"), OFFICER, seen=seen)
    assert refused.refusal is not None and refused.refusal.gate is not None, "and it is on the record"
    assert refused.refusal.gate.reasons == ["all_blind", "series_unavailable", "papers_needed"]
    assert refused.hazard.state is State.RECTIFYING and refused.hazard.refuted_by == ["T-1"]
    assert give(sqlite_database, hazard, ask.Claim(note="已整改", evidence=[AFTER]), OFFICER, seen=seen).hazard.state is State.CLAIMED
    for each in readers.values():
        if each is not None:
            await each.close()


async def test_influxdb_that_ends_in_between_is_said(sqlite_database: Database, influx: Influx) -> None:
    with sqlite_database.write() as connection:
        apply_site(connection, SITE, by="test", now=NOON)
    store = InfluxSeries(InfluxAccess(influx.url, influx.org, influx.token, "gate"))
    await store.ensure()
    await write(store, *calm(-0.1, 1))
    hazard = claimed(sqlite_database)
    assert (await asked(sqlite_database, store, hazard, NOON + HOUR)).verdict == "clear"
    influx.kill()
    answer = await asked(sqlite_database, store, hazard, NOON + HOUR)
    assert (answer.verdict, answer.reasons) == ("blind", ["all_blind", "series_unavailable", "papers_given"])
    await store.close()


def take(database: Database, *signals: Signal) -> None:
    for each in signals:
        with database.write() as connection:
            apply_signals(connection, [structs.replace(each, received_at=each.at)], now=each.at)


def flame(n: int, action: str = "raised", hours: float = 0.0, kind: str = "flame") -> Signal:
    return structs.replace(signal(n, action, kind=kind), at=NOON + round(hours * HOUR))


@pytest.mark.parametrize(
    ("signals", "seen", "verdict", "why"),
    [([], 100, "clear", None), ([("raised", "tamper", 1), ("cleared", "tamper", 4)], 70, "clear", None),
     ([("raised", "tamper", 1), ("cleared", "tamper", 7)], 40, "blind", "blind_since"),
     ([("raised", "camera_offline", 1), ("cleared", "camera_offline", 4), ("raised", "tamper", 5), ("cleared", "tamper", 8)], 40, "blind",
      "blind_since"),
     ([("raised", "camera_offline", -9), ("cleared", "camera_offline", 2)], 80, "clear", None),
     ([("raised", "camera_offline", -9), ("cleared", "camera_offline", -2)], 100, "clear", None),
     ([("raised", "camera_offline", 9.9)], 99, "blind", "out_of_service")],
)  # fmt: skip
def test_a_camera_that_was_covered_or_offline_is_blind_for_that_time(
    park: Database, signals: list[tuple[str, str, float]], seen: int, verdict: str, why: str | None
) -> None:
    before = [flame(n, action, hours, kind) for n, (action, kind, hours) in enumerate(signals) if hours < 0]
    take(park, *before)
    hazard = claimed(park, "fire")
    take(park, *[flame(50 + n, action, hours, kind) for n, (action, kind, hours) in enumerate(signals) if hours >= 0])
    with park.read() as connection:
        answer = preview_gate(connection, hazard, now=NOON + 10 * HOUR)
        incidents = {i.id for i in list_incidents(connection, scope=EVERYTHING)[0]}
    assert answer is not None and [w.device for w in answer.watchers] == ["CAM-1"]
    (camera,) = answer.watchers
    assert (camera.seen, camera.why, answer.verdict) == (seen, why, verdict)
    assert answer.seen_rule == ("gate_sight" if why == "blind_since" else "")
    assert set(camera.incidents) <= incidents and (bool(camera.incidents) == (seen < 100))


async def test_a_reading_beyond_high_high_speaks_of_fire_where_a_camera_sees_none(park: Database, series: TimeSeries) -> None:
    hazard = claimed(park, "fire")
    await write(series, (0.5, 70.0))
    answer = await asked(park, series, hazard, NOON + HOUR)
    assert (answer.verdict, [w.device for w in answer.watchers]) == ("clear", ["CAM-1"]), "high alone is no fire, and the sensor sees none"
    await write(series, (0.6, 95.0))
    answer = await asked(park, series, hazard, NOON + HOUR)
    assert (answer.verdict, answer.against) == ("refuted", ["T-1/temperature"])


def test_papers_from_before_the_rectification_do_not_count_and_the_field_is_named(park: Database) -> None:
    hazard = rectifying(park, "training")
    good, early = AFTER, structs.replace(AFTER, taken_at=NOON - MINUTE)
    uploaded = structs.replace(AFTER, sha256="a" * 64, document="")
    with park.write() as connection:
        keep_upload(connection, "a" * 64, media_type="image/png", size=1, device="x", zone="smelter", taken_at=NOON - HOUR)
    for papers, where in (([early], "/evidence/0/taken_at"), ([uploaded], "/evidence/0/sha256"), ([], "/evidence"),
                          ([structs.replace(good, stage=Stage.BEFORE), early], "/evidence/1/taken_at")):  # fmt: skip
        with pytest.raises(NotByRule) as refused:
            give(park, hazard, ask.Claim(note="已培训", evidence=papers), OFFICER)
        assert (refused.value.where, refused.value.rule) == (where, "evidence_instead")
        assert refused.value.gate is not None and not any(p.why == "paper_counts" for p in refused.value.gate.papers)
    hazard = give(park, hazard, ask.Claim(note="已培训", evidence=[early, good]), OFFICER).hazard
    assert hazard.state is State.CLAIMED
    give(park, hazard, ask.Refuse(reason="未全员培训"), DEPARTMENT, now=NOON + HOUR)
    with pytest.raises(NotByRule, match="before the rectification began"):
        give(park, hazard, ask.Claim(note="再次培训", evidence=[good]), OFFICER, now=NOON + 2 * HOUR)
    fresh = structs.replace(good, taken_at=NOON + 2 * HOUR)
    assert give(park, hazard, ask.Claim(note="再次培训", evidence=[fresh]), OFFICER, now=NOON + 2 * HOUR).hazard.state is State.CLAIMED


async def test_the_bureau_goes_on_against_the_evidence_with_a_reason_on_the_record(park: Database, series: TimeSeries) -> None:
    hazard = claimed(park)
    await write(series, (0.9, 85.0))
    seen = await seen_of(park, series, hazard, NOON + HOUR)
    against = ask.Accept(override_reason="该点位正在标校，人工复测正常")
    with pytest.raises(NotForRole) as refused:
        give(park, hazard, against, DEPARTMENT, now=NOON + HOUR, seen=seen)
    assert refused.value.rule == "gate_override"
    blank = give(park, hazard, ask.Accept(override_reason="  "), BUREAU, now=NOON + HOUR, seen=seen)
    assert blank.refusal is not None, "a blank is no reason"
    accepted = give(park, hazard, against, BUREAU, now=NOON + HOUR, seen=seen).hazard
    (override,) = accepted.overrides
    assert (accepted.state, override.by, override.question, override.verdict) == (State.ACCEPTED, "zhou", "accept", "refuted")
    with park.read() as connection:
        entry = hazard_events(connection, hazard.id, scope=EVERYTHING)[0][-1].entry
    assert entry.event == "accepted" and entry.details["override_reason"] == against.override_reason
    assert entry.details["override_basis"]["rule"] == "gate_override" and entry.details["gate"]["passes"] is False


async def test_foreign_errors_of_the_store_are_the_only_ones_that_count_as_away(sqlite_database: Database) -> None:
    class Broken:
        async def read(self, query: SeriesQuery) -> Sequence[SeriesRun]:
            raise StorageUnavailable("x") if query.metric == "away" else ZeroDivisionError

        async def close(self) -> None:
            return

    with sqlite_database.write() as connection:
        apply_site(connection, SITE, by="test", now=NOON)
    with pytest.raises(ZeroDivisionError):
        await seen_of(sqlite_database, Broken(), rectifying(sqlite_database), NOON)
