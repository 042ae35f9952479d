"""A Kafka node that is away takes its partitions with it, and nothing else: zones of other partitions go on, whatever waits for it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from bus.admin import ensure_topics
from bus.codecs import encode
from bus.partitions import partition_of
from bus.producer import Producer
from bus.topics import ALARMS
from hazards.messages import Signal
from ingest.bounds import HELD_ROWS
from ingest.forwarder import Forwarder
from storage.database import Database
from storage.journal import Journal, JournalRow, Lane
from tests.ingest.applier import worker
from tests.ingest.flow import drained, in_sql, running, true, until
from tests.real.kafka import KafkaCluster
from tests.streams.signals import alarm

ZONES = [f"zone-{n}" for n in range(40)]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


async def leaders(brokers: str) -> dict[int, int]:
    """Partition of ``alarms`` to the node that leads it."""
    client = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await client.start()
    try:
        (topic,) = await client.describe_topics([ALARMS.name])
    finally:
        await client.close()
    return {p["partition"]: p["leader"] for p in topic["partitions"]}


def rows(signals: list[Signal]) -> list[JournalRow]:
    return [JournalRow(signal.id, signal.zone, encode(signal)) for signal in signals]


@pytest.mark.timeout(300)
async def test_zones_of_other_partitions_go_on_while_more_waits_for_a_dead_one_than_is_held(
    kafka_cluster: KafkaCluster, journal: Journal, sqlite_database: Database
) -> None:
    brokers = kafka_cluster.addresses
    await ensure_topics(brokers, 8, 1, timeout=60)
    led_by = await leaders(brokers)
    victim = max(set(led_by.values()), key=list(led_by.values()).count)
    dead = [zone for zone in ZONES if led_by[partition_of(zone, 8)] == victim]
    alive = [zone for zone in ZONES if zone not in dead]
    assert dead and alive
    waiting = [alarm(n, dead[n % len(dead)]) for n in range(3 * HELD_ROWS)]
    lively = [alarm(10_000 + n, alive[n % len(alive)]) for n in range(400)]
    async with running(Forwarder(journal, sqlite_database, lambda a: Producer(a, timeout=5.0), brokers)), worker(brokers, sqlite_database):
        await journal.append(Lane.ALARMS, rows([alarm(20_000, zone) for zone in ZONES]))
        await drained(journal)  # connected to every node
        kafka_cluster.kill(victim)
        await journal.append(Lane.ALARMS, rows(waiting))
        began = time.monotonic()
        await journal.append(Lane.ALARMS, rows(lively))
        await until("the others to go on", lambda: true({s.id for s in lively} <= set(in_sql(sqlite_database))))
        took = time.monotonic() - began
        print(f"{len(lively)} alarms of {len(alive)} zones stood after {took:.1f} s, {len(dead)} zones without a leader")
        assert not {s.id for s in waiting} & set(in_sql(sqlite_database))
        kafka_cluster.restart(victim)
        await drained(journal)
    assert {s.id for s in waiting} <= set(in_sql(sqlite_database))
