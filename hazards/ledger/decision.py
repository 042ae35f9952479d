"""What a decision is: the facts it may know, what it says, and how the hazard is afterwards.

What must not go in: what single commands do (``hazards/ledger/effects``), when they are refused (``hazards/ledger/conditions.py``).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Any

import msgspec
from msgspec import Struct, structs

from hazards.ledger.clocks import woken
from hazards.ledger.gate import Answer, Sight
from hazards.ledger.hazard import Actor, Hazard
from hazards.ledger.lifecycle import Event, Track, next_state, next_tracks
from hazards.ledger.policy import GradeRule, Policy, Rule
from hazards.ledger.rulings import NotByRule


class Facts(Struct, frozen=True):
    """What a decision may know. ``sight`` answers what the zone's devices say since a time (µs), ``kept`` when files (SHA-256) were first
    kept; both are only called when asked.

    ``in_park``: whether the zone lies in a park with a command; ``other``: the hazard into which this one is to be merged."""

    policy: Policy
    time_zone: tzinfo
    sight: Callable[[int], Sight] = lambda _since: Sight()
    in_park: bool = True
    other: Hazard | None = None
    kept: Callable[[Sequence[str]], Mapping[str, int]] = lambda _files: {}


class Decision(Struct, frozen=True):
    """The hazard afterwards, what happened, its particulars for the record, the rule it follows.

    ``gate`` is the evidence gate's answer where it was asked; with the event GATE_REFUSED the command was refused by it.
    ``tells``: posts of the pack that are to be told."""

    hazard: Hazard
    event: Event
    details: dict[str, Any]
    rule: Rule
    gate: Answer | None = None
    tells: tuple[str, ...] = ()


class Case(Struct, frozen=True):
    """One hazard, somebody who wants something of it, and when."""

    hazard: Hazard
    actor: Actor
    now: int
    facts: Facts

    @property
    def policy(self) -> Policy:
        """The pack under which the hazard was opened."""
        return self.facts.policy

    @property
    def grade(self) -> GradeRule:
        """The hazard's grade; the gravest for one that the pack no longer has."""
        return self.policy.grade_or_gravest(self.hazard.grade)

    def signing_posts(self) -> tuple[str, ...]:
        """The posts that sign an extension here."""
        extension = self.policy.extension
        return extension.posts if self.facts.in_park else extension.posts_outside_park

    def held(self, posts: Iterable[str]) -> list[str]:
        """Those of ``posts`` whose people the actor is one of; the administrator stands in for each."""
        known = (post for name in posts if (post := self.policy.post(name)) is not None)
        return [post.name for post in known if self.actor.role in post.roles | {"administrator"}]

    def done(
        self, event: Event, details: dict[str, Any], answer: Answer | None = None, *, rule: str | Rule | None = None,
        tells: tuple[str, ...] = (), **changes: Any,
    ) -> Decision:  # fmt: skip
        """The decision that ``event`` happened, with its ``changes`` of the hazard. Raises NotByRule where the tables do not have it.

        ``rule``: the pack's rule by that id, or one of the program's own; None: the pack's for that event."""
        if answer is not None:
            details = {**details, "gate": msgspec.to_builtins(answer)}
        named = self.policy.rule(rule) if isinstance(rule, str) else rule
        follows = named or self.policy.rule_of(event)
        return Decision(self._after(event, **changes), event, details, follows, answer, self.policy.known_posts(*tells))

    def _after(self, event: Event, **changes: Any) -> Hazard:
        hazard, state = self.hazard, next_state(self.hazard.state, event)
        tracks = next_tracks(hazard.tracks, event)
        if state is None or isinstance(tracks, Track):
            raise not_in_tables(hazard, event, self.policy)
        after = structs.replace(hazard, state=state, tracks=tracks, version=hazard.version + 1, updated_at=self.now, last_event=event.value,
                                last_actor=self.actor.id, **changes)  # fmt: skip
        return woken(after, self.policy, self.facts.time_zone)


def not_in_tables(hazard: Hazard, event: Event, policy: Policy, command: str = "") -> NotByRule:
    """The refusal of an event for which the tables have no row; it says where the hazard stands."""
    tracks = next_tracks(hazard.tracks, event)
    wanted = command or event.value
    last = f"{hazard.last_actor} did {hazard.last_event} at version {hazard.version}"
    if next_state(hazard.state, event) is None or not isinstance(tracks, Track):
        what, hint = f"a hazard that is {hazard.state.value} takes no {wanted}", f"{NEXT_STEP[hazard.state]}; {last}"
    else:
        what, hint = f"a hazard whose {tracks.value} is {hazard.track(tracks)} takes no {wanted}", f"the record says what happened; {last}"
    return NotByRule(what, policy.rule_of(event), hint=hint)


NEXT_STEP = {
    "proposed": "it waits for confirmation of its grade", "confirmed": "a plan may be filed, or rectification started",
    "planned": "rectification may start", "rectifying": "rectification may be claimed", "claimed": "it waits for acceptance",
    "accepted": "it waits for closing", "closed": "it is closed; reopen it, or put a new one down", "dismissed": "it was dismissed",
    "merged": "it was merged into another one",
}  # fmt: skip
