"""Readings/s of our worker beside the raw loop, plain Faust and Quix Streams, in one run on one Kafka: for every bench that compares them.

What must not go in: which site the worker has, other figures of a bench.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from benchmarks import children
from benchmarks.evaluated import merge
from benchmarks.figures import Figure, LeftOut, rounded
from benchmarks.filled import PARTITIONS, SINGLES, Filled, fill_packs, fill_singles
from benchmarks.peers.environment import peers_python
from benchmarks.readings import Load
from hazards.errors import Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSizes:
    """How much is measured. ``readings``: of the run with packs of so many; ``singles``: messages for the peers, who read for
    ``peer_seconds`` (0: no peers)."""

    devices: int = 1000
    readings: Mapping[int, int] = field(default_factory=lambda: {100: 4_000_000, 500: 24_000_000})
    singles: int = 200_000
    peer_seconds: float = 8.0


@dataclass(frozen=True, slots=True)
class Names:
    """What the figures are called: ``worker`` of ours, ``base`` before those of the others."""

    base: str
    worker: str


def rates(
    addresses: str, sizes: RateSizes, folder: Path, *, names: Names, required: Mapping[int, float], prepare: Callable[[Load, Path], None]
) -> Iterator[Figure | LeftOut]:
    """The peers first, so that ours stand beside them. ``required``: readings/s by readings of a pack. ``prepare``: makes the ledger
    in a folder for a load."""
    found: dict[str, float] = {}
    for figure in _peers(addresses, sizes, folder, names) if sizes.peer_seconds else ():
        if isinstance(figure, Figure):
            found[figure.figure] = figure.value
        yield figure
    for size, readings in sizes.readings.items():
        filled = asyncio.run(fill_packs(addresses, Load(sizes.devices, size), readings))
        name = _of_size(f"{names.base}.raw", size)
        found[name] = (loop := raw(addresses, filled)).rate
        yield pace_figure(name, loop)
        own = folder / f"worker-{size}"
        prepare(filled.load, own)
        compared = {"required": required[size]} | {other: rounded(rate) for other, rate in found.items()}
        yield pace_figure(_of_size(names.worker, size), merge(addresses, filled, own), compared)


def _peers(addresses: str, sizes: RateSizes, folder: Path, names: Names) -> Iterator[Figure | LeftOut]:
    asyncio.run(fill_singles(addresses, Load(sizes.devices, 100), sizes.singles))
    yield pace_figure(f"{names.base}.faust_plain", _faust_plain(addresses, sizes, folder))
    try:
        yield pace_figure(f"{names.base}.quix", _quix(addresses, sizes, folder))
    except Unavailable as e:
        yield LeftOut(f"{names.base}.quix", str(e))


def raw(addresses: str, filled: Filled) -> children.Pace:
    """A plain aiokafka loop that only decodes the same packs."""
    offsets = (msgspec.json.encode(o).decode() for o in (filled.start, filled.end))
    return children.measure("benchmarks.peers.raw", addresses, *offsets)


def _faust_plain(addresses: str, sizes: RateSizes, folder: Path) -> children.Pace:
    """Plain Faust on the single readings."""
    arguments = addresses, SINGLES.name, str(PARTITIONS), str(sizes.singles), str(sizes.peer_seconds), str(folder / "faust")
    return children.measure("benchmarks.peers.faust_plain", *arguments, seconds=sizes.peer_seconds + 60)


def _quix(addresses: str, sizes: RateSizes, folder: Path) -> children.Pace:
    """Quix Streams on the single readings. Raises Unavailable when its packages can't be had."""
    python = peers_python(lambda text: print(text, file=sys.stderr, flush=True))
    arguments = addresses, SINGLES.name, str(sizes.singles), str(sizes.peer_seconds), str(folder / "quix")
    return children.measure("benchmarks.peers.quix", *arguments, python=python, seconds=sizes.peer_seconds + 60)


def _of_size(base: str, size: int) -> str:
    return base if size == 100 else f"{base}.{size}"


def pace_figure(name: str, pace: children.Pace, compared: Mapping[str, float] | None = None, unit: str = "readings/s") -> Figure:
    """``pace`` beside what it is compared with."""
    return Figure(name, rounded(pace.rate), unit, {**(compared or {}), "per second of its processor time": rounded(pace.core_rate)})
