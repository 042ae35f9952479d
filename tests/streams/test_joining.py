"""Kafka goes away just while a consumer takes its partitions up, and stays away for longer than any time-out of Faust's."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import Fetcher
from faust.types import StreamT

from benchmarks.kafka import Group
from bus.admin import ensure_topics
from bus.topics import ALARMS, Topic
from streams.app import AgentLine, WorkerSettings
from streams.progress import Tally, WorkerProgress
from streams.transport import Consumer
from streams.worker import Run
from tests.real.kafka import KafkaCluster
from tests.streams.signals import alarm, packs_of, producing, send

REQUEST_TIMEOUT = 2.0


@pytest.mark.timeout(180)
async def test_a_consumer_whose_kafka_dies_while_it_joins_reads_once_kafka_is_back(
    fresh_kafka: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    seek, seeks = Consumer._seek_to_where_we_were, 0

    async def seek_without_kafka(consumer: Consumer) -> None:
        nonlocal seeks
        seeks += 1
        if seeks == 1:
            await asyncio.to_thread(fresh_kafka.kill, 1)
            killed.set()
        await seek(consumer)

    read = asyncio.Event()

    async def look(stream: StreamT[Any]) -> None:
        async for event in stream.noack().events():  # type: ignore[attr-defined]
            event.ack()
            read.set()

    monkeypatch.setattr(Consumer, "_seek_to_where_we_were", seek_without_kafka)
    killed, stop, reports = asyncio.Event(), asyncio.Event(), list[WorkerProgress]()
    settings = WorkerSettings(broker=fresh_kafka.addresses, instance="one", request_timeout=REQUEST_TIMEOUT)
    running = asyncio.create_task(Run(settings, [AgentLine("look", ALARMS, look)], Tally(), reports.append).until(stop))
    async with asyncio.timeout(60):
        await killed.wait()
    await asyncio.sleep(2 * REQUEST_TIMEOUT)
    assert not running.done() and not reports[-1].ready
    await asyncio.to_thread(fresh_kafka.restart, 1)
    async with producing(fresh_kafka.addresses) as producer:
        await send(producer, packs_of([alarm(1, "z-1")]))
    async with asyncio.timeout(60):
        await read.wait()
    stop.set()
    await running


@pytest.mark.parametrize(
    ("owner", "call"), [(AIOKafkaConsumer, "commit"), (AIOKafkaConsumer, "seek_to_committed"), (Fetcher, "fetched_records")]
)
@pytest.mark.timeout(180)
async def test_a_request_that_is_cancelled_under_it_does_not_end_what_asked(
    kafka: str, monkeypatch: pytest.MonkeyPatch, owner: type, call: str
) -> None:
    real, calls = getattr(owner, call), 0

    async def cancelled(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise asyncio.CancelledError
        return await real(*args, **kwargs)

    async def look(stream: StreamT[Any]) -> None:
        async for event in stream.noack().events():  # type: ignore[attr-defined]
            event.ack()

    monkeypatch.setattr(owner, call, cancelled)
    topic, stop = Topic(f"alarms-{uuid4().hex[:8]}", keyed_by="zone", retention_hours=1), asyncio.Event()
    settings = WorkerSettings(broker=kafka, group=f"group-{topic.name}", commit_interval=0.2)
    await ensure_topics(kafka, settings.partitions, 1, topics=(topic,))
    running = asyncio.create_task(Run(settings, [AgentLine("look", topic, look)], Tally(), lambda _: None).until(stop))
    async with producing(kafka) as producer, Group(kafka, settings.group, topic.name) as group:
        for number in range(3):
            await send(producer, packs_of([alarm(number, "z-1")]), topic=topic.name)
            async with asyncio.timeout(60):
                while sum((await group.committed()).values()) < number + 1:
                    assert not running.done(), running
                    await asyncio.sleep(0.1)
    assert calls > 1
    stop.set()
    await running
