"""Two, three and five workers on Apache Kafka: each zone's topics stay together, through joins and leaves, and nothing is left out."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from faust.types import StreamT

from bus.admin import ensure_topics
from bus.partitions import partition_of
from bus.topics import Topic
from streams.app import AgentLine, WorkerApp, WorkerSettings, build_app

PARTITIONS = 8
ZONES = [f"zone-{n}" for n in range(40)]


class Group:
    """Workers of one group on three topics keyed by zone, and who saw what."""

    def __init__(self, broker: str) -> None:
        mark = uuid4().hex[:8]
        self.topics = tuple(Topic(f"{name}-{mark}", keyed_by="zone", retention_hours=1) for name in ("telemetry", "alarms", "hazards"))
        self.settings = WorkerSettings(broker=broker, group=f"group-{mark}", partitions=PARTITIONS, session_timeout=25.0)
        self.workers: dict[int, WorkerApp] = {}
        self.seen: defaultdict[str, set[tuple[int, str]]] = defaultdict(set)  # value -> (worker, topic)
        self.order: defaultdict[tuple[str, str], list[int]] = defaultdict(list)  # (topic, zone) -> rounds as they came

    async def join(self, number: int) -> None:
        """Start one more worker."""
        self.workers[number] = app = build_app(self.settings, [AgentLine(t.name, t, self._probe(number, t)) for t in self.topics])
        await app.start()

    async def leave(self, number: int) -> None:
        """Stop one worker."""
        await self.workers.pop(number).stop()

    def _probe(self, number: int, topic: Topic) -> Callable[[StreamT[Any]], Any]:
        async def probe(stream: StreamT[Any]) -> None:
            async for event in stream.noack().events():  # type: ignore[attr-defined]
                value = event.message.value.decode()
                zone, _, turn = value.partition("/")
                self.seen[value].add((number, topic.name))
                if not self.order[topic.name, zone] or self.order[topic.name, zone][-1] != int(turn):
                    self.order[topic.name, zone].append(int(turn))
                event.ack()

        return probe

    async def settled(self) -> dict[int, dict[str, set[int]]]:
        """Wait until every partition of every topic has one owner; the partitions of each worker by topic."""
        everything = {(t.name, p) for t in self.topics for p in range(PARTITIONS)}
        async with asyncio.timeout(90):
            while True:
                flowing = {n: w for n, w in self.workers.items() if w.assigned.is_set()}
                owned = {n: {(tp.topic, tp.partition) for tp in w.consumer.assignment()} for n, w in flowing.items()}
                taken = [tp for own in owned.values() for tp in own]
                if len(owned) == len(self.workers) and len(taken) == len(set(taken)) and set(taken) == everything:
                    return {n: {t.name: {p for topic, p in own if topic == t.name} for t in self.topics} for n, own in owned.items()}
                await asyncio.sleep(0.05)

    async def all_seen(self, values: list[str]) -> None:
        """Wait until each of ``values`` was seen on all topics."""
        async with asyncio.timeout(90):
            while not all(len({topic for _, topic in self.seen[v]}) == len(self.topics) for v in values):
                await asyncio.sleep(0.05)


@asynccontextmanager
async def group_on(broker: str) -> AsyncIterator[Group]:
    """A group without workers; stops what is left of it."""
    group = Group(broker)
    await ensure_topics(broker, PARTITIONS, 1, topics=group.topics)
    try:
        yield group
    finally:
        await asyncio.gather(*(group.leave(n) for n in list(group.workers)))


async def send(broker: str, topics: tuple[Topic, ...], turn: int) -> list[str]:
    """One message of each zone on each topic."""
    producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all")
    await producer.start()
    try:
        values = [f"{zone}/{turn}" for zone in ZONES]
        sent = [await producer.send(t.name, v.encode(), key=v.partition("/")[0].encode()) for t in topics for v in values]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
    return values


@pytest.mark.timeout(400)
async def test_a_zones_topics_stay_on_one_worker_with_two_three_and_five_workers(kafka: str) -> None:
    async with group_on(kafka) as group:
        for turn, size in enumerate((2, 3, 5, 3, 2)):
            for number in range(5):
                if number < size and number not in group.workers:
                    await group.join(number)
                elif number >= size and number in group.workers:
                    await group.leave(number)
            owned = await group.settled()
            assert len(owned) == size
            for by_topic in owned.values():
                assert len({frozenset(p) for p in by_topic.values()}) == 1, by_topic  # the same partition numbers of all topics
            assert max(len(b[group.topics[0].name]) for b in owned.values()) <= -(-PARTITIONS // size)
            values = await send(kafka, group.topics, turn)
            await group.all_seen(values)
            for value in values:
                zone = value.partition("/")[0]
                owner = next(n for n, b in owned.items() if partition_of(zone, PARTITIONS) in b[group.topics[0].name])
                assert (owner, group.topics[0].name) in group.seen[value]
                assert {n for n, _ in group.seen[value]} == {owner}, f"{value} went to several workers"
        for came in group.order.values():
            assert came == sorted(came), "a zone's messages came out of order"


@pytest.mark.timeout(400)
async def test_messages_sent_during_rebalances_all_arrive(kafka: str) -> None:
    async with group_on(kafka) as group:
        await group.join(0)
        await group.settled()
        values: list[str] = []

        async def keep_sending() -> None:
            for turn in range(1, 31):
                values.extend(await send(kafka, group.topics, turn))

        sending = asyncio.create_task(keep_sending())
        for number in (1, 2, 3):
            await group.join(number)
        await group.settled()
        for number in (1, 2):
            await group.leave(number)
        await sending
        await group.settled()
        await group.all_seen(values)
