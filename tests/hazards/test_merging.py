"""Merging: what joins, what opens, why; and what holds for every history."""

from collections import Counter
from collections.abc import Collection

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hazards.alarm_state import ALARMING, Phase
from hazards.incident_course import REGROUP_WINDOW
from hazards.merging import merge, next_wake, wake
from hazards.messages import Action, IncidentState, Lapse, Signal
from hazards.surroundings import Surroundings
from hazards.zone_state import Decision, Merged, Reason, ZoneState
from hazards.zones import AlarmTiming
from tests.hazards.signals import NOON, SECOND, histories, signal

WINDOW = REGROUP_WINDOW / SECOND


def timing(**delays: int | bool) -> AlarmTiming:
    return AlarmTiming(on_delay=delays.get("on_delay", 0) * SECOND, off_delay=delays.get("off_delay", 0) * SECOND,
                       latching=bool(delays.get("latching", False)))  # fmt: skip


PLAIN = AlarmTiming()


def around(alarm_timing: AlarmTiming = PLAIN, acknowledged: Collection[str] = ()) -> Surroundings:
    return Surroundings("smelter", lambda device: alarm_timing, acknowledged=acknowledged)


def run(signals: list[Signal], alarm_timing: AlarmTiming = PLAIN, state: ZoneState | None = None) -> tuple[ZoneState, Merged]:
    state = state if state is not None else ZoneState()
    return state, merge(state, signals, around(alarm_timing))


def reasons(merged: Merged) -> list[Reason]:
    return [d.reason for d in merged.decisions]


@pytest.mark.parametrize(
    ("story", "alarm_timing", "expected", "incidents", "last_state"),
    [
        ("a flame that ends", AlarmTiming(), ["opened", "ended"], 1, "cleared"),
        ("the same flame said twice", AlarmTiming(), ["opened", "repeated"], 1, "active"),
        ("two cameras see one fire", AlarmTiming(), ["opened", "corroborated", "others_stand", "ended"], 1, "cleared"),
        ("heat, then a flame", AlarmTiming(), ["opened", "joined", "others_stand", "ended"], 1, "cleared"),
        ("it flares up again", AlarmTiming(), ["opened", "ended", "reactivated"], 1, "active"),
        ("a new fire an hour later", AlarmTiming(), ["opened", "ended", "opened"], 2, "active"),
        ("fire and an intruder", AlarmTiming(), ["opened", "opened"], 2, "active"),
        ("an end without a beginning", AlarmTiming(), ["nothing_stood", "nothing_stood"], 1, "closed"),
        ("a push button", AlarmTiming(), ["opened", "reactivated"], 1, "cleared"),
        ("a spark within the on-delay", timing(on_delay=5), ["within_on_delay", "transient"], 1, "cleared"),
        ("a flame beyond the on-delay", timing(on_delay=5), ["within_on_delay", "repeated"], 1, "active"),
        ("flicker within the off-delay", timing(off_delay=5), ["opened", "within_off_delay", "repeated"], 1, "active"),
        ("a latch", timing(latching=True), ["opened", "latched"], 1, "active"),
        ("an old raise arrives late", AlarmTiming(), ["opened", "ended", "late"], 1, "cleared"),
    ],
)
def test_stories(story: str, alarm_timing: AlarmTiming, expected: list[str], incidents: int, last_state: str) -> None:
    signals = {
        "a flame that ends": [signal(1), signal(2, "cleared", at=9)],
        "the same flame said twice": [signal(1), signal(2, at=9)],
        "two cameras see one fire": [signal(1), signal(2, device="CAM-2", kind="smoke", at=1), signal(3, "cleared", at=2),
                                     signal(4, "cleared", device="CAM-2", kind="smoke", at=3)],
        "heat, then a flame": [signal(1, device="CAM-1", kind="temperature_high"), signal(2, at=1), signal(3, "cleared", at=2),
                               signal(4, "cleared", kind="temperature_high", at=3)],
        "it flares up again": [signal(1), signal(2, "cleared", at=9), signal(3, at=9 + WINDOW)],
        "a new fire an hour later": [signal(1), signal(2, "cleared", at=9), signal(3, at=9.1 + WINDOW)],
        "fire and an intruder": [signal(1), signal(2, kind="intrusion")],
        "an end without a beginning": [signal(1, "cleared"), signal(2, "cleared", at=60)],
        "a push button": [signal(1, "pulse"), signal(2, "pulse", at=3)],
        "a spark within the on-delay": [signal(1), signal(2, "cleared", at=4)],
        "a flame beyond the on-delay": [signal(1), signal(2, at=6)],
        "flicker within the off-delay": [signal(1), signal(2, "cleared", at=1), signal(3, at=4)],
        "a latch": [signal(1), signal(2, "cleared", at=1)],
        "an old raise arrives late": [signal(1, at=5), signal(2, "cleared", at=9), signal(3, at=4, received=4)],
    }[story]  # fmt: skip
    _, merged = run(signals, alarm_timing)
    assert reasons(merged) == expected
    assert len({d.incident for d in merged.decisions}) == incidents
    assert merged.changed[merged.decisions[-1].incident].state == last_state


def test_the_gravest_severity_stays() -> None:
    state, merged = run([signal(1, kind="smoke", severity=3), signal(2, severity=1, at=1), signal(3, kind="smoke", severity=4, at=2)])
    assert [(i.severity, i.raised_at) for i in state.incidents.values()] == [(1, NOON + SECOND)], "new when it became graver"
    assert [h.event for h in merged.happenings] == ["opened", "severity_raised"]
    assert (merged.happenings[1].explained, merged.graver) == ({"from": 3, "to": 1}, set(merged.changed))


def test_a_pending_incident_is_annunciated_when_its_delay_is_over() -> None:
    state, _ = run([signal(1)], timing(on_delay=5))
    assert wake(state, NOON, around(timing(on_delay=5))).told, "it is told as pending"
    assert next_wake(state) == NOON + 5 * SECOND
    merged = wake(state, NOON + 5 * SECOND, around(timing(on_delay=5)))
    (incident,) = merged.changed.values()
    assert (incident.state, incident.reason, [h.event for h in merged.happenings]) == (IncidentState.ACTIVE, Reason.CONFIRMED, ["opened"])


def test_an_acknowledged_incident_closes_when_it_stayed_quiet_and_another_waits() -> None:
    state, merged = run([signal(1), signal(2, kind="intrusion"), signal(3, "cleared", at=9), signal(4, "cleared", kind="intrusion", at=9)])
    fire = merged.decisions[0].incident
    late = NOON + 9 * SECOND + REGROUP_WINDOW
    wake(state, NOON + 9 * SECOND, around())
    assert next_wake(state) == late
    assert not wake(state, late - 1, around(PLAIN, {fire})).changed
    changed = wake(state, late, around(PLAIN, {fire})).changed
    assert {i.id: i.state for i in changed.values()} == {fire: IncidentState.CLOSED}
    assert next_wake(state) is None


def test_what_a_rule_has_timed_itself_is_not_delayed_again_but_latches() -> None:
    slow = timing(on_delay=5, off_delay=5, latching=True)
    heat = signal(1, kind="temperature_high"), signal(2, "cleared", kind="temperature_high", at=1)
    timed = [msgspec.structs.replace(s, timed=True) for s in heat]
    state, merged = run(timed, slow)
    assert reasons(merged) == ["opened", "latched"]
    fire = merged.decisions[0].incident
    wake(state, NOON + SECOND, around(slow, {fire}))
    assert state.alarms["CAM-1 temperature_high"].phase is Phase.NORMAL, "acknowledged, it is let go: there is no delay to wait for"


def test_an_acknowledgement_releases_a_latch() -> None:
    state, merged = run([signal(1), signal(2, "cleared", at=1)], timing(latching=True))
    fire = merged.decisions[0].incident
    wake(state, NOON + 2 * SECOND, around(timing(latching=True)))
    assert not wake(state, NOON + 60 * SECOND, around(timing(latching=True))).changed
    merged = wake(state, NOON + 60 * SECOND, around(timing(latching=True), {fire}))
    assert merged.changed[fire].state is IncidentState.CLEARED and merged.changed[fire].reason is Reason.RELEASED


def test_a_chattering_alarm_within_the_window_is_one_incident() -> None:
    signals = [signal(n, "raised" if n % 2 else "cleared", at=n * 2.0) for n in range(1, 400)]
    _, merged = run(signals)
    assert len({d.incident for d in merged.decisions}) == 1


def test_a_zone_state_stays_compact() -> None:
    state, _ = run([signal(n, "raised" if n % 2 else "cleared", device=f"D{(n + 1) // 2}", at=n) for n in range(1, 4001)])
    assert len(state.alarms) < 700
    assert len(msgspec.msgpack.encode(state)) < 60_000


# --- what holds for every history ---

TIMINGS = st.builds(timing, on_delay=st.sampled_from([0, 3]), off_delay=st.sampled_from([0, 3]), latching=st.booleans())


def grouping(decisions: list[Decision]) -> list[tuple[str, str]]:
    return [(d.signal, d.incident) for d in decisions]


@given(histories(), TIMINGS)
@settings(max_examples=300)
def test_every_signal_stands_once_and_states_agree_with_alarms(signals: list[Signal], alarm_timing: AlarmTiming) -> None:
    state, merged = run(signals, alarm_timing)
    assert Counter(d.signal for d in merged.decisions) == Counter(s.id for s in signals)
    by_incident = Counter(d.incident for d in merged.decisions)
    assert {i.id: i.count for i in merged.changed.values()} == by_incident
    grave: dict[str, list[int]] = {}
    for decision, s in zip(merged.decisions, signals, strict=True):
        grave.setdefault(decision.incident, []).append(s.severity if s.severity and s.action is not Action.CLEARED else 0)
    for incident in state.incidents.values():
        alarming = [k for k in incident.present if state.alarms[k].phase in ALARMING]
        assert (incident.state is IncidentState.ACTIVE) == bool(alarming)
        assert (incident.cleared_at is None) == (incident.state in (IncidentState.ACTIVE, IncidentState.PENDING))
        assert 1 not in grave[incident.id] or incident.severity == 1


@given(histories(), TIMINGS, st.lists(st.integers(0, 40)), st.booleans())
@settings(max_examples=300)
def test_the_same_order_groups_the_same_however_it_is_cut(
    signals: list[Signal], alarm_timing: AlarmTiming, cuts: list[int], stored: bool
) -> None:  # fmt: skip
    _, whole = run(signals, alarm_timing)
    state, decisions, start = ZoneState(), [], 0
    for cut in [*sorted(cuts), len(signals)]:
        decisions += run(signals[start:cut], alarm_timing, state)[1].decisions
        start = max(start, cut)
        if stored:  # as after a crash: the state comes back from its bytes
            state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=ZoneState)
    assert grouping(decisions) == grouping(whole.decisions)
    assert [d.reason for d in decisions] == reasons(whole)


@given(histories(jitter=0.5), TIMINGS, st.data())
@settings(max_examples=200)
def test_ticks_never_change_the_grouping_of_signals_that_come_in_time(
    signals: list[Signal], alarm_timing: AlarmTiming, data: st.DataObject
) -> None:  # fmt: skip
    _, whole = run(signals, alarm_timing)
    state, decisions = ZoneState(), []
    for s in signals:
        if data.draw(st.booleans()):
            wake(state, s.received_at - SECOND // 2, around(alarm_timing))
        decisions += run([s], alarm_timing, state)[1].decisions
    assert grouping(decisions) == grouping(whole.decisions)


@given(histories(), TIMINGS)
@settings(max_examples=100)
def test_time_alone_brings_everything_to_rest(signals: list[Signal], alarm_timing: AlarmTiming) -> None:
    state, _ = run(signals, alarm_timing)
    ids = {i.id for i in state.incidents.values()}
    for _ in range(100):
        due = next_wake(state)
        if due is None:
            break
        wake(state, due, around(alarm_timing, ids))
    assert next_wake(state) is None


@pytest.mark.parametrize("lapse", list(Lapse))
def test_an_end_that_is_no_return_to_normal_is_told_as_such(lapse: Lapse) -> None:
    ended = replace(signal(2, "cleared", at=5), details={"reason": lapse.value})
    state, merged = run([signal(1), ended])
    (incident,) = state.incidents.values()
    assert (merged.decisions[-1].explained["ended_by"], incident.told_reason) == (lapse, lapse)
    assert (merged.happenings[-1].event, merged.happenings[-1].explained) == ("cleared", {"ended_by": lapse})
    _, merged = run([signal(3, at=10), signal(4, "cleared", at=15)], state=state)
    assert "ended_by" not in merged.decisions[-1].explained and incident.told_reason == "ended"
