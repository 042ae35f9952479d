"""Movement without decoding: packets between key frames that are suddenly larger than they were.

An encoder spends bytes where the picture changed, so a still scene has small packets and anything that moves makes them larger.
What must not go in: pictures.
"""

from collections import deque
from statistics import median

REMEMBERED = 48
"""Packets whose median is the usual size: four seconds of a sub-stream."""
TIMES, LEAST = 2.5, 500
"""A surge is so many times the usual size, and so many bytes more than it: noise of a sensor stays below both."""
FORGETS = 0.999
"""By which a surge that was none loses weight each packet: half of it in a minute."""
IN_A_ROW = 2
"""Packets that must be large: one may be a frame that the encoder refreshed."""


class SurgeMeter:
    """Sizes of one camera's packets."""

    def __init__(self) -> None:
        self._sizes: deque[int] = deque(maxlen=REMEMBERED)
        self._usual = 0.0
        self._floor = 0.0  # bytes that a packet must have after a surge that was none
        self._large = 0
        self._fed = 0

    def feed(self, size: int, *, key: bool) -> bool:
        """Whether the packet of ``size`` bytes shows that something began to move."""
        if key:
            return False
        known = len(self._sizes) >= REMEMBERED // 4
        large = known and size > max(TIMES * self._usual, self._usual + LEAST, self._floor)
        self._large = self._large + 1 if large else 0
        self._floor *= FORGETS
        self._sizes.append(size)
        self._fed += 1
        if self._fed % 6 == 0 or not self._usual:  # twice a second is enough for what is usual
            self._usual = median(self._sizes)
        return self._large >= IN_A_ROW

    def reject(self) -> None:
        """Nothing moved in what was taken for a surge: its like counts no more for a while (an encoder that refreshes its picture)."""
        self._floor = max(self._floor, 1.3 * max(self._sizes, default=0))

    def reset(self) -> None:
        """The stream began anew."""
        self._sizes.clear()
        self._usual, self._floor, self._large = 0.0, 0.0, 0
