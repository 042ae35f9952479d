"""Rates by 10 minutes and floods of annunciated alarms, in arrays. Pure: times in, numbers out.

A flood begins when more than 10 alarms a position came within 10 minutes and ends when fewer than 5 did (EEMUA 191, ISA-18.2); between
the two it stays what it was. The 10 minutes slide: a burst across the border of two periods is seen, too.
What must not go in: targets, SQL.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from hazards.telemetry import Int64s

PERIOD = 600 * 1_000_000
"""10 minutes in µs, counted from 1970: every zone of whole 10 minutes has the same."""
BEGINS_ABOVE, ENDS_BELOW = 10, 5
"""Alarms a position in 10 minutes."""
LOOKBACK = 24 * 6 * PERIOD
"""How long before a window alarms are read, so that a flood which began there is known: a flood without crossing for a day is none."""


class Flood(Struct, frozen=True):
    """One flood (报警泛滥), times in UTC µs. ``end`` None: it went on at the end of the window.

    ``peak``: most alarms in any 10 minutes of it; ``alarms``: that came in it and in the 10 minutes that made it one."""

    start: int
    end: int | None
    peak: int
    alarms: int


def floor_period(at: int) -> int:
    """The beginning of the 10 minutes that ``at`` (µs) lies in."""
    return at - at % PERIOD


def period_counts(at: Int64s, start: int, end: int) -> Int64s:
    """Alarms in each period of ``start`` <= time < ``end``, both borders of periods."""
    inside = at[(at >= start) & (at < end)]
    return np.bincount((inside - start) // PERIOD, minlength=(end - start) // PERIOD).astype(np.int64)


def find_floods(at: Int64s, end: int, *, seats: int = 1) -> list[Flood]:
    """The floods among alarms at the sorted times ``at`` < ``end``, for ``seats`` people who share the load."""
    if not len(at):
        return []
    moments, count = _trailing(at, end)
    mark = np.where(count > BEGINS_ABOVE * seats, 1, np.where(count < ENDS_BELOW * seats, -1, 0))
    crossings = np.flatnonzero(mark)
    signs = mark[crossings]
    changes = crossings[np.flatnonzero(np.diff(signs, prepend=-1))]  # begins and ends in turn
    found = []
    for n in range(0, len(changes), 2):
        first = int(changes[n])
        last = int(changes[n + 1]) if n + 1 < len(changes) else None
        start, stop = int(moments[first]), None if last is None else int(moments[last])
        low, high = np.searchsorted(at, [start - PERIOD + 1, end if stop is None else stop])
        found.append(Flood(start, stop, int(count[first:last].max()), int(high - low)))
    return found


def _trailing(at: Int64s, end: int) -> tuple[Int64s, Int64s]:
    """Each moment before ``end`` at which the number of alarms of the last 10 minutes changes, and that number from then on."""
    moments, place = np.unique(np.concatenate((at, at + PERIOD)), return_inverse=True)
    steps = np.bincount(place[: len(at)], minlength=len(moments)) - np.bincount(place[len(at) :], minlength=len(moments))
    count, before = np.cumsum(steps), moments < end
    return moments[before], count[before]


def seconds_in_flood(floods: Sequence[Flood], start: int, end: int) -> float:
    """Seconds of ``start`` <= time < ``end`` that lay in a flood."""
    return sum(max(0, min(f.end or end, end) - max(f.start, start)) for f in floods) / 1e6
