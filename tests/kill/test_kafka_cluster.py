"""Three workers on three Kafka brokers, killed at random and started again, while alarms come in at 100 a second and sensors are measured.

At the end each accepted alarm stands exactly once, the incidents group them as a plain reference does for the order consumed, rules have
raised exactly what the readings ask for, and no partition is stuck. ``BIHUAN_TEST_CLUSTER_SECONDS``: how long the killing goes on, 120 by
default, 900 in the soak.
"""

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import func, select

from benchmarks.kafka import Group, ends
from bus.admin import ensure_topics
from bus.codecs import SignalPack, decode
from bus.producer import Producer
from bus.topics import ALARMS, TELEMETRY
from hazards.messages import Signal
from hazards.zones import AlarmTiming
from ingest.forwarder import Forwarder
from ingest.routes import alarm_routes, telemetry_routes
from storage import schema
from storage.database import Database
from storage.journal import Journal
from storage.site_store import apply_site
from streams.worker import micros
from tests.hazards.reference import Reference
from tests.kill.cluster_load import Alarms, Readings, groups, site
from tests.kill.worker_machines import WorkerMachine
from tests.real.kafka import KafkaCluster

SECONDS = float(os.environ.get("BIHUAN_TEST_CLUSTER_SECONDS", "120"))
SOAK_SECONDS = 900.0
WORKERS, PARTITIONS, REPLICAS = 3, 8, 3
DRAIN_SECONDS = 150.0


@pytest.fixture
def machines(kafka_cluster: KafkaCluster, database: Database, database_url: str, tmp_path: Path) -> Iterator[list[WorkerMachine]]:
    """Three machines with a worker each, of one group."""
    asyncio.run(ensure_topics(kafka_cluster.addresses, PARTITIONS, REPLICAS, timeout=60))
    with database.write() as connection:
        apply_site(connection, site(), by="test", now=micros())
    settings = {"KAFKA": kafka_cluster.addresses, "DATABASE": database_url, "REPLICATION": str(REPLICAS), "PARTITIONS": str(PARTITIONS)}
    started = [WorkerMachine(tmp_path / f"machine-{n}", settings) for n in range(WORKERS)]
    try:
        yield started
    finally:
        for machine in started:
            machine.stop()


@asynccontextmanager
async def forwarding(journal: Journal, database: Database, brokers: str) -> AsyncIterator[list[Forwarder]]:
    """The real forwarders of ``journal``; what they fail with fails the test."""
    both = [
        Forwarder(journal, database, Producer, brokers, routes=routes) for routes in (alarm_routes(), telemetry_routes(durable=True))
    ]
    running = [asyncio.create_task(forwarder.run()) for forwarder in both]
    try:
        yield both
        for task in running:
            if task.done():
                task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def kill_workers(machines: list[WorkerMachine], until: float, chance: random.Random) -> Counter[str]:
    """Kill a worker every few seconds, sometimes with its supervisor, whatever the brokers do meanwhile; how often."""
    kills = Counter[str]()
    while time.monotonic() < until:
        await asyncio.sleep(chance.uniform(1.0, 8.0))
        victim = chance.choice(machines)
        if chance.random() < 0.75:
            kills["worker"] += await asyncio.to_thread(victim.kill_worker)
            continue
        await asyncio.to_thread(victim.kill_machine)
        await asyncio.sleep(chance.uniform(0.0, 2.0))
        await asyncio.to_thread(victim.start)
        kills["machine"] += 1
    return kills


async def kill_brokers(cluster: KafkaCluster, until: float, chance: random.Random) -> int:
    """Kill a broker every few seconds and start it again, one at a time, as a quorum needs; how often."""
    kills = 0
    while time.monotonic() < until:
        await asyncio.sleep(chance.uniform(1.0, 6.0))
        node = chance.randrange(1, cluster.nodes + 1)
        await asyncio.to_thread(cluster.kill, node)
        await asyncio.sleep(chance.uniform(0.5, 4.0))
        await asyncio.to_thread(cluster.restart, node)
        kills += 1
    return kills


async def drained(database: Database, wanted: int, machines: list[WorkerMachine], forwarders: list[Forwarder]) -> float:
    """Wait until ``wanted`` alarms stand in SQL; seconds it took."""
    began = time.monotonic()
    while True:
        standing = await database.reading(lambda c: c.scalar(select(func.count()).select_from(schema.alarms)) or 0)
        if standing >= wanted:
            return time.monotonic() - began
        if time.monotonic() - began > DRAIN_SECONDS:
            said = "\n".join(machine.last_words() for machine in machines)
            raise AssertionError(f"{standing} of {wanted} stand; {[f.progress for f in forwarders]}\n{said}")
        await asyncio.sleep(0.2)


async def nothing_is_stuck(addresses: str, machines: list[WorkerMachine], seconds: float = 90) -> None:
    """Every partition of what the workers read is read and committed to its end."""
    for topic in (ALARMS.name, TELEMETRY.name):
        async with Group(addresses, "bihuan", topic) as group:
            limit = time.monotonic() + seconds
            while True:
                newest, committed = await ends(addresses, topic, PARTITIONS), await group.committed()
                behind = {p: end - committed.get(p, 0) for p, end in newest.items() if end > committed.get(p, 0)}
                if not behind:
                    break
                if time.monotonic() > limit:
                    said = "\n".join(machine.last_words() for machine in machines)
                    raise AssertionError(f"messages of {topic} that nobody has done, by partition: {behind}\n{said}")
                await asyncio.sleep(0.2)


async def consumed(addresses: str) -> dict[str, list[Signal]]:
    """All signals of topic alarms by zone, in the order of the log, which is that of consumption: repeats come later and have no effect."""
    newest = await ends(addresses, ALARMS.name, PARTITIONS)
    left = {TopicPartition(ALARMS.name, p): end for p, end in newest.items() if end}
    found: dict[str, list[Signal]] = {}
    consumer = AIOKafkaConsumer(bootstrap_servers=addresses, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(list(left))
        await consumer.seek_to_beginning(*left)
        while left:
            for partition, messages in (await consumer.getmany(timeout_ms=1000)).items():
                for message in messages:
                    pack = decode(SignalPack, message.value)
                    found.setdefault(pack.zone, []).extend(pack.signals)
                if messages[-1].offset + 1 >= left.get(partition, 0):
                    left.pop(partition, None)
    finally:
        await consumer.stop()
    return found


def plain(zones: dict[str, list[Signal]]) -> set[frozenset[str]]:
    """Which ids are together by the plain reference."""
    found = set[frozenset[str]]()
    for signals in zones.values():
        reference = Reference(lambda _: AlarmTiming())
        for signal in signals:
            reference.take(signal)
        found |= reference.groups()
    return found


async def audit(addresses: str, database: Database, alarms: Alarms, readings: Readings) -> str:
    """Each alarm once, grouped as the reference does; incidents opened once and counted right; what it was, for people."""
    a, i, e = schema.alarms.c, schema.incidents.c, schema.incident_events.c
    standing = await database.reading(lambda c: c.execute(select(a.id, a.incident, a.source, a.device, a.action, a.at)).all())
    counted = await database.reading(lambda c: c.scalar(select(func.sum(i.alarm_count))))
    openings = select(e.incident, func.count()).where(e.event == "opened").group_by(e.incident)
    opened = await database.reading(lambda c: c.execute(openings).all())
    assert len(standing) == len({row.id for row in standing}) == counted, "an alarm was counted twice or not at all"
    assert {row.id for row in standing if row.source == "test"} == alarms.ids
    assert {(row.device, row.action, row.at) for row in standing if row.source != "test"} == readings.expected
    assert {n for _, n in opened} == {1}, "an incident was opened twice"
    ours, reference = groups((row.incident, row.id) for row in standing), plain(await consumed(addresses))
    assert ours == reference, f"{len(ours - reference)} of {len(ours)} incidents hold other alarms than by the reference"
    return f"{len(alarms.ids)} alarms and {len(readings.expected)} of rules in {len(ours)} incidents"


async def killing(seconds: float, cluster: KafkaCluster, database: Database, machines: list[WorkerMachine], folder: Path) -> None:
    """The whole test."""
    seed = random.SystemRandom().randrange(2**32)
    journal = Journal(folder / "journal.sqlite")
    alarms, readings = Alarms(journal), Readings(journal)
    try:
        async with forwarding(journal, database, cluster.addresses) as forwarders:
            sending = asyncio.gather(alarms.run(seconds, seed), readings.run(seconds))
            until, chance = time.monotonic() + seconds, random.Random(seed)
            kills, brokers = await asyncio.gather(kill_workers(machines, until, chance), kill_brokers(cluster, until, chance))
            await sending
            took = await drained(database, len(alarms.ids) + len(readings.expected), machines, forwarders)
        await nothing_is_stuck(cluster.addresses, machines)
        told = sum((machine.restarts() for machine in machines), Counter[str]())
        killed = f"{kills['worker']} workers, {kills['machine']} machines and {brokers} brokers killed"
        own = f"{told['stuck']} workers killed by the watchdog, {told['ended'] - kills['worker'] - told['stuck']} ended by themselves"
        sys.stdout.write(f"seed {seed}: {killed}; {own}; drained in {took:.1f} s\n")
        assert not any(machine.ended() for machine in machines)
        sys.stdout.write(await audit(cluster.addresses, database, alarms, readings) + "\n")
    finally:
        journal.close()


@pytest.mark.timeout(SECONDS + 420)
async def test_incidents_are_as_a_plain_reference_says_whatever_worker_or_broker_is_killed(
    kafka_cluster: KafkaCluster, database: Database, machines: list[WorkerMachine], tmp_path: Path
) -> None:
    await killing(SECONDS, kafka_cluster, database, machines, tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(SOAK_SECONDS + 600)
async def test_the_same_for_a_quarter_of_an_hour(
    kafka_cluster: KafkaCluster, database: Database, machines: list[WorkerMachine], tmp_path: Path
) -> None:
    await killing(SOAK_SECONDS, kafka_cluster, database, machines, tmp_path)
