"""Dead-band compression of raw readings with a guaranteed error: which readings must be stored. Pure, vectorised.

Values are sorted into cells as wide as the error allowed. A reading is kept when its cell is not that of the reading before
it, when a new heartbeat interval begins, or when it did not come in the order of time. So whoever holds the last kept value
until the next one is never off by more than the error; the cells do not drift, and no arithmetic over many readings can add up.

Guaranteed: a reading that is not kept lies within ``error`` of the kept one of its series that was received last before it, and
was measured after it. A reading that comes late is kept as it is; until the next kept one (a heartbeat at most) it may stand
before others that were dropped. Error 0 keeps every reading.
What must not go in: storage, units, roll-ups.
"""

import numpy as np
from numpy.typing import NDArray

from hazards.telemetry import Floats, Int64s

Booleans = NDArray[np.bool_]

HEARTBEAT = 15 * 60 * 1_000_000
"""Microseconds of an interval in which each series that has readings has a kept one: a long flat line still shows life."""
_NARROWER = 0.999
_MOST_CELLS = 2.0**40
"""Below so many cells the rounding of the division is less than the thousandth by which cells are narrower than the error."""
_NEVER = np.iinfo(np.int64).min
_FIRST_ROOM = 1024


class Compressor:
    """Remembers of each series that may be compressed where its last reading stood. 18 bytes a series.

    The state is of one process: a new one keeps more readings at first, never fewer. One that has been given readings which
    were not stored after all may be given them again: what is not newer than the newest is kept."""

    def __init__(self, heartbeat: int = HEARTBEAT) -> None:
        self._heartbeat = heartbeat
        self._newest: Int64s = np.full(_FIRST_ROOM, _NEVER, np.int64)
        self._cell: Floats = np.zeros(_FIRST_ROOM)
        self._exact: Booleans = np.zeros(_FIRST_ROOM, np.bool_)
        self._late: Booleans = np.zeros(_FIRST_ROOM, np.bool_)

    def keep(self, series: Int64s, error: Floats, at: Int64s, value: Floats) -> Booleans:
        """Which of the readings to store: one bool a reading, in the order given, which is the order received.

        One entry a reading: ``series`` a number that names its series for good (small ones: they are places in a table), ``error``
        in the unit of the values (one and the same for a series; 0: exact), ``at`` µs, ``value``."""
        kept = np.ones(len(at), np.bool_)
        lossy = np.flatnonzero(error > 0)
        if len(lossy):
            order = lossy[np.argsort(series[lossy], kind="stable")]  # series after series, each in the order received
            self._make_room(int(series[order[-1]]))
            kept[order] = self._keep(series[order], error[order], at[order], value[order])
        return kept

    def _make_room(self, greatest: int) -> None:
        missing = max(greatest + 1 - len(self._newest), 0)
        if missing:
            missing = max(missing, len(self._newest))
            self._newest = np.concatenate([self._newest, np.full(missing, _NEVER, np.int64)])
            self._cell = np.concatenate([self._cell, np.zeros(missing)])
            self._exact = np.concatenate([self._exact, np.zeros(missing, np.bool_)])
            self._late = np.concatenate([self._late, np.zeros(missing, np.bool_)])

    def _keep(self, slot: Int64s, error: Floats, at: Int64s, value: Floats) -> Booleans:
        """As ``keep``, for readings that stand series after series."""
        cell, exact = _cells(value, error)
        first = np.append(True, slot[1:] != slot[:-1])
        last = np.append(first[1:], True)
        before_at, before_cell, before_exact = np.roll(at, 1), np.roll(cell, 1), np.roll(exact, 1)
        begins = slot[first]
        before_at[first], before_cell[first], before_exact[first] = self._newest[begins], self._cell[begins], self._exact[begins]
        newest_before = _newest_before(before_at, first)
        late = at <= newest_before
        after_late = np.roll(late, 1)
        after_late[first] = self._late[begins]
        beat = (at // self._heartbeat) != (before_at // self._heartbeat)
        same = (cell == before_cell) & (exact == before_exact)
        self._newest[slot[last]] = np.maximum(newest_before, at)[last]
        self._cell[slot[last]], self._exact[slot[last]], self._late[slot[last]] = cell[last], exact[last], late[last]
        kept: Booleans = ~same | beat | late | after_late
        return kept


def _cells(value: Floats, error: Floats) -> tuple[Floats, Booleans]:
    """Which cell each value is in. Where cells would be too many to be counted exactly, each value is a cell of its own (True)."""
    with np.errstate(over="ignore", invalid="ignore"):
        quotient = value / (error * _NARROWER)
    exact = ~(np.abs(quotient) < _MOST_CELLS)
    return np.where(exact, value, np.floor(quotient)), exact


def _newest_before(before: Int64s, first: Booleans) -> Int64s:
    """The greatest of ``before`` from the first entry of its series (where ``first``) up to each entry."""
    disordered = (np.diff(before) < 0) & ~first[1:]
    if not disordered.any():  # nearly always: readings of a series come in the order of time
        return before
    starts = np.flatnonzero(first)
    return np.concatenate([np.maximum.accumulate(part) for part in np.split(before, starts[1:])])
