"""Followers of the outbox: each row in order, none lost, with the effect in the same transaction or around it."""

import asyncio
import time
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, delete, select

from bus.codecs import decode
from hazards.errors import StorageUnavailable
from hazards.kinds import kind_of
from hazards.messages import Action, AlarmRecords, HazardMessage
from storage import schema
from storage.database import Database
from storage.doorbell import open_doorbell, open_followers_bell
from storage.followers import Entry, advance, begin, follow, follow_in_transaction, read_after
from storage.incidents import apply_signals
from storage.outbox import FOLLOWED_FOR, announce_hazard, drop_old, feed_bounds, give_positions, mark_published, read_feed, unpublished
from tests.hazards.signals import NOON, SECOND, signal
from tests.real.ports import free_port


def change(database: Database, *numbers: int, zone: str = "smelter") -> None:
    with database.write() as connection:
        apply_signals(connection, [signal(n, device=f"D{n}", at=10 * n, zone=zone) for n in numbers], now=NOON + 10 * numbers[-1] * SECOND)
    if not database.is_sqlite:
        with database.write() as connection:
            give_positions(connection)


def test_a_new_follower_starts_at_the_end_or_before_the_oldest(database: Database) -> None:
    change(database, 1)
    with database.write() as connection:
        assert begin(connection, "push", at_end=True, now=NOON) == 2
        assert begin(connection, "store", at_end=False, now=NOON) == 0
    change(database, 2)
    with database.write() as connection:
        assert begin(connection, "push", at_end=True, now=NOON) == 2, "a known one stays where it was"


def test_the_effect_and_the_cursor_are_one_transaction(database: Database) -> None:
    change(database, 1, 2)
    seen: list[Entry] = []

    def fail(connection: Connection, entries: Sequence[Entry]) -> None:
        raise ZeroDivisionError

    def work(connection: Connection, entries: Sequence[Entry]) -> None:
        seen.extend(entries)

    with pytest.raises(ZeroDivisionError), database.write() as connection:
        follow_in_transaction(connection, "push", fail, now=NOON)
    with database.write() as connection:
        assert follow_in_transaction(connection, "push", work, now=NOON, limit=1) is True
    while True:
        with database.write() as connection:
            if not follow_in_transaction(connection, "push", work, now=NOON, limit=1):
                break
    with database.read() as connection:
        positions = list(connection.scalars(select(schema.outbox.c.position).order_by(schema.outbox.c.position)))
        assert [e.position for e in seen] == positions, "every row once, in order"
        assert {e.topic for e in seen} == {"incidents", ""}


def test_other_topics_are_passed_over(database: Database) -> None:
    change(database, 1)
    with database.read() as connection:
        page = read_after(connection, 0, topics=("hazards",))
    assert (page.entries, page.reached, page.more) == ([], 2, False)


def test_a_cursor_never_goes_back(database: Database) -> None:
    with database.write() as connection:
        begin(connection, "store", at_end=False, now=NOON)
        advance(connection, "store", 7, now=NOON)
        advance(connection, "store", 3, now=NOON)
        assert begin(connection, "store", at_end=False, now=NOON) == 7


def test_a_transaction_leaves_one_record_a_zone_for_followers_only(database: Database) -> None:
    with database.write() as connection:
        signals = [signal(1), signal(2, device="GAS-1", kind="odd_thing", at=1), signal(3, "cleared", at=2)]
        apply_signals(connection, [*signals, signal(4, zone="depot", severity=3)], now=NOON)
        give_positions(connection)
        entries = [e for e in read_after(connection, 0).entries if not e.topic]
        packs = {e.zone: decode(AlarmRecords, e.payload) for e in entries}
        assert len(entries) == 2 and set(packs) == {"smelter", "depot"}
        records = packs["smelter"].records
        assert [(r.id, r.device, r.kind, r.action, r.at) for r in records] == [(s.id, s.device, s.kind, s.action, s.at) for s in signals]
        assert records[0].severity == kind_of("flame").severity and packs["depot"].records[0].severity == 3
        assert records[2].incident == records[0].incident and records[0].reason == "opened" and records[2].action is Action.CLEARED
        assert len(read_feed(connection, 0)) == 3 and {r.topic for r in unpublished(connection)} == {"incidents"}
        apply_signals(connection, signals, now=NOON)  # known: no effect, no record
        give_positions(connection)
        assert len([e for e in read_after(connection, 0).entries if not e.topic]) == 2


def test_hazards_go_out_by_the_same_way(database: Database) -> None:
    hazard = HazardMessage(id="h1", zone="smelter", enterprise="alu", kind="fire", grade="general", confirmed=False, state="proposed",
                           event="proposed", title="", opened_at=NOON, updated_at=NOON, version=1, actor="li")  # fmt: skip
    with database.write() as connection:
        announce_hazard(connection, [(hazard, "proposed")], now=NOON)
        give_positions(connection)
        (row,), (entry,) = unpublished(connection), read_after(connection, 0, topics=("hazards",)).entries
        assert (row.topic, row.key, entry.event, entry.subject) == ("hazards", "smelter", "proposed", "h1")
        assert decode(HazardMessage, entry.payload) == hazard


def test_nothing_is_dropped_that_a_living_follower_has_not_passed(database: Database) -> None:
    for n in range(10):
        change(database, n)
    with database.write() as connection:
        mark_published(connection, unpublished(connection), now=NOON)
        begin(connection, "store", at_end=False, now=NOON)
        advance(connection, "store", 6, now=NOON)
        begin(connection, "push", at_end=True, now=NOON)
        assert drop_old(connection, now=NOON, kept=4) == 6 and feed_bounds(connection) == (7, 20)
        assert drop_old(connection, now=NOON, kept=4, bound=10) == 4, "but not without bound"
        assert drop_old(connection, now=NOON + FOLLOWED_FOR + 1, kept=4) == 6, "nor for one that is gone for good"
        assert feed_bounds(connection) == (17, 20)
        connection.execute(delete(schema.followers))
        assert drop_old(connection, now=NOON, kept=2) == 2


async def test_a_follower_is_woken_and_waits_out_what_is_away(database: Database) -> None:
    url, port = database.engine.url.render_as_string(hide_password=False), free_port()
    bell, ringer = open_followers_bell(url, port), open_doorbell(url, free_port(), also=(port,))
    seen: list[Entry] = []
    failures = 2

    async def take() -> bool:
        nonlocal failures
        if failures:
            failures -= 1
            raise StorageUnavailable("by the test")
        return await database.writing(lambda c: follow_in_transaction(c, "push", lambda _, e: seen.extend(e), now=NOON))

    task = asyncio.create_task(follow(take, bell, poll=100))
    await asyncio.sleep(1.0)  # asleep by now: the poll is 100 s away
    started = time.perf_counter()
    await asyncio.to_thread(change, database, 1)
    ringer.ring()
    async with asyncio.timeout(60):
        while len(seen) < 2:
            await asyncio.sleep(0.005)
    assert time.perf_counter() - started < 30
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await bell.close()
    await ringer.close()
