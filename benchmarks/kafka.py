"""The Kafka that a bench needs: the one it is given, or one that the program named by BIHUAN_TEST_KAFKA starts for it.

Filling topics and looking how far a consumer group has come also live here. What must not go in: what is measured.
"""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from benchmarks.system import free_port
from hazards.errors import Misconfigured, Unavailable

TOOL = "BIHUAN_TEST_KAFKA"
BATCH = 256 * 1024
T = TypeVar("T")
Offsets = dict[int, int]
"""Offsets of one topic by partition."""


@contextmanager
def real_kafka(addresses: str) -> Iterator[str]:
    """Bootstrap addresses of a real Kafka: ``addresses``, or those of a broker started for the length of the block.

    Raises Misconfigured without either, since figures of the embedded broker would answer another question."""
    if addresses:
        yield addresses
        return
    tool = os.environ.get(TOOL, "")
    if not tool:
        hint = f"set BIHUAN_KAFKA to an empty one, or {TOOL} to a program that starts one"
        raise Misconfigured("this bench needs a real Kafka", hint=hint)
    with TemporaryDirectory(prefix="bihuan-bench-kafka-") as folder:
        port, data = free_port(), Path(folder) / "kafka"
        try:
            _run(tool, "start", str(data), str(port), "1")
            yield f"127.0.0.1:{port}"
        finally:
            _run(tool, "stop", str(data))
            _wait_until_ended(data)


def _run(tool: str, *arguments: str) -> None:
    done = subprocess.run([tool, *arguments], check=False, capture_output=True, text=True, timeout=400)
    if done.returncode:
        raise Unavailable(f"{tool} {arguments[0]}: {done.stdout}{done.stderr}")


def _wait_until_ended(data: Path, seconds: float = 30) -> None:
    """Return when the brokers' processes are gone: they write into a folder that is about to be removed."""
    limit = time.monotonic() + seconds
    for file in data.glob("*.pid"):
        while Path(f"/proc/{file.read_text().strip()}").exists() and time.monotonic() < limit:
            time.sleep(0.05)


@asynccontextmanager
async def _consumer(addresses: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=addresses)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def ends(addresses: str, topic: str, partitions: int) -> Offsets:
    """One past the last message of every partition."""
    async with _consumer(addresses) as consumer:
        found = await consumer.end_offsets([TopicPartition(topic, p) for p in range(partitions)])
    return {tp.partition: offset for tp, offset in found.items()}


async def fill(addresses: str, topic: str, messages: Iterable[tuple[str, bytes]]) -> int:
    """Write (key, value) messages in order, acknowledged all; how many."""
    producer = AIOKafkaProducer(bootstrap_servers=addresses, acks="all", linger_ms=5, max_batch_size=BATCH, max_request_size=4 * BATCH)
    await producer.start()
    count, sent = 0, []
    try:
        for key, value in messages:
            sent.append(await producer.send(topic, value, key=key.encode()))
            count += 1
            if len(sent) >= 5000:
                await asyncio.gather(*sent)
                sent.clear()
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
    return count


async def skip_to(addresses: str, group: str, topic: str, offsets: Offsets) -> None:
    """Let ``group`` go on from ``offsets``. Raises Unavailable while it has members: a system is at work there."""
    async with Group(addresses, group, topic) as there:
        await there.wait_until_empty()
    consumer = AIOKafkaConsumer(bootstrap_servers=addresses, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        places = {TopicPartition(topic, partition): offset for partition, offset in offsets.items()}
        consumer.assign(list(places))
        await consumer.commit(places)
    finally:
        await consumer.stop()


class Group:
    """How far a consumer group has committed on one topic."""

    def __init__(self, addresses: str, group: str, topic: str) -> None:
        self._client = AIOKafkaAdminClient(bootstrap_servers=addresses)
        self._group, self._topic = group, topic

    @property
    def name(self) -> str:
        """Of the group."""
        return self._group

    async def __aenter__(self) -> "Group":
        await self._client.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def committed(self) -> Offsets:
        """Committed offsets; partitions without one are left out."""
        found = await self._asked(lambda: self._client.list_consumer_group_offsets(self._group))
        return {tp.partition: at.offset for tp, at in found.items() if tp.topic == self._topic and at.offset >= 0}

    async def is_assigned(self, count: int) -> bool:
        """Whether its ``count`` members have their partitions."""
        ((_, _, state, *_, members),) = (await self._described()).groups
        return len(members) == count and state == "Stable"

    async def wait_until_empty(self, seconds: float = 30) -> None:
        """Return when no member is left: one that kept its name when it ended holds its partitions until its session runs out."""
        limit = time.monotonic() + seconds
        while any(members for *_, members in (await self._described()).groups):
            if time.monotonic() > limit:
                raise Unavailable(
                    f"group {self._group} has members for {seconds:g} s", hint="give the bench a Kafka that nothing else uses"
                )
            await asyncio.sleep(0.2)

    async def _described(self) -> Any:
        (answer,) = await self._asked(lambda: self._client.describe_consumer_groups([self._group]))
        return answer

    async def _asked(self, ask: Callable[[], Awaitable[T]], seconds: float = 30) -> T:
        """The answer; asked again while the group's coordinator is being chosen."""
        limit = time.monotonic() + seconds
        while True:
            try:
                return await ask()
            except KafkaError as e:
                if not e.retriable or time.monotonic() > limit:
                    raise Unavailable(f"{type(e).__name__}: {e}", where=f"group {self._group}") from e
            await asyncio.sleep(0.1)


def distance(start: Mapping[int, int], end: Mapping[int, int]) -> int:
    """Messages between two sets of offsets."""
    return sum(end.values()) - sum(start.get(p, 0) for p in end)
