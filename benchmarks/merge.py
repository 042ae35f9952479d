"""Merging with everything switched on (``scene``), on real Kafka: readings/s, single alarms/s and latency of a worker, and what a second
worker costs.

What must not go in: what is switched on, how each is measured (``beside``, ``evaluated``, ``appended``).
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import appended, scene
from benchmarks.alarms import plain
from benchmarks.beside import Names, RateSizes, pace_figure, rates
from benchmarks.evaluated import merge, merge_telemetry
from benchmarks.figures import Figure, LeftOut, percentile, rounded
from benchmarks.filled import fill_alarms, fill_packs
from benchmarks.kafka import real_kafka
from benchmarks.readings import Load
from storage.database import sqlite_url

REQUIRED = {100: 100_000.0, 500: 500_000.0}
"""Readings of a pack, and readings/s that a worker must evaluate of such packs."""
ALARMS_REQUIRED = 2000.0
RAW_SHARE_REQUIRED = 0.1
"""Of the raw loop's rate, at 500 readings a pack."""
NAMES = Names("merge", "merge.readings")
PACK = 500
"""Readings of a pack where two workers are compared with one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes(RateSizes):
    """How much is measured. ``alarms``: single ones; ``latency_seconds`` at half their required rate, after ``warm_up`` seconds;
    ``two_readings``: with one worker and with two."""

    alarms: int = 40_000
    plain: int = 5000
    latency_seconds: float = 20.0
    warm_up: float = 3.0
    two_readings: int = 8_000_000


def run(*, kafka: str = "", database: str = "", sizes: Sizes = Sizes()) -> Iterator[Figure | LeftOut]:
    """Figures on ``kafka`` (an empty one) or on one started for it."""
    del database  # SQLite in a folder of its own, as the latency is read off its outbox
    with real_kafka(kafka) as addresses, TemporaryDirectory(prefix="bihuan-bench-") as name:
        folder = Path(name)
        for figure in rates(addresses, sizes, folder, names=NAMES, required=REQUIRED, prepare=scene.set_up):
            yield figure
            if isinstance(figure, Figure) and figure.figure == f"{NAMES.worker}.{PACK}":
                share = figure.value / figure.compared[f"{NAMES.base}.raw.{PACK}"]
                yield Figure("merge.readings.of_raw", rounded(share), "of the raw loop", {"required": RAW_SHARE_REQUIRED})
        yield _alarms(addresses, sizes, folder)
        yield from _latency(addresses, sizes, folder)
        yield _two_workers(addresses, sizes, folder)


def _alarms(addresses: str, sizes: Sizes, folder: Path) -> Figure:
    own = folder / "alarms"
    scene.set_up(Load(sizes.devices), own)
    span = asyncio.run(fill_alarms(addresses, scene.ALARM_ZONES, sizes.alarms, "bench"))
    found = merge(addresses, span, own)
    loop = plain(sqlite_url(folder / "plain.sqlite"), sizes.plain)
    compared = {"required": ALARMS_REQUIRED, "plain loop of single inserts, no merging": rounded(loop)}
    return pace_figure("merge.alarms", found, compared, "alarms/s")


def _latency(addresses: str, sizes: Sizes, folder: Path) -> Iterator[Figure]:
    own = folder / "latency"
    scene.set_up(Load(sizes.devices), own)
    found = appended.latencies(
        addresses, own, zones=scene.ALARM_ZONES, rate=ALARMS_REQUIRED / 2, seconds=sizes.latency_seconds, warm_up=sizes.warm_up
    )  # fmt: skip
    millis = [1000 * seconds for seconds in found]
    yield Figure("merge.latency_p50", rounded(percentile(millis, 50)), "ms")
    yield Figure("merge.latency_p99", rounded(percentile(millis, 99)), "ms", {"p99 allowed": 150.0})


def _two_workers(addresses: str, sizes: Sizes, folder: Path) -> Figure:
    """Processor seconds per million readings with two workers, divided by those of one."""
    costs = []
    for workers in (1, 2):
        own, load = folder / f"workers-{workers}", Load(sizes.devices, PACK)
        scene.set_up(load, own)
        found = merge_telemetry(addresses, partial(fill_packs, addresses, load, sizes.two_readings), own, workers=workers)
        costs.append(1e6 / found.core_rate)
    one, two = costs
    compared = {"allowed": 1.15, "s a million readings with one": rounded(one), "s a million readings with two": rounded(two)}
    return Figure("merge.two_workers", rounded(two / one), "times", compared)
