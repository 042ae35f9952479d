"""Transfer to another body, merging of duplicates, comments. What must not go in: other commands."""

from hazards.errors import BadInput
from hazards.ledger import commands as ask
from hazards.ledger.decision import Case, Decision, not_in_tables
from hazards.ledger.entries import entered
from hazards.ledger.hazard import Hazard
from hazards.ledger.lifecycle import Event, Track, next_state
from hazards.ledger.rulings import NotByRule


def transfer(case: Case, command: ask.Transfer) -> Decision:
    """Another body supervises it; no clock stops."""
    details = entered(command) | {"before": case.hazard.supervising_body}
    return case.done(Event.TRANSFERRED, details, tells=("department", "park_command"), supervising_body=command.to)


def merge(case: Case, command: ask.Merge) -> Decision:
    """It ends as a duplicate of ``case.facts.other``. What that one gets is ``take_duplicate``, in the same transaction."""
    other = case.facts.other
    if other is None or other.id != command.into or other.id == case.hazard.id:
        raise BadInput("no such hazard to merge into", where="/into")
    if (other.zone, other.enterprise, other.kind) != (case.hazard.zone, case.hazard.enterprise, case.hazard.kind):
        raise BadInput("only hazards of one zone, enterprise and kind can be the same", where="/into")
    if next_state(other.state, Event.DUPLICATE_TAKEN) is None:
        raise not_in_tables(other, Event.DUPLICATE_TAKEN, case.policy, "duplicate")
    if (case.hazard.confirmed and not other.confirmed) or case.policy.is_graver(case.hazard.grade, other.grade):
        raise NotByRule("the one that goes on is as grave and as far confirmed as this one", case.policy.rule("duplicates"),
                        hint="merge the other one into this one, or confirm its grade first")  # fmt: skip
    _nothing_dropped(case, other)
    return case.done(Event.MERGED, entered(command), merged_into=other.id)


_ON_LISTS = ((Track.LISTING, "listed"), (Track.SUPERVISION, "supervised"))


def _nothing_dropped(case: Case, other: Hazard) -> None:
    """A request that waits for signatures, a number on a list: each is of one hazard, was told to people, and moves to no other one."""
    duplicate, rule = case.hazard, case.policy.rule("duplicates")
    if duplicate.track(Track.EXTENSION) == "requested":
        raise NotByRule("its request for more time is not decided", rule, hint="sign or refuse the request first")
    for track, standing in _ON_LISTS:
        if duplicate.track(track) == standing != other.track(track):
            raise NotByRule(f"it is {standing} and the one that goes on is not", rule,
                            hint="put the other one on that list first, or merge the other one into this one")  # fmt: skip


def take_duplicate(into: Case, duplicate: Hazard, reason: str) -> Decision:
    """What ``duplicate`` leaves to the one it was merged into: its incidents and the earlier due date, unless one was missed already."""
    hazard = into.hazard
    earlier = duplicate.due_at if duplicate.confirmed == hazard.confirmed and hazard.overdue_at is None else None
    due = min((due for due in (hazard.due_at, earlier) if due is not None), default=None)
    taken_at = hazard.due_taken_at if due == hazard.due_at else into.now
    known = {hazard.incident, *hazard.incidents}
    incidents = [i for i in dict.fromkeys([duplicate.incident, *duplicate.incidents]) if i is not None and i not in known]
    details = {"duplicate": duplicate.id, "reason": reason, "due_before": hazard.due_at, "due_at": due, "incidents": incidents}
    return into.done(Event.DUPLICATE_TAKEN, details, duplicates=[*hazard.duplicates, duplicate.id], due_at=due, due_taken_at=taken_at,
                     incidents=[*hazard.incidents, *incidents])  # fmt: skip


def comment(case: Case, command: ask.Comment) -> Decision:
    """A note on the record."""
    return case.done(Event.COMMENTED, {"text": command.text})
