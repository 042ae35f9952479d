"""The relay: one leader, woken and not waiting, the feed goes on while the broker is away."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

import pytest

from bus.codecs import decode
from hazards.errors import BrokerUnavailable
from hazards.messages import IncidentMessage
from storage.database import Database
from storage.doorbell import Doorbell, open_doorbell
from storage.incidents import apply_signals
from storage.outbox import OutboxRow, feed_bounds, unpublished
from storage.relay import Relay
from tests.hazards.signals import NOON, SECOND, signal
from tests.real.ports import free_port


class Broker:
    """Keeps what it was sent; away when told so."""

    def __init__(self) -> None:
        self.rows: list[OutboxRow] = []
        self.away = False

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        if self.away:
            raise BrokerUnavailable("stopped by the test")
        self.rows += rows


@pytest.fixture
async def doorbell(database: Database) -> AsyncIterator[Doorbell]:
    bell = open_doorbell(database.engine.url.render_as_string(hide_password=False), free_port())
    yield bell
    await bell.close()


async def until(condition: object, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # type: ignore[operator]
            await asyncio.sleep(0.005)


def change(database: Database, doorbell: Doorbell, number: int) -> None:
    with database.write() as connection:
        apply_signals(connection, [signal(number, device=f"D{number}", at=10 * number)], now=NOON + 10 * number * SECOND)
    doorbell.ring()


async def test_rows_get_positions_at_once_and_are_published_in_order(database: Database, doorbell: Doorbell) -> None:
    broker, woken = Broker(), asyncio.Event()
    relay = Relay(database, doorbell, publish=broker.publish, on_positions=woken.set, poll=100)
    task = asyncio.create_task(relay.run())
    await asyncio.sleep(0.5)  # let it fall asleep: what comes now must wake it, the poll is 100 s away
    woken.clear()
    started = time.perf_counter()
    await asyncio.to_thread(change, database, doorbell, 1)
    await asyncio.wait_for(woken.wait(), 60)
    assert time.perf_counter() - started < 30, "a ring wakes the relay, it does not wait for its poll"
    for n in range(2, 30):
        await asyncio.to_thread(change, database, doorbell, n)
    await until(lambda: _is(len(broker.rows) == 29))
    assert [r.position for r in broker.rows] == sorted({r.position for r in broker.rows}), "in order, each once"
    assert [decode(IncidentMessage, r.payload).version for r in broker.rows] == list(range(1, 30))
    await ended(task)


async def ended(task: asyncio.Task[None]) -> None:
    """The relay gave back its lock."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _is(value: bool) -> bool:
    return value


async def test_the_feed_goes_on_while_the_broker_is_away(database: Database, doorbell: Doorbell) -> None:
    broker = Broker()
    broker.away = True
    relay = Relay(database, doorbell, publish=broker.publish, poll=0.05)
    task = asyncio.create_task(relay.run())
    for n in range(10):
        await asyncio.to_thread(change, database, doorbell, n)

    async def positioned() -> bool:
        return (await database.reading(feed_bounds))[1] == 20  # an incident and an alarm record each

    async def all_published() -> bool:
        return not await database.reading(unpublished)

    await until(positioned)
    assert broker.rows == []
    other = Broker()
    await relay.switch(other.publish)
    await until(all_published)
    assert [r.position for r in other.rows] == list(range(1, 20, 2))
    await ended(task)


async def test_only_one_leads_and_another_takes_over(database: Database, doorbell: Doorbell) -> None:
    broker = Broker()
    relays = [Relay(database, doorbell, publish=broker.publish, poll=0.05) for _ in range(2)]
    tasks = [asyncio.create_task(r.run()) for r in relays]
    await until(lambda: _is(sum(r.leading for r in relays) == 1))
    leader = next(n for n, r in enumerate(relays) if r.leading)
    await ended(tasks[leader])
    await until(lambda: _is(relays[1 - leader].leading))
    change(database, doorbell, 1)
    await until(lambda: _is(len(broker.rows) == 1))
    await ended(tasks[1 - leader])
