"""What the evaluate agent emits is durable when it returns: in the journal, or on Kafka, under the ids that a repeat has again."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from bihuan.emitters import JournalEmitter, KafkaEmitter
from bus.admin import ensure_topics
from bus.codecs import SignalPack, decode
from bus.producer import Producer
from bus.topics import ALARMS, ROLLUPS
from hazards.admission import Report
from hazards.errors import BrokerUnavailable, JournalFull
from hazards.messages import Action, Signal
from hazards.telemetry import RollupPack
from storage.journal import Journal, JournalRow, Lane
from tests.ingest.agents import ZONES, rollups
from tests.ingest.flow import REGISTRY
from tests.real.kafka import KafkaCluster


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite", max_rows=1000)
    yield journal
    journal.close()


def rule_alarms(count: int) -> list[Report]:
    return [
        Report(source="rule/temperature_high", source_id=f"T-1/temperature/{n}/raised", device="T-1", zone=ZONES[n % 3],
               kind="temperature_high", action=Action.RAISED, at=None)
        for n in range(count)
    ]  # fmt: skip


async def test_in_the_journal_a_repeated_alarm_is_one_row_and_a_roll_up_told_again_is_the_last_one(journal: Journal) -> None:
    emitter = JournalEmitter(journal, lambda: REGISTRY)
    eight, seven = rollups(8, ZONES[0]), rollups(7, ZONES[0])  # after a crash, from an older checkpoint
    for told in (eight, seven, eight):
        await emitter.emit_alarms(rule_alarms(20))
        await emitter.emit_rollups([told])
    alarms = [decode(Signal, row.payload) for row in await journal.read(Lane.ALARMS, 0, 100)]
    assert [(s.zone, s.source_id) for s in alarms] == [(r.zone, r.source_id) for r in rule_alarms(20)]
    rows = await journal.read(Lane.TELEMETRY, 0, 100)
    assert [decode(RollupPack, row.payload).count for row in rows] == [eight.count, seven.count, eight.count]
    assert [decode(RollupPack, row.payload).id for row in rows] == [row.id for row in rows], "the store marks what the forwarder asks for"


async def test_roll_ups_have_room_above_telemetry_and_leave_some_to_alarms(journal: Journal) -> None:
    """A journal that is full of readings drains only if what comes of them can be written."""
    emitter = JournalEmitter(journal, lambda: REGISTRY)
    await journal.append(Lane.TELEMETRY, [JournalRow(f"r-{n}", "zone", b"") for n in range(800)])
    with pytest.raises(JournalFull):
        await journal.append(Lane.TELEMETRY, [JournalRow("one more", "zone", b"")])
    await emitter.emit_rollups([rollups(n, "zone") for n in range(100)])
    with pytest.raises(JournalFull):
        await emitter.emit_rollups([rollups(100, "zone")])
    await emitter.emit_alarms(rule_alarms(100))


async def test_on_kafka_both_are_acknowledged_in_the_order_of_their_zone(fresh_kafka: KafkaCluster) -> None:
    await ensure_topics(fresh_kafka.addresses, 8, 1)
    emitter = KafkaEmitter(lambda: Producer(fresh_kafka.addresses), lambda: REGISTRY)
    packs = [rollups(n, ZONES[n % 3]) for n in range(300)]
    await asyncio.gather(emitter.emit_alarms(rule_alarms(900)), emitter.emit_rollups(packs))
    await emitter.close()
    consumer = AIOKafkaConsumer(bootstrap_servers=fresh_kafka.addresses, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition(t.name, p) for t in (ALARMS, ROLLUPS) for p in range(8)])
    signals, rolled = list[Signal](), list[RollupPack]()
    async with asyncio.timeout(60):
        while len(signals) < 900 or len(rolled) < 300:
            for tp, records in (await consumer.getmany(timeout_ms=100)).items():
                for r in records:
                    if tp.topic == ALARMS.name:
                        signals += decode(SignalPack, r.value).signals
                    else:
                        rolled.append(decode(RollupPack, r.value))
    await consumer.stop()
    for zone in ZONES[:3]:
        assert [s.source_id for s in signals if s.zone == zone] == [r.source_id for r in rule_alarms(900) if r.zone == zone]
        assert [p.id for p in rolled if p.zone == zone] == [p.id for p in packs if p.zone == zone]


async def test_a_kafka_that_is_away_is_said_and_found_again_by_the_next_call(fresh_kafka: KafkaCluster) -> None:
    await ensure_topics(fresh_kafka.addresses, 8, 1)
    emitter = KafkaEmitter(lambda: Producer(fresh_kafka.addresses, timeout=10.0), lambda: REGISTRY)
    await emitter.emit_alarms(rule_alarms(1))
    fresh_kafka.kill(1)
    with pytest.raises(BrokerUnavailable):
        await emitter.emit_alarms(rule_alarms(5))
    with pytest.raises(BrokerUnavailable):
        await emitter.emit_rollups([rollups(1, "zone")])
    await asyncio.to_thread(fresh_kafka.restart, 1)
    async with asyncio.timeout(60):
        while True:
            try:
                await emitter.emit_alarms(rule_alarms(5))
                break
            except BrokerUnavailable:
                await asyncio.sleep(0.2)
    await emitter.close()
