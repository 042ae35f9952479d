"""What people and rules can do to a hazard: the whole way, and each refusal with its rule."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from hazards.errors import BadInput, Conflict
from hazards.ledger import commands as ask
from hazards.ledger.conditions import hindrance
from hazards.ledger.decisions import case_of
from hazards.ledger.gate import Sight
from hazards.ledger.hazard import Actor, Hazard
from hazards.ledger.lifecycle import COMMANDS, NEXT, Event, State, Track, next_tracks
from hazards.ledger.particulars import Paper, Stage
from hazards.ledger.rulings import IncompleteByRule, NotByRule, NotForRole
from tests.hazards.ledger.cases import (
    ACCEPT,
    BURNING,
    CLAIM,
    CLOSE,
    COMMAND,
    CONFIRM,
    DAY,
    DEPARTMENT,
    INSPECT,
    MAJOR,
    OPERATOR,
    PLAN,
    PLANNED,
    REQUEST,
    SAFETY_OFFICER,
    SECOND_PERSON,
    SHANGHAI,
    START_IT,
    after,
    claim_with,
    facts,
    given,
    new,
    signed,
)  # fmt: skip
from tests.hazards.signals import NOON, SECOND
from tests.packs import POLICY


def test_the_way_of_a_serious_hazard_from_proposal_to_closing() -> None:
    hazard = after(new(), CONFIRM, START_IT, CLAIM, ACCEPT, CLOSE)
    assert (hazard.state, hazard.version, hazard.closed_by) == (State.CLOSED, 6, "zhao")


def test_a_major_hazard_waits_for_its_plan_and_measures_do_not() -> None:
    hazard = after(new("major"), (OPERATOR, ask.TakeMeasure(kind="evacuate", authority="值班长")), MAJOR)
    with pytest.raises(NotByRule, match="waits for its plan") as refused:
        after(hazard, START_IT)
    assert (refused.value.rule, refused.value.basis) == ("plan_before_rectification", "interpretation")
    planned = after(hazard, (COMMAND, ask.TakeMeasure(kind="seal", authority="指挥部")), (SAFETY_OFFICER, PLAN))
    with pytest.raises(NotByRule, match="waits for its plan") as refused:
        after(planned, START_IT)
    assert refused.value.rule == "plan_approval" and planned.track(Track.PLAN) == "filed"
    hazard = after(planned, (COMMAND, ask.ApprovePlan()), START_IT)
    assert hazard.state is State.RECTIFYING and [m.kind for m in hazard.measures] == ["evacuate", "seal"]


@pytest.mark.parametrize("missing", ["responsibility", "measures", "funds", "time", "contingency"])
def test_a_plan_with_four_of_five_commitments_is_refused_by_its_clause(missing: str) -> None:
    four = {"responsibility": "a", "measures": "b", "funds": "c", "time": "d", "contingency": "e"} | {missing: " "}
    with pytest.raises(IncompleteByRule) as refused:
        after(new(), CONFIRM, (SAFETY_OFFICER, ask.FilePlan(**four)))
    assert refused.value.where == f"/{missing}"
    assert (refused.value.rule, refused.value.basis) == ("five_commitments", "clause")
    assert [(s.document, s.clause) for s in refused.value.ruling.sources] == [("001", "16"), ("003", "21")]


def test_confirming_as_major_names_the_criterion() -> None:
    with pytest.raises(IncompleteByRule, match="names the item") as refused:
        after(new(), (DEPARTMENT, ask.Confirm(grade="major", criterion=" ")))
    assert refused.value.where == "/criterion"


@pytest.mark.parametrize(
    ("kind", "criterion", "fits"),
    [("fire", "demo-2", True), ("flame", "demo-2", True), ("fire", "demo-4", False), ("gas", "demo-2", False), ("other", "demo-5", True)],
)
def test_an_item_of_the_criteria_is_for_its_kinds_and_for_alarms_of_such_a_family(kind: str, criterion: str, fits: bool) -> None:
    hazard, confirm = structs.replace(new("major"), kind=kind), (DEPARTMENT, ask.Confirm(grade="major", criterion=criterion))
    if fits:
        assert after(hazard, confirm).criterion == criterion
    else:
        with pytest.raises(IncompleteByRule, match=f"this one is of {kind}") as refused:
            after(hazard, confirm)
        assert (refused.value.where, refused.value.rule) == ("/criterion", "criterion_for_major")


def test_who_claimed_can_not_accept_and_another_can() -> None:
    claimed = after(new("general"), (DEPARTMENT, ask.Confirm(grade="general")), START_IT, CLAIM)
    for command in (ask.Accept(),):
        with pytest.raises(NotForRole) as refused:
            after(claimed, (SAFETY_OFFICER, command))
        assert refused.value.rule == "second_person"
    accepted = after(claimed, (SECOND_PERSON, ask.Accept()))
    assert accepted.state is State.ACCEPTED and accepted.accepted_by == "sun"


def test_an_enterprise_accepts_only_general_hazards() -> None:
    claimed = after(new(), CONFIRM, START_IT, CLAIM)
    for command in (ask.Accept(), ask.Refuse(reason="x")):
        with pytest.raises(NotForRole) as refused:
            after(claimed, (SECOND_PERSON, command))
        assert refused.value.rule == "accepted_by_authority"


def test_who_rectifies_depends_on_whether_the_zone_has_an_enterprise() -> None:
    with pytest.raises(NotForRole, match="does not rectify here"):
        after(new(), CONFIRM, (DEPARTMENT, ask.StartRectification()))
    assert after(new(enterprise=None), CONFIRM, (DEPARTMENT, ask.StartRectification())).state is State.RECTIFYING


@pytest.mark.parametrize(
    ("grade", "confirmed", "due"),
    [("general", "2026-11-22 09:00", "2026-11-22 23:59:59"), ("general", "2026-11-22 23:59", "2026-11-22 23:59:59"),
     ("serious", "2026-11-22 09:00", "2026-12-07 23:59:59"), ("major", "2026-12-20 00:00", "2027-01-04 23:59:59")],
)  # fmt: skip
def test_the_clock_starts_at_confirmation_and_counts_natural_days_of_the_site(grade: str, confirmed: str, due: str) -> None:
    now, expected = (int(datetime.fromisoformat(t).replace(tzinfo=SHANGHAI).timestamp()) * SECOND for t in (confirmed, due))
    hazard = after(new(at=now - 3 * DAY), (DEPARTMENT, ask.Confirm(grade=grade, criterion="demo-2")), now=now)
    assert hazard.due_at == expected
    assert not hazard.overdue(expected) and hazard.overdue(expected + 1)


def test_before_confirmation_the_clock_is_provisional_and_by_the_proposed_grade() -> None:
    hazard = new("general")
    assert not hazard.confirmed and hazard.due_at is not None
    assert datetime.fromtimestamp(hazard.due_at // SECOND, UTC).astimezone(SHANGHAI).time().isoformat() == "23:59:59"
    assert timedelta(0) < timedelta(microseconds=hazard.due_at - NOON) <= timedelta(days=1)


def test_the_clock_runs_until_acceptance() -> None:
    late = NOON + 30 * DAY
    hazard = after(new(), CONFIRM)
    assert hazard.overdue(late)
    hazard = after(hazard, START_IT, CLAIM)
    assert hazard.overdue(late)
    assert not after(hazard, ACCEPT).overdue(late)


def test_while_the_flame_burns_claim_acceptance_and_closing_are_refused_and_recorded() -> None:
    rectifying = after(new(), CONFIRM, START_IT)
    for before, step in ((rectifying, CLAIM), (after(rectifying, CLAIM), ACCEPT), (after(rectifying, CLAIM, ACCEPT), CLOSE)):
        actor, command = step
        decision = given(before, actor, command, now=NOON + 9, sight=BURNING)
        assert (decision.event, decision.hazard.state, decision.rule.id) == (Event.GATE_REFUSED, before.state, "evidence_gate")
        assert decision.hazard.version == before.version + 1 and decision.hazard.refuted_by == ["i-1"]
        assert decision.details["gate"]["evidence"][0]["incident"] == "i-1" and decision.details["command"] == ask.name_of(command)
        with pytest.raises(NotByRule, match="still speaks against it"):
            given(decision.hazard, actor, command, now=NOON + 10, sight=BURNING)
        assert given(decision.hazard, actor, command, now=NOON + 11).event is COMMANDS[ask.name_of(command)][0]


def test_where_no_device_can_tell_the_claim_needs_papers_of_afterwards() -> None:
    rectifying = after(new(), CONFIRM, START_IT)
    for evidence in ([], [Paper(stage=Stage.BEFORE, taken_at=NOON, place="x", document="y")]):
        with pytest.raises(NotByRule) as refused:
            after(rectifying, (SAFETY_OFFICER, ask.Claim(note="x", evidence=evidence)), sight=Sight())
        assert refused.value.rule == "evidence_instead" and refused.value.gate is not None
    claimed = after(rectifying, CLAIM, sight=Sight())
    assert claimed.claim is not None and claimed.claim.verdict == "not_applicable"
    assert after(claimed, ACCEPT, CLOSE, sight=Sight()).state is State.CLOSED


@pytest.mark.parametrize(
    ("command", "where"),
    [(ask.Claim(note=" "), "/note"), (claim_with(document=""), "/evidence/0/document"), (claim_with(place=""), "/evidence/0/place"),
     (claim_with(taken_at=NOON + DAY), "/evidence/0/taken_at"),
     (ask.TakeMeasure(kind="pray", authority="x"), "/kind"), (ask.TakeMeasure(kind="evacuate", authority=""), "/authority"),
     (ask.TakeMeasure(kind="evacuate", authority="x", start=NOON + DAY), "/start"),
     (ask.TakeMeasure(kind="evacuate", authority="x", start=NOON, until=NOON), "/until"), (ask.EndMeasure(measure=99), "/measure"),
     (ask.Comment(text=""), "/text"), (ask.Comment(text="x", version=99), "/version")],
)  # fmt: skip
def test_what_is_entered_wrongly_is_refused_at_its_field(command: ask.HazardCommand, where: str) -> None:
    with pytest.raises(BadInput) as refused:
        after(new(), CONFIRM, START_IT, (SAFETY_OFFICER, command))
    assert refused.value.where == where


def test_coercive_measures_are_the_authorities_own() -> None:
    with pytest.raises(NotForRole) as refused:
        after(new(), (SAFETY_OFFICER, ask.TakeMeasure(kind="seal", authority="x")))
    assert (refused.value.rule, refused.value.basis) == ("coercive_measures", "clause")
    sealed = after(new(), (COMMAND, ask.TakeMeasure(kind="seal", authority="指挥部")))
    with pytest.raises(NotForRole):
        after(sealed, (SAFETY_OFFICER, ask.EndMeasure(measure=2)))
    ended = after(sealed, (COMMAND, ask.EndMeasure(measure=2)))
    assert ended.measures[0].ended_by == "qian"
    with pytest.raises(BadInput):
        after(ended, (COMMAND, ask.EndMeasure(measure=2)))


def test_a_version_that_is_not_the_newest_conflicts_and_says_what_happened() -> None:
    hazard = after(new(), CONFIRM)
    with pytest.raises(Conflict, match="zhao did confirmed at version 2, you looked at 1"):
        after(hazard, (DEPARTMENT, ask.Confirm(grade="general", version=1)))


def test_every_pair_that_the_tables_do_not_have_is_refused_with_the_rule_of_the_event() -> None:
    for state in State:
        hazard = structs.replace(new(), state=state, enterprise=None)
        case = case_of(hazard, Actor("root", "administrator"), NOON, facts())
        for command, events in COMMANDS.items():
            found = hindrance(case, command)
            if not any((state, e) in NEXT and isinstance(next_tracks({}, e), dict) for e in events):
                assert isinstance(found, NotByRule), (state, command)
                assert found.ruling.id in (POLICY.events[events[0]], "provisional_clock")
                if (state, events[0]) not in NEXT:
                    assert state.value in found.what


MAJOR_CLAIMED = (MAJOR, *PLANNED, START_IT, CLAIM)


def test_a_major_hazard_is_accepted_after_an_inspection_with_command_department_and_an_expert() -> None:
    claimed = after(new("major"), *MAJOR_CLAIMED)
    (commander, theirs), (officer, own) = INSPECT
    without = [(commander, structs.replace(theirs, experts=[])), (officer, structs.replace(own, experts=[]))]
    for wrong in ([INSPECT[0]], [INSPECT[1]], without, [*INSPECT, (officer, structs.replace(own, passed=False))]):
        with pytest.raises(NotByRule, match="inspection that passed is missing") as refused:
            after(claimed, *wrong, ACCEPT)
        assert refused.value.rule == "expert_acceptance"
    inspected = after(claimed, *INSPECT)
    assert after(inspected, ACCEPT).state is State.ACCEPTED
    again = after(inspected, (DEPARTMENT, ask.Refuse(reason="复燃")), CLAIM)
    with pytest.raises(NotByRule, match="inspection that passed is missing"):
        after(again, ACCEPT)  # it was of the claim before, though the clock has not moved


def test_a_hazard_regraded_to_major_while_it_is_rectified_still_needs_its_plan() -> None:
    raised = (DEPARTMENT, ask.Regrade(grade="major", reason="扩大", criterion="demo-2"))
    rectifying = after(new(), CONFIRM, START_IT, raised)
    with pytest.raises(NotByRule) as refused:
        after(rectifying, CLAIM)
    assert refused.value.rule == "plan_before_rectification"
    assert after(rectifying, *PLANNED, CLAIM, *INSPECT, ACCEPT, CLOSE).state is State.CLOSED
    with pytest.raises(NotByRule) as refused:
        after(after(new(), CONFIRM, START_IT, CLAIM, raised), *INSPECT, ACCEPT)
    assert refused.value.rule == "plan_before_rectification"


def test_a_regraded_limit_counts_from_the_same_start_and_keeps_the_days_that_were_granted() -> None:
    hazard = after(new(), CONFIRM, REQUEST, signed(COMMAND), signed(DEPARTMENT))
    before = hazard.due_at
    major = after(hazard, (DEPARTMENT, ask.Regrade(grade="major", reason="扩大", criterion="demo-2")), now=NOON + 5 * DAY)
    assert major.due_at == before
    general = after(hazard, (DEPARTMENT, ask.Regrade(grade="general", reason="轻微")), now=NOON + 5 * DAY)
    assert general.due_at is not None and general.due_at - NOON < DAY and general.overdue(NOON + DAY)


def test_a_request_is_not_granted_to_a_grade_that_is_not_extended() -> None:
    hazard = after(new(), CONFIRM, REQUEST, signed(COMMAND), (DEPARTMENT, ask.Regrade(grade="general", reason="轻微")))
    with pytest.raises(NotByRule, match="is not extended"):
        after(hazard, signed(DEPARTMENT))


def test_what_comes_back_begins_anew_plan_reports_and_extensions_too() -> None:
    reports = [(SAFETY_OFFICER, ask.ReportHazard(to=to, recipient="x")) for to in ("department", "staff_congress")]
    extended = (REQUEST, signed(COMMAND), signed(DEPARTMENT), (DEPARTMENT, ask.FileExtension(number="备-1")))
    hazard = after(new("major"), (DEPARTMENT, ask.Confirm(grade="major", criterion="demo-2")), (SAFETY_OFFICER, ask.Receive()), *reports,
                   (SAFETY_OFFICER, ask.Publish(place="公示栏")), *extended, *PLANNED, START_IT, CLAIM, *INSPECT, ACCEPT,
                   CLOSE)  # fmt: skip
    back = after(hazard, (DEPARTMENT, ask.Reopen(reason="复燃", incident="i-2")), now=NOON + 60 * DAY)
    assert (back.state, back.tracks, back.plan, back.claim, back.incidents) == (State.CONFIRMED, {}, None, None, ["i-2"])
    assert back.due_at is not None and 15 * DAY < back.due_at - (NOON + 60 * DAY) < 16 * DAY and not back.granted
    with pytest.raises(NotByRule, match="waits for its plan"):
        after(back, START_IT, now=NOON + 60 * DAY)


@pytest.mark.parametrize(
    ("goes", "stays"),
    [(after(new("general", hazard_id="a"), CONFIRM), new("general")), (after(new(hazard_id="a"), MAJOR), after(new(), CONFIRM))],
)  # fmt: skip
def test_merging_gets_rid_of_no_limit(goes: Hazard, stays: Hazard) -> None:
    with pytest.raises(NotByRule, match="as grave and as far confirmed") as refused:
        after(goes, (DEPARTMENT, ask.Merge(into="h", reason="重复")), other=stays)
    assert refused.value.rule == "duplicates"
    assert after(stays, (DEPARTMENT, ask.Merge(into="a", reason="重复")), other=goes).state is State.MERGED


@pytest.mark.parametrize(
    ("fields", "where"),
    [({"held_at": NOON - 1}, "/held_at"), ({"held_at": NOON + 30 * DAY}, "/held_at"), ({"post": "enterprise"}, "/post")],
)  # fmt: skip
def test_a_summons_is_held_in_its_time_by_a_post_that_summons(fields: dict[str, Any], where: str) -> None:
    late = NOON + 16 * DAY
    with pytest.raises(BadInput) as refused:
        after(after(new(), CONFIRM), (COMMAND, ask.Summon(with_whom="法定代表人", note="x", **fields)), now=late)
    assert refused.value.where == where


def test_what_nobody_did_for_a_major_hazard_is_named_when_it_closes() -> None:
    """Listing, publication and both reports are clauses: their omission is on the record, and the bureau is told."""
    accepted = after(new("major"), *MAJOR_CLAIMED, *INSPECT, ACCEPT)
    decision = given(accepted, *CLOSE)
    assert [basis["rule"] for basis in decision.details["omitted"]] == ["listing", "publication", "double_report"]
    assert "bureau" in decision.tells and decision.hazard.state is State.CLOSED


def test_closing_names_the_measures_that_are_in_force_whatever_their_end_was_meant_to_be() -> None:
    isolate = ask.TakeMeasure(kind="isolate", authority="值班长", until=NOON + DAY)
    taken = after(new(), (OPERATOR, isolate), CONFIRM, START_IT, CLAIM, ACCEPT)
    with pytest.raises(NotByRule, match=r"its measures 2 \(isolate\) are in force") as refused:
        after(taken, CLOSE, now=NOON + 2 * DAY)
    assert refused.value.rule == "measures_ended_before_closing"
    assert after(taken, (OPERATOR, ask.EndMeasure(measure=2)), CLOSE).state is State.CLOSED


LIST = (COMMAND, ask.ListForRectification(number="挂-1", supervisor="指挥部"))


@pytest.mark.parametrize(
    ("duplicate", "other", "why"),
    [((REQUEST,), (), "not decided"), ((REQUEST,), (REQUEST,), "not decided"), ((LIST,), (), "is listed"), ((LIST,), (LIST,), ""),
     ((), (LIST, REQUEST), "")],
)  # fmt: skip
def test_merging_drops_no_request_and_no_number_on_a_list(duplicate: tuple[Any, ...], other: tuple[Any, ...], why: str) -> None:
    hazard, goes_on = after(new("major"), MAJOR, *duplicate), after(new("major", hazard_id="other"), MAJOR, *other)
    merge = (DEPARTMENT, ask.Merge(into="other", reason="重复"))
    if why:
        with pytest.raises(NotByRule, match=why) as refused:
            after(hazard, merge, other=goes_on)
        assert refused.value.rule == "duplicates"
    else:
        assert after(hazard, merge, other=goes_on).state is State.MERGED
