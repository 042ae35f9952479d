"""The merger alone: outages are waited out, lost races repeated, what can't be applied is put aside, all is acknowledged after."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError, ProgrammingError

from bus.codecs import SignalPack, decode, encode
from hazards.errors import StorageUnavailable
from hazards.messages import Signal
from storage import schema
from storage.database import Database
from storage.dead_letters import DeadLetter
from storage.incidents import Applied, apply_signals
from streams.merge import Merger
from tests.streams.signals import alarm, packs_of


class Event:
    """An event as Faust hands it over."""

    def __init__(self, value: bytes | None, log: list[str]) -> None:
        self.message, self._log = SimpleNamespace(value=value, topic="alarms"), log

    def ack(self) -> bool:
        self._log.append("ack")
        return True


@dataclass
class Bell:
    """A doorbell that notes."""

    log: list[str]

    def ring(self) -> None:
        self.log.append("ring")


@dataclass
class Trouble:
    """``apply_signals`` that fails first with ``errors``, then for every signal that is ``poison``."""

    log: list[str]
    errors: list[Exception] = field(default_factory=list)
    poison: Callable[[Signal], bool] = lambda _: False
    calls: int = 0

    def __call__(self, connection: Connection, signals: Sequence[Signal], *, now: int) -> Applied:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        if any(self.poison(s) for s in signals):
            raise ValueError("a NUL can't be stored")
        self.log.append("apply")
        return apply_signals(connection, signals, now=now)


def merger_of(database: Database, trouble: Trouble, published: list[DeadLetter]) -> Merger:
    async def publish(letter: DeadLetter) -> None:
        published.append(letter)
        raise ConnectionError("a broker that is away costs nothing")

    return Merger(database, Bell(trouble.log), trouble, lambda: 1_000_000, publish=publish)


async def test_commit_then_bell_then_acknowledge(sqlite_database: Database) -> None:
    trouble = Trouble([])
    merger = merger_of(sqlite_database, trouble, [])
    await merger.apply([Event(value, trouble.log) for _, value in packs_of([alarm(1, "a"), alarm(2, "b")])])
    assert trouble.log == ["apply", "ring", "ack", "ack"]
    assert (merger.tally.applied, merger.tally.messages, merger.tally.batches) == (2, 2, 1)


@pytest.mark.parametrize(
    "error",
    [
        StorageUnavailable("away"),
        IntegrityError("insert", None, Exception("somebody was first")),
        ProgrammingError("select", None, Exception("no such table")),
    ],
)
async def test_the_databases_faults_are_waited_out(sqlite_database: Database, error: Exception) -> None:
    trouble = Trouble([], errors=[error] * 3)
    merger = merger_of(sqlite_database, trouble, [])
    await merger.apply([Event(packs_of([alarm(1, "a")])[0][1], trouble.log)])
    assert trouble.calls == 4
    assert (merger.tally.applied, merger.tally.dead_lettered, merger.tally.trouble) == (1, 0, "")


async def test_only_the_signal_that_cant_be_applied_is_put_aside(sqlite_database: Database) -> None:
    bad = alarm(13, "a")
    trouble = Trouble([], poison=lambda s: s.id == bad.id)
    published: list[DeadLetter] = []
    merger = merger_of(sqlite_database, trouble, published)
    signals = [*[alarm(n, "a") for n in range(13)], bad, *[alarm(n, "a") for n in range(14, 40)]]
    await merger.apply([Event(encode(SignalPack("a", signals)), trouble.log), Event(b"garbage", trouble.log)])
    assert (merger.tally.applied, merger.tally.dead_lettered) == (39, 2)
    letters = await sqlite_database.reading(lambda c: c.execute(select(schema.dead_letters)).all())
    poison = next(row for row in letters if "NUL" in row.reason)
    assert decode(SignalPack, poison.payload).signals == [bad]  # as it was: it can be sent again
    assert trouble.log.count("ack") == 2
    assert {x.id for x in published} == {row.id for row in letters}
