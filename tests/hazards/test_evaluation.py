"""Zones come and go, series nobody registered stay few, what is kept of a zone can be read again or is refused."""

import msgspec
import pytest

from hazards import evaluation as module
from hazards.errors import MalformedMessage, UnknownSchema
from hazards.evaluation import FORGOTTEN, Evaluation
from hazards.sensors import Limits
from hazards.telemetry import Reading, TelemetryPack, pack_readings
from hazards.zone_series import SEEN, SeenPacks
from tests.hazards.telemetry_histories import NOON, SECOND, sensor

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
