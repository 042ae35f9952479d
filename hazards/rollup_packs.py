"""Closed buckets to packs: one zone and resolution each, columns as ``hazards/telemetry.py`` defines them. Pure.

What must not go in: roll-up arithmetic, encoding.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from hazards.rollups import Closed
from hazards.telemetry import Floats, Int64s, RollupPack, pack_id
from hazards.zone_series import ZoneSeries

PACK_ROLLUPS = 4000
"""Roll-ups of one pack at most: about 200 kB, far below Kafka's bound."""


_COLUMNS = (("count", "<u4"), ("minimum", "<f8"), ("mean", "<f8"), ("maximum", "<f8"), ("last", "<f8"))


def rollup_packs(
    closed: Sequence[Closed], names: Sequence[str], zones: Sequence[ZoneSeries | None], zone_number: Int64s
) -> list[RollupPack]:  # fmt: skip
    """Packs of ``closed`` (one resolution, in the order they were closed); of one bucket that was told twice the later one stays."""
    slot, start = np.concatenate([c.slot for c in closed]), np.concatenate([c.start for c in closed])
    order = np.lexsort((start, slot, zone_number[slot]))
    slot, start = slot[order], start[order]
    latest = np.append((slot[1:] != slot[:-1]) | (start[1:] != start[:-1]), True)
    order, slot, start = order[latest], slot[latest], start[latest]
    columns = (start.astype("<i8"), *(_column(closed, name)[order].astype(kind) for name, kind in _COLUMNS))
    first = np.concatenate(([True], slot[1:] != slot[:-1]))
    place = np.cumsum(first) - 1
    packs = []
    for part in _parts(zone_number[slot]):
        zone = zones[slot[part.start]]
        if zone is None:
            continue
        begins = first[part].copy()
        begins[0] = True  # a series that was cut in two packs
        series = [names[s] for s in slot[part][begins].tolist()]
        index = (place[part] - place[part.start]).astype("<u2")
        packs.append(_pack(zone.zone, closed[0].resolution, series, [index.tobytes(), *(c[part].tobytes() for c in columns)]))
    return packs


def _column(closed: Sequence[Closed], name: str) -> Floats | Int64s:
    column: Floats | Int64s = np.concatenate([getattr(c, name) for c in closed])
    return column


def _pack(zone: str, resolution: int, series: list[str], columns: Sequence[bytes]) -> RollupPack:
    index, start, count, minimum, mean, maximum, last = columns
    return RollupPack(
        id=pack_id(zone, series, str(resolution).encode(), *columns), zone=zone, resolution=resolution, series=series, index=index,
        start=start, count=count, minimum=minimum, mean=mean, maximum=maximum, last=last,
    )  # fmt: skip


def _parts(zone_number: Int64s) -> Iterator[slice]:
    """Runs of one zone, at most PACK_ROLLUPS each."""
    borders = np.concatenate(([0], np.flatnonzero(zone_number[1:] != zone_number[:-1]) + 1, [len(zone_number)])).tolist()
    for begin, end in pairwise(borders):
        for start in range(begin, end, PACK_ROLLUPS):
            yield slice(start, min(start + PACK_ROLLUPS, end))
