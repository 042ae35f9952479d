"""The merge agent: signals from topic ``alarms`` become alarms and incidents in SQL, one transaction a micro-batch.

Order of acts: read, commit in SQL, ring the bell, acknowledge. A crash between any two of them only means that the same
messages come again, and ids make that harmless. Nothing a message holds may stop the stream: what can't be read, and
what SQL refuses because of its content, is put aside with the reason.
What must not go in: merging rules (``hazards/``), queries (``storage/``), Kafka.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import random
from typing import Protocol

import structlog
from faust.streams import Stream
from faust.types import EventT
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from bus.codecs import SignalPack, decode, encode
from bus.topics import ALARMS
from hazards.errors import BadInput, Conflict, Unavailable
from hazards.merging import state_key
from hazards.messages import Signal
from hazards.signal_check import check_signal
from storage.database import Database
from storage.dead_letters import DeadLetter, dead_letter, keep_dead_letters
from storage.incidents import StaleState
from storage.merging_work import NewerState
from streams.batches import Batches
from streams.progress import Tally
from streams.waiting_events import waiting_events

log = structlog.get_logger()

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 2.0
_CONTENDED_TRIES = 40  # lost races in a row before one message is taken to be the cause


class Applied(Protocol):
    """What one transaction did: ids it took for the first time, how many it had already, when a zone wants to be woken (µs)."""

    new: list[str]
    duplicates: int
    next_wake: int | None
    late: int
    early: int


class Apply(Protocol):
    """``storage.incidents.apply_signals``: idempotent, in one open transaction."""

    def __call__(self, connection: Connection, signals: Sequence[Signal], *, now: int) -> Applied:
        """Raises Unavailable when the same signals may be tried again."""


class Rings(Protocol):
    """A doorbell: tells the relay that rows wait."""

    def ring(self) -> None:
        """Cheap, from any thread."""


async def merge(stream: Stream[bytes], merger: "Merger") -> None:
    """Everything that waits is one batch; a batch is one transaction; acknowledged after its commit."""
    async with Batches(merger.apply, at_most=merger.at_most, heaviest=merger.heaviest, weight=_size) as batches:
        async for events in waiting_events(stream):
            merger.tally.waiting = len(batches) + len(events)
            for event in events:
                await batches.add(event)


class Merger:
    """Applies batches of events. One for each worker process; the parts it works with are given.

    ``publish``: sends a copy of a dead letter to its topic (the row in SQL is the record). ``on_wake``: told when zones
    want to be woken."""

    def __init__(
        self,
        database: Database,
        doorbell: Rings,
        apply: Apply,
        now: Callable[[], int],
        *,
        at_most: int = 200,
        heaviest: int = 256 * 1024,
        publish: Callable[[DeadLetter], Awaitable[None]] | None = None,
        on_wake: Callable[[int], None] = lambda _at: None,
    ) -> None:
        self.database, self.doorbell, self.now, self.at_most, self.heaviest = database, doorbell, now, at_most, heaviest
        self.publish, self.on_wake = publish, on_wake
        self.tally = Tally()
        self._apply = apply

    async def apply(self, events: Sequence[EventT[bytes]]) -> None:
        """One batch, in order. Returns when all of it stands in SQL, as alarms or as dead letters, and is acknowledged."""
        pieces, tries = [_read(events)], 0
        while pieces:
            piece = pieces[0]
            rest: tuple[_Piece, ...] = ()
            try:
                await self._commit(piece)
            except Exception as error:
                if isinstance(error, NewerState) and (parted := piece.without_zone(error.key)) is not None:
                    pieces[:1] = parted  # the others need not wait for an upgrade
                    continue
                if _worth_trying_again(error, tries):
                    await self._pause(error, tries)
                    tries += 1
                    continue
                rest = piece.without_what_failed(error)
            pieces[:1] = rest
            self.tally.trouble, tries = "", 0
        for event in events:
            event.ack()
        self.tally.messages += len(events)
        self.tally.batches += 1
        self.tally.last_batch_at = self.now()

    async def _commit(self, piece: "_Piece") -> None:
        """One transaction, then the bell."""
        now = self.now()

        def write(connection: Connection) -> tuple[Applied | None, int]:
            applied = self._apply(connection, piece.signals, now=now) if piece.signals else None
            return applied, keep_dead_letters(connection, piece.letters, now=now) if piece.letters else 0

        applied, kept = await self.database.writing(write)
        self.doorbell.ring()
        if applied is not None:
            self.tally.applied += len(applied.new)
            self.tally.repeated += applied.duplicates
            self.tally.alarms_late += applied.late
            self.tally.alarms_early += applied.early
            if applied.next_wake is not None:
                self.on_wake(applied.next_wake)
        if piece.letters:
            self.tally.dead_lettered += kept
            await self._publish(piece.letters)

    async def _pause(self, error: Exception, tries: int) -> None:
        self.tally.trouble = str(error)
        if not tries & (tries - 1):  # at 0, 1, 2, 4, 8, …: an outage of an hour is a dozen lines
            log.warning("batch not applied, tried again", error=str(error), tries=tries)
        await asyncio.sleep(min(_FIRST_PAUSE * 2**tries, _LONGEST_PAUSE) * (0.5 + random() / 2))

    async def _publish(self, letters: Sequence[DeadLetter]) -> None:
        """Copies for whoever listens; the rows in SQL are the record, so a broker that is away costs nothing."""
        for letter in letters:
            log.warning("message put aside", topic=letter.topic, reason=letter.reason, id=letter.id)
            if self.publish is not None:
                with suppress(Exception):
                    await self.publish(letter)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a batch that goes into one transaction."""

    signals: Sequence[Signal]
    letters: Sequence[DeadLetter]

    def without_zone(self, key: str) -> "tuple[_Piece, _Piece] | None":
        """The signals of other zone states, and then those of ``key``; None where there are no others."""
        others = [s for s in self.signals if state_key(s.zone, s.device) != key]
        if not others:
            return None
        return _Piece(others, self.letters), _Piece([s for s in self.signals if state_key(s.zone, s.device) == key], ())

    def without_what_failed(self, error: Exception) -> "tuple[_Piece, ...]":
        """Halves, to find the signal that SQL or the rules can't take; that one alone becomes a dead letter."""
        if len(self.signals) > 1:
            middle = len(self.signals) // 2
            return _Piece(self.signals[:middle], self.letters), _Piece(self.signals[middle:], ())
        if not self.signals:
            log.error("dead letters can't be kept", error=str(error), ids=[letter.id for letter in self.letters])
            return ()
        letter = _letter_of(self.signals[0], f"can't be applied: {type(error).__name__}: {error}")
        return (_Piece((), (*self.letters, letter)),)


def _letter_of(signal: Signal, reason: str) -> DeadLetter:
    """That one signal, put aside as it would stand alone on the topic."""
    return dead_letter(ALARMS.name, encode(SignalPack(zone=signal.zone, signals=[signal])), reason, signal=signal.id)


def _size(event: EventT[bytes]) -> int:
    return len(event.message.value or b"")


def _read(events: Sequence[EventT[bytes]]) -> _Piece:
    """Signals of all ``events`` in order, and those that can't be read."""
    signals: list[Signal] = []
    letters: list[DeadLetter] = []
    for event in events:
        value = event.message.value or b""
        try:
            pack = decode(SignalPack, value)
        except BadInput as error:
            letters.append(dead_letter(event.message.topic, value, f"{type(error).__name__}: {error}"))
            continue
        for signal in pack.signals:
            try:
                signals.append(check_signal(signal))
            except BadInput as error:
                letters.append(_letter_of(signal, f"{type(error).__name__}: {error}"))
    return _Piece(signals, letters)


def _worth_trying_again(error: Exception, tries: int) -> bool:
    """Whether the database was the cause, or somebody who wrote the same zone first; anything else lies in the message."""
    if isinstance(error, Conflict | IntegrityError | StaleState):
        return tries < _CONTENDED_TRIES
    return isinstance(error, Unavailable) or (isinstance(error, DBAPIError) and not isinstance(error, DataError))
