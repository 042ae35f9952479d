"""Walks by anybody over every command, with what rules do in between: whatever is tried, the ledger keeps its promises."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec import structs

from hazards.errors import BadInput, BihuanError, Refused
from hazards.ledger import commands as ask
from hazards.ledger.clocks import woken
from hazards.ledger.conditions import hindrance
from hazards.ledger.decision import Decision
from hazards.ledger.decisions import case_of, decide, mark_repeated, raise_grade
from hazards.ledger.effects.moving import take_duplicate
from hazards.ledger.effects.plan import COMMITMENTS
from hazards.ledger.gate import Sight, Watcher
from hazards.ledger.hazard import PLATFORM, Actor, Hazard
from hazards.ledger.lifecycle import COMMANDS, NEXT, OVER, Event, State, Track, next_tracks
from hazards.ledger.own_rules import OWN_RULES
from hazards.ledger.record import CLOCKED
from hazards.ledger.repeats import Earlier
from hazards.ledger.rulings import NotByRule
from tests.hazards.ledger.cases import (
    ACCEPT,
    AFTER,
    BURNING,
    CLAIM,
    CLOSE,
    COMMAND,
    DAY,
    DEPARTMENT,
    INSPECT,
    PLANNED,
    REQUEST,
    ROLES,
    SAFETY_OFFICER,
    SEEING,
    START_IT,
    facts,
    new,
    signed,
)  # fmt: skip
from tests.hazards.signals import NOON, SECOND
from tests.packs import POLICY

MOVES_THE_DUE_DATE = {
    Event.CONFIRMED, Event.REGRADED, Event.EXTENSION_GRANTED, Event.REOPENED, Event.DUPLICATE_TAKEN, Event.GRADE_RAISED, Event.REPEATED,
}  # fmt: skip
NEVER_CHANGES = ("id", "zone", "enterprise", "kind", "origin", "opened_at", "proposed_by", "policy", "incident", "synthetic", "title")
GATED = {Event.CLAIMED, Event.ACCEPTED, Event.CLOSED}

ACTORS = st.builds(
    lambda role, n, proved: Actor(f"{'token:' if n == 3 else ''}{role}{n}", role, "alu" if role == "enterprise" else None,
                                  confirmed_at=NOON + proved * DAY if proved is not None else None),
    st.sampled_from(ROLES), st.integers(1, 3), st.sampled_from([None, 0, 10, 1000]),
)  # fmt: skip
GRADES = st.sampled_from(["general", "serious", "major", "odd"])
CRITERIA = st.sampled_from(["", "demo-2", "odd"])
WORDS = st.sampled_from(["", "x", " ", "a\x00"])
POSTS = st.sampled_from(["", "park_command", "department", "town", "odd"])
PAPERS = st.sampled_from([[], [AFTER]])
TIMES = st.sampled_from([None, NOON, NOON + DAY, NOON + 30 * DAY])
FIELDS: dict[type, dict[str, st.SearchStrategy[Any]]] = {
    ask.Confirm: {"grade": GRADES, "criterion": CRITERIA},
    ask.Regrade: {"grade": GRADES, "reason": WORDS, "criterion": CRITERIA},
    ask.Dismiss: {"reason": WORDS},
    ask.Receive: {},
    ask.TakeMeasure: {"kind": st.sampled_from(["evacuate", "seal", "odd"]), "authority": WORDS, "start": TIMES, "until": TIMES},
    ask.EndMeasure: {"measure": st.integers(1, 12)},
    ask.ReportHazard: {"to": st.sampled_from(["department", "staff_congress"]), "recipient": WORDS},
    ask.Publish: {"place": WORDS, "until": TIMES},
    ask.ListForRectification: {"number": WORDS, "supervisor": WORDS},
    ask.LiftListing: {},
    ask.FilePlan: dict.fromkeys(COMMITMENTS, WORDS),
    ask.ApprovePlan: {},
    ask.ReturnPlan: {"reason": WORDS},
    ask.StartRectification: {},
    ask.RequestExtension: {"days": st.sampled_from([1, 15, 16]), "cause": st.sampled_from(["weather", "idle"]), "reason": WORDS},
    ask.SignExtension: {"post": POSTS},
    ask.RefuseExtension: {"reason": WORDS},
    ask.FileExtension: {"number": WORDS},
    ask.Supervise: {"number": WORDS, "supervisor": WORDS},
    ask.LiftSupervision: {},
    ask.Summon: {"with_whom": WORDS, "post": POSTS, "held_at": TIMES, "note": WORDS},
    ask.Refer: {"to": WORDS, "number": WORDS, "reason": WORDS},
    ask.WaivePenalty: {"item": st.sampled_from(["first_offence", "odd"]), "reason": WORDS},
    ask.Claim: {"note": WORDS, "evidence": PAPERS, "override_reason": WORDS},
    ask.Inspect: {"posts": st.lists(POSTS, max_size=3), "experts": st.lists(WORDS, max_size=1), "passed": st.booleans(), "note": WORDS},
    ask.Accept: {"override_reason": WORDS},
    ask.Refuse: {"reason": WORDS},
    ask.Close: {"override_reason": WORDS},
    ask.Reopen: {"reason": WORDS, "incident": st.sampled_from([None, "i-7"])},
    ask.Transfer: {"to": WORDS, "reason": WORDS},
    ask.Merge: {"into": st.sampled_from(["other", "h", ""]), "reason": WORDS},
    ask.Comment: {"text": WORDS},
}
ANYTHING = st.one_of([st.builds(command, **fields) for command, fields in FIELDS.items()])
SIGHTS = st.sampled_from([Sight(), SEEING, BURNING, Sight((Watcher("CAM-1", "flame", blind="i-9"),))])
ONWARD: list[tuple[Actor, Any]] = [
    (DEPARTMENT, ask.Confirm(grade="major", criterion="demo-2")), (DEPARTMENT, ask.Confirm(grade="serious")), *PLANNED, START_IT, CLAIM,
    *INSPECT, ACCEPT, CLOSE, (COMMAND, ask.LiftListing()), (COMMAND, ask.LiftSupervision()), (DEPARTMENT, ask.Reopen(reason="复燃")),
]  # fmt: skip
BESIDE: list[tuple[Actor, Any]] = [
    (COMMAND, ask.ListForRectification(number="挂-1", supervisor="指挥部")), REQUEST, signed(COMMAND), signed(DEPARTMENT),
    (DEPARTMENT, ask.RefuseExtension(reason="理由不足")), (DEPARTMENT, ask.FileExtension(number="备-1")),
    (COMMAND, ask.Supervise(number="督-1", supervisor="区安委办")), (DEPARTMENT, ask.Refuse(reason="不合格")),
    (SAFETY_OFFICER, ask.Receive()),
    (COMMAND, ask.Summon(with_whom="法定代表人", note="约谈")), (DEPARTMENT, ask.Refer(to="公安", number="移-1", reason="拒不整改")),
    (SAFETY_OFFICER, ask.Publish(place="公示栏")), (DEPARTMENT, ask.WaivePenalty(item="first_offence", reason="首次")),
]  # fmt: skip
"""Steps that lead on, and steps beside them: a walk of chance alone hardly ever comes far."""

Step = Callable[[Hazard, int], Decision | None]


def test_the_walks_know_every_command() -> None:
    assert set(FIELDS) == set(ask.STRUCTS.values())


def of_somebody(actor: Actor, command: ask.HazardCommand, sight: Sight, other: Hazard) -> Step:
    return lambda hazard, now: _tried(hazard, command, actor, now, sight, other)


def one_of(steps: list[tuple[Actor, Any]], which: int, other: Hazard) -> Step:
    """One of those ``steps`` that are possible where the hazard stands."""

    def step(hazard: Hazard, now: int) -> Decision | None:
        fresh = [(structs.replace(actor, confirmed_at=max(now, hazard.updated_at)), command) for actor, command in steps]
        possible = [(a, c) for a, c in fresh if hindrance(case_of(hazard, a, now, facts(other=other)), ask.name_of(c)) is None]
        if not possible:
            return None
        actor, command = possible[which % len(possible)]
        return _tried(hazard, command, actor, now, SEEING, other)

    return step


def of_a_rule(graver: bool, other: Hazard) -> Step:
    def step(hazard: Hazard, now: int) -> Decision | None:
        if graver:
            return raise_grade(hazard, POLICY.proposals[0], now=now, facts=facts())
        if hazard.state is State.PROPOSED:
            return mark_repeated(hazard, [Earlier("earlier", "smelter", hazard.opened_at)], now=now, facts=facts())
        if (hazard.state, Event.DUPLICATE_TAKEN) in NEXT:
            return take_duplicate(case_of(hazard, PLATFORM, now, facts()), other, "重复")
        return None

    return step


OTHERS = st.builds(
    lambda grade, days, state: structs.replace(new(grade, hazard_id="other", at=NOON - days * DAY), state=state),
    st.sampled_from(["general", "major"]), st.integers(0, 20), st.sampled_from([State.PROPOSED, State.CLOSED]),
)  # fmt: skip
NUMBERS = st.integers(0, 100)
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.builds(of_somebody, ACTORS, ANYTHING, SIGHTS, OTHERS), st.builds(one_of, st.just(ONWARD), NUMBERS, OTHERS),
    st.builds(one_of, st.just(ONWARD), NUMBERS, OTHERS), st.builds(one_of, st.just(BESIDE), NUMBERS, OTHERS),
    st.builds(of_a_rule, st.booleans(), OTHERS),
)  # fmt: skip


@given(st.sampled_from(["general", "serious", "major"]), st.sampled_from(["alu", None]),
       st.lists(st.tuples(STEPS, st.sampled_from([-3, 0, 60, 9000, 300_000])), min_size=20, max_size=60))  # fmt: skip
@settings(max_examples=200)
def test_walks_by_anybody_keep_every_promise(grade: str, enterprise: str | None, steps: list[tuple[Step, int]]) -> None:
    hazard, now = new(grade, enterprise), NOON
    for step, seconds in steps:
        now += seconds * SECOND
        before, as_it_was = hazard, msgspec.json.encode(hazard)
        decision = step(before, now)
        assert msgspec.json.encode(before) == as_it_was, "a decision makes a new hazard, and a refusal none"
        if decision is None:
            continue
        hazard = decision.hazard
        event(f"{decision.event}")
        _follows_the_tables(before, decision)
        _moves_only_what_is_its_own(before, decision)
        _promises(hazard)
        _woken_without_an_entry(hazard)
        _signed_by_two(hazard)


def _tried(hazard: Hazard, command: ask.HazardCommand, actor: Actor, now: int, sight: Sight, other: Hazard) -> Decision | None:
    known = facts(sight, other=other)
    case = case_of(hazard, actor, now, known)
    hindered = hindrance(case, ask.name_of(command))
    try:
        decision = decide(hazard, command, actor=actor, now=now, facts=known)
    except BihuanError as error:
        assert isinstance(error, Refused | BadInput)
        if hindered is not None:
            assert str(error) == str(hindered), "what is shown as hindrance is what refuses"
        elif isinstance(error, NotByRule) and "takes no" in error.what:
            assert isinstance(command, ask.ReportHazard | ask.Merge), "what the tables do not have is a hindrance beforehand"
        return None
    assert hindered is None and decision.event in COMMANDS[ask.name_of(command)]
    assert actor.role in POLICY.commands[ask.name_of(command)].roles
    if decision.event in GATED:
        assert decision.gate is not None
        assert decision.gate.passes or (actor.role in POLICY.gate_override.roles and decision.hazard.overrides[-1].by == actor.id)
    if decision.event in (Event.ACCEPTED, Event.CLOSED, Event.INSPECTED):
        assert hazard.claim is not None and hazard.claim.by != actor.id
    if decision.event in (Event.EXTENSION_SIGNED, Event.EXTENSION_GRANTED):
        assert actor.is_person and actor.confirmed_at is not None and not hazard.overdue(case.now)
    return decision


def _follows_the_tables(before: Hazard, decision: Decision) -> None:
    hazard = decision.hazard
    assert NEXT[before.state, decision.event] is hazard.state and next_tracks(before.tracks, decision.event) == hazard.tracks
    assert (hazard.version, hazard.last_event) == (before.version + 1, decision.event) and hazard.updated_at >= before.updated_at
    assert decision.rule in (*POLICY.rules.values(), *OWN_RULES) and all(POLICY.post(post) for post in decision.tells)
    assert all(getattr(hazard, name) == getattr(before, name) for name in NEVER_CHANGES)
    if before.state in OVER:
        assert (before.state, decision.event) in NEXT
        assert hazard.state in OVER or decision.event is Event.REOPENED


def _moves_only_what_is_its_own(before: Hazard, decision: Decision) -> None:
    hazard = decision.hazard
    if hazard.due_at != before.due_at:
        assert decision.event in MOVES_THE_DUE_DATE
        assert decision.event is not Event.DUPLICATE_TAKEN or before.due_at is None or (hazard.due_at or 0) <= before.due_at
    if decision.event is Event.PENALTY_WAIVED:
        its_own = ("waiver", "tracks", "version", "updated_at", "last_event", "last_actor", "wake_at")
        assert structs.replace(hazard, **{name: getattr(before, name) for name in its_own}) == before, "the rectification is never waived"
    if decision.event in (Event.COMMENTED, Event.MEASURE_TAKEN, Event.MEASURE_ENDED, Event.TRANSFERRED, Event.EXTENSION_REQUESTED):
        assert (hazard.state, hazard.grade, hazard.claim) == (before.state, before.grade, before.claim)


def _promises(hazard: Hazard) -> None:
    beyond = hazard.state in (State.RECTIFYING, State.CLAIMED, State.ACCEPTED, State.CLOSED)
    assert hazard.confirmed or not beyond
    if hazard.state in (State.ACCEPTED, State.CLOSED):
        assert hazard.accepted_by is not None and hazard.claim is not None
        if hazard.grade == "major":
            assert hazard.criterion and hazard.track(Track.PLAN) == "approved" and hazard.plan is not None
            passed = [i for i in hazard.inspections if i.passed and i.number > hazard.claim.number]
            by = {post: {i.by for i in passed if post in i.posts} for post in ("park_command", "department")}
            assert all(by.values()) and len(set().union(*by.values())) > 1 and any(i.experts for i in passed)
    assert (hazard.state is State.CLOSED) == (hazard.closed_at is not None)
    assert (hazard.state is State.DISMISSED) == (hazard.dismissed_reason is not None)
    assert (hazard.state is State.MERGED) == (hazard.merged_into is not None)
    assert hazard.state is not State.CLOSED or not {"listed", "supervised"} & set(hazard.tracks.values())
    assert hazard.confirmed or not (hazard.listings or hazard.publications or hazard.referral or hazard.supervisions)
    assert [m.number for m in hazard.measures] == sorted({m.number for m in hazard.measures})


def _woken_without_an_entry(hazard: Hazard) -> None:
    """What another time zone changes without an entry is nothing that an entry vouches for."""
    anew = woken(hazard, POLICY, ZoneInfo("America/Noronha"))
    assert structs.replace(anew, **{name: getattr(hazard, name) for name in CLOCKED}) == hazard


def _signed_by_two(hazard: Hazard) -> None:
    assert len(hazard.granted) <= POLICY.extension.most_times
    for extension in hazard.extensions:
        assert len({s.by for s in extension.signatures}) == len({s.post for s in extension.signatures}) == len(extension.signatures)
        assert extension.days <= POLICY.extension.most_days
        if extension.granted_at is not None:
            assert {s.post for s in extension.signatures} == set(POLICY.extension.posts) and extension.refused_at is None
