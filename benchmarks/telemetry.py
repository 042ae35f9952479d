"""Readings a second: evaluated, stored, only decoded, and done by plain Faust and by Quix Streams, all in one run on real Kafka.

What must not go in: latency of a sensor's message (``push``), how each is measured (``beside``, ``stored``, ``peers``).
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import devices
from benchmarks.beside import Names, RateSizes, pace_figure, rates
from benchmarks.figures import Figure, LeftOut, rounded
from benchmarks.filled import fill_packs
from benchmarks.influx import real_influx
from benchmarks.kafka import real_kafka
from benchmarks.parts import prepare
from benchmarks.readings import Load
from benchmarks.stored import store
from hazards.errors import Misconfigured

REQUIRED = {100: 100_000.0, 500: 300_000.0}
"""Readings of a pack, and readings/s that a worker must evaluate of such packs."""
LINES_REQUIRED = 30_000.0
NAMES = Names("telemetry", "telemetry.merge")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes(RateSizes):
    """How much is measured. ``lines`` stored; ``parks``: devices of the parks whose cost a reading is compared, over ``park_readings``."""

    lines: int = 1_000_000
    parks: tuple[int, ...] = (1000, 10_000, 100_000)
    park_readings: int = 2_000_000


def run(*, kafka: str = "", database: str = "", sizes: Sizes = Sizes()) -> Iterator[Figure | LeftOut]:
    """Readings/s on ``kafka`` (an empty one) or on one started for it."""
    del database  # SQLite in a folder of its own: what is merged here writes next to nothing
    with real_kafka(kafka) as addresses, TemporaryDirectory(prefix="bihuan-bench-") as name:
        folder = Path(name)
        yield from rates(
            addresses, sizes, folder, names=NAMES, required=REQUIRED, prepare=lambda load, own: prepare(own, load.site())
        )  # fmt: skip
        yield from _stored(addresses, sizes, folder)
    yield from _devices(sizes)


def _stored(addresses: str, sizes: Sizes, folder: Path) -> Iterator[Figure | LeftOut]:
    try:
        with real_influx() as influx:
            filled = asyncio.run(fill_packs(addresses, Load(sizes.devices, 100), sizes.lines))
            found = store(addresses, filled, influx, folder / "store")
            yield pace_figure("telemetry.stored", found, {"required": LINES_REQUIRED}, "lines/s")
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
