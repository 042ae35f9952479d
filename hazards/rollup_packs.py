"""Closed buckets to packs: one zone and resolution each, columns as ``hazards/telemetry.py`` defines them. Pure.

What must not go in: roll-up arithmetic, encoding.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from hazards.rollups import Closed
from hazards.series_batch import Slots
from hazards.telemetry import Int64s, RollupPack, pack_id
from hazards.zone_series import ZoneSeries

PACK_ROLLUPS = 4000
"""Roll-ups of one pack at most: about 200 kB, far below Kafka's bound."""


def rollup_packs(
    closed: Sequence[Closed], names: Sequence[str], zones: Sequence[ZoneSeries | None], zone_number: Int64s
) -> list[RollupPack]:  # fmt: skip
    """Packs of ``closed`` (one resolution, in the order they were closed); of one bucket that was told twice the later one stays."""
    slot, start = np.concatenate([c.slot for c in closed]), np.concatenate([c.start for c in closed])
    order = np.lexsort((start, slot, zone_number[slot]))
    slot, start = slot[order], start[order]
    latest = np.append((slot[1:] != slot[:-1]) | (start[1:] != start[:-1]), True)
    order, slot, start = order[latest], slot[latest], start[latest]
    count, minimum, mean, maximum, last = (
        np.concatenate([getattr(c, name) for c in closed])[order] for name in ("count", "minimum", "mean", "maximum", "last")
    )
    packs = []
    for part in _parts(zone_number[slot]):
        zone = zones[slot[part][0]]
        if zone is None:
            continue
        series, index = _indexed(slot[part])
        columns = (
            index.astype("<u2").tobytes(), start[part].astype("<i8").tobytes(), count[part].astype("<u4").tobytes(),
            *(c[part].astype("<f8").tobytes() for c in (minimum, mean, maximum, last)),
        )  # fmt: skip
        resolution, listed = closed[0].resolution, [names[s] for s in series]
        identity = pack_id(zone.zone, listed, str(resolution).encode(), *columns)
        packs.append(_pack(identity, zone.zone, resolution, listed, columns))
    return packs


def _pack(identity: str, zone: str, resolution: int, series: list[str], columns: tuple[bytes, ...]) -> RollupPack:
    index, start, count, minimum, mean, maximum, last = columns
    return RollupPack(
        id=identity, zone=zone, resolution=resolution, series=series, index=index, start=start, count=count, minimum=minimum,
        mean=mean, maximum=maximum, last=last,
    )  # fmt: skip


def _parts(zone_number: Int64s) -> Iterator[slice]:
    """Runs of one zone, at most PACK_ROLLUPS each."""
    borders = np.concatenate(([0], np.flatnonzero(zone_number[1:] != zone_number[:-1]) + 1, [len(zone_number)])).tolist()
    for begin, end in pairwise(borders):
        for start in range(begin, end, PACK_ROLLUPS):
            yield slice(start, min(start + PACK_ROLLUPS, end))


def _indexed(slot: Slots) -> tuple[list[int], Slots]:
    """The slots of a run, each once, and for each entry its place among them."""
    new = np.concatenate(([True], slot[1:] != slot[:-1]))
    return slot[new].tolist(), np.cumsum(new) - 1
