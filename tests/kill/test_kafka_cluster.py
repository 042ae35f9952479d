"""Three workers on three Kafka brokers, killed at random and started again, while alarms come in at 100 a second.

At the end each accepted alarm stands exactly once under exactly one incident, and no incident is doubled.
``BIHUAN_TEST_CLUSTER_SECONDS``: how long the killing goes on, 120 by default, 900 in the soak.
"""

import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bus.admin import ensure_topics
from bus.codecs import encode
from bus.producer import Producer
from hazards.messages import Action, Signal
from ingest.forwarder import Forwarder
from storage import schema
from storage.database import Database
from storage.journal import Journal, JournalRow, Lane
from tests.real.kafka import KafkaCluster
from tests.real.processes import tail
from tests.streams.signals import alarm
from tests.streams.workers import WorkerProcess

SECONDS = float(os.environ.get("BIHUAN_TEST_CLUSTER_SECONDS", "120"))
SOAK_SECONDS = 900.0
RATE = 100
ZONES = [f"zone-{n}" for n in range(20)]
KINDS = ("flame", "intrusion")  # two families: two incidents a zone
WORKERS, PARTITIONS, REPLICAS = 3, 8, 3
DRAIN_SECONDS = 150.0


class Accepted:
    """What the journal took: ids by the zone and kind that must hold them."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.ids: dict[str, tuple[str, str]] = {}
        self._last: dict[tuple[str, str], Action] = {}

    async def take(self, zone: str, kind: str, *, again: bool = False) -> None:
        """Accept the next signal of this condition, raised and cleared in turn; ``again``: the sender sends it twice."""
        before = self._last.get((zone, kind))
        action = self._last[zone, kind] = Action.CLEARED if before is Action.RAISED else Action.RAISED
        signal = alarm(len(self.ids), zone, action=action, kind=kind)
        for _ in range(2 if again else 1):
            await self._journal.append(Lane.ALARMS, [_row(signal)])
        self.ids[signal.id] = (zone, kind)

    async def run(self, seconds: float, seed: int) -> None:
        """``RATE`` signals a second for ``seconds``."""
        chance, began = random.Random(seed), time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            while len(self.ids) < RATE * passed:
                await self.take(chance.choice(ZONES), chance.choice(KINDS), again=chance.random() < 0.02)
            await asyncio.sleep(0.01)


def _row(signal: Signal) -> JournalRow:
    return JournalRow(signal.id, signal.zone, encode(signal))


@pytest.fixture
def workers(kafka_cluster: KafkaCluster, database: Database, database_url: str, tmp_path: Path) -> Iterator[list[WorkerProcess]]:
    """Three workers of one group, ready."""
    asyncio.run(ensure_topics(kafka_cluster.addresses, PARTITIONS, REPLICAS, timeout=60))
    options = ("--replication", str(REPLICAS), "--partitions", str(PARTITIONS))
    started = [WorkerProcess(tmp_path / f"worker-{n}.log", kafka_cluster.addresses, database_url, *options) for n in range(WORKERS)]
    try:
        for worker in started:
            worker.wait_until_ready()
        yield started
    finally:
        for worker in started:
            worker.stop()


@asynccontextmanager
async def forwarding(journal: Journal, database: Database, brokers: str) -> AsyncIterator[Forwarder]:
    """The real forwarder of ``journal``; what it fails with fails the test."""
    forwarder = Forwarder(journal, database, Producer, brokers)
    running = asyncio.create_task(forwarder.run())
    try:
        yield forwarder
        if running.done():
            running.result()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def kill_workers(workers: list[WorkerProcess], until: float, chance: random.Random) -> int:
    """Kill a worker every few seconds and start it again, whatever the brokers do meanwhile; how often."""
    kills = 0
    while time.monotonic() < until:
        await asyncio.sleep(chance.uniform(1.0, 8.0))
        victim = chance.choice(workers)
        await asyncio.to_thread(victim.kill)
        await asyncio.sleep(chance.uniform(0.0, 2.0))
        await asyncio.to_thread(victim.start)
        kills += 1
        for worker in workers:  # what the supervisor does: a part that ended is started again
            if worker.ended():
                await asyncio.to_thread(worker.start)
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


async def drained(database: Database, accepted: Accepted, workers: list[WorkerProcess], forwarder: Forwarder) -> float:
    """Wait until everything accepted stands in SQL; seconds it took."""
    began = time.monotonic()
    while True:
        for worker in workers:
            if worker.ended():
                await asyncio.to_thread(worker.start)
        standing = await database.reading(lambda c: c.scalar(select(func.count()).select_from(schema.alarms)) or 0)
        if standing >= len(accepted.ids):
            return time.monotonic() - began
        if time.monotonic() - began > DRAIN_SECONDS:
            where = "\n".join(tail(w.log, 3) for w in workers)
            raise AssertionError(f"{standing} of {len(accepted.ids)} stand; {forwarder.progress}\n{where}")
        await asyncio.sleep(0.2)


async def audit(database: Database, accepted: Accepted) -> None:
    """Every alarm once, each under the incident of its zone and kind; one incident for each, opened once, counted right."""
    a, i, e = schema.alarms.c, schema.incidents.c, schema.incident_events.c
    alarms = await database.reading(lambda c: c.execute(select(a.id, a.zone, a.kind, a.incident)).all())
    incidents = await database.reading(lambda c: c.execute(select(i.id, i.zone, i.kinds, i.alarm_count)).all())
    openings = select(e.incident, func.count()).where(e.event == "opened").group_by(e.incident)
    opened = await database.reading(lambda c: c.execute(openings).all())
    assert len(alarms) == len({row.id for row in alarms})
    assert {row.id: (row.zone, row.kind) for row in alarms} == accepted.ids
    by_condition: dict[tuple[str, str], set[str]] = {}
    for row in alarms:
        by_condition.setdefault((row.zone, row.kind), set()).add(row.incident)
    assert all(len(ids) == 1 for ids in by_condition.values()), {k: v for k, v in by_condition.items() if len(v) > 1}
    assert len(incidents) == len(by_condition) == len(ZONES) * len(KINDS)
    assert sum(row.alarm_count for row in incidents) == len(accepted.ids), "an alarm was counted twice or not at all"
    assert {n for _, n in opened} == {1}, "an incident was opened twice"


async def killing(seconds: float, cluster: KafkaCluster, database: Database, workers: list[WorkerProcess], folder: Path) -> None:
    """The whole test."""
    seed = random.SystemRandom().randrange(2**32)
    journal = Journal(folder / "journal.sqlite")
    accepted = Accepted(journal)
    try:
        async with forwarding(journal, database, cluster.addresses) as forwarder:
            for zone in ZONES:
                for kind in KINDS:
                    await accepted.take(zone, kind)
            await drained(database, accepted, workers, forwarder)
            sending = asyncio.create_task(accepted.run(seconds, seed))
            until, chance = time.monotonic() + seconds, random.Random(seed)
            kills = await asyncio.gather(kill_workers(workers, until, chance), kill_brokers(cluster, until, chance))
            await sending
            took = await drained(database, accepted, workers, forwarder)
            killed = f"{kills[0]} workers and {kills[1]} brokers killed"
            sys.stdout.write(f"seed {seed}: {len(accepted.ids)} alarms, {killed}, drained in {took:.1f} s\n")
        await audit(database, accepted)
    finally:
        journal.close()


@pytest.mark.timeout(SECONDS + 420)
async def test_each_alarm_stands_once_whatever_worker_or_broker_is_killed(
    kafka_cluster: KafkaCluster, database: Database, workers: list[WorkerProcess], tmp_path: Path
) -> None:
    await killing(SECONDS, kafka_cluster, database, workers, tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(SOAK_SECONDS + 600)
async def test_the_same_for_a_quarter_of_an_hour(
    kafka_cluster: KafkaCluster, database: Database, workers: list[WorkerProcess], tmp_path: Path
) -> None:
    await killing(SOAK_SECONDS, kafka_cluster, database, workers, tmp_path)
