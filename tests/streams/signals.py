"""Signals and packs as the forwarder would send them, and a producer for them."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from bus.codecs import SignalPack, encode
from bus.topics import ALARMS
from hazards.identity import signal_id
from hazards.messages import Action, Signal
from streams.worker import micros


def alarm(number: int, zone: str, *, action: Action = Action.RAISED, kind: str = "flame", source: str = "test") -> Signal:
    """Signal ``number`` of ``source``, happening now."""
    now, name = micros(), str(number)
    return Signal(
        id=signal_id(source, name), source=source, source_id=name, device=f"cam-{zone}", zone=zone, kind=kind, action=action,
        at=now, received_at=now,
    )  # fmt: skip


def packs_of(signals: Iterable[Signal]) -> list[tuple[bytes, bytes]]:
    """Key and value of one pack for each run of signals of one zone, in order."""
    runs: list[list[Signal]] = []
    for signal in signals:
        if runs and runs[-1][0].zone == signal.zone:
            runs[-1].append(signal)
        else:
            runs.append([signal])
    return [(run[0].zone.encode(), encode(SignalPack(zone=run[0].zone, signals=run))) for run in runs]


@asynccontextmanager
async def producing(broker: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that waits for all replicas."""
    producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def send(producer: AIOKafkaProducer, packs: Iterable[tuple[bytes, bytes]], topic: str = ALARMS.name) -> None:
    """Send in order and wait until all is acknowledged."""
    await asyncio.gather(*[await producer.send(topic, value, key=key) for key, value in packs])
