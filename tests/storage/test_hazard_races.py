"""Several people at the same hazard at once, on SQLite and PostgreSQL: one wins, the others hear what changed, nothing is lost."""

from collections.abc import Callable
from functools import partial

import pytest

from hazards.errors import BihuanError, Conflict
from hazards.ledger import commands as ask
from hazards.ledger.decisions import case_of
from hazards.ledger.effects.moving import comment
from hazards.ledger.hazard import Actor, Hazard
from hazards.ledger.lifecycle import State
from hazards.ledger.rulings import ChangedSince, NotByRule, NotForRole
from hazards.scope import EVERYTHING
from storage.database import Database
from storage.hazard_facts import facts_of
from storage.hazard_queries import broken_at, get_hazard, hazard_events
from storage.hazard_writing import apply_decision
from storage.hazards import Outcome
from storage.ledger_clocks import tick_hazard
from storage.site_store import current_registry
from tests.hazards.signals import NOON
from tests.storage.at_once import at_once
from tests.storage.rows import as_recorded
from tests.storage.test_hazards import DAY, DEPARTMENT, OFFICER, PAPER, give, park, put_down, rectifying

__all__ = ["park"]
ROUNDS = range(5)


def read(database: Database, hazard: Hazard) -> Hazard:
    """As it is now; its chain holds and its record has an entry for each version."""
    with database.read() as connection:
        found = get_hazard(connection, hazard.id, scope=EVERYTHING)
        rows, _ = hazard_events(connection, hazard.id, scope=EVERYTHING, limit=1000)
        assert broken_at(connection, hazard.id) is None and as_recorded(connection, hazard.id)
        assert [row.entry.number for row in rows] == list(range(1, found.version + 1))
    return found


def events(database: Database, hazard: Hazard) -> list[tuple[str, str]]:
    with database.read() as connection:
        return [(row.entry.event, row.entry.actor) for row in hazard_events(connection, hazard.id, scope=EVERYTHING, limit=1000)[0]]


def fresh(database: Database, n: object, grade: str = "serious") -> Hazard:
    hazard, _ = put_down(database, command_id=f"{n}")
    return give(database, hazard, ask.Confirm(grade=grade)).hazard


def person(name: str, role: str) -> Actor:
    return Actor(name, role, None, name, NOON)


def refusals(found: list[Outcome | BihuanError]) -> list[BihuanError]:
    return [each for each in found if isinstance(each, BihuanError)]


def test_of_many_who_looked_at_one_version_one_wins_and_the_others_are_told_everything_since(park: Database) -> None:
    hazard = fresh(park, 1)
    give(park, hazard, ask.Comment(text="before"), person("wang", "operator"))

    def all_at(version: int) -> list[Outcome | BihuanError]:
        return at_once(*[
            partial(give, park, hazard, ask.Transfer(to=f"body {n}", reason="x", version=version), person(f"p{n}", "department"))
            for n in range(4)
        ])  # fmt: skip

    assert len(refusals(all_at(2))) == 4, "all looked at version 2, and it is 3"
    found = all_at(3)
    (winner,) = [n for n, each in enumerate(found) if isinstance(each, Outcome)]
    for error in refusals(found):
        assert isinstance(error, ChangedSince) and error.what == f"p{winner} did transferred at version 4, you looked at 3"
        assert [(c.number, c.actor, c.event) for c in error.changes] == [(4, f"p{winner}", "transferred")]
    after = read(park, hazard)
    assert (after.version, after.supervising_body) == (4, f"body {winner}")
    with pytest.raises(ChangedSince) as late:
        give(park, hazard, ask.Comment(text="x", version=2))
    assert [(c.number, c.actor, c.event) for c in late.value.changes] == [(3, "wang", "commented"), (4, f"p{winner}", "transferred")]


def test_what_needs_no_version_is_done_by_all_and_nobodys_change_is_lost(park: Database) -> None:
    hazard = fresh(park, 1)
    works: list[Callable[[], Outcome]] = []
    for n in range(6):
        commands = (ask.Comment(text=f"{n}"), ask.TakeMeasure(kind="isolate", authority=f"a{n}"))
        works += [partial(give, park, hazard, command, person(f"p{n}", "department")) for command in commands]
    assert not refusals(at_once(*works))
    after = read(park, hazard)
    assert after.version == 2 + 12 and {m.authority for m in after.measures} == {f"a{n}" for n in range(6)}
    assert len({m.number for m in after.measures}) == 6


def test_one_step_that_can_happen_once_is_done_by_one_of_those_who_try(park: Database) -> None:
    hazard = fresh(park, 1)
    found = at_once(*[partial(give, park, hazard, ask.StartRectification(), Actor(f"p{n}", "enterprise", "alu")) for n in range(4)])
    (winner,) = [n for n, each in enumerate(found) if isinstance(each, Outcome)]
    for error in refusals(found):
        assert isinstance(error, NotByRule) and error.what == "a hazard that is rectifying takes no start rectification"
        assert error.hint.endswith(f"p{winner} did rectification_started at version 3")
    assert events(park, hazard)[2:] == [("rectification_started", f"p{winner}")]


@pytest.mark.parametrize("turn", ROUNDS)
def test_acceptance_and_refusal_at_once_leave_what_the_tables_allow(park: Database, turn: int) -> None:
    hazard = give(park, rectifying(park), ask.Claim(note="x", evidence=[PAPER]), OFFICER).hazard
    accept = partial(give, park, hazard, ask.Accept(), person("a", "department"))
    refuse = partial(give, park, hazard, ask.Refuse(reason="x"), person("r", "bureau"))
    found = at_once(*((accept, refuse) if turn % 2 else (refuse, accept)))
    made = [event for event, _ in events(park, hazard)[4:]]
    assert made in (["refused"], ["accepted", "refused"]), "after a refusal nothing is accepted; what was accepted can be refused"
    assert len(refusals(found)) == 2 - len(made) and read(park, hazard).state is State.RECTIFYING


@pytest.mark.parametrize("turn", ROUNDS)
def test_two_hazards_merged_into_each_other_at_once_leave_one(park: Database, turn: int) -> None:
    one, two = fresh(park, f"{turn}-1"), fresh(park, f"{turn}-2")
    found = at_once(
        partial(give, park, one, ask.Merge(into=two.id, reason="x"), person("a", "department")),
        partial(give, park, two, ask.Merge(into=one.id, reason="x"), person("b", "bureau")),
    )
    (error,) = refusals(found)
    assert isinstance(error, NotByRule) and "merged takes no" in error.what
    gone, kept = sorted((read(park, one), read(park, two)), key=lambda h: h.state is not State.MERGED)
    assert (gone.state, gone.merged_into, kept.state) == (State.MERGED, kept.id, State.CONFIRMED)
    assert kept.duplicates == [gone.id] and [event for event, _ in events(park, kept)][-1] == "duplicate_taken"


@pytest.mark.parametrize("turn", ROUNDS)
def test_a_ring_of_merges_at_once_ends_at_one_that_goes_on(park: Database, turn: int) -> None:
    ring = [fresh(park, f"{turn}-{n}") for n in range(3)]
    at_once(*[
        partial(give, park, hazard, ask.Merge(into=ring[(n + 1) % 3].id, reason="x"), person(f"p{n}", "department"))
        for n, hazard in enumerate(ring)
    ])  # fmt: skip
    after = {hazard.id: read(park, hazard) for hazard in ring}
    kept = [hazard for hazard in after.values() if hazard.state is State.CONFIRMED]
    assert kept, "they can't all be merged away"
    for hazard in after.values():
        seen = {hazard.id}
        while hazard.merged_into is not None:
            into = after[hazard.merged_into]
            assert hazard.id in into.duplicates and into.id not in seen
            seen.add(into.id)
            hazard = into  # noqa: PLW2901 (to the end of the chain)
        assert hazard.state is State.CONFIRMED


@pytest.mark.parametrize("turn", ROUNDS)
def test_an_extension_signed_by_several_at_once_is_granted_exactly_once(park: Database, turn: int) -> None:
    hazard = fresh(park, turn)
    give(park, hazard, ask.RequestExtension(days=10, cause="weather", reason="x"), OFFICER)
    signers = [person("c1", "park_command"), person("d1", "department"), person("c2", "park_command"), person("d2", "department")]
    found = at_once(*[partial(give, park, hazard, ask.SignExtension(), signer) for signer in signers])
    assert len(refusals(found)) == 2 and all(isinstance(error, NotByRule) for error in refusals(found))
    after = read(park, hazard)
    (extension,) = after.extensions
    assert hazard.due_at is not None and after.due_at == hazard.due_at + 10 * DAY and extension.due_before == hazard.due_at
    assert {s.post for s in extension.signatures} == {"park_command", "department"} and extension.granted_at is not None
    assert [event for event, _ in events(park, hazard)][-2:] == ["extension_signed", "extension_granted"]


def test_one_person_who_signs_twice_at_once_signs_once(park: Database) -> None:
    hazard = fresh(park, 1)
    give(park, hazard, ask.RequestExtension(days=10, cause="weather", reason="x"), OFFICER)
    root = person("root", "administrator")
    found = at_once(*[partial(give, park, hazard, ask.SignExtension(post=post), root) for post in ("park_command", "department")])
    (error,) = refusals(found)
    assert isinstance(error, NotForRole) and error.rule == "signature"
    assert read(park, hazard).due_at == hazard.due_at


def test_a_signature_and_a_refusal_at_once_end_granted_or_refused_and_never_both(park: Database) -> None:
    hazard = fresh(park, 1)
    give(park, hazard, ask.RequestExtension(days=10, cause="weather", reason="x"), OFFICER)
    give(park, hazard, ask.SignExtension(), person("c1", "park_command"))
    found = at_once(
        partial(give, park, hazard, ask.SignExtension(), person("d1", "department")),
        partial(give, park, hazard, ask.RefuseExtension(reason="x"), person("d2", "department")),
    )
    assert len(refusals(found)) == 1
    (extension,), after = read(park, hazard).extensions, read(park, hazard)
    assert (extension.granted_at is None) != (extension.refused_at is None)
    assert (after.due_at == hazard.due_at) == (extension.granted_at is None)


def test_one_request_sent_twice_at_once_happens_once_and_both_are_told_so(park: Database) -> None:
    hazard = fresh(park, 1)
    found = at_once(*[partial(give, park, hazard, ask.Comment(text="x"), DEPARTMENT, command_id="the same") for _ in range(4)])
    outcomes = [each for each in found if isinstance(each, Outcome)]
    assert len(outcomes) == 4 and sorted(each.repeated for each in outcomes) == [False, True, True, True]
    assert read(park, hazard).version == 3


def test_clocks_of_several_workers_and_a_person_at_once_write_every_event_once(park: Database) -> None:
    hazard, late = rectifying(park), NOON + 16 * DAY

    def tick() -> int:
        with park.write() as connection:
            return tick_hazard(connection, hazard.id, now=late)

    found = at_once(tick, tick, tick, lambda: give(park, hazard, ask.Comment(text="x"), now=late).hazard.version)
    assert not [each for each in found if isinstance(each, BihuanError)]
    while tick():
        pass
    made = [event for event, _ in events(park, hazard)]
    assert (made.count("overdue"), made.count("summons_due"), made.count("commented")) == (1, 1, 1)
    assert read(park, hazard).overdue_at == late


def test_the_conflict_of_an_optimistic_write_is_a_conflict_too(park: Database) -> None:
    """Should a row ever be written without its lock, the version still decides."""
    hazard = fresh(park, 1)
    with park.write() as connection:
        facts = facts_of(connection, current_registry(connection), hazard)
        decision = comment(case_of(hazard, DEPARTMENT, NOON, facts), ask.Comment(text="x"))
        apply_decision(connection, decision, DEPARTMENT, now=NOON)
    with pytest.raises(Conflict), park.write() as connection:
        apply_decision(connection, decision, DEPARTMENT, now=NOON)
    assert read(park, hazard).version == 3
