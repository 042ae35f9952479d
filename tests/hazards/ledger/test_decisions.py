"""What people and rules can do to a hazard: the whole way, each refusal with its rule, and walks by anybody."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hazards.errors import BadInput, BihuanError, Conflict, Refused
from hazards.ledger import commands as ask
from hazards.ledger.decisions import COMMANDS, QUESTIONS, Decision, Facts, decide, hindrance, name_of, propose
from hazards.ledger.gate import Present, Sight, Watcher, Witness
from hazards.ledger.hazard import Actor, Hazard, Origin, Paper, Stage
from hazards.ledger.lifecycle import FINAL, NEXT, Event, State
from hazards.ledger.policy_guangyuan import POLICY
from hazards.ledger.rulings import IncompleteByRule, NotByRule, NotForRole
from tests.hazards.signals import NOON, SECOND

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = 24 * 3600 * SECOND
SAFETY_OFFICER, SECOND_PERSON = Actor("li", "enterprise", "alu"), Actor("sun", "enterprise", "alu")
DEPARTMENT, COMMAND, OPERATOR = Actor("zhao", "department"), Actor("qian", "park_command"), Actor("wang", "operator")
AFTER = Paper(stage=Stage.AFTER, taken_at=NOON, place="3号炉前", document="验收记录-07")
SEEING = Sight((Watcher("CAM-1", "flame"),))
FLAME = Witness(incident="i-1", severity=1, opened_at=NOON, present=[Present("CAM-1", "flame")], raised=2, last_at=NOON + 5,
                kinds=["flame"], devices=["CAM-1"])  # fmt: skip
BURNING = Sight((Watcher("CAM-1", "flame"),), (FLAME,))


def facts(sight: Sight = SEEING) -> Facts:
    return Facts(POLICY, SHANGHAI, lambda _since: sight)


def new(grade: str = "serious", enterprise: str | None = "alu", at: int = NOON) -> Hazard:
    command = ask.Propose(zone="smelter", kind="fire", grade=grade, title="3号炉前明火")
    return propose(command, hazard_id="h", actor=OPERATOR, origin=Origin.INSPECTION, enterprise=enterprise, synthetic=False, now=at,
                   facts=facts()).hazard  # fmt: skip


def after(hazard: Hazard, *steps: tuple[Actor, ask.HazardCommand], now: int = NOON, sight: Sight = SEEING) -> Hazard:
    for actor, command in steps:
        hazard = decide(hazard, command, actor=actor, now=now, facts=facts(sight)).hazard
    return hazard


PLAN = ask.FilePlan(responsibility="张三", measures="更换密封", funds="5万元", time="11月30日前", contingency="停炉撤人")
CONFIRM = (DEPARTMENT, ask.Confirm(grade="serious"))
MAJOR = (DEPARTMENT, ask.Confirm(grade="major", criterion="工贸重大隐患判定标准 第五条（一）"))
START_IT = (SAFETY_OFFICER, ask.StartRectification())
CLAIM = (SAFETY_OFFICER, ask.Claim(note="已更换", evidence=[AFTER]))


def claim_with(**fields: Any) -> ask.Claim:
    return ask.Claim(note="x", evidence=[structs.replace(AFTER, **fields)])


ACCEPT, CLOSE = (DEPARTMENT, ask.Accept()), (DEPARTMENT, ask.Close())


def test_the_way_of_a_serious_hazard_from_proposal_to_closing() -> None:
    hazard = after(new(), CONFIRM, START_IT, CLAIM, ACCEPT, CLOSE)
    assert (hazard.state, hazard.version, hazard.closed_by) == (State.CLOSED, 6, "zhao")


def test_a_major_hazard_waits_for_its_plan_and_measures_do_not() -> None:
    hazard = after(new("major"), (OPERATOR, ask.TakeMeasure(kind="evacuate", authority="值班长")), MAJOR)
    with pytest.raises(NotByRule, match="waits for its plan") as refused:
        after(hazard, START_IT)
    assert (refused.value.rule, refused.value.basis) == ("plan_before_rectification", "interpretation")
    hazard = after(hazard, (COMMAND, ask.TakeMeasure(kind="seal", authority="指挥部")), (SAFETY_OFFICER, PLAN), START_IT)
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
    hazard = after(new(at=now - 3 * DAY), (DEPARTMENT, ask.Confirm(grade=grade, criterion="x")), now=now)
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
        decision = decide(before, command, actor=actor, now=NOON + 9, facts=facts(BURNING))
        assert (decision.event, decision.hazard.state, decision.rule.id) == (Event.GATE_REFUSED, before.state, "evidence_gate")
        assert decision.hazard.version == before.version + 1 and decision.hazard.refuted_by == ["i-1"]
        assert decision.details["gate"]["evidence"][0]["incident"] == "i-1" and decision.details["command"] == name_of(command)
        with pytest.raises(NotByRule, match="still speaks against it"):
            decide(decision.hazard, command, actor=actor, now=NOON + 10, facts=facts(BURNING))
        assert decide(decision.hazard, command, actor=actor, now=NOON + 11, facts=facts()).event is COMMANDS[name_of(command)]


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


def test_every_pair_that_the_table_does_not_have_is_refused_with_a_rule() -> None:
    for state in State:
        hazard = Hazard(**{**_fields(new()), "state": state, "enterprise": None})
        for command, event in COMMANDS.items():
            found = hindrance(hazard, command, Actor("root", "administrator"), POLICY)
            assert (found is None) == ((state, event) in NEXT), (state, command)
            if found is not None:
                assert found.ruling.id == POLICY.events[event]


def _fields(hazard: Hazard) -> dict[str, Any]:
    return {name: getattr(hazard, name) for name in hazard.__struct_fields__}


ROLES = ["administrator", "operator", "park_command", "department", "bureau", "district_leader", "safety_office", "enterprise", "analyst"]
ACTORS = st.builds(
    lambda role, n: Actor(f"{role}{n}", role, "alu" if role == "enterprise" else None), st.sampled_from(ROLES), st.integers(1, 2)
)
COMMANDS_GIVEN: st.SearchStrategy[ask.HazardCommand] = st.one_of(
    st.builds(ask.Confirm, grade=st.sampled_from(["general", "serious", "major", "odd"]), criterion=st.sampled_from(["", "一（1）"])),
    st.builds(ask.Dismiss, reason=st.sampled_from(["", "误报"])), st.just(PLAN), st.just(ask.FilePlan(funds="x")),
    st.just(ask.StartRectification()), st.builds(ask.TakeMeasure, kind=st.sampled_from(["evacuate", "seal"]), authority=st.just("a")),
    st.builds(ask.EndMeasure, measure=st.integers(1, 12)), st.builds(ask.Claim, note=st.just("x"), evidence=st.sampled_from([[], [AFTER]])),
    st.just(ask.Accept()), st.just(ask.Refuse(reason="未整改到位")), st.just(ask.Close()), st.just(ask.Comment(text="x")),
)  # fmt: skip
SIGHTS = st.sampled_from([Sight(), SEEING, BURNING, Sight((Watcher("CAM-1", "flame", blind="i-9"),))])


@given(st.sampled_from(["general", "serious", "major"]), st.sampled_from(["alu", None]),
       st.lists(st.tuples(ACTORS, COMMANDS_GIVEN, SIGHTS, st.integers(-3, 90_000)), max_size=40))  # fmt: skip
def test_walks_by_anybody_keep_every_promise(
    grade: str, enterprise: str | None, steps: list[tuple[Actor, ask.HazardCommand, Sight, int]]
) -> None:
    hazard, now = new(grade, enterprise), NOON
    for actor, command, sight, seconds in steps:
        now += seconds * SECOND
        before = hazard
        decision = _tried(before, command, actor, now, sight)
        if decision is None:
            continue
        hazard = decision.hazard
        assert NEXT[before.state, decision.event] is hazard.state
        assert hazard.version == before.version + 1 and hazard.updated_at >= before.updated_at
        assert decision.rule.id in POLICY.rules and hazard.last_event == decision.event
        assert (hazard.id, hazard.zone, hazard.opened_at, hazard.proposed_grade) == (
            before.id,
            before.zone,
            before.opened_at,
            before.proposed_grade,
        )
        assert hazard.due_at == before.due_at or decision.event is Event.CONFIRMED
        _promises(hazard)
        if decision.event in (Event.CLAIMED, Event.ACCEPTED, Event.CLOSED):
            assert sight is not BURNING and decision.gate is not None and decision.gate.passes
        if decision.event in (Event.ACCEPTED, Event.CLOSED):
            assert before.claim is not None and before.claim.by != actor.id
    assert before_final(hazard)


def _tried(hazard: Hazard, command: ask.HazardCommand, actor: Actor, now: int, sight: Sight) -> Decision | None:
    hindered = hindrance(hazard, name_of(command), actor, POLICY)
    try:
        decision = decide(hazard, command, actor=actor, now=now, facts=facts(sight))
    except BihuanError as error:
        assert isinstance(error, Refused | BadInput)
        if hindered is not None:
            assert str(error) == str(hindered), "what is shown as hindrance is what refuses"
        return None
    assert hindered is None and (name_of(command) in QUESTIONS) == (decision.gate is not None)
    return decision


def _promises(hazard: Hazard) -> None:
    beyond = hazard.state in (State.RECTIFYING, State.CLAIMED, State.ACCEPTED, State.CLOSED)
    assert hazard.confirmed or not beyond
    assert not (beyond and hazard.grade == "major") or (hazard.plan is not None and hazard.criterion)
    assert (hazard.state is State.CLOSED) == (hazard.closed_at is not None)
    assert (hazard.state is State.DISMISSED) == (hazard.dismissed_reason is not None)
    assert hazard.state not in (State.ACCEPTED, State.CLOSED) or hazard.accepted_by is not None
    assert [m.number for m in hazard.measures] == sorted({m.number for m in hazard.measures})


def before_final(hazard: Hazard) -> bool:
    """A hazard that is over takes only what changes nothing."""
    return hazard.state not in FINAL or {event for (at, event) in NEXT if at is hazard.state} == {Event.COMMENTED, Event.MEASURE_ENDED}
