"""How long after an alarm was given to Kafka do its incident and its news stand in SQL: read off the outbox, which is written in the same
transaction as alarm and incident.

What must not go in: throughput (``evaluated``), what the site holds.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka import AIOKafkaProducer
from sqlalchemy import select

from benchmarks.evaluated import GROUP, ledger, working
from benchmarks.filled import PARTITIONS
from benchmarks.kafka import Group, ends, skip_to
from benchmarks.park import park_signal, places
from bus.admin import ensure_topics
from bus.codecs import SignalPack, decode, encode
from bus.topics import ALARMS
from hazards.errors import Unavailable
from hazards.messages import AlarmRecords
from storage.database import Database
from storage.outbox import INTERNAL
from storage.schema import outbox

LOOK = 0.004
"""Seconds between looks into the outbox: so much a latency may be too long."""


def latencies(addresses: str, folder: Path, *, zones: int, rate: float, seconds: float, warm_up: float) -> list[float]:
    """Seconds from append to SQL of ``seconds`` × ``rate`` single alarms, after ``warm_up`` seconds of the same load that do not count.

    One worker on the ledger that was prepared in ``folder``. Raises Unavailable when not all of them come."""
    return asyncio.run(_latencies(addresses, folder, zones, rate, seconds, warm_up))


async def _latencies(addresses: str, folder: Path, zones: int, rate: float, seconds: float, warm_up: float) -> list[float]:
    await ensure_topics(addresses, PARTITIONS, 1)
    await skip_to(addresses, GROUP, ALARMS.name, await ends(addresses, ALARMS.name, PARTITIONS))
    with working(addresses, folder):
        async with Group(addresses, GROUP, ALARMS.name) as group:
            limit = time.monotonic() + 60
            while not await group.is_assigned(1):
                if time.monotonic() > limit:
                    raise Unavailable("the worker got no partitions", where=str(folder))
                await asyncio.sleep(0.1)
        probe = _Probe(ledger(folder))
        async with probe.following():
            await probe.send(addresses, zones, rate, warm_up + seconds)
            await probe.wait_for_all(30)
    counted = list(probe.taken.items())[int(rate * warm_up) :]
    return [took for _, took in counted]


class _Probe:
    """Sends alarms and looks for them. ``taken``: seconds by id of the signal, in the order of sending."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._sent: dict[str, float] = {}
        self._arrived: dict[str, float] = {}

    @property
    def taken(self) -> dict[str, float]:
        return {identity: self._arrived[identity] - began for identity, began in self._sent.items()}

    async def send(self, addresses: str, zones: int, rate: float, seconds: float) -> None:
        """``rate`` alarms a second, a message each, open loop."""
        producer = AIOKafkaProducer(bootstrap_servers=addresses, acks="all")
        await producer.start()
        try:
            park, began = places(zones), time.perf_counter()
            for n in range(int(rate * seconds)):
                if (ahead := began + n / rate - time.perf_counter()) > 0:
                    await asyncio.sleep(ahead)
                signal = park_signal(park, n, "latency", time.time_ns() // 1000)
                self._sent[signal.id] = time.perf_counter()
                await producer.send(ALARMS.name, encode(SignalPack(zone=signal.zone, signals=[signal])), key=signal.zone.encode())
        finally:
            await producer.stop()

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Look meanwhile, on a thread."""
        stop = asyncio.Event()
        following = asyncio.create_task(self._follow(stop))
        try:
            yield
        finally:
            stop.set()
            await following
            self._database.close()

    async def _follow(self, stop: asyncio.Event) -> None:
        newest = 0
        while not stop.is_set():
            rows = await asyncio.to_thread(self._read, newest)
            now = time.perf_counter()
            for identity, payload in rows:
                newest = identity
                for record in decode(AlarmRecords, payload).records:
                    self._arrived.setdefault(record.id, now)
            await asyncio.sleep(LOOK)

    def _read(self, after: int) -> list[tuple[int, bytes]]:
        wanted = select(outbox.c.id, outbox.c.payload).where(outbox.c.id > after, outbox.c.topic == INTERNAL).order_by(outbox.c.id)
        with self._database.engine.connect() as connection:
            return [(row.id, row.payload) for row in connection.execute(wanted)]

    async def wait_for_all(self, seconds: float) -> None:
        """Return when SQL shows every alarm."""
        limit = time.monotonic() + seconds
        while missing := len(self._sent) - len(self._arrived):
            if time.monotonic() > limit:
                raise Unavailable(f"{missing} of {len(self._sent)} alarms did not come within {seconds:g} s")
            await asyncio.sleep(0.02)
