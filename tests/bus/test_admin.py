"""Topics: made once with one count, by several at once, on both brokers; another count is refused; nothing makes them in passing."""

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient

from bus.admin import ensure_topics
from bus.topics import ALARMS, TOPICS
from hazards.errors import BrokerUnavailable, Misconfigured
from tests.real.kafka import EmbeddedBroker, KafkaCluster


async def counts(broker: str) -> dict[str, int]:
    client = AIOKafkaAdminClient(bootstrap_servers=broker)
    await client.start()
    try:
        described = await client.describe_topics([t.name for t in TOPICS])
        return {d["topic"]: len(d["partitions"]) for d in described if d["partitions"]}
    finally:
        await client.close()


async def check(broker: str) -> None:
    await asyncio.gather(*[ensure_topics(broker, 5, 1) for _ in range(3)])
    await ensure_topics(broker, 5, 1)
    assert await counts(broker) == dict.fromkeys((t.name for t in TOPICS), 5)
    with pytest.raises(Misconfigured, match="has 5 partitions, 8 are configured"):
        await ensure_topics(broker, 8, 1)


async def test_on_the_embedded_broker(embedded_broker: EmbeddedBroker) -> None:
    await check(embedded_broker.address)


async def test_on_apache_kafka(fresh_kafka: KafkaCluster) -> None:
    with pytest.raises(Misconfigured, match="InvalidReplicationFactor"):
        await ensure_topics(fresh_kafka.addresses, 5, 7)
    await check(fresh_kafka.addresses)


async def test_a_broker_that_does_not_answer(free_port: int) -> None:
    with pytest.raises(BrokerUnavailable):
        await ensure_topics(f"127.0.0.1:{free_port}", 8, 1, timeout=2)


async def test_asking_for_a_topic_does_not_make_it(embedded_broker: EmbeddedBroker) -> None:
    await ensure_topics(embedded_broker.address, 8, 1, topics=tuple(t for t in TOPICS if t is not ALARMS))
    client = AIOKafkaClient(bootstrap_servers=embedded_broker.address)
    await client.bootstrap()
    try:
        await client.add_topic(ALARMS.name)
        assert ALARMS.name not in await counts(embedded_broker.address)
    finally:
        await client.close()
    await ensure_topics(embedded_broker.address, 8, 1)
