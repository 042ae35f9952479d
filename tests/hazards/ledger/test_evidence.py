"""Pieces of evidence: since when a device was blind, which papers show the state after rectification, which limits speak of a kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hazards.ledger.blindness import Blind, Outage, length, outages, seen_percent
from hazards.ledger.kinds import hazard_kind
from hazards.ledger.papers import MINUTE, PaperWhy, evidence_of
from hazards.ledger.particulars import Paper, Stage
from hazards.ledger.sensor_evidence import can_tell, limits_that_speak
from hazards.messages import Action
from hazards.sensors import Sensor, sensors_of
from hazards.zones import Device
from tests.hazards.telemetry_histories import file_rule

OPENED, NOW = 100, 1000


def spans(*signals: tuple[int, str, str], over_at: int | None = None) -> dict[str, list[tuple[int, int]]]:
    """Signals as (time, device, action or action:kind) to spans by device."""
    given = []
    for at, device, what in signals:
        action, _, kind = what.partition(":")
        given.append(Outage(device, kind or "camera_offline", Action(action), at))
    found = outages(given, incident="i", opened_at=OPENED, over_at=over_at, now=NOW)
    assert all(each.incident == "i" for spans in found.values() for each in spans)
    return {device: [(s.start, s.end) for s in each] for device, each in found.items()}


def test_a_device_is_blind_from_its_alarm_to_the_end_of_it() -> None:
    assert spans((200, "A", "raised"), (300, "B", "raised"), (400, "A", "cleared")) == {"A": [(200, 400)], "B": [(300, NOW)]}
    assert spans((200, "A", "raised"), (250, "A", "raised"), (400, "A", "cleared"), (500, "A", "raised"), (600, "A", "cleared")) == {
        "A": [(200, 400), (500, 600)]
    }, "raised again it began when it first did"
    assert spans((200, "A", "raised"), over_at=700) == {"A": [(200, 700)]}, "an incident that is over ends it, also by hand"
    assert spans((400, "A", "cleared"), (450, "A", "cleared")) == {"A": [(OPENED, 400)]}, "unknown beginnings are the incident's"
    assert spans((200, "A", "raised:tamper"), (300, "A", "raised"), (400, "A", "cleared:tamper")) == {"A": [(200, 400), (300, NOW)]}
    assert spans((200, "A", "pulse:tamper"), (300, "A", "raised"), (350, "A", "pulse")) == {"A": [(200, 200), (300, NOW)]}
    assert spans() == {}


@given(st.lists(st.tuples(st.integers(-50, 150), st.integers(0, 80)), max_size=6), st.integers(0, 60), st.integers(40, 100))
def test_how_long_it_was_blind_is_counted_once(pairs: list[tuple[int, int]], since: int, now: int) -> None:
    blind = [Blind(start, start + took) for start, took in pairs]
    moments = [t for t in range(since, now) if any(b.start <= t < b.end for b in blind)]
    assert length(blind, since, now) == len(moments)
    if now > since:
        assert seen_percent(blind, since, now) == 100 * (now - since - len(moments)) // (now - since)
    else:
        assert seen_percent(blind, since, now) == 100


@pytest.mark.parametrize(
    ("fields", "kept_at", "why", "where"),
    [({}, None, PaperWhy.COUNTS, "taken_at"), ({"taken_at": 5 * MINUTE - 1}, None, PaperWhy.TOO_EARLY, "taken_at"),
     ({"taken_at": 5 * MINUTE}, None, PaperWhy.COUNTS, "taken_at"), ({"stage": Stage.BEFORE}, None, PaperWhy.BEFORE, "stage"),
     ({"sha256": "a" * 64}, 6 * MINUTE, PaperWhy.COUNTS, "taken_at"), ({"sha256": "a" * 64}, 4 * MINUTE, PaperWhy.TOO_EARLY, "sha256"),
     ({"sha256": "b" * 64}, 4 * MINUTE, PaperWhy.COUNTS, "taken_at")],
)  # fmt: skip
def test_only_what_was_taken_after_the_rectification_began_shows_the_state_after_it(
    fields: dict[str, object], kept_at: int | None, why: PaperWhy, where: str
) -> None:
    paper = Paper(**{"stage": Stage.AFTER, "taken_at": 7 * MINUTE, "place": "炉前", "document": "记录"} | fields)  # type: ignore[arg-type]
    kept = {} if kept_at is None else {"a" * 64: kept_at}
    _, said = evidence_of([paper, paper], began=5 * MINUTE + 30_000_000, kept=kept)
    assert (said.why, said.where) == (why, f"/evidence/1/{where}")
    assert said.kept_at == (kept_at if paper.sha256 == "a" * 64 else None)


def sensor(**settings: object) -> Sensor:
    (made,) = sensors_of(Device("S", "z", "sensor", settings=settings))
    return made


@pytest.mark.parametrize(
    ("kind", "settings", "limits", "tells"),
    [("heat", {"metric": "temperature", "limits": {"low": 0, "high": 60, "high_high": 80}}, {"high": 60, "high_high": 80}, True),
     ("cold", {"metric": "temperature", "limits": {"low": 0, "high": 60}}, {"low": 0}, True),
     ("fire", {"metric": "temperature", "limits": {"high": 60, "high_high": 80}}, {"high_high": 80}, False),
     ("heat", {"metric": "temperature"}, {}, False), ("heat", {"metric": "temperature", "rate": 2}, {}, True),
     ("gas", {"metric": "oxygen"}, {"low": 19.5, "high": 23.5}, True), ("gas", {"metric": "pressure", "limits": {"high": 9}}, {}, False),
     ("process", {"metric": "pressure", "limits": {"high": 9}}, {"high": 9}, True),
     ("flammable_gas_high", {"metric": "flammable_gas"}, {"high": 25, "high_high": 50}, True),
     ("training", {"metric": "temperature", "limits": {"high": 60}}, {}, False)],
)  # fmt: skip
def test_a_limit_speaks_of_a_kind_when_its_alarm_does(
    kind: str, settings: dict[str, object], limits: dict[str, float], tells: bool
) -> None:
    made = sensor(**settings)
    assert (limits_that_speak(hazard_kind(kind), made), can_tell(hazard_kind(kind), made)) == (limits, tells)


def test_a_rule_of_a_file_speaks_like_a_limit_of_the_device_unless_it_is_armed_at_times_only() -> None:
    always, strict, at_times = file_rule("high", 70.0), file_rule("high", 60.0, key="rule:s"), file_rule("low", 5.0, windows=((0, 9),))
    ruled = structs.replace(sensor(metric="temperature"), rules=(always, strict, at_times))
    assert limits_that_speak(hazard_kind("heat"), ruled) == {"high": 60.0} and can_tell(hazard_kind("heat"), ruled)
    assert not can_tell(hazard_kind("heat"), structs.replace(ruled, rules=(at_times,)))
