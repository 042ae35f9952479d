"""Zones come and go, series nobody registered stay few, what is kept of a zone can be read again or is refused."""

import base64
import zlib
from pathlib import Path

import msgspec
import pytest

from hazards import evaluation as module
from hazards import limit_table
from hazards.errors import MalformedMessage, UnknownSchema
from hazards.evaluation import FORGOTTEN, Evaluation
from hazards.rules import Comparison
from hazards.sensors import Limits, Sensor, own_rules
from hazards.telemetry import Reading, TelemetryPack, pack_readings
from hazards.zone_series import SEEN, SeenPacks
from tests.hazards.telemetry_histories import NOON, SECOND, file_rule, sensor

HOT = {s.series: s for s in (sensor(f"T-{n}", "hall" if n % 2 else "yard", limits=Limits(high=60.0)) for n in range(600))}


def pack(zone: str, *names: str, at: int = NOON, value: float = 70.0) -> TelemetryPack:
    return pack_readings(zone, [Reading(f"{name}/temperature", at, value) for name in names], at)


def with_zones(*zones: str) -> Evaluation:
    evaluation = Evaluation(HOT)
    for zone in zones:
        evaluation.restore(zone, None, NOON)
    return evaluation


def test_zones_that_leave_take_all_of_theirs_with_them_and_only_that() -> None:
    evaluation = with_zones("hall", "yard")
    halls, yards = [f"T-{n}" for n in range(1, 600, 2)], [f"T-{n}" for n in range(0, 600, 2)]
    assert len(evaluation.take([pack("hall", *halls), pack("yard", *yards)])) == 600
    evaluation.take([pack("hall", *halls, at=NOON + SECOND), pack("yard", *yards, at=NOON + SECOND)])
    body = evaluation.snapshot("hall")
    evaluation.drop("hall")
    assert {p.zone for p in evaluation.rollups()} == {"yard"}
    assert evaluation.standing() == 300
    evaluation.restore("hall", None, NOON)  # its slots are somebody's again, and clean
    assert evaluation.take([pack("hall", *halls, value=20.0)]) == []
    evaluation.drop("hall")
    evaluation.restore("hall", body, NOON)
    assert evaluation.standing() == 600
    assert evaluation.take([pack("hall", *halls, at=NOON + SECOND)]) == []
    assert evaluation.counts.repeated == 1


def test_a_series_in_two_zones_is_two_series() -> None:
    evaluation = with_zones("hall", "yard")
    assert [r.device for r in evaluation.take([pack("yard", "T-1"), pack("hall", "T-1")])] == ["T-1"], "it stands in the hall"


def test_series_that_nobody_registered_are_bounded_and_those_registered_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STRANGERS", 10)
    evaluation = with_zones("hall")
    reports = evaluation.take([pack("hall", *(f"X-{n}" for n in range(25)), "T-1", "T-3")])
    assert [r.device for r in reports] == ["T-1", "T-3"]
    assert (evaluation.counts.strange, evaluation.counts.readings) == (15, 12)


def test_what_nobody_registered_and_nobody_hears_of_is_forgotten_in_the_next_life() -> None:
    evaluation = with_zones("hall")
    evaluation.take([pack("hall", "X-1", "T-1"), pack("hall", "X-2", at=NOON + FORGOTTEN)])
    evaluation.take([pack("hall", "X-2", at=NOON + FORGOTTEN + SECOND)])
    again = Evaluation(HOT)
    again.restore("hall", evaluation.snapshot("hall"), NOON + FORGOTTEN + SECOND)
    assert list(again.zones["hall"].slots) == ["T-1/temperature", "X-2/temperature"]
    assert again.standing() == 1
    again.take([pack("hall", "X-2", at=NOON + FORGOTTEN + 2 * SECOND)])
    assert {tuple(p.series) for p in again.rollups()} == {("X-2/temperature",)}


@pytest.mark.parametrize("body", [b"", b"\xff", b"\x93\x01\x02\x03", msgspec.msgpack.encode((1, ["names"]))])
def test_a_state_that_is_none_is_refused_and_leaves_nothing(body: bytes) -> None:
    evaluation = Evaluation(HOT)
    with pytest.raises(MalformedMessage):
        evaluation.restore("hall", body, NOON)
    assert evaluation.zones == {}


def test_a_state_of_a_later_version_is_refused() -> None:
    with pytest.raises(UnknownSchema):
        Evaluation(HOT).restore("hall", msgspec.msgpack.encode((2, {"new": 1})), NOON)


def test_the_latest_packs_are_known_the_oldest_are_forgotten() -> None:
    seen = SeenPacks()
    for n in range(3 * SEEN):
        assert not seen.has(str(n))
        seen.add(str(n))
    kept = SeenPacks(seen.tobytes())
    latest = range(3 * SEEN - SEEN // 2, 3 * SEEN)
    assert all(kept.has(str(n)) for n in latest)
    assert not kept.has("0")
    assert len(kept.tobytes()) <= 8 * SEEN


def test_what_is_kept_of_a_series_is_small() -> None:
    evaluation = with_zones("hall")
    names = [f"T-{n}" for n in range(1, 200, 2)]
    for second in range(2000):
        evaluation.take([pack("hall", *names, at=NOON + second * SECOND, value=20.0)])
    assert len(evaluation.snapshot("hall")) / len(names) < 1500


def test_what_is_due_at_one_moment_is_found_by_some_ticks_and_alarms_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit_table, "OF_A_TICK", 10)
    armed = file_rule("consumption", 60.0, windows=((NOON, NOON + 9 * SECOND), (NOON + 20 * SECOND, NOON + 30 * SECOND)))
    evaluation = Evaluation({name: msgspec.structs.replace(s, rules=(armed,)) for name, s in HOT.items() if s.zone == "hall"})
    evaluation.restore("hall", None, NOON)
    cool, hot = [f"T-{n}" for n in range(1, 60, 2)], [f"T-{n}" for n in range(61, 75, 2)]
    assert len(evaluation.take([pack("hall", *cool, value=20.0), pack("hall", *hot)])) == len(hot)
    found = evaluation.zones["hall"].outgoing
    for tick in range(6):
        evaluation.tick(lambda _: NOON + 10 * SECOND, silent_from=-1)
        assert len(found) == len(hot), f"all that stood is cleared by the first tick, not by number {tick}"
    assert len(evaluation.take([pack("hall", *cool, *hot, at=NOON + 21 * SECOND)])) == len(cool) + len(hot)


# --- bytes of before rules were data ---

OLD = zlib.decompress(base64.b85decode((Path(__file__).parent / "checkpoint_schema_1.b85").read_text("ascii").replace("\n", "")))
"""A zone as the last program without rule files kept it: what stands and what is under way of the five sensors in OF_OLD."""
OF_OLD = {
    s.series: s for s in (
        sensor("T-1", "hall", limits=Limits(low=10.0, high=60.0, high_high=80.0), deadband=2.0),
        sensor("T-2", "hall", limits=Limits(high=60.0), on_delay=30 * SECOND),
        sensor("T-3", "hall", rate=2.0, off_delay=20 * SECOND),
        sensor("T-4", "hall", stale_after=10 * SECOND),
        sensor("T-5", "hall", limits=Limits(high=60.0), latching=True),
    )
}  # fmt: skip


def with_rule(sensor: Sensor) -> Sensor:
    """As the resolution leaves it where a rule of a file holds beside the device's own."""
    return msgspec.structs.replace(sensor, rules=(*own_rules(sensor), file_rule("deviation", 5.0, reference=20.0)))


@pytest.mark.parametrize("upgraded", [OF_OLD, {name: with_rule(sensor) for name, sensor in OF_OLD.items()}])
def test_a_state_of_before_rules_were_data_goes_on_where_it_was(upgraded: dict[str, Sensor]) -> None:
    evaluation = Evaluation(upgraded)
    evaluation.restore("hall", OLD, NOON + 12 * SECOND)
    zone = evaluation.zones["hall"]
    assert [(r.kind, r.action) for r in zone.outgoing] == [("sensor_stale", "raised")], "it was not sent yet"
    assert (evaluation.standing(), evaluation.stale()) == (4, ["T-4/temperature"])
    zone.outgoing.clear()
    evaluation.tick(lambda _: NOON + 31 * SECOND, silent_from=-1)
    reports = zone.outgoing + evaluation.take([pack("hall", *(f"T-{n}" for n in range(1, 6)), at=NOON + 32 * SECOND, value=20.0)])
    assert sorted((r.source, r.source_id, r.action.value) for r in reports) == [
        ("rule/sensor_stale", f"T-4/temperature/{NOON}/cleared", "cleared"),
        ("rule/temperature_high", f"T-1/temperature/{NOON + SECOND}/cleared", "cleared"),
        ("rule/temperature_high", f"T-2/temperature/{NOON + SECOND}/cleared", "cleared"),
        ("rule/temperature_high", f"T-2/temperature/{NOON + SECOND}/raised", "raised"),
        ("rule/temperature_high_high", f"T-1/temperature/{NOON + SECOND}/cleared", "cleared"),
        ("rule/temperature_rising", f"T-3/temperature/{NOON + SECOND}/cleared", "cleared"),
    ]


class OldSeries(msgspec.Struct, frozen=True, array_like=True):
    """The columns that a program of before rule files knew."""

    names: list[str]
    last_at: bytes
    last_received: bytes
    last_value: bytes
    conditions: dict[int, dict[Comparison, dict[str, object]]]
    sensors: dict[int, dict[str, object]]
    rings: dict[int, tuple[bytes, bytes, bytes]]
    seen: bytes
    outgoing: list[dict[str, object]]


def test_a_program_of_before_rule_files_reads_what_it_knows_of_a_state_of_today() -> None:
    """While workers are upgraded one after the other a zone may go back to an old one: no name of a rule that it does not know."""
    evaluation = Evaluation({name: with_rule(sensor) for name, sensor in OF_OLD.items()})
    evaluation.restore("hall", None, NOON)
    assert len(evaluation.take([pack("hall", "T-1")])) == 2
    body = evaluation.snapshot("hall")
    schema, kept = msgspec.msgpack.decode(body, type=tuple[int, OldSeries])
    assert (schema, {place: list(c) for place, c in kept.conditions.items()}) == (1, {kept.names.index("T-1/temperature"): ["high"]})
    again = Evaluation(evaluation.sensors)
    again.restore("hall", body, NOON)
    assert again.standing() == 2
