"""What keeps the load bearable: inhibition, permits, calibration, shelving, floods, weight, agreement across groups, telling."""

import msgspec
import pytest

from hazards.across import REMEMBERED, remember_across
from hazards.across import RULES as ACROSS
from hazards.alarm_state import LATENESS, Alarm
from hazards.correlation import Modality, Source
from hazards.declarations import Declaration, Declared
from hazards.flood import BEGINS, GROUP, WINDOW, Flood
from hazards.inhibition import INHIBITIONS, LINGER
from hazards.kinds import KINDS, never_suppressed
from hazards.merging import LISTED_KINDS, merge, next_wake, wake
from hazards.messages import IncidentState, Signal
from hazards.quieting import EFFECTS, STRONGEST, Quiet, counted, dispatched
from hazards.surroundings import Surroundings
from hazards.telling import INTERVALS, News, due
from hazards.weight import OpenHazard, weigh
from hazards.zone_state import Incident, Merged, Reason, ZoneState
from hazards.zones import AlarmTiming
from tests.hazards.signals import NOON, SECOND, signal

ZONE = "smelter"
TYPES = {"CAM-1": "camera", "CAM-2": "camera", "G-1": "sensor", "E-1": "sensor", "S-1": "sensor"}
MINUTE = 60 * SECOND
PLAIN = AlarmTiming()


def declared(kind: Declared, *, starts: float = -3600, ends: float | None = 3600, work: str = "", devices: tuple[str, ...] = (),
             alarms: tuple[str, ...] = (), zone: str = ZONE, measure: str = "") -> Declaration:  # fmt: skip
    return Declaration(
        id=f"{kind}-1", kind=kind, zone=zone, starts_at=NOON + int(starts * SECOND),
        ends_at=None if ends is None else NOON + int(ends * SECOND), work=work, devices=list(devices), alarms=list(alarms), measure=measure,
    )  # fmt: skip


def around(*declarations: Declaration, hazards: tuple[OpenHazard, ...] = (), acknowledged: tuple[str, ...] = ()) -> Surroundings:
    return Surroundings(ZONE, type_of=TYPES.get, declarations=declarations, hazards=hazards, acknowledged=acknowledged)


NOTHING = around()


def run(*signals: Signal, place: Surroundings = NOTHING, state: ZoneState | None = None) -> tuple[ZoneState, Merged]:
    state = state if state is not None else ZoneState()
    merged = merge(state, signals, place)
    return state, merged


def states(state: ZoneState) -> dict[str, str]:
    return {key: alarm.state.value for key, alarm in state.alarms.items()}


def of(state: ZoneState, group: str) -> Incident:
    return state.incidents[group]


# --- inhibition ---


def test_a_camera_that_is_offline_silences_its_own_frozen_picture_and_nobody_elses() -> None:
    state, merged = run(
        signal(1, kind="camera_offline"), signal(2, kind="frozen", at=1), signal(3, kind="frozen", device="CAM-2", at=2),
    )  # fmt: skip
    assert [d.reason for d in merged.decisions] == [Reason.OPENED, Reason.INHIBITED, Reason.JOINED]
    assert merged.decisions[1].explained["by"] == "CAM-1 camera_offline"
    offline, frozen, other = "CAM-1 camera_offline", "CAM-1 frozen", "CAM-2 frozen"
    assert states(state) == {offline: "unacknowledged", frozen: "suppressed_by_design", other: "unacknowledged"}


def test_the_loss_of_power_explains_silent_sensors_also_those_that_fell_silent_before_it_was_reported() -> None:
    state, _ = run(signal(1, kind="sensor_stale", device="G-1"), signal(2, kind="power_lost", device="E-1", at=5))
    assert states(state)["G-1 sensor_stale"] == "suppressed_by_design"
    state, _ = run(signal(3, "cleared", kind="power_lost", device="E-1", at=60), state=state)
    assert states(state)["G-1 sensor_stale"] == "suppressed_by_design", "with the power back it needs a moment"
    until = NOON + 60 * SECOND + LINGER
    wake(state, NOON + 61 * SECOND, NOTHING)
    assert state.quiet_until == until == next_wake(state)
    merged = wake(state, until, NOTHING)
    assert states(state)["G-1 sensor_stale"] == "unacknowledged", "it is still silent: now it calls"
    assert [s.kind for s in merged.sounded] == ["sensor_stale"] and of(state, "equipment").id in merged.told
    assert of(state, "equipment").quiet == "", "the loss of power has called, and nobody has answered that either"


def test_a_row_of_inhibition_names_known_kinds_and_never_methane() -> None:
    for row in INHIBITIONS:
        assert row.causes | row.effects <= set(KINDS) and not row.causes & row.effects and row.chinese and row.english
        assert not any(never_suppressed(kind) for kind in row.effects)


# --- permits, calibration, shelving, out of service ---


@pytest.mark.parametrize(
    ("declaration", "kind", "reason", "state_word", "severity", "sent"),
    [
        (declared(Declared.PERMIT, work="hot_work"), "flame", "permit", "unacknowledged", 3, True),
        (declared(Declared.PERMIT, work="hot_work"), "hot_work_seen", "permit", "unacknowledged", 3, True),
        (declared(Declared.PERMIT, work="hot_work"), "flammable_gas_high", "opened", "unacknowledged", 2, True),
        (declared(Declared.PERMIT, work="lifting"), "hot_work_seen", "without_permit", "unacknowledged", 2, True),
        (declared(Declared.PERMIT, work="hot_work", ends=-60), "flame", "opened", "unacknowledged", 2, True),
        (declared(Declared.CALIBRATION), "flammable_gas_high", "calibration", "unacknowledged", 4, False),
        (declared(Declared.CALIBRATION, devices=("G-9",)), "flammable_gas_high", "opened", "unacknowledged", 2, True),
        (declared(Declared.SHELVED, devices=("CAM-1",), alarms=("intrusion",)), "intrusion", "shelved", "shelved", 4, False),
        (declared(Declared.SHELVED, devices=("CAM-1",), alarms=("intrusion",)), "flame", "opened", "unacknowledged", 2, True),
        (declared(Declared.OUT_OF_SERVICE, devices=("CAM-1",), ends=None), "flame", "out_of_service", "out_of_service", 4, False),
        (declared(Declared.CALIBRATION), "methane_high", "calibration", "unacknowledged", 1, False),
        (declared(Declared.CALIBRATION), "sensor_stale", "calibration", "unacknowledged", 4, False),
        (declared(Declared.CALIBRATION), "seal_broken", "opened", "unacknowledged", 2, True),
        (declared(Declared.CALIBRATION), "door_state", "opened", "unacknowledged", 3, True),
        (declared(Declared.CALIBRATION, devices=("CAM-1",), alarms=("flame",)), "flame", "opened", "unacknowledged", 2, True),
        (declared(Declared.CALIBRATION, devices=("CAM-1",)), "intrusion", "opened", "unacknowledged", 2, True),
        (declared(Declared.OUT_OF_SERVICE), "methane_high", "opened", "unacknowledged", 1, True),
        (declared(Declared.SHELVED), "methane_high_high", "opened", "unacknowledged", 1, True),
        (declared(Declared.PERMIT, work="hot_work", zone="elsewhere"), "flame", "opened", "unacknowledged", 2, True),
    ],
)
def test_what_is_declared_labels_and_quietens_and_never_hides(
    declaration: Declaration, kind: str, reason: str, state_word: str, severity: int, sent: bool
) -> None:
    state, merged = run(signal(1, kind=kind), place=around(declaration))
    (incident,) = state.incidents.values()
    assert (merged.decisions[0].reason, state.alarms[f"CAM-1 {kind}"].state, incident.severity) == (reason, state_word, severity)
    assert incident.state is IncidentState.ACTIVE, "it is there for all to see"
    assert dispatched(incident.quiet) is sent


def test_when_the_calibration_is_over_and_it_still_stands_it_is_full_and_is_told() -> None:
    window = declared(Declared.CALIBRATION, ends=600)
    state, _ = run(signal(1, kind="flammable_gas_high", device="G-1"), place=around(window))
    wake(state, NOON + INTERVALS[4].group, around(window))
    gas = of(state, "gas")
    assert (gas.quiet, gas.severity, gas.labels, gas.loud) == ("calibration", 4, ["calibration"], False)
    assert next_wake(state) == NOON + 600 * SECOND
    merged = wake(state, NOON + 600 * SECOND, around(window))
    assert (gas.quiet, gas.severity, gas.labels, gas.loud) == ("", 2, [], True)
    assert [h.event for h in merged.happenings] == ["severity_raised", "sounded"] and gas.id in merged.told and gas.id in merged.graver


def test_methane_within_a_calibration_calls_the_room_and_after_it_everybody() -> None:
    window = declared(Declared.CALIBRATION, ends=600)
    state, _ = run(signal(1, kind="methane_high", device="G-1"), place=around(window))
    gas = of(state, "gas")
    assert (gas.severity, gas.loud, gas.quiet) == (1, True, "calibration")
    wake(state, NOON + 601 * SECOND, around(window))
    assert (gas.severity, gas.quiet) == (1, "")


def test_an_alarm_that_is_shelved_while_it_stands_goes_quiet_at_once_and_sounds_when_the_shelf_ends() -> None:
    state, _ = run(signal(1))
    wake(state, NOON + SECOND, NOTHING)
    shelf = around(declared(Declared.SHELVED, starts=2, ends=600, devices=("CAM-1",), alarms=("flame",)))
    merged = wake(state, NOON + 2 * SECOND, shelf)
    assert states(state) == {"CAM-1 flame": "shelved"} and [h.event for h in merged.happenings] == ["quietened"]
    assert of(state, "fire").severity == 2, "what it was stays on the record"
    merged = wake(state, NOON + 600 * SECOND, shelf)
    assert states(state) == {"CAM-1 flame": "unacknowledged"} and [h.event for h in merged.happenings] == ["sounded"]


def test_one_loud_alarm_makes_the_incident_loud_and_the_label_of_the_other_stays() -> None:
    permit = around(declared(Declared.PERMIT, work="hot_work"))
    state, _ = run(signal(1), signal(2, kind="temperature_high_high", device="G-1", at=3), place=permit)
    fire = of(state, "fire")
    assert (fire.quiet, fire.labels, fire.severity) == ("", ["permit"], 1)


def test_a_quiet_incident_closes_without_an_acknowledgement() -> None:
    window = around(declared(Declared.CALIBRATION))
    state, _ = run(signal(1, kind="flammable_gas_high"), signal(2, "cleared", kind="flammable_gas_high", at=5), place=window)
    wake(state, NOON + 5 * SECOND + 5 * MINUTE, window)
    assert of(state, "gas").state is IncidentState.CLOSED


def test_the_severity_of_what_is_quiet() -> None:
    flame = Alarm("CAM-1", "flame", quiet="permit")
    assert [counted(flame, n) for n in (1, 2, 3, 4)] == [2, 3, 4, 4]
    assert counted(Alarm("CAM-1", "flame", quiet="shelved", called=True), 1) == 4, "the control room has answered it"
    assert counted(Alarm("G-1", "methane_high", quiet="calibration"), 1) == 1 and counted(Alarm("CAM-1", "flame"), 2) == 2
    assert counted(Alarm("CAM-1", "flame", quiet="permit", called=True), 2) == 2, "it called before"
    assert set(EFFECTS) == set(Quiet) == set(STRONGEST)


def test_one_that_called_and_ended_is_not_silenced_by_another_that_is_shelved() -> None:
    shelf = around(declared(Declared.SHELVED, devices=("CAM-1",), alarms=("intrusion",)))
    state, _ = run(signal(1, kind="intrusion"), signal(2, kind="intrusion", device="CAM-2", at=5), place=shelf)
    run(signal(3, "cleared", kind="intrusion", device="CAM-2", at=25), state=state, place=shelf)
    access = of(state, "access")
    assert (access.quiet, access.labels, access.loud) == ("", ["shelved"], True)
    wake(state, NOON + 30 * SECOND, shelf)
    assert access.remind_at is not None, "somebody has to answer"
    wake(state, NOON + 40 * SECOND, around(*shelf.declarations, acknowledged=(access.id,)))
    assert (access.quiet, states(state)["CAM-1 intrusion"]) == ("shelved", "shelved")


def test_a_loud_pulse_beside_a_shelved_alarm_calls() -> None:
    shelf = around(declared(Declared.SHELVED, devices=("CAM-1",), alarms=("intrusion",)))
    state, _ = run(signal(1, kind="intrusion"), signal(2, "pulse", kind="line_crossing", device="CAM-2", at=5), place=shelf)
    assert (of(state, "access").quiet, of(state, "access").loud) == ("", True)


def test_what_a_cause_explained_sounds_when_the_cause_ends_by_time_by_hand_or_is_not_believed() -> None:
    slow = AlarmTiming(off_delay=10 * SECOND)
    delayed = Surroundings(ZONE, lambda device: slow if device == "E-1" else PLAIN, TYPES.get)
    begin = signal(1, kind="power_lost", device="E-1"), signal(2, kind="sensor_stale", device="G-1", at=1)
    state, _ = run(*begin, signal(3, "cleared", kind="power_lost", device="E-1", at=20), place=delayed)
    wake(state, NOON + 31 * SECOND, delayed)
    assert states(state)["G-1 sensor_stale"] == "suppressed_by_design" and state.quiet_until is not None
    wake(state, NOON + 31 * SECOND + LINGER, delayed)
    assert states(state)["G-1 sensor_stale"] == "unacknowledged"
    state, _ = run(*begin)
    wake(state, NOON + 2 * SECOND, around(declared(Declared.OUT_OF_SERVICE, devices=("E-1",))))
    assert states(state) == {"E-1 power_lost": "out_of_service", "G-1 sensor_stale": "unacknowledged"}, "a relay that lies explains nothing"


def test_methane_within_a_calibration_is_reminded_of() -> None:
    window = around(declared(Declared.CALIBRATION))
    state, _ = run(signal(1, kind="methane_high", device="G-1"), place=window)
    wake(state, NOON, window)
    assert wake(state, NOON + INTERVALS[1].repeat, window).told == {of(state, "gas").id: "reminded"}


def test_what_makes_an_acknowledged_incident_graver_is_not_acknowledged_with_it() -> None:
    state, merged = run(signal(1, kind="flammable_gas_rising", device="G-1"))
    gas = merged.decisions[0].incident
    wake(state, NOON + SECOND, around(acknowledged=(gas,)))
    run(signal(2, kind="methane_high", device="G-2", at=2), state=state, place=around(acknowledged=(gas,)))
    assert states(state) == {"G-1 flammable_gas_rising": "acknowledged", "G-2 methane_high": "unacknowledged"}


# --- ISA-18.2 in the course of an incident ---


def test_who_acknowledges_the_incident_has_acknowledged_its_alarms() -> None:
    state, merged = run(signal(1), signal(2, kind="smoke", device="CAM-2", at=1), signal(3, "cleared", kind="smoke", device="CAM-2", at=2))
    fire = merged.decisions[0].incident
    assert states(state) == {"CAM-1 flame": "unacknowledged", "CAM-2 smoke": "returned_unacknowledged"}
    merged = wake(state, NOON + 3 * SECOND, around(acknowledged=(fire,)))
    assert states(state) == {"CAM-1 flame": "acknowledged", "CAM-2 smoke": "normal"}
    assert set(merged.alarms) == {"CAM-1 flame", "CAM-2 smoke"} and set(merged.of.values()) == {fire}
    state, _ = run(signal(4, "cleared", at=9), state=state, place=around(acknowledged=(fire,)))
    assert states(state)["CAM-1 flame"] == "normal"


# --- flood ---


def test_in_a_flood_what_would_open_incidents_of_its_own_joins_the_floods_and_methane_does_not() -> None:
    kinds = ["odd_thing", "intrusion", "absent_from_post", "exit_blocked", "pressure_low"]  # and no flame: fire has its own
    many = [signal(n, kind="camera_offline", device=f"CAM-{n}", at=n / 10) for n in range(BEGINS + 1)]
    others = [signal(100 + n, kind=kind, device=f"D-{n}", at=3 + n / 10) for n, kind in enumerate(kinds)]
    state, merged = run(*many, *others, signal(200, kind="methane_high", device="G-1", at=5),
                        signal(201, kind="smoke", device="CAM-77", at=6))  # fmt: skip
    assert set(state.incidents) == {"equipment", GROUP, "gas", "fire"}
    assert [d.reason for d in merged.decisions[-7:-2]] == [Reason.FLOOD] * 5
    assert (of(state, GROUP).family, of(state, GROUP).count) == (GROUP, 5)
    assert [h.event for h in merged.happenings if h.incident == of(state, GROUP).id][:2] == ["flood_began", "opened"]
    state, merged = run(signal(300, "cleared", kind="intrusion", device="D-1", at=9), state=state)
    assert merged.decisions[0].incident == of(state, GROUP).id, "its end goes where its beginning is"


def test_a_flood_ends_when_few_new_alarms_come() -> None:
    flood = Flood()
    assert [flood.take(n * SECOND) for n in range(BEGINS + 1)] == [False] * BEGINS + [True]
    assert flood.take(WINDOW - SECOND) is True
    assert flood.take(2 * WINDOW) is False and flood.since is None


# --- weight ---


def test_an_overdue_hazard_and_a_key_period_make_an_alarm_graver() -> None:
    overdue = OpenHazard(id="h1", kind="fire", grade="major", state="rectifying", overdue_at=1, families=frozenset({"fire"}))
    calm = OpenHazard(id="h2", kind="fire", grade="major", state="rectifying", families=frozenset({"fire"}))
    period = declared(Declared.KEY_PERIOD, zone="")
    assert weigh(2, "flame", "fire", NOON, ZONE, hazards=[calm], declarations=[]).severity == 2
    assert weigh(2, "flame", "fire", NOON, ZONE, hazards=[overdue], declarations=[]).severity == 1
    assert weigh(2, "intrusion", "access", NOON, ZONE, hazards=[overdue], declarations=[]).severity == 2
    assert weigh(3, "smoke", "fire", NOON, ZONE, hazards=[overdue], declarations=[period]).by == ("overdue_hazard",)
    assert weigh(4, "smoke", "fire", NOON, ZONE, hazards=[overdue], declarations=[period]).severity == 2
    assert weigh(2, "intrusion", "access", NOON, ZONE, hazards=[], declarations=[period]).severity == 2, "a period alone makes no 1"
    state, merged = run(signal(1), place=around(hazards=(overdue,)))
    assert of(state, "fire").severity == 1 and merged.decisions[0].explained["because"] == ["h1"]


# --- agreement across groups ---


@pytest.mark.parametrize(
    ("signals", "group", "rule", "certainty"),
    [
        ([signal(1, kind="flammable_gas_high", device="G-1"), signal(2, kind="people_present", at=60)], "gas", "gas_people", "likely"),
        ([signal(1, kind="people_present"), signal(2, kind="flammable_gas_high", device="G-1", at=60)], "gas", "gas_people", "likely"),
        ([signal(1, kind="smoke"), signal(2, kind="door_open", device="S-1", at=9)], "fire", "smoke_door", "likely"),
        ([signal(1, kind="seal_broken", device="S-1"), signal(2, kind="power_consumption", device="E-1", at=999)], "access", "seal_power",
         "observed"),
    ],
)  # fmt: skip
def test_independent_sources_of_two_groups_agree(signals: list[Signal], group: str, rule: str, certainty: str) -> None:
    state, merged = run(*signals)
    incident = of(state, group)
    assert (incident.severity, incident.certainty, incident.corroboration["rule"]) == (1, certainty, rule)
    assert [s["device"] for s in incident.corroboration["sources"]] == [s.device for s in signals], "it says by which evidence"
    assert "certainty_raised" in [h.event for h in merged.happenings]


def test_what_came_too_long_before_agrees_with_nothing() -> None:
    state, _ = run(
        signal(1, "pulse", kind="people_present"), signal(2, kind="flammable_gas_high", device="G-1", at=601),
    )  # fmt: skip
    assert (of(state, "gas").severity, of(state, "gas").certainty) == (2, "possible")


def test_a_rule_across_groups_gives_its_basis_and_remembers_few_sources() -> None:
    assert all(rule.basis == "platform_default" and rule.chinese and rule.english and rule.leading <= set(KINDS) for rule in ACROSS)
    sources: list[Source] = []
    for n in range(99):
        sources = remember_across(sources, Source(f"D-{n}", "smoke", Modality.CAMERA, n), lambda alarm: None if alarm == "D-3 smoke" else 1)
    assert len(sources) == REMEMBERED and {"D-3", "D-98"} <= {s.device for s in sources}


# --- telling ---


def test_what_matters_is_told_at_once_and_further_alarms_once_an_interval() -> None:
    state, merged = run(signal(1))
    fire = merged.decisions[0].incident
    assert wake(state, NOON, NOTHING).told == {fire: "opened"}
    run(signal(2, at=0.5), state=state)
    assert wake(state, NOON + SECOND // 2, NOTHING).told == {}
    later = NOON + INTERVALS[2].update
    assert next_wake(state) == later and wake(state, later, NOTHING).told == {fire: "updated"}
    run(signal(3, kind="temperature_high", device="G-1", at=3), state=state)
    assert wake(state, NOON + 3 * SECOND, NOTHING).told == {fire: "updated"}, "graver: at once"


def test_what_nobody_acknowledged_is_told_again_and_what_somebody_did_is_not() -> None:
    state, merged = run(signal(1))
    fire = merged.decisions[0].incident
    wake(state, NOON, NOTHING)
    again = NOON + INTERVALS[2].repeat
    assert next_wake(state) == again
    merged = wake(state, again, NOTHING)
    assert merged.told == {fire: "reminded"} and [h.event for h in merged.happenings] == ["reminded"]
    wake(state, again + SECOND, around(acknowledged=(fire,)))
    assert next_wake(state) is None


def test_the_intervals_of_every_severity() -> None:
    assert set(INTERVALS) == {1, 2, 3, 4} and all(INTERVALS[n].group == 0 for n in (1, 2, 3)), "what is grave never waits"
    assert due(News.NOTHING, 5, 0, INTERVALS[1]) is None
    assert (due(News.MORE, 0, 7, INTERVALS[4]), due(News.CHANGE, 9, 7, INTERVALS[4])) == (7 + INTERVALS[4].group, 9)


# --- time ---


def test_a_signal_ahead_of_its_receipt_counts_as_of_its_receipt_and_a_very_late_one_says_so() -> None:
    state, merged = run(signal(1, at=120, received=0), signal(2, kind="intrusion", at=0, received=LATENESS / SECOND + 1))
    assert of(state, "fire").opened_at == NOON
    assert merged.decisions[0].explained["early_by"] == 120 * SECOND
    assert "late_by" not in merged.decisions[0].explained and merged.decisions[1].explained["late_by"] == LATENESS + SECOND


def test_the_timeline_says_by_how_much_later_anybody_could_know() -> None:
    hour = 3600
    _, merged = run(signal(1, at=0, received=2 * hour), signal(2, "cleared", at=60, received=2 * hour + 1),
                    signal(3, at=70, received=2 * hour + 2))  # fmt: skip
    assert [(h.event, h.explained["late_by"] / SECOND) for h in merged.happenings] == [
        ("opened", 2 * hour), ("cleared", 2 * hour - 59), ("reactivated", 2 * hour - 68)]  # fmt: skip
    slow = Surroundings(ZONE, lambda _: AlarmTiming(on_delay=10 * SECOND), TYPES.get)
    state, _ = run(signal(1, at=0, received=hour), place=slow)
    assert [h.explained for h in wake(state, NOON + hour * SECOND, slow).happenings] == [{"late_by": (hour - 10) * SECOND}]
    _, merged = run(signal(1, severity=3), signal(2, kind="smoke", at=1, received=hour, severity=2))
    assert next(h.explained["late_by"] for h in merged.happenings if h.event == "severity_raised") == (hour - 1) * SECOND
    _, merged = run(signal(1, at=0, received=0.9))
    assert merged.happenings[0].explained == {}


def test_a_state_with_all_of_this_comes_back_from_its_bytes() -> None:
    state, _ = run(signal(1, kind="camera_offline"), signal(2, kind="frozen", at=1), signal(3, kind="smoke", at=2))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=ZoneState) == state


def test_methane_waits_for_no_delay_of_its_device_and_is_as_grave_as_ever_whatever_its_sender_says() -> None:
    slow = Surroundings(ZONE, timing_of=lambda _: AlarmTiming(on_delay=30 * 24 * 60 * MINUTE), type_of=TYPES.get)
    state = ZoneState()
    merge(state, [signal(1, kind="methane_high", device="G-1", severity=4), signal(2, kind="pressure_high", device="G-1")], slow)
    assert (of(state, "gas").severity, of(state, "gas").state) == (1, IncidentState.ACTIVE)
    assert of(state, "process").state is IncidentState.PENDING


def test_an_incident_names_a_hundred_kinds_and_methane_beside_them() -> None:
    state, place = ZoneState(), around()
    merge(state, [signal(n, kind=f"made_up_{n}", device="G-1", at=n / 1000) for n in range(300)], place)
    flood = of(state, GROUP)
    assert (len(flood.kinds), flood.count >= 280) == (LISTED_KINDS, True)
    gas = [signal(1000 + n, kind=f"flammable_gas_{n}", device="G-1", at=1.0) for n in range(3)]
    merge(state, [*gas, signal(2000, kind="flammable_gas_high", device="G-1", at=1.0)], place)
    of(state, "gas").kinds[:] = [f"kind_{n}" for n in range(LISTED_KINDS)]
    more = [signal(2001, kind="methane_high", device="G-1", at=1.1), signal(2002, kind="toxic_gas_high", device="G-1", at=1.2)]
    merge(state, more, place)
    assert of(state, "gas").kinds[LISTED_KINDS:] == ["methane_high"]


def test_methane_that_begins_calls_also_where_somebody_acknowledged_the_incident_before() -> None:
    state = ZoneState()
    merge(state, [signal(1, kind="toxic_gas_high", device="G-1")], around())
    gas = of(state, "gas")
    answered = around(acknowledged=(gas.id,))
    wake(state, NOON + SECOND, answered)
    merged = merge(state, [signal(2, kind="toxic_gas_high", device="G-2", at=2)], answered)
    assert (states(state)["G-2 toxic_gas_high"], merged.graver) == ("acknowledged", set())
    merged = merge(state, [signal(3, kind="methane_high", device="G-1", at=3)], answered)
    assert (states(state)["G-1 methane_high"], gas.acknowledged, merged.graver) == ("unacknowledged", False, {gas.id})
    assert [h.event for h in merged.happenings] == ["sounded"]
    wake(state, NOON + 4 * SECOND, answered)
    merge(state, [signal(4, "cleared", kind="methane_high", device="G-1", at=5)], answered)
    merged = merge(state, [signal(5, kind="methane_high", device="G-1", at=6)], answered)
    assert (states(state)["G-1 methane_high"], merged.graver) == ("unacknowledged", {gas.id}), "each time it begins"
