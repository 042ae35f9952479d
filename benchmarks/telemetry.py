"""Readings a second: evaluated, stored, only decoded, and done by plain Faust and by Quix Streams, all in one run on real Kafka.

What must not go in: latency of a sensor's message (``push``), how each is measured (``evaluated``, ``stored``, ``peers``).
"""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from benchmarks import children, devices
from benchmarks.evaluated import merge
from benchmarks.figures import Figure, LeftOut, rounded
from benchmarks.filled import PARTITIONS, SINGLES, Filled, fill_packs, fill_singles
from benchmarks.influx import real_influx
from benchmarks.kafka import real_kafka
from benchmarks.peers.environment import peers_python
from benchmarks.readings import Load
from benchmarks.stored import store
from hazards.errors import Misconfigured, Unavailable

REQUIRED = {100: 100_000.0, 500: 300_000.0}
"""Readings of a pack, and readings/s that a worker must evaluate of such packs."""
LINES_REQUIRED = 30_000.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. ``readings``: of the run with packs of so many; ``singles``: messages for the peers, who read for
    ``peer_seconds``; ``lines`` stored; ``parks``: devices of the parks whose cost a reading is compared, over ``park_readings``."""

    devices: int = 1000
    readings: Mapping[int, int] = field(default_factory=lambda: {100: 2_000_000, 500: 6_000_000})
    singles: int = 200_000
    peer_seconds: float = 8.0
    lines: int = 1_000_000
    parks: tuple[int, ...] = (1000, 10_000, 100_000)
    park_readings: int = 2_000_000


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


def run(*, kafka: str = "", database: str = "", sizes: Sizes = Sizes()) -> Iterator[Figure | LeftOut]:
    """Readings/s on ``kafka`` (an empty one) or on one started for it."""
    del database  # SQLite in a folder of its own: what is merged here writes next to nothing
    with real_kafka(kafka) as addresses, TemporaryDirectory(prefix="bihuan-bench-") as folder:
        yield from _streams(addresses, sizes, Path(folder))
    yield from _devices(sizes)


def _streams(addresses: str, sizes: Sizes, folder: Path) -> Iterator[Figure | LeftOut]:
    """The peers first, so that ours stand beside them."""
    rates: dict[str, float] = {}
    for figure in _peers(addresses, sizes, folder):
        if isinstance(figure, Figure):
            rates[figure.figure] = figure.value
        yield figure
    for size, required in REQUIRED.items():
        filled = asyncio.run(fill_packs(addresses, Load(sizes.devices, size), sizes.readings[size]))
        rates[_name("telemetry.raw", size)] = (found := raw(addresses, filled)).rate
        yield _figure(_name("telemetry.raw", size), found)
        compared = {"required": required} | {name: rounded(rate) for name, rate in rates.items()}
        yield _figure(_name("telemetry.merge", size), merge(addresses, filled, folder / f"worker-{size}"), compared)
    yield from _stored(addresses, sizes, folder)


def _peers(addresses: str, sizes: Sizes, folder: Path) -> Iterator[Figure | LeftOut]:
    asyncio.run(fill_singles(addresses, Load(sizes.devices, 100), sizes.singles))
    yield _figure("telemetry.faust_plain", faust_plain(addresses, sizes, folder))
    try:
        yield _figure("telemetry.quix", quix(addresses, sizes, folder))
    except Unavailable as e:
        yield LeftOut("telemetry.quix", str(e))


def _stored(addresses: str, sizes: Sizes, folder: Path) -> Iterator[Figure | LeftOut]:
    try:
        with real_influx() as influx:
            filled = asyncio.run(fill_packs(addresses, Load(sizes.devices, 100), sizes.lines))
            found = store(addresses, filled, influx, folder / "store")
            yield _figure("telemetry.stored", found, {"required": LINES_REQUIRED}, "lines/s")
    except Misconfigured as e:
        yield LeftOut("telemetry.stored", str(e))


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


def _name(base: str, size: int) -> str:
    return base if size == 100 else f"{base}.{size}"


def _figure(name: str, pace: children.Pace, compared: dict[str, float] | None = None, unit: str = "readings/s") -> Figure:
    """``pace`` beside what it is compared with."""
    return Figure(name, rounded(pace.rate), unit, {**(compared or {}), "per second of its processor time": rounded(pace.core_rate)})
