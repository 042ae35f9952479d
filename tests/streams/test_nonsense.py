"""Nonsense on the topics of a real Kafka is put aside with the reason, what is good around it applied; what was parked is sent again."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from bus.admin import ensure_topics
from bus.codecs import decode, encode
from bus.producer import Producer
from bus.topics import ALARMS, TELEMETRY
from hazards.errors import NotInState
from hazards.messages import Clock, Signal
from hazards.telemetry import TelemetryPack
from ingest.forwarder import Forwarder
from storage import schema
from storage.database import Database
from storage.dead_letter_queries import list_letters, resend
from storage.dead_letters import dead_letter, keep_dead_letters
from storage.journal import Journal
from streams.worker import micros
from tests.hazards.telemetry_histories import SECOND
from tests.real.kafka import KafkaCluster
from tests.streams.signals import alarm, packs_of, producing, send
from tests.streams.telemetry import messages, packs, write_sensors
from tests.streams.workers import WorkerProcess

ZONE = "zone-1"
DEEP = b"\x91" * 100_000 + b"\xc0"


def with_fields(signal: Signal, **fields: Any) -> bytes:
    """A pack of ``signal`` with other values in its fields, whatever their types."""
    return msgspec.msgpack.encode(("signals/1", {"zone": ZONE, "signals": [{**msgspec.to_builtins(signal), **fields}]}))


def bad_alarms() -> dict[str, bytes]:
    good = packs_of([alarm(900, ZONE)])[0][1]
    return {
        "garbage": b"\xff\x00garbage", "nothing": b"", "half a message": good[: len(good) // 2], "text": b'{"kind": "flame"}',
        "another schema": msgspec.msgpack.encode(("incident/1", {})),
        "no list": msgspec.msgpack.encode(("signals/1", {"zone": ZONE, "signals": 7})),
        "an unknown major version": good.replace(b"signals/1", b"signals/9"), "nesting": b"\x92\xa9signals/1" + DEEP,
        "nested details": with_fields(alarm(901, ZONE), details=msgspec.Raw(b"\x81\xa1x" + DEEP)),
        "details that could not be shown": with_fields(alarm(902, ZONE), details=msgspec.Raw(b"\x81\xa1x" + b"\x91" * 300 + b"\xc0")),
        "a promise of four billion signals": b"\x92\xa9signals/1\x82\xa4zone\xa1z\xa7signals\xdd\xff\xff\xff\xff",
        "a kind that is a number": with_fields(alarm(903, ZONE), kind=7), "an unknown action": with_fields(alarm(904, ZONE), action="boom"),
        "severity 9": with_fields(alarm(906, ZONE), severity=9),
        "a receipt before 1970": with_fields(alarm(905, ZONE), received_at=-1),
    }  # fmt: skip


def bad_telemetry(pack: TelemetryPack) -> dict[str, bytes]:
    good = encode(pack)
    return {
        "garbage": b"\xff" * 500, "nothing": b"", "half a message": good[: len(good) // 2], "nesting": b"\x92\xabtelemetry/1" + DEEP,
        "an unknown major version": good.replace(b"telemetry/1", b"telemetry/9"),
        "columns of different lengths": encode(msgspec.structs.replace(pack, value=pack.value[:-8])),
        "no number": encode(msgspec.structs.replace(pack, value=b"\xff" * len(pack.value))),
    }  # fmt: skip


@pytest.fixture
def worker(fresh_kafka: KafkaCluster, database_url: str, database: Database, tmp_path: Path) -> Iterator[WorkerProcess]:
    """One that merges and evaluates."""
    asyncio.run(ensure_topics(fresh_kafka.addresses, 8, 1))
    write_sensors(tmp_path / "out")
    started = WorkerProcess(tmp_path / "worker.log", fresh_kafka.addresses, database_url, "--telemetry", str(tmp_path / "out"))
    try:
        started.wait_until_ready()
        yield started
    finally:
        started.stop()


async def until_count(database: Database, table: Any, wanted: int, seconds: float = 60) -> None:
    limit, found = time.monotonic() + seconds, -1
    while found != wanted:
        assert time.monotonic() < limit, f"{found} rows of {table.name}, not {wanted}"
        await asyncio.sleep(0.1)
        found = await database.reading(lambda c: c.scalar(select(func.count()).select_from(table)) or 0)


async def test_nonsense_is_put_aside_and_what_is_good_around_it_is_applied(
    fresh_kafka: KafkaCluster, worker: WorkerProcess, database: Database, tmp_path: Path
) -> None:
    stream = packs(20, (micros() // SECOND - 25) * SECOND)
    alarms, telemetry, good = bad_alarms(), bad_telemetry(stream[0]), messages(stream)
    keys = (None, b"", b"\xff\xfe", b"another-zone", ZONE.encode())
    async with producing(fresh_kafka.addresses) as producer:
        for n, (value, key) in enumerate((v, keys[n % len(keys)]) for n, v in enumerate(alarms.values())):
            await producer.send(ALARMS.name, value, key=key)
            await send(producer, packs_of([alarm(n, ZONE)]))
        await producer.send_and_wait(ALARMS.name, None, key=ZONE.encode())  # a tombstone, read like an empty value
        out_of_time = [msgspec.structs.replace(alarm(n, ZONE), at=at) for n, at in ((800, 0), (801, 4_102_444_800_000_000))]
        await send(producer, packs_of(out_of_time))
        bad = [(key, value) for value, key in zip(telemetry.values(), (ZONE.encode(), b"nobody") * 4, strict=False)]
        await send(producer, [*good[:100], *bad, *good[100:]], TELEMETRY.name)
    await until_count(database, schema.alarms, len(alarms) + len(out_of_time))
    await until_count(database, schema.dead_letters, len(alarms) + len(telemetry))
    letters, _ = await database.reading(lambda c: list_letters(c, limit=100))
    assert {(x.topic, bytes(x.payload)) for x in letters} >= {(TELEMETRY.name, v) for v in telemetry.values()}
    encoded_anew = {alarms[name] for name in ("details that could not be shown", "severity 9", "a receipt before 1970")}
    assert {bytes(x.payload) for x in letters if x.topic == ALARMS.name} >= set(alarms.values()) - encoded_anew
    assert all(x.reason for x in letters) and {x.topic for x in letters if x.parked} == {ALARMS.name, TELEMETRY.name}
    body, ids = select(schema.alarms.c.body), [signal.id for signal in out_of_time]
    flagged = [decode(Signal, b) for b in await database.reading(lambda c: c.scalars(body.where(schema.alarms.c.id.in_(ids))).all())]
    assert len(flagged) == 2 and all(s.at == s.received_at and s.clock is Clock.WRONG for s in flagged)
    async with asyncio.timeout(60):
        while (progress := worker.progress()) is None or progress.readings < 20 * len(stream):
            await asyncio.sleep(0.1)
    assert not worker.ended()
    await sent_again_after_an_upgrade(fresh_kafka.addresses, database, tmp_path)


async def sent_again_after_an_upgrade(broker: str, database: Database, folder: Path) -> None:
    """What an older version parked is applied when this one sends it; what this one can't read stays."""
    parked = packs_of([alarm(700, ZONE), alarm(701, ZONE)])[0][1]
    before = await database.reading(lambda c: c.scalar(select(func.count()).select_from(schema.alarms)) or 0)
    letter = dead_letter(ALARMS.name, parked, "UnknownSchema: version signals/1 is not known here")
    await database.writing(lambda c: keep_dead_letters(c, [letter], now=micros()))
    journal = Journal(folder / "journal.sqlite")
    forwarding = asyncio.create_task(Forwarder(journal, database, Producer, broker).run())
    try:
        for _ in range(2):  # twice does no harm
            assert (await resend(database, journal, letter.id, now=micros())).resent_at
        unknown, _ = await database.reading(lambda c: list_letters(c, waiting=True, limit=100))
        with pytest.raises(NotInState, match="this version can't read it"):
            await resend(database, journal, next(x.id for x in unknown if x.parked), now=micros())
        await until_count(database, schema.alarms, before + 2)
        async with asyncio.timeout(30):
            while (await journal.standing()).alarms:
                await asyncio.sleep(0.05)
    finally:
        forwarding.cancel()
        await asyncio.gather(forwarding, return_exceptions=True)
        journal.close()
