"""Roll-ups (聚合): minimum, mean, maximum, last and count of each series in buckets of 1 s, 1 min and 15 min of event time. Pure.

A few buckets of each series stay open to correction: late data change a bucket and its absolute value is told again. A bucket is
told when a later one began or the clock passed its end. Data older than the ring of buckets are too late and are not rolled up.
What must not go in: names, zones, packs, limits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hazards.series_batch import Batch, Flags, Slots
from hazards.telemetry import Floats, Int64s

MICROS = 1_000_000
RINGS: dict[int, int] = {1: 8, 60: 4, 900: 2}
"""Resolution in seconds to how many buckets stay open to correction: late data count for about 7 s, 3 min and 15 min."""
GRACE = 2 * MICROS
"""How long after a bucket's end, by the clock, it is told though nothing later came."""

FIELDS = 7
_BUCKET, _LAST_AT, _COUNT, _MINIMUM, _SUM, _MAXIMUM, _LAST = range(FIELDS)
Rows = NDArray[np.float64]
"""(n, FIELDS); bucket number and time of the last reading are int64 in the same bytes."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Buckets to be told, of one ``resolution``: columns. ``start`` in µs. A later one of the same slot and start replaces."""

    resolution: int
    slot: Slots
    start: Int64s
    count: Int64s
    minimum: Floats
    mean: Floats
    maximum: Floats
    last: Floats


class Rollups:
    """Buckets by slot at one resolution (seconds). ``open``: the newest bucket holds what was not told yet."""

    def __init__(self, resolution: int, capacity: int = 256) -> None:
        self.resolution, self.micros, self.ring = resolution, resolution * MICROS, RINGS[resolution]
        self.rows: Rows = np.empty((0, FIELDS))
        self.open: Flags = np.empty(0, np.bool_)
        self.grow(capacity)

    def grow(self, capacity: int) -> None:
        """Room for ``capacity`` slots."""
        more = capacity - len(self.open)
        empty = np.zeros((more * self.ring, FIELDS))
        empty.view(np.int64)[:, _BUCKET] = -1
        self.rows = np.concatenate([self.rows, empty])
        self.open = np.concatenate([self.open, np.zeros(more, np.bool_)])

    def clear(self, slots: Slots) -> None:
        """``slots`` are nobody's."""
        self.rows.view(np.int64)[self._places(slots), _BUCKET] = -1
        self.open[slots] = False

    def part(self, slots: Slots) -> Rows:
        """All buckets of ``slots``: (n * ring, FIELDS)."""
        return self.rows[self._places(slots)]

    def put(self, slots: Slots, rows: Rows, is_open: Flags) -> None:
        """Back what ``part`` gave."""
        self.rows[self._places(slots)] = rows
        self.open[slots] = is_open

    def _places(self, slots: Slots) -> Slots:
        return (slots[:, None] * self.ring + np.arange(self.ring)).ravel()

    def take(self, batch: Batch, finer: "Groups | None" = None) -> tuple["Groups", Closed, int]:
        """Count ``batch`` in. Returns its groups (a coarser resolution starts from them), what is to be told, how many came too late."""
        too_late = 0
        if not batch.in_order:
            order = np.lexsort((batch.at, batch.slot))  # stable: of equal times the later one stays last
            bucket, newest = batch.at // self.micros, batch.newest_before // self.micros
            kept = order[(bucket > newest - self.ring)[order]]
            too_late = len(order) - len(kept)
            groups = _grouped(batch.slot[kept], bucket[kept], batch.at[kept], batch.value[kept])
        elif finer is None:
            groups = _grouped(batch.slot, batch.at // self.micros, batch.at, batch.value)
        else:
            groups = finer.coarser(self.micros)
        return groups, self._absorb(groups, batch), too_late

    def _absorb(self, groups: "Groups", batch: Batch) -> Closed:
        if batch.in_order and len(groups.slot) == len(batch.slots):
            return self._absorb_one_each(groups, batch)
        series = np.searchsorted(batch.slots, groups.slot)
        newest, before = batch.newest_at // self.micros, batch.last_at // self.micros
        bucket, group_newest = groups.bucket, newest[series]
        places = groups.slot * self.ring + bucket % self.ring
        rows = self.rows[places]
        groups.merge_into(rows)
        advanced, touched = newest > before, np.zeros(len(newest), np.bool_)
        touched[series[bucket == before[series]]] = True
        left = advanced & ~touched & self.open[batch.slots]  # told now since a later bucket began, before that may take its place
        left_slots, left_buckets = batch.slots[left], before[left]
        left_rows = self.rows[left_slots * self.ring + left_buckets % self.ring]
        staying = bucket > group_newest - self.ring
        self.rows[places[staying]] = rows[staying]
        renewed = np.zeros(len(newest), np.bool_)
        renewed[series[bucket == group_newest]] = True
        self.open[batch.slots[renewed]] = True
        closed = bucket < group_newest
        return self._told(
            np.concatenate([left_slots, groups.slot[closed]]),
            np.concatenate([left_buckets, bucket[closed]]),
            np.concatenate([left_rows, rows[closed]]),
        )

    def _absorb_one_each(self, groups: "Groups", batch: Batch) -> Closed:
        """What ``_absorb`` does where each series has one group: that is its newest bucket, so nothing of this batch is closed yet."""
        bucket, before = groups.bucket, batch.last_at // self.micros
        first = batch.slots * self.ring
        places = first + bucket % self.ring
        if (self.rows.view(np.int64)[places, _BUCKET] != bucket).all():
            rows = groups.rows()
        else:
            rows = self.rows[places]
            groups.merge_into(rows)
        left = (bucket > before) & self.open[batch.slots]
        left_buckets = before[left]
        left_rows = self.rows[first[left] + left_buckets % self.ring]
        self.rows[places] = rows
        self.open[batch.slots] = True
        return self._told(batch.slots[left], left_buckets, left_rows)

    def tick(self, now: Int64s, last_at: Int64s) -> Closed:
        """The newest buckets whose end is ``GRACE`` ago by the clock. ``now`` and ``last_at``, newest event time, of every slot."""
        slots = np.flatnonzero(self.open)
        bucket = last_at[slots] // self.micros
        over = (bucket + 1) * self.micros + GRACE <= now[slots]
        slots, bucket = slots[over], bucket[over]
        self.open[slots] = False
        return self._told(slots, bucket, self.rows[slots * self.ring + bucket % self.ring])

    def _told(self, slot: Slots, bucket: Int64s, rows: Rows) -> Closed:
        count = rows[:, _COUNT]
        return Closed(
            self.resolution, slot, bucket * self.micros, count.astype(np.int64), rows[:, _MINIMUM], rows[:, _SUM] / count,
            rows[:, _MAXIMUM], rows[:, _LAST],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Groups:
    """Readings of one batch by slot and bucket, in that order; each pair once."""

    slot: Slots
    bucket: Int64s
    last_at: Int64s
    count: Floats
    minimum: Floats
    total: Floats
    maximum: Floats
    last: Floats

    def merge_into(self, rows: Rows) -> None:
        """Add the groups to the buckets ``rows``; a row that holds another bucket is replaced."""
        whole = rows.view(np.int64)
        fresh = whole[:, _BUCKET] != self.bucket
        if fresh.any():
            rows[fresh, _COUNT], rows[fresh, _SUM] = 0.0, 0.0
            rows[fresh, _MINIMUM], rows[fresh, _MAXIMUM] = np.inf, -np.inf
            whole[fresh, _LAST_AT] = -1
            whole[:, _BUCKET] = self.bucket
        rows[:, _COUNT] += self.count
        rows[:, _SUM] += self.total
        np.minimum(rows[:, _MINIMUM], self.minimum, out=rows[:, _MINIMUM])
        np.maximum(rows[:, _MAXIMUM], self.maximum, out=rows[:, _MAXIMUM])
        later = self.last_at >= whole[:, _LAST_AT]
        rows[later, _LAST], whole[later, _LAST_AT] = self.last[later], self.last_at[later]

    def rows(self) -> Rows:
        """The groups as buckets of their own."""
        rows = np.empty((len(self.slot), FIELDS))
        whole = rows.view(np.int64)
        whole[:, _BUCKET], whole[:, _LAST_AT] = self.bucket, self.last_at
        rows[:, _COUNT], rows[:, _MINIMUM], rows[:, _SUM] = self.count, self.minimum, self.total
        rows[:, _MAXIMUM], rows[:, _LAST] = self.maximum, self.last
        return rows

    def coarser(self, micros: int) -> "Groups":
        """The same readings in buckets of ``micros`` µs, which hold whole finer ones."""
        bucket = self.last_at // micros
        starts, ends = _runs(self.slot, bucket)
        last = ends - 1
        return Groups(
            self.slot[starts], bucket[starts], self.last_at[last], np.add.reduceat(self.count, starts),
            np.minimum.reduceat(self.minimum, starts), np.add.reduceat(self.total, starts),
            np.maximum.reduceat(self.maximum, starts), self.last[last],
        )  # fmt: skip


def _grouped(slot: Slots, bucket: Int64s, at: Int64s, value: Floats) -> Groups:
    """Groups of readings that are in order of slot and time."""
    starts, ends = _runs(slot, bucket)
    if not len(starts):
        empty = np.empty(0)
        return Groups(slot, bucket, at, empty, empty, empty, empty, empty)
    last = ends - 1
    return Groups(
        slot[starts], bucket[starts], at[last], (ends - starts).astype(np.float64), np.minimum.reduceat(value, starts),
        np.add.reduceat(value, starts), np.maximum.reduceat(value, starts), value[last],
    )  # fmt: skip


def _runs(slot: Slots, bucket: Int64s) -> tuple[Slots, Slots]:
    """Where runs of equal slot and bucket start and end."""
    if not len(slot):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    starts = np.concatenate(([0], np.flatnonzero((slot[1:] != slot[:-1]) | (bucket[1:] != bucket[:-1])) + 1))
    return starts, np.append(starts[1:], len(slot))
