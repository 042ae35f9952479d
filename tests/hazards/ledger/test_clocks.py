"""The clocks of a hazard: when each runs, which points it has, and what a tick makes of time that has passed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from hazards.ledger import commands as ask
from hazards.ledger.clocks import CLOCKS, next_deadline, parsed_point, points, points_between, running, woken
from hazards.ledger.decision import Case, Decision, Facts
from hazards.ledger.decisions import decide, propose, raise_grade
from hazards.ledger.effects.moving import take_duplicate
from hazards.ledger.hazard import Actor, Hazard, Origin
from hazards.ledger.lifecycle import Event, State
from hazards.ledger.limits import EPOCH, MICROSECOND
from hazards.ledger.particulars import Paper, Stage
from hazards.ledger.policy import Policy, ProposalRule, WarningPoint
from hazards.ledger.ticks import on_tick
from tests.hazards.ledger.years import COMMAND, DAY, DEPARTMENT, HOUR, LEADER, MINUTE, OFFICER, PLAN
from tests.hazards.signals import SECOND
from tests.packs import POLICY

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = SHANGHAI) -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=zone) - EPOCH) // MICROSECOND


def shown(micro: int, zone: ZoneInfo = SHANGHAI) -> str:
    return (EPOCH + micro * MICROSECOND).astimezone(zone).strftime("%m-%d %H:%M:%S")


MORNING = at("2026-03-02 10:00")  # a Monday


def new(grade: str = "serious", *, enterprise: str | None = "alu", now: int = MORNING, zone: ZoneInfo = SHANGHAI) -> Hazard:
    command = ask.Propose(zone="smelter", kind="fire", grade=grade, title="炉前明火")
    return propose(command, hazard_id="h", actor=DEPARTMENT, origin=Origin.INSPECTION, enterprise=enterprise, synthetic=False, now=now,
                   facts=Facts(POLICY, zone)).hazard  # fmt: skip


def after(hazard: Hazard, *steps: tuple[Actor, ask.HazardCommand], now: int = MORNING, zone: ZoneInfo = SHANGHAI) -> Hazard:
    for actor, command in steps:
        signer = structs.replace(actor, confirmed_at=now)
        if isinstance(command, ask.Claim):  # a photo of afterwards is made when the work is done
            command = structs.replace(command, evidence=[structs.replace(paper, taken_at=now) for paper in command.evidence])  # noqa: PLW2901
        hazard = decide(hazard, command, actor=signer, now=now, facts=Facts(POLICY, zone)).hazard
    return hazard


def confirmed(grade: str = "serious", **options: Any) -> Hazard:
    return after(new(grade, **options), (DEPARTMENT, ask.Confirm(grade=grade, criterion="demo-5")))


def tick(hazard: Hazard, now: int, zone: ZoneInfo = SHANGHAI, policy: Policy = POLICY) -> list[Decision]:
    return on_tick(hazard, now, Facts(policy, zone))


def ticked(hazard: Hazard, now: int, zone: ZoneInfo = SHANGHAI) -> Hazard:
    return [hazard, *(d.hazard for d in tick(hazard, now, zone))][-1]


def told(decisions: Sequence[Decision]) -> list[tuple[str, str, str]]:
    return [(d.event.value, d.details.get("clock", ""), d.details.get("point", "")) for d in decisions]


def names(hazard: Hazard, zone: ZoneInfo = SHANGHAI) -> set[str]:
    return {clock.rule.clock for clock in running(hazard, POLICY, zone)}


CLAIM = (OFFICER, ask.Claim(note="已处理", evidence=[Paper(stage=Stage.AFTER, taken_at=MORNING, place="炉前", document="7")]))
START, ACCEPT, REFUSE, CLOSE = (
    (OFFICER, ask.StartRectification()), (DEPARTMENT, ask.Accept()), (DEPARTMENT, ask.Refuse(reason="未到位")), (DEPARTMENT, ask.Close()),
)  # fmt: skip
TO_DEPARTMENT, TO_CONGRESS = (
    (OFFICER, ask.ReportHazard(to="department", recipient="应急科")), (OFFICER, ask.ReportHazard(to="staff_congress", recipient="职代会")),
)  # fmt: skip
LISTED, PUBLISHED = (COMMAND, ask.ListForRectification(number="1", supervisor="市局")), (OFFICER, ask.Publish(place="公示栏"))


def extended(hazard: Hazard, days: int, now: int) -> Hazard:
    request = ask.RequestExtension(days=days, cause="supply", reason="缺件")
    return after(hazard, (OFFICER, request), (DEPARTMENT, ask.SignExtension()), (COMMAND, ask.SignExtension()), now=now)


@pytest.mark.parametrize(
    ("clock", "starts", "told_at", "ends"),
    [
        ("rectify", confirmed("serious"), ["03-10 04:59:59", "03-14 23:59:59", "03-16 23:59:59", "03-17 23:59:59", "03-20 23:59:59"],
         [START, CLAIM, ACCEPT]),
        ("receipt", confirmed("serious"), ["03-02 11:00:00", "03-02 12:00:00"], [(OFFICER, ask.Receive())]),
        ("report", new("major"), ["03-02 10:30:00", "03-02 11:00:00"], [TO_DEPARTMENT]),
        ("double_report", confirmed("major"), ["03-04 23:59:59", "03-05 23:59:59"], [TO_DEPARTMENT, TO_CONGRESS]),
        ("publish", confirmed("major"), ["03-03 04:59:59", "03-03 23:59:59"], [PUBLISHED]),
        ("list", confirmed("major"), ["03-03 04:59:59", "03-03 23:59:59"], [LISTED]),
        ("plan", confirmed("major"), ["03-04 23:59:59", "03-05 23:59:59"], [(OFFICER, PLAN)]),
        ("accept", after(confirmed("serious"), START, CLAIM), ["03-04 23:59:59", "03-05 23:59:59"], [REFUSE]),
    ],
)  # fmt: skip
def test_each_clock_runs_from_its_start_to_its_end(
    clock: str, starts: Hazard, told_at: list[str], ends: list[tuple[Actor, ask.HazardCommand]]
) -> None:
    (it,) = [c for c in running(starts, POLICY, SHANGHAI) if c.rule.clock == clock]
    assert it.start == MORNING
    assert [shown(p.at) for p in points(it, SHANGHAI)] == told_at
    for step in ends:
        assert clock in names(starts)
        starts = after(starts, step)
    assert clock not in names(starts)


def test_the_table_has_a_row_for_every_clock_that_a_pack_may_name() -> None:
    assert {rule.clock for rule in POLICY.clocks} == CLOCKS.keys()


def test_a_summons_is_due_three_days_after_the_limit_and_ends_when_it_was_held() -> None:
    hazard = after(confirmed("serious"), (OFFICER, ask.Receive()))
    late = at("2026-03-19 09:00")
    overdue, summons = tick(hazard, late)
    assert (overdue.event, overdue.hazard.overdue_at, overdue.rule.id) == (Event.OVERDUE, late, "overdue")
    assert (summons.event, summons.rule.id, summons.tells) == (Event.SUMMONS_DUE, "summons", ("district_leader",))
    assert shown(summons.details["due_at"]) == "03-20 23:59:59", "three days after the limit, not after somebody noticed"
    assert summons.hazard.summons[-1].due_at == summons.details["due_at"] and "summons" in names(summons.hazard)
    held = after(summons.hazard, (LEADER, ask.Summon(with_whom="法定代表人", note="限期整改")), now=late + HOUR)
    assert "summons" not in names(held) and tick(held, at("2026-03-20 23:00")) == []
    missed = tick(summons.hazard, at("2026-03-21 00:00"))
    assert ("clock_point", "summons", "due") in told(missed) and ("clock_point", "rectify", "+3d") in told(missed)


def test_nobody_is_summoned_for_a_general_hazard_its_principal_is_told() -> None:
    (overdue,) = [d for d in tick(confirmed("general"), at("2026-03-03 00:00")) if d.event is Event.OVERDUE]
    assert overdue.rule.id == "summons_scope" and overdue.tells[0] == "enterprise"
    assert overdue.details["due_basis"]["rule"] == "general_same_day" and not overdue.hazard.summons
    assert Event.SUMMONS_DUE not in [d.event for d in tick(overdue.hazard, at("2026-06-03 00:00"))]


def test_in_time_is_up_to_the_last_second() -> None:
    hazard = after(confirmed("general"), (OFFICER, ask.Receive()))
    assert told(tick(hazard, at("2026-03-02 23:59:59")))[-1] == ("clock_point", "rectify", "half")
    assert told(tick(hazard, at("2026-03-02 23:59:59") + 1)) == [("overdue", "rectify", "due")]


def test_before_confirmation_a_clock_is_provisional_and_has_no_consequences() -> None:
    hazard = new("major")
    assert names(hazard) == {"rectify", "report"}
    decisions = tick(hazard, MORNING + 60 * DAY)
    assert told(decisions) == [("clock_point", "rectify", "+3d"), ("clock_point", "report", "due")]
    assert decisions[0].rule.id == "provisional_clock" and decisions[0].details["provisional"] and decisions[-1].hazard.overdue_at is None
    assert decisions[-1].hazard.wake_at is None
    late = after(decisions[-1].hazard, (DEPARTMENT, ask.Confirm(grade="major", criterion="demo-5")), now=MORNING + 61 * DAY)
    assert late.wake_at is not None and "list" in names(late), "with its confirmation the clocks begin"


def test_each_point_is_told_once_however_often_anybody_looks() -> None:
    hazard, found = confirmed("serious"), []
    for hour in range(24 * 25):
        for decision in tick(hazard, MORNING + hour * HOUR):
            found.append(*told([decision]))
            hazard = decision.hazard
        assert hazard.wake_at is None or hazard.wake_at > MORNING + hour * HOUR
    assert found == [
        ("clock_point", "receipt", "half"), ("clock_point", "receipt", "due"), ("clock_point", "rectify", "half"),
        ("clock_point", "rectify", "-3d"), ("clock_point", "rectify", "-1d"), ("overdue", "rectify", "due"), ("summons_due", "", ""),
        ("clock_point", "summons", "half"), ("clock_point", "summons", "-1d"), ("clock_point", "rectify", "+3d"),
        ("clock_point", "summons", "due"),
    ]  # fmt: skip


def test_after_a_long_time_away_only_the_gravest_is_told_to_all_who_were_to_be_told() -> None:
    decisions = tick(confirmed("serious"), MORNING + 300 * DAY)
    assert told(decisions) == [("overdue", "rectify", "+3d"), ("summons_due", "", ""), ("clock_point", "receipt", "due"),
                               ("clock_point", "summons", "due")]  # fmt: skip
    assert decisions[0].details["passed_over"] == ["half", "-3d", "-1d", "due"]
    assert decisions[0].tells == ("bureau", "safety_office", "enterprise", "department", "park_command", "district_leader")
    assert decisions[-1].hazard.wake_at is None and tick(decisions[-1].hazard, MORNING + 999 * DAY) == []


def test_an_extension_tells_the_coming_points_of_the_new_due_date_again_and_none_from_before() -> None:
    hazard = ticked(after(confirmed("serious"), (OFFICER, ask.Receive())), at("2026-03-15 08:00"))
    assert [f.rpartition(":")[2] for f in hazard.fired if f.startswith("rectify")] == ["half", "-3d"]
    longer = extended(hazard, 10, at("2026-03-15 09:00"))
    assert not [f for f in longer.fired if f.startswith("rectify")], "what was told of the old due date is in the record, not here"
    assert tick(longer, at("2026-03-15 09:00")) == [], "half of the new time has passed already: no news"
    found = []
    while longer.wake_at is not None:
        decisions = tick(longer, longer.wake_at)
        found += [(*each, shown(d.hazard.updated_at)) for each, d in zip(told(decisions), decisions, strict=True)]
        longer = decisions[-1].hazard
    assert found[:3] == [("clock_point", "rectify", "-3d", "03-24 23:59:59"), ("clock_point", "rectify", "-1d", "03-26 23:59:59"),
                         ("overdue", "rectify", "due", "03-27 23:59:59")]  # fmt: skip
    assert [each[0] for each in found].count("overdue") == 1


def test_a_pending_or_refused_extension_stops_no_clock() -> None:
    hazard = after(confirmed("serious"), (OFFICER, ask.RequestExtension(days=5, cause="supply", reason="缺件")), now=at("2026-03-17 08:00"))
    assert "overdue" in [d.event for d in tick(hazard, at("2026-03-18 00:00"))]


def test_reopened_it_is_told_anew_even_on_the_same_day() -> None:
    hazard = ticked(after(confirmed("general"), (OFFICER, ask.Receive())), at("2026-03-02 18:00"))
    closed = after(hazard, START, CLAIM, ACCEPT, CLOSE, now=at("2026-03-02 18:30"))
    assert closed.wake_at is None and tick(closed, MORNING + 99 * DAY) == []
    again = after(closed, (DEPARTMENT, ask.Reopen(reason="复发")), now=at("2026-03-02 19:00"))
    assert again.due_at == hazard.due_at and names(again) == {"rectify", "receipt"}
    assert told(tick(again, at("2026-03-02 22:00"))) == [("clock_point", "rectify", "half"), ("clock_point", "receipt", "due")]


def test_a_claim_that_was_refused_and_made_again_has_a_clock_of_its_own() -> None:
    hazard = ticked(after(confirmed("serious"), START, CLAIM), at("2026-03-06 00:00:01"))
    assert any(f.startswith("accept") and f.endswith("due") for f in hazard.fired)
    again = after(hazard, REFUSE, CLAIM, now=at("2026-03-09 10:00"))
    assert ("clock_point", "accept", "due") in told(tick(again, at("2026-03-13 00:00")))


def test_what_a_graver_grade_asks_for_is_counted_from_when_it_was_given() -> None:
    later = at("2026-03-09 10:00")
    hazard = after(confirmed("serious"), (DEPARTMENT, ask.Regrade(grade="major", criterion="demo-5", reason="复核")), now=later)
    starts = {clock.rule.clock: clock.start for clock in running(hazard, POLICY, SHANGHAI)}
    assert starts["list"] == starts["publish"] == starts["report"] == later and starts["rectify"] == MORNING
    rule = ProposalRule(1, "observed", "major", "severity_1_observed")
    raised = raise_grade(new("general"), rule, now=later, facts=Facts(POLICY, SHANGHAI))
    assert raised is not None and raised.hazard.graded_at == later
    (report,) = [c for c in running(raised.hazard, POLICY, SHANGHAI) if c.rule.clock == "report"]
    assert report.start == later, "nobody can report at once what was not known to be major"
    assert confirmed("major").graded_at is None, "confirmed as it was proposed"


def test_another_grade_with_a_later_due_date_takes_the_overdue_back_and_forth() -> None:
    regrade = lambda grade, now: after(hazard, (DEPARTMENT, ask.Regrade(grade=grade, reason="复核")), now=now)  # noqa: E731
    hazard = ticked(confirmed("general"), at("2026-03-03 08:00"))
    assert hazard.overdue_at is not None
    hazard = regrade("serious", at("2026-03-03 09:00"))
    assert hazard.overdue_at is None and shown(hazard.due_at or 0) == "03-17 23:59:59"
    hazard = regrade("general", at("2026-03-03 10:00"))
    assert "overdue" in [d.event for d in tick(hazard, at("2026-03-03 10:00"))]


def test_a_second_missed_due_date_is_a_second_summons() -> None:
    hazard = ticked(confirmed("serious"), at("2026-03-18 08:00"))
    closed = after(hazard, START, CLAIM, ACCEPT, CLOSE, now=at("2026-03-18 09:00"))
    hazard = after(closed, (DEPARTMENT, ask.Reopen(reason="复发")), now=at("2026-03-20 09:00"))
    assert hazard.overdue_at is None and "summons" not in names(hazard)
    hazard = ticked(hazard, at("2026-04-20 00:00"))
    assert [shown(s.due_at or 0) for s in hazard.summons] == ["03-20 23:59:59", "04-07 23:59:59"]


def test_a_returned_plan_is_none() -> None:
    hazard = after(confirmed("major"), (OFFICER, PLAN))
    assert "plan" not in names(hazard)
    assert "plan" in names(after(hazard, (COMMAND, ask.ReturnPlan(reason="不全"))))


def test_without_an_enterprise_nobody_has_to_confirm_receipt() -> None:
    assert "receipt" not in names(confirmed("serious", enterprise=None))


def test_a_merged_or_dismissed_hazard_sleeps() -> None:
    dismissed = after(new(), (DEPARTMENT, ask.Dismiss(reason="误报")))
    assert dismissed.state is State.DISMISSED and dismissed.wake_at is None and tick(dismissed, MORNING + 99 * DAY) == []


def test_a_wall_clock_that_jumps_back_tells_nothing_twice_and_keeps_the_record_in_order() -> None:
    hazard = ticked(confirmed("serious"), MORNING + 3 * HOUR)
    assert tick(hazard, MORNING + HOUR) == []
    back = after(hazard, (DEPARTMENT, ask.Comment(text="x")), now=MORNING + HOUR)
    assert back.updated_at == MORNING + 3 * HOUR and tick(back, MORNING + 2 * HOUR) == []
    assert told(tick(back, MORNING + 4 * HOUR)) == []


@pytest.mark.parametrize(
    ("due", "name", "expected"),
    [
        ("2026-03-31 23:59:59", "-3d", "03-28 23:59:59"),  # the clocks go forward on the 29th
        ("2026-03-29 12:00:00", "-12h", "03-28 23:00:00"),  # hours are hours
        ("2026-10-26 23:59:59", "-3d", "10-23 23:59:59"),  # back on the 25th
        ("2026-10-24 23:59:59", "+3d", "10-27 23:59:59"),
        ("2026-04-01 02:30:00", "-3d", "03-29 03:30:00"),  # a time that does not exist on that day
        ("2026-10-31 12:00:00", "due", "10-31 12:00:00"),
    ],
)
def test_points_go_by_the_wall_clock_across_a_change_of_the_clocks(due: str, name: str, expected: str) -> None:
    (point,) = points_between((WarningPoint(name, ()),), "k", 0, 0, at(due, BERLIN), BERLIN)
    assert shown(point.at, BERLIN) == expected


def test_a_limit_across_a_change_of_the_clocks_ends_at_the_end_of_its_day() -> None:
    hazard = confirmed("serious", now=at("2026-03-20 10:00", BERLIN), zone=BERLIN)
    hazard = after(new("serious", now=at("2026-03-20 10:00", BERLIN), zone=BERLIN), (DEPARTMENT, ask.Confirm(grade="serious")),
                   now=at("2026-03-20 10:00", BERLIN), zone=BERLIN)  # fmt: skip
    (rectify,) = [c for c in running(hazard, POLICY, BERLIN) if c.rule.clock == "rectify"]
    assert [shown(p.at, BERLIN) for p in points(rectify, BERLIN)][1:] == [
        "04-01 23:59:59", "04-03 23:59:59", "04-04 23:59:59", "04-07 23:59:59"
    ]  # fmt: skip


def test_after_a_change_of_the_time_zone_nothing_is_told_twice() -> None:
    hazard = ticked(confirmed("major"), at("2026-03-04 00:00"))
    assert {f.partition("@")[0] for f in hazard.fired if f.endswith(":due")} >= {"list", "publish", "receipt", "report"}
    before = len(hazard.fired)
    moved = woken(hazard, POLICY, BERLIN)
    decisions = tick(moved, at("2026-03-04 09:00"), BERLIN)
    assert decisions == [] and len(moved.fired) == before
    assert moved.wake_at != hazard.wake_at, "what comes is counted in the new zone"
    assert [c.due for c in running(moved, POLICY, BERLIN) if c.rule.clock == "rectify"] == [hazard.due_at], "a due date that was set stays"


@pytest.mark.parametrize("name", ["", "soon", "3d", "-0d", "-3", "+3w", "-1000d", "due ", "half\n"])
def test_a_point_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no point of a clock"):
        parsed_point(name)


def test_every_command_sets_when_to_look_next() -> None:
    hazard = confirmed("major")
    assert hazard.wake_at == MORNING + 30 * MINUTE == next_deadline(hazard, POLICY, SHANGHAI)
    reported = after(hazard, TO_DEPARTMENT, now=MORNING + SECOND)
    assert reported.wake_at == MORNING + HOUR, "the receipt's half is next"
    assert woken(reported, POLICY, SHANGHAI) is reported, "doing it twice changes nothing"


def test_nobody_is_summoned_for_a_grade_that_the_packs_clock_leaves_out() -> None:
    of_majors = structs.replace(
        POLICY, clocks=tuple(structs.replace(c, grades=frozenset({"major"})) if c.clock == "summons" else c for c in POLICY.clocks)
    )
    decisions = tick(confirmed("serious"), at("2026-03-19 09:00"), policy=of_majors)
    assert [d.event for d in decisions if d.event in (Event.OVERDUE, Event.SUMMONS_DUE)] == [Event.OVERDUE]


def test_who_hears_first_that_somebody_is_to_be_summoned_does_not_hang_on_the_order_of_the_lines() -> None:
    reversed_ = structs.replace(POLICY, clocks=tuple(structs.replace(c, points=c.points[::-1]) for c in POLICY.clocks))
    decisions = tick(confirmed("serious"), at("2026-03-19 09:00"), policy=reversed_)
    assert [d.tells for d in decisions if d.event is Event.SUMMONS_DUE] == [("district_leader",)]


def test_after_a_reopening_the_receipt_is_to_be_confirmed_anew() -> None:
    hazard = after(confirmed("serious"), (OFFICER, ask.Receive()), START, CLAIM, ACCEPT, CLOSE)
    assert hazard.received_by == OFFICER.id
    reopened = after(hazard, (DEPARTMENT, ask.Reopen(reason="复发")))
    assert (reopened.received_by, reopened.received_at) == (None, None) and "receipt" in names(reopened)


def test_who_has_signed_may_still_refuse_more_time_and_a_grant_says_what_it_was_before() -> None:
    asked = after(confirmed("serious"), (OFFICER, ask.RequestExtension(days=5, cause="supply", reason="备件未到")))
    signed = after(asked, (COMMAND, ask.SignExtension()))
    refused = after(signed, (COMMAND, ask.RefuseExtension(reason="现场复核，可按期完成")))
    assert refused.extensions[-1].refused_by == COMMAND.id and refused.due_at == asked.due_at
    granted = after(signed, (DEPARTMENT, ask.SignExtension()))
    assert asked.extensions[-1].due_before is None and granted.extensions[-1].due_before == asked.due_at


def test_a_duplicate_makes_nobody_late_twice() -> None:
    into = ticked(confirmed("serious"), at("2026-03-18 08:00"))
    assert into.overdue_at is not None and len(into.summons) == 1
    duplicate = structs.replace(confirmed("serious"), id="d", due_at=(into.due_at or 0) - 5 * DAY)
    taken = take_duplicate(Case(into, DEPARTMENT, at("2026-03-18 09:00"), Facts(POLICY, SHANGHAI)), duplicate, "重复").hazard
    assert taken.due_at == into.due_at and taken.overdue_at == into.overdue_at
    assert [d.event for d in tick(taken, at("2026-03-18 09:30")) if d.event in (Event.OVERDUE, Event.SUMMONS_DUE)] == []


def test_an_earlier_due_date_from_a_duplicate_tells_no_point_from_before_it_came() -> None:
    into = ticked(confirmed("serious"), at("2026-03-10 08:00"))
    assert any(key.endswith(":half") for key in into.fired)
    duplicate = structs.replace(confirmed("serious"), id="d", due_at=(into.due_at or 0) - 2 * DAY)
    taken = take_duplicate(Case(into, DEPARTMENT, at("2026-03-10 09:00"), Facts(POLICY, SHANGHAI)), duplicate, "重复").hazard
    assert taken.due_at == duplicate.due_at
    assert told(tick(taken, at("2026-03-10 09:30"))) == []
    assert ("clock_point", "rectify", "-1d") in told(tick(taken, (taken.due_at or 0) - DAY + HOUR))
