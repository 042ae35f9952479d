"""Our partition of a key is everybody's: Kafka's own vectors, and where a producer really puts it."""

from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from bus.admin import ensure_topics
from bus.partitions import partition_of
from bus.topics import ALARMS
from tests.real.kafka import EmbeddedBroker


@pytest.mark.parametrize(
    ("key", "hashed"),
    [("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536), ("abc", 479470107)],
)
def test_kafkas_own_vectors(key: str, hashed: int) -> None:
    """UtilsTest.testMurmur2 of Apache Kafka."""
    for count in (1, 2, 8, 12):
        assert partition_of(key, count) == (hashed & 0x7FFFFFFF) % count


@given(st.text(min_size=1), st.integers(1, 64))
def test_the_same_as_the_producers_partitioner(key: str, count: int) -> None:
    everything = list(range(count))
    assert partition_of(key, count) == DefaultPartitioner()(key.encode(), everything, everything)


async def test_where_a_producer_puts_it(embedded_broker: EmbeddedBroker, tmp_path: Path) -> None:
    await ensure_topics(embedded_broker.address, 8, 1)
    async with AIOKafkaProducer(bootstrap_servers=embedded_broker.address) as producer:
        for zone in ("unassigned", "zone-1", "危化品仓库", "Z/7"):
            sent = await producer.send_and_wait(ALARMS.name, b"", key=zone.encode())
            assert sent.partition == partition_of(zone, 8)
