"""What has called people calls until it is acknowledged, whatever is declared then; stop orders beat permits; why an incident is there."""

import msgspec
import pytest

from hazards.declarations import Declaration, Declared
from hazards.incident_course import REGROUP_WINDOW
from hazards.merging import wake
from hazards.surroundings import Surroundings
from hazards.zone_state import Reason
from hazards.zones import AlarmTiming
from tests.hazards.signals import NOON, SECOND, signal
from tests.hazards.test_alarm_load import TYPES, ZONE, around, declared, of, run, states


@pytest.mark.parametrize("severity", [1, 2])
@pytest.mark.parametrize("starts", [2, 60])
@pytest.mark.parametrize(
    ("kind", "of_work"), [("flammable_gas_high", declared(Declared.CALIBRATION)), ("flame", declared(Declared.PERMIT, work="hot_work"))]
)
def test_what_has_called_people_is_only_labelled_by_what_is_declared_afterwards_until_it_is_acknowledged(
    kind: str, of_work: Declaration, starts: int, severity: int
) -> None:
    begin, end = NOON + starts * SECOND, NOON + 600 * SECOND
    later = around(msgspec.structs.replace(of_work, starts_at=begin, ends_at=end))
    state, merged = run(signal(1, kind=kind, device="G-1", severity=severity))
    (incident,) = state.incidents.values()
    for now in (NOON + SECOND, begin):  # entered a second later, begins then or after a while
        merged = wake(state, now, later)
    assert (incident.quiet, incident.labels, incident.severity) == ("", [of_work.kind.value], severity) and not merged.happenings
    assert incident.remind_at is not None
    run(signal(2, kind=kind, device="G-1", at=starts + 1, severity=severity), state=state, place=later)
    assert incident.quiet == "", "also when it is raised again"
    run(signal(3, "cleared", kind=kind, device="G-1", at=starts + 2), state=state, place=later)
    for now in (begin + 3 * SECOND, end, end + 2 * REGROUP_WINDOW):
        wake(state, now, later)
        assert (incident.quiet, incident.state, incident.acknowledged) == ("", "cleared", False), "somebody has to answer"
    assert states(state) == {f"G-1 {kind}": "returned_unacknowledged"} and state.alarms[f"G-1 {kind}"].quiet == ""


def test_once_it_is_acknowledged_a_declaration_quietens_it_and_what_makes_it_graver_calls_again() -> None:
    window = around(declared(Declared.CALIBRATION, devices=("G-1",)))
    state, merged = run(signal(1, kind="flammable_gas_high", device="G-1"))
    gas = of(state, "gas")
    wake(state, NOON + SECOND, window)
    answered = around(*window.declarations, acknowledged=(gas.id,))
    merged = wake(state, NOON + 2 * SECOND, answered)
    assert gas.quiet == "calibration" and [h.event for h in merged.happenings] == ["quietened"]
    run(signal(2, kind="toxic_gas_high", device="G-2", at=3), state=state, place=answered)
    assert (gas.quiet, gas.severity, gas.acknowledged) == ("", 1, False)
    wake(state, NOON + 4 * SECOND, around(*window.declarations, declared(Declared.CALIBRATION, devices=("G-2",))))
    assert (gas.quiet, gas.labels) == ("", ["calibration"])


def test_what_was_answered_and_becomes_graver_by_another_source_is_not_quietened_by_what_is_declared_then() -> None:
    state, _ = run(signal(1, kind="smoke"))
    fire = of(state, "fire")
    wake(state, NOON + 2 * SECOND, around(acknowledged=(fire.id,)))
    run(signal(3, kind="temperature_high", device="G-1", at=3), state=state, place=around(acknowledged=(fire.id,)))
    assert (fire.severity, fire.acknowledged) == (1, False), "two sources: surer and graver"
    wake(state, NOON + 4 * SECOND, around(declared(Declared.PERMIT, work="hot_work")))
    assert (fire.quiet, fire.labels, fire.severity) == ("", ["permit"], 1)


def test_what_called_in_an_incident_that_is_over_may_be_quiet_in_the_next() -> None:
    window = declared(Declared.CALIBRATION, starts=60)
    state, _ = run(signal(1, kind="flammable_gas_high", device="G-1"), signal(2, "cleared", kind="flammable_gas_high", device="G-1", at=9))
    run(signal(3, kind="flammable_gas_high", device="G-1", at=900), state=state, place=around(window))
    assert (of(state, "gas").quiet, of(state, "gas").loud, of(state, "gas").count) == ("calibration", False, 1)


def test_a_shelf_that_the_room_put_on_is_kept_and_when_it_ends_an_unanswered_call_is_loud_again_whatever_was_declared_meanwhile() -> None:
    shelf = declared(Declared.SHELVED, starts=2, ends=600, devices=("G-1",), alarms=("flammable_gas_high",))
    window = declared(Declared.CALIBRATION, starts=60)
    state, _ = run(signal(1, kind="flammable_gas_high", device="G-1"))
    gas = of(state, "gas")
    for now in (2, 60):
        wake(state, NOON + now * SECOND, around(shelf, window))
        assert gas.quiet == "shelved"
    run(signal(2, "cleared", kind="flammable_gas_high", device="G-1", at=90), state=state, place=around(shelf, window))
    wake(state, NOON + 500 * SECOND, around(shelf, window))
    assert (gas.quiet, gas.state) == ("shelved", "cleared")
    merged = wake(state, NOON + 600 * SECOND, around(shelf, window))
    assert gas.quiet == "" and [h.event for h in merged.happenings] == ["sounded"] and gas.id in merged.told


def test_an_incident_that_an_older_version_let_be_silenced_after_it_called_is_loud_again() -> None:
    window = declared(Declared.CALIBRATION, ends=600)
    state, _ = run(signal(1, kind="flammable_gas_high", device="G-1"), signal(2, "cleared", kind="flammable_gas_high", device="G-1", at=9))
    gas, alarm = of(state, "gas"), state.alarms["G-1 flammable_gas_high"]
    gas.quiet, alarm.quiet, alarm.by, state.quiet_until = "calibration", "calibration", window.id, NOON + 600 * SECOND
    merged = wake(state, NOON + 600 * SECOND, around(window))
    assert gas.quiet == "" and gas.id in merged.told


def test_a_fault_that_called_is_not_explained_by_one_that_nobody_hears() -> None:
    care = declared(Declared.PERMIT, work="maintenance", devices=("E-1",))
    state, _ = run(signal(1, kind="sensor_stale", device="G-1"), place=around(care))
    run(signal(2, kind="power_lost", device="E-1", at=5), state=state, place=around(care))
    assert states(state)["G-1 sensor_stale"] == "unacknowledged" and of(state, "equipment").quiet == ""


@pytest.mark.parametrize(
    ("measure", "voids"), [("stop_work", True), ("seal", True), ("stop_production", False), ("cut_electricity", False)]
)
def test_where_work_is_stopped_a_permit_explains_nothing_and_the_label_says_both(measure: str, voids: bool) -> None:
    permit, order = declared(Declared.PERMIT, work="hot_work"), declared(Declared.STOP_ORDER, starts=60, ends=600, measure=measure)
    both = around(permit, order)
    state, merged = run(signal(1, kind="hot_work_seen"), place=both)
    work = of(state, "work")
    assert (work.quiet, work.severity) == ("permit", 3)
    merged = wake(state, NOON + 60 * SECOND, both)
    assert ([h.event for h in merged.happenings] == ["severity_raised", "sounded"]) is voids
    assert (work.quiet, work.labels, work.severity) == (("", ["stopped"], 2) if voids else ("permit", ["permit"], 3))
    _, merged = run(signal(2, at=70), signal(3, kind="hot_work_seen", device="CAM-2", at=71), state=state, place=both)
    assert [d.reason for d in merged.decisions] == ([Reason.OPENED, Reason.WITHOUT_PERMIT] if voids else [Reason.PERMIT] * 2)
    assert len(merged.sounded) == (2 if voids else 0)
    wake(state, NOON + 600 * SECOND, both)
    assert (work.quiet, work.labels) == ("" if voids else "permit", ["permit"]), "it called: an end of the order does not answer it"


def test_one_that_was_within_its_on_delay_when_a_declaration_began_never_called() -> None:
    slow = AlarmTiming(on_delay=10 * SECOND)
    window = Surroundings(ZONE, lambda _: slow, TYPES.get, declarations=[declared(Declared.CALIBRATION, starts=5)])
    state, _ = run(signal(1, kind="flammable_gas_high", device="G-1"), place=Surroundings(ZONE, lambda _: slow, TYPES.get))
    wake(state, NOON + 5 * SECOND, window)
    wake(state, NOON + 10 * SECOND, window)
    assert (of(state, "gas").quiet, of(state, "gas").loud, of(state, "gas").state) == ("calibration", False, "active")


def test_what_is_repeated_late_or_quiet_beside_a_loud_alarm_is_not_why_its_incident_is_there() -> None:
    out, window = declared(Declared.OUT_OF_SERVICE, devices=("G-2",)), declared(Declared.CALIBRATION, devices=("G-3",))
    place = around(out, window)
    state, merged = run(
        signal(1, kind="methane_high", device="G-1"), signal(2, kind="methane_high", device="G-1", at=1),
        signal(3, kind="flammable_gas_rising", device="G-1", at=2),
        signal(4, "cleared", kind="flammable_gas_rising", device="G-1", at=3),
        signal(5, kind="flammable_gas_high", device="G-2", at=4), signal(6, kind="oxygen_low", device="G-3", at=5),
        signal(7, kind="methane_high", device="G-1", at=0, received=0), place=place,
    )  # fmt: skip
    reasons = [d.reason.value for d in merged.decisions]
    assert reasons == ["opened", "repeated", "joined", "others_stand", "out_of_service", "calibration", "late"]
    assert of(state, "gas").reason is Reason.OPENED
    run(signal(8, "cleared", kind="methane_high", device="G-1", at=6), state=state, place=place)
    wake(state, NOON + 7 * SECOND, around(out, window, acknowledged=(of(state, "gas").id,)))
    assert (of(state, "gas").quiet, of(state, "gas").reason) == ("calibration", Reason.CALIBRATION)


def test_why_an_incident_is_there_follows_what_sounds_what_makes_it_graver_and_what_ends_it() -> None:
    window = around(declared(Declared.CALIBRATION, ends=600))
    state, _ = run(signal(1, kind="flammable_gas_high", device="G-1"), place=window)
    gas = of(state, "gas")
    assert gas.reason is Reason.CALIBRATION
    wake(state, NOON + 600 * SECOND, window)
    assert gas.reason is Reason.SOUNDED
    run(signal(2, kind="methane_high", device="G-2", at=700), state=state)
    assert gas.reason in (Reason.JOINED, Reason.CORROBORATED) and gas.severity == 1
    kinds = {1: "flammable_gas_high", 2: "methane_high"}
    ends = [signal(3 + n, "cleared", kind=kind, device=f"G-{n}", at=710 + n) for n, kind in kinds.items()]
    run(*ends, state=state)
    assert (gas.state, gas.reason) == ("cleared", Reason.ENDED)
