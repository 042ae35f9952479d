"""A worker reduced to its effect, for tests of the forwarder: reads ``alarms`` from a broker and applies it to SQL.

``streams`` has the real one; here the test decides when it lives, what it skips, and sees the order of the log.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from bus.codecs import SignalPack, decode
from bus.topics import ALARMS
from hazards.errors import Unavailable
from hazards.messages import Signal
from storage.database import Database
from storage.incidents import apply_signals

Log = list[Signal]
"""Every signal as the broker gave it, repeats included."""


async def apply_from(address: str, partitions: int, database: Database, log: Log, skip: Callable[[Signal], bool]) -> None:
    """Apply everything on ``address`` from the beginning on, until cancelled; ``skip`` names what this worker loses."""
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest", fetch_max_wait_ms=20, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(ALARMS.name, p) for p in range(partitions)])
        while True:
            for records in (await consumer.getmany(timeout_ms=50)).values():
                signals = [s for r in records for s in decode(SignalPack, r.value).signals]
                log += signals
                await _apply(database, [s for s in signals if not skip(s)])
    finally:
        with contextlib.suppress(KafkaError):
            await consumer.stop()


async def _apply(database: Database, signals: list[Signal]) -> None:
    while True:
        try:
            await database.writing(lambda c: apply_signals(c, signals, now=time.time_ns() // 1000))
            return
        except Unavailable:
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def worker(
    address: str, database: Database, *, partitions: int = 8, log: Log | None = None, skip: Callable[[Signal], bool] = lambda s: False
) -> AsyncIterator[Log]:
    """The applier beside the block."""
    seen: Log = log if log is not None else []
    task = asyncio.create_task(apply_from(address, partitions, database, seen, skip))
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
