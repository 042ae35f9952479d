"""What an alarm does to hazards that were said to be rectified; what rules propose, and what they don't."""

from typing import Any

import msgspec
import pytest
from msgspec import structs

from hazards.correlation import Modality
from hazards.ledger import commands as ask
from hazards.ledger.alarms import MOST_KEPT, Heard, mark_claimed, reopen, repeats_by_alarm
from hazards.ledger.hazard import Hazard
from hazards.ledger.lifecycle import Event, State
from hazards.ledger.marks import MARKS, first_due, is_watched, weighs
from hazards.ledger.own_rules import brought_up
from hazards.ledger.policy import Policy, RecurrenceRule
from hazards.ledger.proposals import because, proposal_rule, proposed_by_rule
from hazards.ledger.repeats import Earlier, repeats_of
from hazards.messages import Certainty, IncidentMessage, IncidentState
from hazards.weight import OpenHazard, Weighed, weigh
from tests.hazards.ledger.cases import ACCEPT, BURNING, CLAIM, CLOSE, CONFIRM, DAY, DEPARTMENT, SHANGHAI, START_IT, facts, given, new
from tests.hazards.signals import NOON, SECOND
from tests.packs import POLICY

HOUR = 3600 * SECOND
T_1 = Heard(incident="i-1", device="T-1", kind="temperature_high_high", at=NOON + 5, severity=1, certainty="possible",
            modality=Modality.SENSOR)  # fmt: skip
CAM = structs.replace(T_1, device="CAM-1", kind="flame", severity=2, modality=Modality.CAMERA)


def after(*steps: Any, hazard: Hazard | None = None) -> Hazard:
    hazard = hazard or new()
    for actor, command in steps:
        hazard = given(hazard, actor, command).hazard
    return hazard


CLAIMED = after(CONFIRM, START_IT, CLAIM)
ACCEPTED = after(ACCEPT, hazard=CLAIMED)
CLOSED = after(CLOSE, hazard=ACCEPTED)


@pytest.mark.parametrize("waiting", [CLAIMED, ACCEPTED], ids=["claimed", "accepted"])
def test_an_alarm_of_the_kind_since_the_claim_marks_it_once_an_incident_and_tells_those_who_accept(waiting: Hazard) -> None:
    decision = mark_claimed(waiting, CAM, now=NOON + 9, facts=facts())
    assert decision is not None and decision.event is Event.ALARM_SINCE_CLAIM
    marked = decision.hazard
    assert (marked.state, marked.version, marked.due_at) == (waiting.state, waiting.version + 1, waiting.due_at)
    assert {"park_command", "department", "bureau"} <= set(decision.tells) and "enterprise" not in decision.tells
    assert {"incident": "i-1", "device": "CAM-1", "alarm": "flame", "at": CAM.at}.items() <= decision.details.items()
    assert (decision.rule.id, decision.rule.authority.value) == ("alarm_since_claim", "platform_default")
    assert MARKS["alarm_since_claim"](marked) and not MARKS["alarm_since_claim"](waiting)
    assert mark_claimed(marked, T_1, now=NOON + 9, facts=facts()) is None, "the same incident"
    for n in range(MOST_KEPT + 3):
        again = mark_claimed(marked, structs.replace(T_1, incident=f"j-{n}"), now=NOON + 9, facts=facts())
        assert again is not None
        marked = again.hazard
    assert len(marked.alarms_since_claim) == MOST_KEPT and marked.alarms_since_claim[-1].incident == f"j-{MOST_KEPT + 2}"


def test_a_refusal_takes_the_mark_away_and_a_new_claim_begins_anew() -> None:
    decision = mark_claimed(CLAIMED, CAM, now=NOON + 9, facts=facts())
    assert decision is not None
    refused = given(decision.hazard, DEPARTMENT, ask.Refuse(reason="又报警"), now=NOON + 10).hazard
    assert refused.alarms_since_claim and not MARKS["alarm_since_claim"](refused), "the acceptance is off"
    claimed = given(refused, *CLAIM, now=NOON + 20).hazard
    assert claimed.alarms_since_claim == [] and mark_claimed(claimed, CAM, now=NOON + 30, facts=facts()) is None, "that was before"
    assert mark_claimed(claimed, structs.replace(CAM, at=NOON + 25), now=NOON + 30, facts=facts()) is not None


@pytest.mark.parametrize(("hazard", "heard"), [
    (CLAIMED, structs.replace(CAM, at=NOON - 1)), (CLAIMED, structs.replace(CAM, kind="intrusion")),
    (CLAIMED, structs.replace(CAM, synthetic=True)), (after(CONFIRM, START_IT), CAM), (new(), CAM), (CLOSED, CAM),
], ids=["before the claim", "another kind", "a drill", "not claimed", "proposed", "closed"])  # fmt: skip
def test_what_says_nothing_against_the_claim_marks_nothing(hazard: Hazard, heard: Heard) -> None:
    assert mark_claimed(hazard, heard, now=NOON + 9, facts=facts()) is None


def test_an_alarm_after_the_closing_opens_it_again_as_a_person_would() -> None:
    by_alarm = reopen(CLOSED, [CAM, T_1], now=NOON + 9, facts=facts())
    by_person = given(CLOSED, DEPARTMENT, ask.Reopen(reason="复发", incident="i-1"), now=NOON + 9)
    assert by_alarm is not None and by_alarm.event is Event.REOPENED
    assert structs.replace(by_alarm.hazard, last_actor="zhao") == by_person.hazard
    assert (by_alarm.rule.id, by_person.rule.id) == ("recurrence_by_alarm", "recurrence")
    assert by_alarm.details["device"] == "T-1" and "T-1 温度高高" in by_alarm.details["reason"] and by_alarm.hazard.incidents == ["i-1"]


@pytest.mark.parametrize(("heard", "opens"), [
    (CAM, False), (T_1, True), (structs.replace(CAM, certainty="likely"), True), (structs.replace(CAM, certainty="observed"), True),
    (structs.replace(CAM, modality=Modality.PERSON), True), (structs.replace(T_1, modality=Modality.OTHER), False),
    (structs.replace(T_1, at=NOON + 72 * HOUR), True), (structs.replace(T_1, at=NOON + 72 * HOUR + 1), False),
    (structs.replace(T_1, kind="temperature_high"), False), (structs.replace(T_1, synthetic=True), False),
], ids=["one camera", "a sensor", "two of a kind", "agreed", "a person", "nobody's device", "at the limit", "too late", "heat is no fire",
        "a drill"])  # fmt: skip
def test_it_takes_more_than_one_cameras_word_in_time_to_open_it_again(heard: Heard, opens: bool) -> None:
    assert (reopen(CLOSED, [heard], now=heard.at, facts=facts()) is not None) == opens


def test_what_was_closed_against_the_evidence_is_not_opened_by_it_but_may_be_a_repeat() -> None:
    bureau = structs.replace(DEPARTMENT, id="zhou", role="bureau")
    hazard = given(ACCEPTED, bureau, ask.Close(override_reason="传感器故障"), sight=BURNING).hazard
    assert hazard.state is State.CLOSED and reopen(hazard, [T_1], now=NOON + 9, facts=facts()) is None
    assert repeats_by_alarm(hazard, [CAM, T_1], facts=facts()) is T_1


def test_later_within_the_window_of_repeats_a_grave_alarm_is_a_repeat() -> None:
    month = structs.replace(T_1, at=NOON + 30 * DAY)
    assert repeats_by_alarm(CLOSED, [month], facts=facts()) is month
    for not_so in ({"severity": 3}, {"at": NOON + 366 * DAY}, {"modality": Modality.CAMERA}, {"kind": "intrusion"}):
        assert repeats_by_alarm(CLOSED, [structs.replace(month, **not_so)], facts=facts()) is None, not_so  # type: ignore[arg-type]


def test_a_city_may_turn_it_off() -> None:
    off = structs.replace(facts(), policy=structs.replace(POLICY, recurrence=RecurrenceRule(hours=0)))
    assert reopen(CLOSED, [T_1], now=T_1.at, facts=off) is None and repeats_by_alarm(CLOSED, [T_1], facts=off) is None


def test_a_pack_from_before_gets_the_programs_own_rules_for_what_it_does_not_say() -> None:
    old = structs.replace(POLICY, events={e: r for e, r in POLICY.events.items() if e is not Event.ALARM_SINCE_CLAIM},
                          rules={name: r for name, r in POLICY.rules.items() if "alarm" not in name})  # fmt: skip
    body = {k: v for k, v in msgspec.to_builtins(old).items() if k != "recurrence"}
    read = brought_up(msgspec.convert(body, Policy, strict=False))
    under = replace_policy(read)
    marked, opened = mark_claimed(CLAIMED, CAM, now=NOON + 9, facts=under), reopen(CLOSED, [T_1], now=NOON + 9, facts=under)
    assert marked is not None and opened is not None
    assert [d.rule.authority.value for d in (marked, opened)] == ["platform_default"] * 2 and read.recurrence.hours == 72
    assert brought_up(POLICY) == POLICY, "what a pack says itself stands"


def replace_policy(policy: Policy) -> Any:
    return structs.replace(facts(), policy=policy)


def test_merging_asks_for_those_that_wait_or_are_confirmed_and_overdue() -> None:
    late = structs.replace(after(CONFIRM, START_IT), overdue_at=NOON)
    assert weighs(late) and is_watched(late) and is_watched(CLAIMED) and is_watched(ACCEPTED) and not is_watched(CLOSED)
    assert not weighs(structs.replace(new(), overdue_at=NOON)), "nobody has confirmed it"
    assert not weighs(structs.replace(ACCEPTED, overdue_at=NOON)), "its clock has stopped"
    assert first_due(late) == late.due_at and first_due(CLOSED) is None


def test_an_overdue_hazard_weighs_on_alarms_of_its_kind_and_a_drills_on_a_drills_only() -> None:
    late = OpenHazard(id="h", kind="fire", grade="", state="rectifying", overdue_at=NOON, families=frozenset({"fire"}))

    def of(hazard: OpenHazard, kind: str = "flame", family: str = "fire", *, drill: bool = False) -> Weighed:
        return weigh(2, kind, family, NOON, "smelter", hazards=[hazard], declarations=[], synthetic=drill)

    assert of(late) == Weighed(1, ("overdue_hazard",), ("h",))
    assert of(late, "intrusion", "access").severity == 2 and of(late, drill=True).severity == 2
    drill = structs.replace(late, synthetic=True)
    assert of(drill).severity == 2 and of(drill, drill=True).severity == 1
    assert of(structs.replace(late, overdue_at=None)).severity == 2


INCIDENT = IncidentMessage(
    id="i-1", zone="smelter", family="fire", kinds=["flame", "temperature_high"], devices=["CAM-1", "T-1"], state=IncidentState.ACTIVE,
    severity=1, opened_at=NOON, updated_at=NOON, version=1, alarm_count=2, reason="corroborated", certainty=Certainty.OBSERVED,
    message="炉前", corroboration={"rule": "flame_and_heat", "sources": [
        {"device": "CAM-1", "kind": "flame", "modality": "camera", "at": NOON},
        {"device": "T-1", "kind": "temperature_high", "modality": "sensor", "at": NOON}]},
)  # fmt: skip


def test_a_proposal_says_in_words_which_rule_which_evidence_how_grave_and_how_sure() -> None:
    rule = proposal_rule(INCIDENT, POLICY)
    assert rule is not None
    why = because(INCIDENT, POLICY.rule(rule.rule), SHANGHAI)
    assert (why["rule"], why["severity"], why["certainty"], why["correlation"]) == ("severity_1_observed", 1, "observed", "flame_and_heat")
    assert [s["device"] for s in why["evidence"]] == ["CAM-1", "T-1"]
    assert why["zh"].startswith("1级、已印证：CAM-1 明火 ") and "T-1 温度高 " in why["zh"] and POLICY.rule(rule.rule).zh in why["zh"]
    assert why["en"].startswith("severity 1, observed: CAM-1 flame ")
    command = proposed_by_rule(INCIDENT, "熔铸车间", rule, POLICY, SHANGHAI)
    assert command.description == f"{why['zh']}；炉前" and (command.grade, command.kind) == ("major", "fire")


@pytest.mark.parametrize("changed", [
    {"quiet": "permit"}, {"quiet": "calibration"}, {"quiet": "shelved"}, {"quiet": "inhibited"}, {"family": "flood"},
    {"state": IncidentState.CLEARED}, {"severity": 2}, {"certainty": Certainty.LIKELY},
], ids=str)  # fmt: skip
def test_what_is_quiet_a_flood_as_such_or_less_sure_proposes_nothing(changed: dict[str, Any]) -> None:
    assert proposal_rule(structs.replace(INCIDENT, **changed), POLICY) is None


def test_a_repeat_names_those_that_come_again_whatever_their_kind_and_without_an_enterprise() -> None:
    again = [Earlier("old", "smelter", NOON - 400 * DAY)]
    assert repeats_of(new(), [], POLICY.repeats, again) == ["old"] == repeats_of(new(enterprise=None), [], POLICY.repeats, again)
    assert repeats_of(new(), [Earlier("old", "smelter", NOON - DAY)], POLICY.repeats, [Earlier("old", "smelter", NOON - DAY)]) == ["old"]
    assert repeats_of(new(), [], structs.replace(POLICY.repeats, from_count=2), again) == []
