"""Readings of many series at once, sorted by series, each series in the order it came: what limits and roll-ups both start from. Pure.

What must not go in: rules, roll-ups, names.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hazards.telemetry import Floats, Int64s

_FEW = 1 << 16
"""Slots that are sorted by two bytes, which NumPy does in linear time."""
Slots = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Batch:
    """Columns of n readings. ``at`` is the time that counts (never ahead of ``received``), ``pack`` numbers the pack it came in.

    ``slots`` (m): each series once, rising; its readings are ``starts[i]:ends[i]``. ``last_at`` (m): newest event time before."""

    slot: Slots
    at: Int64s
    value: Floats
    received: Int64s
    pack: Int64s
    slots: Slots
    starts: Slots
    ends: Slots
    last_at: Int64s
    early: int

    @cached_property
    def previous_at(self) -> Int64s:
        """Event time of the reading before, of the same series (n)."""
        previous = np.empty_like(self.at)
        previous[1:] = self.at[:-1]
        previous[self.starts] = self.last_at
        return previous

    @cached_property
    def number(self) -> Slots:
        """Which of ``slots`` each reading is of (n)."""
        return np.repeat(np.arange(len(self.slots)), self.ends - self.starts)

    @cached_property
    def in_order(self) -> bool:
        """Whether no series is disordered."""
        return not self.disordered.any()

    @cached_property
    def disordered(self) -> Flags:
        """Series with a reading that is older than one before it (m)."""
        back = self.at < self.previous_at
        return np.logical_or.reduceat(back, self.starts) if back.any() else np.zeros(len(self.slots), np.bool_)

    @cached_property
    def newest_at(self) -> Int64s:
        """Newest event time of each series, these readings included (m)."""
        if self.in_order:
            return self.at[self.ends - 1]
        latest: Int64s = np.maximum(self.last_at, np.maximum.reduceat(self.at, self.starts))
        return latest

    @cached_property
    def newest_before(self) -> Int64s:
        """Newest event time of the series before each reading (n)."""
        if self.in_order:
            return self.previous_at
        number = self.number
        so_far = self.at.copy()
        so_far[self.starts] = np.maximum(so_far[self.starts], self.last_at)
        moments, rank = np.unique(so_far, return_inverse=True)
        ranks = np.maximum.accumulate(rank + number * len(moments)) - number * len(moments)  # a running maximum for each series
        before = np.empty_like(self.at)
        before[1:] = moments[ranks[:-1]]
        before[self.starts] = self.last_at
        return before

    @cached_property
    def late(self) -> int:
        """How many readings are older than one of their series before them."""
        return 0 if self.in_order else int((self.at < self.newest_before).sum())


def batch_of(slot: Slots, at: Int64s, value: Floats, received: Int64s, pack: Int64s, last_at: Int64s) -> Batch:
    """n >= 1 readings in the order they came; ``last_at`` is the newest event time of every slot there is."""
    ahead = at > received
    early = int(np.count_nonzero(ahead))
    counted = np.minimum(at, received) if early else at
    order = np.argsort(slot.astype(np.uint16) if len(last_at) <= _FEW else slot, kind="stable")
    ranked = slot[order]
    starts = np.concatenate(([0], np.flatnonzero(ranked[1:] != ranked[:-1]) + 1))
    slots = ranked[starts]
    return Batch(
        slot=ranked, at=counted[order], value=value[order], received=received[order], pack=pack[order], slots=slots, starts=starts,
        ends=np.append(starts[1:], len(ranked)), last_at=last_at[slots], early=early,
    )  # fmt: skip
