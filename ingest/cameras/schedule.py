"""Which camera is looked at next, and how: the earliest deadline first, each camera at the rate that its scene needs.

A still camera wants its newest key frame, one where something moves four looks a second and never fewer than two while others can
wait, one with a candidate or an alarm every frame. Deadlines age, so nobody starves: when the core is full everyone is late by the
same, which costs the cameras that merely move most of their rate. What must not go in: a clock, packets, pictures.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from detectors.base import Attention

STEP = {Attention.STILL: 0.9, Attention.MOVING: 0.25, Attention.BURST: 1 / 15}
"""Seconds between two looks at least: a bound on every camera, whatever it sends."""
GRACE = {Attention.STILL: 0.3, Attention.MOVING: 0.25, Attention.BURST: 0.08}
"""Seconds that a look which is due may wait: MOVING so reaches two looks a second, STILL stays well under the one-second age."""
QUIET_AFTER = 4.0
"""Seconds without movement after which only key frames are looked at."""
WOKEN_FOR = 1.0
"""Seconds that larger packets alone keep a camera awake."""
FULL = 0.25
"""Seconds of lateness from which the core counts as full: then one that costs over 1.5 times its share is looked at less often."""


@dataclass(slots=True)
class Line:
    """One camera in the schedule. ``newest`` and ``key``: number and arrival (monotonic s) of its newest packet and newest key frame;
    ``taken``: number of the last packet that was looked at or passed over; ``share``: processor seconds a second that it costs."""

    camera: str
    newest: tuple[int, float] = (-1, 0.0)
    key: tuple[int, float] = (-1, 0.0)
    taken: int = -1
    looked_at: float = float("-inf")
    awake_until: float = float("-inf")
    attention: Attention = Attention.STILL
    share: float = 0.0

    def wakes(self, now: float) -> None:
        """Larger packets: something may move."""
        self.awake_until = max(self.awake_until, now + WOKEN_FOR)

    def mode(self, now: float) -> Attention:
        """How closely it is looked at now."""
        return max(self.attention, Attention.MOVING) if now < self.awake_until else self.attention

    def looked(self, now: float, *, taken: int, moving: bool, attention: Attention, cost: float) -> None:
        """It was looked at, up to packet ``taken``, for ``cost`` processor seconds."""
        passed = min(10.0, max(0.02, now - self.looked_at))
        weight = passed / (passed + 4.0)
        self.share += weight * (cost / passed - self.share)
        self.looked_at, self.taken = now, max(self.taken, taken)
        self.attention = attention
        if moving or attention > Attention.STILL:
            self.awake_until = max(self.awake_until, now + QUIET_AFTER)

    def waits(self, now: float) -> bool:
        """Whether something came that a look would see."""
        return (self.key if self.mode(now) == Attention.STILL else self.newest)[0] > self.taken

    def deadline(self, now: float, stretch: float = 1.0) -> float | None:
        """When its next look should begin at the latest; None: nothing is due. ``stretch``: times its usual step."""
        mode = self.mode(now)
        number, came = self.key if mode == Attention.STILL else self.newest
        if number <= self.taken:
            return None
        due = max(came, self.looked_at + STEP[mode] * stretch)
        return due + GRACE[mode] if due <= now else None


class Schedule:
    """The cameras of one analyst."""

    def __init__(self) -> None:
        self.lines: dict[str, Line] = {}
        self.late = 0.0
        """Seconds by which looks are late, smoothed: above FULL the core is full."""

    def choose(self, now: float) -> Line | None:
        """The camera to look at now; None: none has anything due."""
        fair = 1.5 / max(1, sum(line.share > 0.002 for line in self.lines.values()))
        best = first = None
        for line in self.lines.values():
            stretch = self._stretch(line, fair) if self.late > FULL else 1.0
            deadline = line.deadline(now, stretch)
            if deadline is not None and (first is None or deadline < first):
                best, first = line, deadline
        if first is not None:
            self.late += 0.1 * (max(0.0, now - first) - self.late)
        else:
            self.late *= 0.9
        return best

    @staticmethod
    def _stretch(line: Line, fair: float) -> float:
        return 1.0 if line.attention == Attention.BURST else min(4.0, max(1.0, line.share / fair))


def load(lines: Iterable[Line]) -> float:
    """Processor seconds a second that ``lines`` cost together."""
    return sum(line.share for line in lines)
