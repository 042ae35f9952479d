"""Correlation: what bears what out, what that does, and what holds for every history."""

from collections.abc import Collection

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hazards.correlation import PER_MODALITY, RULES, Modality, Source, corroborate, modality_of, remember, rule_of, surer
from hazards.incident_course import REGROUP_WINDOW
from hazards.kinds import KINDS, group_of, kind_of
from hazards.merging import merge, wake
from hazards.messages import Action, Certainty, IncidentState, Signal
from hazards.surroundings import Surroundings
from hazards.zone_state import Incident, Merged, Reason, ZoneState
from hazards.zones import AlarmTiming
from tests.hazards.signals import NOON, SECOND, histories, signal

TYPES = {"CAM-1": "camera", "CAM-2": "camera", "T-1": "sensor", "T-2": "sensor", "NVR": "platform", "A": "camera", "B": "sensor"}


PLAIN = AlarmTiming()


def around(timing: AlarmTiming = PLAIN, acknowledged: Collection[str] = ()) -> Surroundings:
    return Surroundings("smelter", lambda device: timing, TYPES.get, acknowledged)


def run(
    *signals: Signal, state: ZoneState | None = None, timing: AlarmTiming = PLAIN, seen: tuple[str, ...] = ()
) -> tuple[ZoneState, Merged]:  # fmt: skip
    state = state if state is not None else ZoneState()
    return state, merge(state, signals, around(timing, seen))


def only(state: ZoneState) -> Incident:
    (incident,) = state.incidents.values()
    return incident


def heat(number: int, action: str = "raised", *, device: str = "T-1", at: float = 0.0) -> Signal:
    return signal(number, action, device=device, kind="temperature_high", at=at)


# --- the table ---


def test_every_rule_names_kinds_of_one_group_and_gives_its_basis() -> None:
    for rule in RULES:
        assert {group_of(kind_of(kind).family) for kind in rule.kinds} == {rule.name} and rule.kinds <= set(KINDS)
        assert rule.basis == "platform_default", "no document gives these numbers: they must not look like a clause"
        assert all(step.chinese and step.english and step.severity in (None, 1, 2, 3) for step in rule.steps)
        assert [step.certainty for step in rule.steps] == sorted((s.certainty for s in rule.steps), key=list(Certainty).index, reverse=True)
        assert all(rule_of(kind) is rule for kind in rule.kinds)


@pytest.mark.parametrize(
    ("signals", "certainty", "severity", "family"),
    [
        ([signal(1)], "possible", 2, "fire"),
        ([signal(1), heat(2, at=9)], "observed", 1, "fire"),
        ([heat(1), signal(2, at=9)], "observed", 1, "fire"),
        ([heat(1), heat(2, device="T-2", at=9)], "likely", 2, "heat"),
        ([signal(1), signal(2, device="CAM-2", at=9)], "likely", 2, "fire"),
        ([signal(1), signal(2, kind="smoke", at=9)], "possible", 2, "fire"),  # one camera twice
        ([signal(1), signal(2, device="NVR", at=9)], "likely", 2, "fire"),  # the platform may forward that very camera
        ([signal(1, device="T-2", kind="manual_call_point")], "likely", 1, "fire"),
        ([signal(1, device="T-2", kind="manual_call_point"), heat(2, at=9)], "observed", 1, "fire"),
        ([signal(1), signal(2, kind="temperature_low", device="T-1", at=9)], "possible", 2, "fire"),  # cold is no sign of fire
        ([signal(1, kind="odd_thing"), signal(2, kind="odd_thing", device="T-1")], "possible", 3, "odd_thing"),
        ([signal(1, kind="flammable_gas_high", device="T-1"), signal(2, kind="oxygen_low", device="T-2", at=9)], "likely", 1, "gas"),
        ([signal(1, kind="intrusion"), signal(2, kind="seal_broken", device="T-1", at=9)], "observed", 2, "access"),
        ([signal(1, kind="camera_offline"), signal(2, kind="sensor_stale", device="T-1")], "possible", 3, "equipment"),
        ([signal(1), signal(2, "cleared", at=2), heat(3, at=300)], "observed", 1, "fire"),  # it had ended 298 s before
        ([signal(1, "pulse"), heat(2, at=9)], "observed", 1, "fire"),
        ([signal(1), heat(2, "cleared", at=9)], "possible", 2, "fire"),  # an end is no evidence
        ([signal(1), heat(2, at=9), heat(3, "cleared", at=20), signal(4, "cleared", at=30)], "observed", 1, "fire"),
    ],
)
def test_what_bears_what_out(signals: list[Signal], certainty: str, severity: int, family: str) -> None:
    state, _ = run(*signals)
    group = group_of(kind_of(signals[0].kind).family)
    incident = state.incidents[group]
    assert (incident.certainty, incident.severity, incident.family) == (certainty, severity, family)


def test_the_second_source_raises_both_and_the_record_says_why() -> None:
    state, merged = run(signal(1), heat(2, at=9))
    assert [d.reason for d in merged.decisions] == [Reason.OPENED, Reason.CORROBORATED]
    assert [h.event for h in merged.happenings] == ["opened", "certainty_raised", "severity_raised"]
    surer_now, graver_now = merged.happenings[1:]
    why = {"rule": "fire", "basis": "platform_default", "needs": "modalities"}
    assert {k: surer_now.explained[k] for k in why} == why and {k: graver_now.explained[k] for k in why} == why
    assert (surer_now.explained["from"], surer_now.explained["to"]) == ("possible", "observed")
    assert (graver_now.explained["from"], graver_now.explained["to"], graver_now.reason) == (2, 1, Reason.CORROBORATED)
    incident = only(state)
    assert incident.corroboration["sources"] == [
        {"device": "CAM-1", "kind": "flame", "modality": "camera", "at": NOON},
        {"device": "T-1", "kind": "temperature_high", "modality": "sensor", "at": NOON + 9 * SECOND},
    ]
    assert (incident.reason, merged.graver) == (Reason.CORROBORATED, {incident.id})


def test_which_of_the_two_comes_first_changes_neither_certainty_nor_severity_nor_family() -> None:
    there, _ = run(signal(1), heat(2, at=9))
    back, _ = run(heat(2, at=9), signal(1, received=10))
    one, other = only(there), only(back)
    assert (one.certainty, one.severity, one.family) == (other.certainty, other.severity, other.family)
    assert one.corroboration == other.corroboration


def test_what_was_long_over_bears_nothing_out_although_the_incident_is_one() -> None:
    smoke = signal(3, kind="smoke", device="NVR", at=1)
    state, _ = run(signal(1), smoke, signal(2, "cleared", at=2), heat(4, at=303))
    assert only(state).certainty is Certainty.LIKELY  # NVR's smoke still stands; the camera's flame ended 301 s before
    state, _ = run(signal(1), smoke, heat(4, at=3000))
    assert only(state).certainty is Certainty.OBSERVED, "what still stands counts however long ago it began"


def test_what_is_within_its_on_delay_bears_nothing_out_until_the_delay_is_over() -> None:
    timing = AlarmTiming(on_delay=5 * SECOND)
    state, _ = run(signal(1), heat(2, at=3), timing=timing)
    assert (only(state).certainty, only(state).severity) == ("possible", 2)
    merged = wake(state, NOON + 8 * SECOND, around(timing))
    assert (only(state).certainty, only(state).severity, only(state).state) == ("observed", 1, IncidentState.ACTIVE)
    assert [h.event for h in merged.happenings] == ["opened", "certainty_raised", "severity_raised"]


def test_an_acknowledgement_at_the_lower_severity_does_not_release_a_latch_after_it_was_raised() -> None:
    latching = AlarmTiming(latching=True)
    state, _ = run(signal(1), timing=latching)
    seen = (only(state).id,)
    _, merged = run(heat(2, at=9), signal(3, "cleared", at=10), heat(4, "cleared", at=11), state=state, timing=latching, seen=seen)
    assert merged.graver == set(seen) and only(state).state is IncidentState.ACTIVE
    wake(state, NOON + 20 * SECOND, around(latching, set(seen) - merged.graver))
    assert only(state).state is IncidentState.ACTIVE, "severity 1 was never acknowledged"


def test_a_new_incident_begins_in_doubt_again() -> None:
    later = REGROUP_WINDOW / SECOND + 20
    state, merged = run(signal(1), heat(2, at=9), signal(3, "cleared", at=10), heat(4, "cleared", at=11), signal(5, at=later))
    assert len({d.incident for d in merged.decisions}) == 2
    assert (only(state).certainty, only(state).severity, only(state).corroboration) == ("possible", 2, {})


def test_heat_that_began_before_there_were_groups_keeps_its_incident_until_it_is_over() -> None:
    state, _ = run(heat(1))
    state.incidents = {"heat": state.incidents["fire"]}
    old = state.incidents["heat"].id
    state.alarms["T-1 temperature_high"].group = ""  # as an older version left it
    state, merged = run(signal(2, at=1), heat(3, "cleared", at=2), heat(4, at=3), state=state)
    assert [d.incident == old for d in merged.decisions] == [False, True, True]


def test_one_incident_remembers_few_sources_and_rather_those_that_stand() -> None:
    sources: list[Source] = []
    for n in range(50):
        sources = remember(sources, Source(f"D-{n}", "flame", Modality.CAMERA, n), lambda alarm: None if alarm == "D-3 flame" else 1)
    assert len(sources) == PER_MODALITY and {"D-3", "D-49"} <= {s.device for s in sources}


@pytest.mark.parametrize(
    ("kind", "device_type", "modality"),
    [("flame", "camera", "camera"), ("flame", "sensor", "sensor"), ("flame", "platform", "other"), ("flame", None, "other"),
     ("manual_call_point", "sensor", "person")],
)  # fmt: skip
def test_by_what_a_source_knows(kind: str, device_type: str | None, modality: str) -> None:
    assert modality_of(kind, device_type) == modality


# --- what holds for every history ---


@given(histories())
@settings(max_examples=300)
def test_certainty_and_severity_only_ever_grow_and_never_without_a_second_device(signals: list[Signal]) -> None:
    state, known = ZoneState(), dict[str, tuple[Certainty, int]]()
    devices = dict[str, set[str]]()
    for s in signals:
        _, merged = run(s, state=state)
        for decision in merged.decisions:
            devices.setdefault(decision.incident, set()).add(s.device)
        for incident in merged.changed.values():
            certainty, severity = known.get(incident.id, (Certainty.POSSIBLE, 4))
            assert not surer(certainty, incident.certainty) and incident.severity <= severity
            known[incident.id] = incident.certainty, incident.severity
            assert (incident.certainty is not Certainty.POSSIBLE) == bool(incident.corroboration)
            if incident.corroboration:
                sources = incident.corroboration["sources"]
                assert len({x["device"] for x in sources}) > 1 and {x["device"] for x in sources} <= devices[incident.id]
                assert (incident.certainty is Certainty.OBSERVED) == (len({x["modality"] for x in sources} - {"other"}) > 1)
            assert len(incident.sources) <= PER_MODALITY * len(Modality)


@given(histories(), st.lists(st.integers(0, 40)))
@settings(max_examples=200)
def test_certainty_does_not_depend_on_how_the_history_is_cut(signals: list[Signal], cuts: list[int]) -> None:
    whole, merged = run(*signals)
    state, happenings, start = ZoneState(), [], 0
    for cut in [*sorted(cuts), len(signals)]:
        happenings += run(*signals[start:cut], state=state)[1].happenings
        state, start = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=ZoneState), max(start, cut)
    assert happenings == merged.happenings
    assert {g: (i.certainty, i.corroboration) for g, i in state.incidents.items()} == {
        g: (i.certainty, i.corroboration) for g, i in whole.incidents.items()
    }


@given(st.permutations([signal(1), signal(2, device="CAM-2", at=1), heat(3, at=2), heat(4, device="T-2", at=3)]))
def test_any_order_of_standing_alarms_gives_the_same_certainty_and_severity(signals: list[Signal]) -> None:
    state, _ = run(*signals)
    assert (only(state).certainty, only(state).severity, only(state).family) == ("observed", 1, "fire")


@given(histories())
@settings(max_examples=100)
def test_what_only_ends_bears_nothing_out(signals: list[Signal]) -> None:
    state, _ = run(*[s for s in signals if s.action is Action.CLEARED])
    assert all(i.certainty is Certainty.POSSIBLE and not i.sources for i in state.incidents.values())


def test_a_source_alone_finds_nothing() -> None:
    assert corroborate([], Source("CAM-1", "flame", Modality.CAMERA, NOON), lambda alarm: None) is None
