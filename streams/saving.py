"""When and how the evaluate agent's state is saved: zone by zone, oldest first, so that saving costs a bounded share of the time.

A message is acknowledged when the checkpoint of its zone that holds it is committed, and with the embedded broker marked in the same
transaction. What must not go in: evaluation, Kafka, what a checkpoint holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import monotonic

from faust.types import EventT
from sqlalchemy import Connection

from hazards.evaluation import Evaluation
from storage.checkpoints import Checkpoint, save_checkpoints
from storage.dead_letters import DeadLetter, keep_dead_letters
from storage.telemetry_marks import EVALUATE, mark

EVERY = 2.0
"""Seconds that a change waits for its checkpoint when there is time for it."""
EVERY_IDLE = 0.3
"""The same once nothing came for so long: what is saved need not be read again."""
AT_ONCE = 1024 * 1024
"""Bytes of one transaction, about: others wait for SQLite meanwhile."""
SHARE = 0.05
"""Of the time, for saving, while messages wait."""


@dataclass(slots=True)
class Pending:
    """What waits for the next checkpoint of a zone: since when (steady seconds), its messages, their packs' ids."""

    since: float
    events: list[EventT[bytes]] = field(default_factory=list)
    packs: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Save:
    """One transaction to be: checkpoints, dead letters, and what is acknowledged after it."""

    checkpoints: Sequence[Checkpoint]
    letters: Sequence[DeadLetter]
    events: Sequence[EventT[bytes]]
    packs: Sequence[str]
    pending: dict[str, Pending]

    @property
    def empty(self) -> bool:
        """Nothing to save."""
        return not (self.checkpoints or self.letters or self.events)

    def without(self, zones: Sequence[str]) -> "Save":
        """The same without the checkpoints of ``zones``."""
        return replace(self, checkpoints=[c for c in self.checkpoints if c.key not in zones])

    def has_messages(self, zones: Sequence[str]) -> bool:
        """Whether a message of one of ``zones`` is acknowledged by it."""
        return any(zone in self.pending and self.pending[zone].events for zone in zones)

    def write(self, connection: Connection, *, marks: bool, now: int) -> int:
        """All of it in one open transaction; how many dead letters were new. Raises StaleCheckpoint."""
        save_checkpoints(connection, EVALUATE, self.checkpoints, now=now)
        if marks:
            mark(connection, EVALUATE, self.packs)
        return keep_dead_letters(connection, self.letters, now=now) if self.letters else 0


class Unsaved:
    """Zones with changes and messages that no checkpoint holds yet. ``versions``: of the checkpoint each zone was read from."""

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.messages = 0
        self._zones: dict[str, Pending] = {}  # in order of their oldest change
        self._letters: list[tuple[DeadLetter, EventT[bytes]]] = []

    def wait(self, zone: str, event: EventT[bytes], pack: str) -> None:
        """``event`` with pack ``pack`` changed ``zone``."""
        pending = self._zones.get(zone) or self._zones.setdefault(zone, Pending(monotonic()))
        pending.events.append(event)
        pending.packs.append(pack)
        self.messages += 1

    def put_aside(self, letter: DeadLetter, event: EventT[bytes]) -> None:
        """``event`` can't be understood."""
        self._letters.append((letter, event))
        self.messages += 1

    def has_messages(self, zones: Sequence[str]) -> bool:
        """Whether messages wait for the checkpoint of any of ``zones``."""
        return any(zone in self._zones and self._zones[zone].events for zone in zones)

    def take(self, evaluation: Evaluation, *, every: float = EVERY) -> Save:
        """The next transaction: zones that have reports to send, then those whose change is older than ``every`` seconds."""
        now = monotonic()
        for zone, series in evaluation.zones.items():
            if series.dirty and zone not in self._zones:
                self._zones[zone] = Pending(now)
        urgent = [zone for zone, series in evaluation.zones.items() if series.outgoing and zone in self._zones]
        old = (zone for zone, pending in list(self._zones.items()) if pending.since + every <= now)
        checkpoints, taken, size = list[Checkpoint](), dict[str, Pending](), 0
        for zone in (*urgent, *old):
            if zone in taken:
                continue
            if size >= AT_ONCE:
                break
            taken[zone] = self._zones.pop(zone)
            if evaluation.zones[zone].dirty:
                checkpoints.append(Checkpoint(zone, self.versions.get(zone, 0), evaluation.snapshot(zone)))
                size += len(checkpoints[-1].body)
        letters, self._letters = self._letters, []
        events = [*(e for p in taken.values() for e in p.events), *(event for _, event in letters)]
        packs = [pack for p in taken.values() for pack in p.packs]
        return Save(checkpoints, [letter for letter, _ in letters], events, packs, taken)

    def saved(self, save: Save) -> None:
        """``save`` is committed: acknowledge its messages."""
        for checkpoint in save.checkpoints:
            self.versions[checkpoint.key] = checkpoint.version + 1
        for event in save.events:
            event.ack()
        self.messages -= len(save.events)

    def forget(self, zone: str) -> None:
        """``zone`` was written by somebody else and is read again; no message waited for it."""
        self.versions.pop(zone, None)
        self._zones.pop(zone, None)

    def clear(self) -> None:
        """Everything unsaved is somebody else's now."""
        self.versions.clear()
        self._zones.clear()
        self._letters.clear()
        self.messages = 0
