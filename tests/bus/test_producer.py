"""The producer on real brokers: partitions as everybody's, errors as ours, and an end that never hangs."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest

from bus.admin import ensure_topics
from bus.partitions import partition_of
from bus.producer import MAX_REQUEST, Producer
from bus.topics import ALARMS
from hazards.errors import BrokerUnavailable, TooLarge
from tests.real.kafka import EmbeddedBroker, KafkaCluster


@pytest.fixture(params=["embedded", "kafka"])
async def producer(request: pytest.FixtureRequest) -> AsyncIterator[Producer]:
    """A started producer on a broker with every topic, once the embedded one and once Apache Kafka."""
    address = request.getfixturevalue("embedded_broker").address if request.param == "embedded" else request.getfixturevalue("kafka")
    await ensure_topics(address, 8, 1)
    producer = Producer(address)
    await producer.start()
    assert producer.idempotent == (request.param == "kafka")  # the embedded broker has no producer ids
    yield producer
    await producer.stop()


async def test_a_record_is_acknowledged_in_the_partition_of_its_key(producer: Producer) -> None:
    began = time.monotonic()
    for key in ("tank", "smelter", "熔铸", "unassigned"):
        assert await producer.send_pack(ALARMS.name, key, b"value") == partition_of(key, 8)
    assert 4 * 85 < producer.bytes_written < 4 * 120
    assert began <= producer.last_acknowledged <= time.monotonic()


async def test_what_is_too_large_says_so_and_the_next_one_passes(producer: Producer) -> None:
    with pytest.raises(TooLarge):
        await producer.send_pack(ALARMS.name, "tank", b"x" * (MAX_REQUEST + 1))
    await producer.send_pack(ALARMS.name, "tank", b"x" * (MAX_REQUEST // 2))


async def test_a_topic_that_nobody_made_is_refused_and_not_made(producer: Producer) -> None:
    with pytest.raises(BrokerUnavailable, match="not there"):
        await producer.send_pack("nobody-made-this", "tank", b"x")
    with pytest.raises(BrokerUnavailable, match="not there"):
        await producer.send_pack("nobody-made-this", "tank", b"x")


async def test_many_at_once_keep_their_order(producer: Producer) -> None:
    partitions = await asyncio.gather(*(producer.send_pack(ALARMS.name, "tank", str(n).encode()) for n in range(300)))
    assert set(partitions) == {partition_of("tank", 8)}


async def test_nobody_there_is_unavailable(free_port: int) -> None:
    producer = Producer(f"127.0.0.1:{free_port}")
    with pytest.raises(BrokerUnavailable):
        await producer.start()
    with pytest.raises(BrokerUnavailable):
        await producer.send_pack(ALARMS.name, "tank", b"x")
    await producer.stop()


async def test_a_broker_that_dies_or_hangs_gives_records_back_in_time_and_lets_go(embedded_broker: EmbeddedBroker) -> None:
    await ensure_topics(embedded_broker.address, 8, 1)
    producer = Producer(embedded_broker.address, timeout=5.0)
    await producer.start()
    await producer.send_pack(ALARMS.name, "tank", b"x")
    os.kill(embedded_broker.pid, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(BrokerUnavailable):
        await producer.send_pack(ALARMS.name, "tank", b"x")
    assert time.monotonic() - began < 30
    embedded_broker.kill()
    with pytest.raises(BrokerUnavailable):
        await producer.send_pack(ALARMS.name, "tank", b"x")
    began = time.monotonic()
    await producer.stop(0.3)
    assert time.monotonic() - began < 10


async def test_a_kafka_that_dies_with_an_idempotent_producer_lets_go_too(fresh_kafka: KafkaCluster) -> None:
    await ensure_topics(fresh_kafka.addresses, 8, 1)
    producer = Producer(fresh_kafka.addresses, timeout=10.0)
    await producer.start()
    await producer.send_pack(ALARMS.name, "tank", b"x")
    fresh_kafka.kill(1)
    with pytest.raises(BrokerUnavailable):
        await producer.send_pack(ALARMS.name, "tank", b"x")
    began = time.monotonic()
    await producer.stop(0.3)
    assert time.monotonic() - began < 10
    fresh_kafka.restart(1)
    again = Producer(fresh_kafka.addresses)
    await again.start()
    await again.send_pack(ALARMS.name, "tank", b"x")
    await again.stop()
