"""Agents reduced to their marks, for tests of the telemetry forwarder: read a topic, note what came, mark it in SQL.

``streams`` has the real ones; here the test decides when one lives and what it skips.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from bus.codecs import decode, encode
from bus.headers import done_with
from bus.topics import ROLLUPS, TELEMETRY
from hazards.telemetry import Reading, RollupPack, TelemetryPack, pack_id, pack_readings
from storage.database import Database
from storage.journal import Journal, JournalRow, Lane
from storage.telemetry_marks import EVALUATE, STORE, mark

ZONES = [f"zone-{n}" for n in range(12)]


def readings(number: int, zone: str) -> TelemetryPack:
    """The ``number``-th pack of ``zone``: one reading of a value that tells it apart."""
    return pack_readings(zone, [Reading(f"T-{zone}/temperature", number * 1000, float(number))], received_at=number)


def rollups(number: int, zone: str) -> RollupPack:
    """The ``number``-th pack of roll-ups of ``zone``."""
    column = number.to_bytes(8, "little")
    identity = pack_id(zone, ["T/x"], column)
    return RollupPack(
        id=identity, zone=zone, resolution=1, series=["T/x"], index=b"\0\0", start=column, count=column[:4],
        minimum=column, mean=column, maximum=column, last=column,
    )  # fmt: skip


@dataclass
class Feeder:
    """Appends packs to the lane of telemetry and knows what must arrive."""

    journal: Journal
    packs: list[TelemetryPack] = field(default_factory=list)
    rolled: list[RollupPack] = field(default_factory=list)

    async def feed(self, count: int, *, rolled: int = 0) -> None:
        """``count`` packs of readings over all zones, and ``rolled`` of roll-ups."""
        new = [readings(len(self.packs) + n, ZONES[n % len(ZONES)]) for n in range(count)]
        ups = [rollups(len(self.rolled) + n, ZONES[n % len(ZONES)]) for n in range(rolled)]
        self.packs += new
        self.rolled += ups
        await self.journal.append(Lane.TELEMETRY, [JournalRow(p.id, p.zone, encode(p)) for p in [*new, *ups]])


@dataclass
class Agent:
    """One agent of the embedded broker: what it read (repeats included), and what it is done with."""

    name: str
    address: str
    database: Database
    skip: Callable[[str], bool] = lambda _id: False
    unreadable: bytes = b"?"
    seen: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)

    @property
    def topics(self) -> tuple[str, ...]:
        """What it reads."""
        return (TELEMETRY.name,) if self.name == EVALUATE else (TELEMETRY.name, ROLLUPS.name)

    async def run(self) -> None:
        """Read everything from the beginning on, until cancelled."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.address, auto_offset_reset="earliest", fetch_max_wait_ms=20, enable_auto_commit=False
        )
        await consumer.start()
        try:
            consumer.assign([TopicPartition(topic, p) for topic in self.topics for p in range(8)])
            while True:
                records = [r for rs in (await consumer.getmany(timeout_ms=50)).values() for r in rs]
                ids = [self._read(r) for r in records]
                done = [i for i in ids if i and not self.skip(i)]
                if done:
                    await self.database.writing(lambda c: mark(c, self.name, done))  # noqa: B023
        finally:
            with contextlib.suppress(KafkaError):
                await consumer.stop()

    def _read(self, record: ConsumerRecord) -> str:
        if record.value == self.unreadable:
            return ""
        kind = TelemetryPack if record.topic == TELEMETRY.name else RollupPack
        identity = decode(kind, record.value).id
        if self.name in done_with(record.headers):
            self.passed_over.append(identity)
            return ""
        self.seen.append(identity)
        return identity


@contextlib.asynccontextmanager
async def working(*agents: Agent) -> AsyncIterator[None]:
    """``agents`` beside the block; what one fails with fails the test."""
    tasks = [asyncio.create_task(agent.run()) for agent in agents]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def both(address: str, database: Database) -> tuple[Agent, Agent]:
    """Evaluate and store."""
    return Agent(EVALUATE, address, database), Agent(STORE, address, database)
