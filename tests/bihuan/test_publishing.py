"""The relay's publisher, over producers that fail as told."""

import asyncio

import pytest
import structlog

from bihuan.parts.publishing import Publisher
from bus.producer import Producer
from hazards.errors import BrokerUnavailable, TooLarge
from storage.outbox import OutboxRow

ROWS = [OutboxRow(n, "incidents", "tank", payload, n) for n, payload in enumerate((b"good", b"large", b"good"))]


class Told(Producer):
    """Takes what is not large; from ``old`` nothing, once it may say so."""

    def __init__(self, brokers: str) -> None:
        super().__init__(brokers)
        self.asked, self.may_fail, self.stopped = asyncio.Event(), asyncio.Event(), False

    async def start(self) -> None:
        """Nothing to connect to."""

    async def send_pack(self, topic: str, key: str, value: bytes) -> int:
        self.asked.set()
        if self.brokers == "old":
            await self.may_fail.wait()
            raise BrokerUnavailable("not acknowledged")
        if value == b"large":
            raise TooLarge("more than the broker takes")
        return 0

    async def stop(self, grace: float = 1.0) -> None:
        self.stopped = True


async def test_a_row_that_is_too_large_is_said_and_stops_nobody() -> None:
    with structlog.testing.capture_logs() as said:
        await Publisher("new", Told).publish(ROWS)
    assert [(e["log_level"], e["row"], e["topic"]) for e in said] == [("error", 1, "incidents")]


async def test_a_failure_on_the_old_broker_leaves_the_fresh_producer_of_a_switch_alone() -> None:
    made = list[Told]()

    def make(address: str) -> Told:
        made.append(Told(address))
        return made[-1]

    publisher = Publisher("old", make)
    publishing = asyncio.create_task(publisher.publish(ROWS))
    while not made:
        await asyncio.sleep(0)
    await made[0].asked.wait()
    await publisher.switch("new")  # it does not wait for what hangs for longer than a second
    made[0].may_fail.set()
    with pytest.raises(BrokerUnavailable):
        await publishing
    await publisher.publish(ROWS)
    assert [(p.brokers, p.stopped) for p in made] == [("old", True), ("new", False)]
