"""Which camera is looked at next, and how: the earliest deadline first, each camera at the rate that its scene needs.

A still camera wants its newest key frame, one where something moves four looks a second and never fewer than two while others can
wait, one with a candidate or an alarm every frame. Deadlines age, so nobody starves: when the core is full everyone is late by the
same, which costs the cameras that merely move most of their rate. What must not go in: a clock, packets, pictures.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from detectors.base import Attention

STEP = {Attention.STILL: 0.45, Attention.MOVING: 0.25, Attention.BURST: 1 / 15}
"""Seconds between two looks at least: a bound on every camera, whatever it sends."""
GRACE = {Attention.STILL: 0.3, Attention.MOVING: 0.2, Attention.BURST: 0.08}
"""Seconds that a look which is due may wait: MOVING keeps two looks a second, STILL stays well under the one-second age."""
QUIET_AFTER = 4.0
"""Seconds without movement after which only key frames are looked at."""
WOKEN_FOR = 1.0
"""Seconds that larger packets alone keep a camera awake."""
CANDIDATE_SECONDS, CANDIDATE_AGAIN = 4.0, 2.0
"""Seconds of full rate that a candidate may have at once, and how many must have come back before it may again."""
STILL_REFILL, FULL_REFILL = 0.05, 0.25
"""How fast they come back: in a picture where nothing moves (a lamp or a red wall asks again and again, and a flame always moves), and on
a full core. An alarm that stands, and a candidate that moves while the core has room, have no bound."""
FULL = 0.03
"""Seconds of lateness from which the core counts as full: cameras that move fall to two looks a second."""
OVERFULL = 0.25
"""Seconds of lateness from which one that costs over 1.5 times its share is looked at less often."""


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
    woken: bool = False
    stands: bool = False
    moved_at: float = float("-inf")
    candidate_left: float = CANDIDATE_SECONDS
    candidate_spent: bool = False
    full: bool = False

    def wakes(self, now: float) -> None:
        """Larger packets: something may move."""
        self.woken = self.woken or now >= self.awake_until
        self.awake_until = max(self.awake_until, now + WOKEN_FOR)

    def mode(self, now: float) -> Attention:
        """How closely it is looked at now."""
        moves = now - self.moved_at < QUIET_AFTER
        bounded = self.candidate_spent and not self.stands and (self.full or not moves)
        attention = min(self.attention, Attention.MOVING if moves else Attention.STILL) if bounded else self.attention
        return max(attention, Attention.MOVING) if moves or now < self.awake_until else attention

    def looked(self, now: float, *, taken: int, moving: bool, attention: Attention, cost: float, stands: bool = False) -> None:
        """It was looked at, up to packet ``taken``, for ``cost`` processor seconds. ``stands``: an alarm does."""
        self._budget(now)
        passed = min(10.0, max(0.02, now - self.looked_at))
        weight = passed / (passed + 4.0)
        self.share += weight * (cost / passed - self.share)
        self.looked_at, self.taken = now, max(self.taken, taken)
        self.attention, self.stands = attention, stands
        if moving:
            self.moved_at = now

    def _budget(self, now: float) -> None:
        """Count the full rate that a candidate had since the last look, where that is bounded."""
        passed, moves = min(2.0, now - self.looked_at), now - self.moved_at < QUIET_AFTER
        if self.mode(now) == Attention.BURST and (self.full or not moves) and not self.stands:
            self.candidate_left -= passed
        else:
            refill = FULL_REFILL if moves else STILL_REFILL
            self.candidate_left = min(CANDIDATE_SECONDS, self.candidate_left + refill * passed)
        self.candidate_spent = self.candidate_left < (CANDIDATE_AGAIN if self.candidate_spent else 0.0)

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
        self._late = dict.fromkeys(Attention, 0.0)

    @property
    def late(self) -> float:
        """Seconds by which looks are late, smoothed, of the kind of look that is latest: above ``FULL`` the core is full."""
        return max(self._late.values())

    def choose(self, now: float) -> Line | None:
        """The camera to look at now; None: none has anything due."""
        fair = 1.5 / max(1, sum(line.share > 0.002 for line in self.lines.values()))
        best = first = None
        late = self.late
        for line in self.lines.values():
            line.full = late > FULL
            stretch = self._stretch(line, fair) if late > OVERFULL else 1.0
            deadline = line.deadline(now, stretch)
            if deadline is not None and (first is None or deadline < first):
                best, first = line, deadline
        if best is None or first is None:
            self._late = {mode: 0.98 * late for mode, late in self._late.items()}
        else:
            mode = best.mode(now)
            self._late[mode] += 0.1 * (max(0.0, now - first) - self._late[mode])
        return best

    @staticmethod
    def _stretch(line: Line, fair: float) -> float:
        return 1.0 if line.attention == Attention.BURST else min(4.0, max(1.0, line.share / fair))


def load(lines: Iterable[Line]) -> float:
    """Processor seconds a second that ``lines`` cost together."""
    return sum(line.share for line in lines)
