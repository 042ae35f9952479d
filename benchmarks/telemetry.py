"""Readings a second: evaluated, stored, only decoded, and done by plain Faust and by Quix Streams, all in one run on real Kafka.

What must not go in: latency of a sensor's message (``push``), how each is measured (``evaluated``, ``stored``, ``peers``).
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from benchmarks import children, devices
from benchmarks.figures import Figure, LeftOut, rounded
from benchmarks.kafka import Offsets, ends, fill, real_kafka
from benchmarks.peers.environment import peers_python
from benchmarks.readings import SECOND, Load
from bus.admin import ensure_topics
from bus.codecs import encode
from bus.topics import DEFAULT_PARTITIONS, TELEMETRY, Topic
from hazards.errors import Unavailable
from hazards.telemetry import series_parts

SINGLES = Topic("bench-readings", keyed_by="series", retention_hours=1)
"""One reading a message, in JSON: what the peers read."""
PARTITIONS = DEFAULT_PARTITIONS


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. ``readings``: of each packed run; ``singles``: messages for the peers, who read for ``peer_seconds``."""

    devices: int = 1000
    readings: int = 1_500_000
    singles: int = 200_000
    peer_seconds: float = 8.0
    parks: tuple[int, ...] = (1000, 10_000, 100_000)
    park_readings: int = 2_000_000


@dataclass(frozen=True, slots=True)
class Filled:
    """Packs of topic telemetry between two sets of offsets."""

    load: Load
    start: Offsets
    end: Offsets
    readings: int


async def fill_packs(addresses: str, load: Load, readings: int) -> Filled:
    """At least ``readings`` of ``load``, whole seconds of it, onto topic telemetry."""
    await ensure_topics(addresses, PARTITIONS, 1)
    start, seconds = await ends(addresses, TELEMETRY.name, PARTITIONS), -(-readings // load.a_second)
    await fill(addresses, TELEMETRY.name, ((pack.zone, encode(pack)) for pack in load.packs(seconds)))
    return Filled(load, start, await ends(addresses, TELEMETRY.name, PARTITIONS), seconds * load.a_second)


async def fill_singles(addresses: str, load: Load, readings: int) -> None:
    """The same readings, ``readings`` of them, one JSON message each, keyed by device."""
    await ensure_topics(addresses, PARTITIONS, 1, topics=(SINGLES,))
    await fill(addresses, SINGLES.name, _singles(load, readings))


def _singles(load: Load, readings: int) -> Iterator[tuple[str, bytes]]:
    count = 0
    for pack in load.packs(-(-readings // load.a_second)):
        for index, at, value in zip(*(column.tolist() for column in pack.columns()), strict=True):
            if count == readings:
                return
            device, _ = series_parts(pack.series[index])
            yield device, msgspec.json.encode({"device": device, "at": at, "value": value})
            count += 1


def raw(addresses: str, filled: Filled) -> children.Pace:
    """A plain aiokafka loop that only decodes the same packs."""
    offsets = (msgspec.json.encode(o).decode() for o in (filled.start, filled.end))
    return children.measure("benchmarks.peers.raw", addresses, *offsets)


def faust_plain(addresses: str, sizes: Sizes, folder: Path) -> children.Pace:
    """Plain Faust on the single readings."""
    arguments = addresses, SINGLES.name, str(PARTITIONS), str(sizes.singles), str(sizes.peer_seconds), str(folder / "faust")
    return children.measure("benchmarks.peers.faust_plain", *arguments, seconds=sizes.peer_seconds + 60)


def quix(addresses: str, sizes: Sizes, folder: Path) -> children.Pace:
    """Quix Streams on the single readings. Raises Unavailable when its packages can't be had."""
    python = peers_python(lambda text: print(text, file=sys.stderr, flush=True))
    arguments = addresses, SINGLES.name, str(sizes.singles), str(sizes.peer_seconds), str(folder / "quix")
    return children.measure("benchmarks.peers.quix", *arguments, python=python, seconds=sizes.peer_seconds + 60)


def load_of(devices: int, pack: int, seconds_back: int = 0) -> Load:
    """A load whose life ends about now."""
    return Load(devices=devices, pack=pack, start=(int(time.time()) - seconds_back) * SECOND)


def run(*, kafka: str = "", database: str = "", sizes: Sizes = Sizes()) -> Iterator[Figure | LeftOut]:
    """Readings/s on ``kafka`` (an empty one) or on one started for it."""
    del database  # SQLite in a folder of its own: what is merged here writes next to nothing
    with real_kafka(kafka) as addresses, TemporaryDirectory(prefix="bihuan-bench-") as folder:
        yield from _peers(addresses, sizes, Path(folder))
    yield from _devices(sizes)


def _peers(addresses: str, sizes: Sizes, folder: Path) -> Iterator[Figure | LeftOut]:
    filled = {size: asyncio.run(fill_packs(addresses, load_of(sizes.devices, size), sizes.readings)) for size in (100, 500)}
    for size, packs in filled.items():
        yield _figure("telemetry.raw" if size == 100 else f"telemetry.raw.{size}", raw(addresses, packs))
    asyncio.run(fill_singles(addresses, load_of(sizes.devices, 100), sizes.singles))
    yield _figure("telemetry.faust_plain", faust_plain(addresses, sizes, folder))
    try:
        yield _figure("telemetry.quix", quix(addresses, sizes, folder))
    except Unavailable as e:
        yield LeftOut("telemetry.quix", str(e))


def _devices(sizes: Sizes) -> Iterator[Figure]:
    """Cost of a reading in small and large parks, in processor time; bytes of state in the largest."""
    smallest, *larger = (devices.cost(count, sizes.park_readings) for count in sizes.parks)
    for cost in (smallest, *larger):
        compared = {f"at {smallest.devices} devices": _micros(smallest)} if cost is not smallest else {}
        yield Figure(f"telemetry.devices.{cost.devices}", _micros(cost), "µs/reading", compared)
    largest = devices.cost(sizes.parks[-1], 2 * sizes.parks[-1] * Load().hertz, trace=True)
    compared = {"allowed": 2000.0, "in its checkpoint": rounded(largest.checkpoint / largest.devices)}
    yield Figure("telemetry.devices.bytes", rounded(largest.state / largest.devices), "bytes/device", compared)


def _micros(cost: devices.Cost) -> float:
    return float(f"{cost.a_reading:.3g}")


def _figure(name: str, pace: children.Pace) -> Figure:
    return Figure(name, rounded(pace.rate), "readings/s", {"per second of its processor time": rounded(pace.core_rate)})
