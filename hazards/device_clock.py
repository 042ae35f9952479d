"""What is known of the clocks of devices (设备时钟): a steady error is corrected, an erratic or impossible one is not believed. Pure.

Learned at the door from pairs of the sender's time and ours. A lead can only be the clock's own fault. A lag may be a link that was down
and now gives what it kept, old times that are true: a lag is corrected only when it stays the same for longer than any backlog does.
What must not go in: what a sender said beside its time (``hazards/admission.py``), persistence: a few samples teach it anew.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from msgspec import Struct, structs

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

RIGHT_WITHIN = 2 * MINUTE
"""A time so near to its receipt, on either side, is of a clock that is right."""
FARTHEST = 14 * HOUR + MINUTE
"""No error beyond is learned: time zones reach from UTC-12 to UTC+14."""
OLDEST = 7 * 24 * HOUR
"""No backlog is older; what says so is as impossible as what says that it comes from beyond ``FARTHEST`` ahead."""
SAMPLES = 3
"""Times in a row that agree before an error is taken to be steady."""
TOLERANCE = 20 * SECOND
"""How far they may differ: delays on the way."""
LAG_SPAN = 10 * MINUTE
"""Time of receipt that the samples of a lag must span: a backlog that is drained so slowly that it still agrees is none."""
IMPOSSIBLE = 3
"""Impossible times since the last right one from which a clock is erratic, and its old times no backlog either."""
MOST = 10_000
"""Clocks remembered; those that were not wrong for longest are forgotten first."""


class Fault(StrEnum):
    """What is wrong with a clock."""

    TIME_ZONE = "time_zone"
    AHEAD = "ahead"
    BEHIND = "behind"
    ERRATIC = "erratic"


class OffsetRule(Struct, frozen=True):
    """One kind of steady error: an offset from ``low`` to ``high`` (µs ahead of us), and if ``step`` is given within ``near`` of one of its
    multiples, which is then the error exactly. The first row that fits holds."""

    fault: Fault
    low: int
    high: int
    step: int = 0
    near: int = 0

    def error(self, offset: int) -> int | None:
        """The error that an offset means by this rule, or None."""
        if not self.low <= offset <= self.high:
            return None
        if not self.step:
            return offset
        whole = round(offset / self.step) * self.step
        return whole if whole and abs(offset - whole) <= self.near else None


RULES: tuple[OffsetRule, ...] = (
    OffsetRule(Fault.TIME_ZONE, -FARTHEST, FARTHEST, step=30 * MINUTE, near=MINUTE),
    OffsetRule(Fault.AHEAD, RIGHT_WITHIN, FARTHEST),
    OffsetRule(Fault.BEHIND, -FARTHEST, -RIGHT_WITHIN),
)
WORDS: dict[Fault, tuple[str, str]] = {
    Fault.TIME_ZONE: ("时区设置错误", "wrong time zone"),
    Fault.AHEAD: ("时钟偏快", "runs ahead"),
    Fault.BEHIND: ("时钟偏慢", "runs behind"),
    Fault.ERRATIC: ("时钟不可信", "not to be believed"),
}
"""Each fault in Chinese and English."""

Key = tuple[str, str]
"""Who said it, and of which device: a platform may stamp with another clock than the device does."""


class ClockFault(Struct, frozen=True):
    """A clock that is corrected by ``error`` (µs that it is ahead) or, where that is None, not believed; since and until when (receipt)."""

    device: str
    fault: Fault
    error: int | None
    since: int
    last: int

    @property
    def state(self) -> Literal["corrected", "distrusted"]:
        """What is done about it."""
        return "distrusted" if self.error is None else "corrected"


def count_by_state(faults: Iterable[ClockFault]) -> dict[str, int]:
    """How many clocks are corrected, and how many are not believed."""
    counts = Counter(fault.state for fault in faults)
    return {"corrected": counts["corrected"], "distrusted": counts["distrusted"]}


class _Clock(Struct):
    """``first``: offset of the run of times that agree, which began at receipt ``began`` and has ``count``; ``highest``: of the run, the
    one that was least delayed."""

    first: int = 0
    highest: int = 0
    began: int = 0
    count: int = 0
    impossible: int = 0
    known: ClockFault | None = None


class DeviceClocks:
    """The clocks that one door hears, as far as they were wrong lately; a clock that is right takes no room."""

    def __init__(self, *, most: int = MOST, oldest: int = OLDEST) -> None:
        """``oldest``: µs that a backlog may be old."""
        self._most, self._oldest = most, oldest
        self._clocks: OrderedDict[Key, _Clock] = OrderedDict()

    def __len__(self) -> int:
        return len(self._clocks)

    def hear(self, key: Key, sent_at: int, received_at: int) -> int | None:
        """Learn from one time. The error to take off it (µs; 0: none is known), or None: it is not to be believed."""
        offset = sent_at - received_at
        if -RIGHT_WITHIN <= offset <= RIGHT_WITHIN:
            self._clocks.pop(key, None)
            return 0
        clock = self._of(key)
        if not -self._oldest <= offset <= FARTHEST:
            clock.impossible += 1
        elif offset >= -FARTHEST:
            _learn(clock, offset, received_at)  # what lies between is a backlog
            _name(clock, key, received_at)
        if clock.impossible >= IMPOSSIBLE and (clock.known is None or clock.known.error is not None):
            clock.known = ClockFault(key[1], Fault.ERRATIC, None, received_at, received_at)
        if (known := clock.known) is None:
            return 0
        clock.known = structs.replace(known, last=received_at)
        return known.error

    def faults(self) -> list[ClockFault]:
        """The clocks that are corrected or not believed."""
        return [clock.known for clock in self._clocks.values() if clock.known is not None]

    def _of(self, key: Key) -> _Clock:
        if (clock := self._clocks.get(key)) is None:
            clock = self._clocks[key] = _Clock()
            if len(self._clocks) > self._most:
                self._clocks.popitem(last=False)
        self._clocks.move_to_end(key)
        return clock


def _learn(clock: _Clock, offset: int, received_at: int) -> None:
    """Add to the run of times that agree, or begin another."""
    if clock.count and abs(offset - clock.first) <= TOLERANCE:
        clock.count += 1
        clock.highest = max(clock.highest, offset)
    else:
        clock.impossible += _leaps(clock, offset)
        clock.first = clock.highest = offset
        clock.count, clock.began = 1, received_at


def _leaps(clock: _Clock, offset: int) -> bool:
    """Whether a lead is another than before, which no backlog explains: not even that of a clock known to be ahead."""
    known = clock.known.error if clock.known is not None and clock.known.error is not None else 0
    return clock.count > 0 and offset > max(known, 0) + RIGHT_WITHIN


def _name(clock: _Clock, key: Key, received_at: int) -> None:
    """Take the run for the clock's error when it is long enough and another than the known one: times keep their order."""
    if clock.count < SAMPLES or (clock.highest < 0 and received_at - clock.began < LAG_SPAN):
        return
    known = clock.known
    if known is not None and known.error is not None and abs(known.error - clock.first) <= RIGHT_WITHIN:
        return
    for rule in RULES:
        if (error := rule.error(clock.highest)) is not None:
            clock.known, clock.impossible = ClockFault(key[1], rule.fault, error, received_at, received_at), 0
            return
