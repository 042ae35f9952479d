"""When a detector asks for a burst at the full rate, and when it stops asking: what was looked at and is nothing is left alone, for longer
each time, until there is more of it.

The picture is divided into cells. Something new in a cell that has not been judged asks at once; a judged cell (a red wall, a lamp) asks
again after pauses that grow, sooner if it has grown. What must not go in: what a candidate looks like, decoding.
"""

import numpy as np
from numpy.typing import NDArray

from detectors.base import Mask

CELL = 16
"""Pixels of the level on each side of a cell."""
BURST_SECONDS = 2.0
"""Seconds that one look takes: enough for a flame's turns to show."""
FIRST_PAUSE, LONGEST_PAUSE = 4.0, 30.0
"""Seconds until a judged cell may ask again; doubled each time that nothing comes of it."""
STAYS = 0.4
"""Seconds that a candidate must stay in a cell where frames come often: what drives by does not ask."""
SELDOM = 1.0
"""Seconds between frames from which on there is no waiting for a second look."""
FORGETS_AFTER = 120.0
"""Seconds without a candidate after which a cell is as new."""


class _Cells:
    """What is known of each cell of pictures of one shape."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.pause, self.next = np.zeros(shape), np.zeros(shape)
        self.judged, self.judged_at = np.zeros(shape), np.full(shape, -np.inf)  # candidates in it when it was judged, and when that was
        self.last = np.full(shape, -np.inf)  # when it last held candidates
        self.since = np.full(shape, np.inf)  # since when it has held them without a break
        self.seen, self.most = np.zeros(shape, np.bool_), np.zeros(shape)  # in the burst that runs

    def judge(self, t: float) -> None:
        """The burst is over and nothing came of it."""
        seen = self.seen
        self.pause[seen] = np.clip(2 * self.pause[seen], FIRST_PAUSE, LONGEST_PAUSE)
        self.next[seen], self.judged_at[seen], self.judged[seen] = t + self.pause[seen], t, self.most[seen]

    def take(self, full: Mask, t: float) -> None:
        """Note which cells hold candidates at ``t``; those long without are as new."""
        old = t - self.last > FORGETS_AFTER
        self.pause[old], self.next[old], self.judged[old] = 0.0, 0.0, 0.0
        self.last[full] = t
        self.since = np.where(full, np.minimum(self.since, t), np.inf)

    def due(self, counts: NDArray[np.float64], t: float, stays: float) -> Mask:
        """Cells that have held candidates for ``stays`` seconds and were not judged, or long ago, or hold more than then."""
        grown = counts > 8 + 1.35 * self.judged
        due: Mask = (t - self.since >= stays) & (t >= np.where(grown, np.minimum(self.next, self.judged_at + FIRST_PAUSE), self.next))
        return due


class Asking:
    """The cells of one detector. Times in seconds, going forward."""

    def __init__(self) -> None:
        self._cells: _Cells | None = None
        self._until, self._t = float("-inf"), float("-inf")
        self.wanted = False
        """A burst is wanted now."""

    def look(self, candidates: Mask, t: float, least: int, *, promising: bool = False) -> None:
        """Take the frame of ``t`` seconds. ``candidates``: (height, width); ``least`` pixels of a cell count.

        ``promising``: there is evidence already, so the burst goes on."""
        counts = _by_cell(candidates)
        cells = self._cells
        if cells is None or cells.pause.shape != counts.shape:
            cells = self._cells = _Cells(counts.shape)
            self.wanted = False
        full = counts >= least
        cells.take(full, t)
        stays, self._t = 0.0 if t - self._t > SELDOM else STAYS, t
        if promising:
            self.wanted, self._until = True, t + BURST_SECONDS
        if self.wanted:
            cells.seen |= full
            cells.most = np.maximum(cells.most, counts)
            if t < self._until:
                return
            self.wanted = False
            cells.judge(t)
        if cells.due(counts, t, stays).any():
            self.wanted, self._until = True, t + BURST_SECONDS
            cells.seen, cells.most = full.copy(), counts.copy()


def _by_cell(mask: Mask) -> NDArray[np.float64]:
    """Pixels of ``mask`` in each cell; a cell at the right or lower edge may be smaller."""
    height, width = mask.shape
    rows, columns = np.arange(0, height, CELL), np.arange(0, width, CELL)
    counts: NDArray[np.float64] = np.add.reduceat(np.add.reduceat(mask.astype(np.float64), rows, axis=0), columns, axis=1)
    return counts
