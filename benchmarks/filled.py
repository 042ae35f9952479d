"""Topics filled with a load before something reads it. What must not go in: reading, measuring."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from benchmarks.kafka import Offsets, ends, fill
from benchmarks.park import park_signal, places
from benchmarks.readings import SECOND, Load
from bus.admin import ensure_topics
from bus.codecs import SignalPack, encode
from bus.topics import ALARMS, DEFAULT_PARTITIONS, TELEMETRY, Topic
from hazards.telemetry import series_parts

PARTITIONS = DEFAULT_PARTITIONS
SINGLES = Topic("bench-readings", keyed_by="device", retention_hours=1)
"""One reading a message, in JSON: what the peers read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Messages of ``topic`` between two sets of offsets, which hold ``count`` readings or alarms."""

    topic: Topic = TELEMETRY
    start: Offsets
    end: Offsets
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled(Span):
    """Packs of topic telemetry that ``load`` gave."""

    load: Load


async def fill_packs(addresses: str, load: Load, readings: int) -> Filled:
    """At least ``readings`` of ``load``, whole seconds of its life up to now, onto topic telemetry."""
    await ensure_topics(addresses, PARTITIONS, 1)
    load, seconds = _until_now(load, readings)
    start = await ends(addresses, TELEMETRY.name, PARTITIONS)
    await fill(addresses, TELEMETRY.name, ((pack.zone, encode(pack)) for pack in load.packs(seconds)))
    end = await ends(addresses, TELEMETRY.name, PARTITIONS)
    return Filled(start=start, end=end, count=seconds * load.a_second, load=load)


async def fill_alarms(addresses: str, zones: int, count: int, source: str) -> Span:
    """``count`` single alarms of a park of ``zones`` zones, a message each, received half a millisecond after each other up to now."""
    await ensure_topics(addresses, PARTITIONS, 1)
    park, first = places(zones), time.time_ns() // 1000 - 500 * count
    signals = (park_signal(park, n, source, first + 500 * n) for n in range(count))
    start = await ends(addresses, ALARMS.name, PARTITIONS)
    await fill(addresses, ALARMS.name, ((signal.zone, encode(SignalPack(zone=signal.zone, signals=[signal]))) for signal in signals))
    return Span(topic=ALARMS, start=start, end=await ends(addresses, ALARMS.name, PARTITIONS), count=count)


async def fill_singles(addresses: str, load: Load, readings: int) -> None:
    """The same readings, ``readings`` of them, one JSON message each, keyed by device."""
    await ensure_topics(addresses, PARTITIONS, 1, topics=(SINGLES,))
    await fill(addresses, SINGLES.name, _singles(load, readings))


def _until_now(load: Load, readings: int) -> tuple[Load, int]:
    """``load`` with a start that many seconds ago, so that the last of ``readings`` is of now; the seconds."""
    seconds = -(-readings // load.a_second)
    return replace(load, start=(int(time.time()) - seconds) * SECOND), seconds


def _singles(load: Load, readings: int) -> Iterator[tuple[str, bytes]]:
    load, seconds = _until_now(load, readings)
    count = 0
    for pack in load.packs(seconds):
        for index, at, value in zip(*(column.tolist() for column in pack.columns()), strict=True):
            if count == readings:
                return
            device, _ = series_parts(pack.series[index])
            yield device, msgspec.json.encode({"device": device, "at": at, "value": value})
            count += 1
