"""One rule of one series as a value: what is compared with what, how long, and in which absolute windows it is armed. Pure.

What depends on calendars and declarations was resolved before (``hazards/rule_resolution.py``), so here time is only µs. Both judges start
from these functions: the plain machine (``hazards/limits.py``) and the arrays (``hazards/limit_table.py``).
What must not go in: state of a series, reports, how rules come about.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from hazards.rules import Comparison

MICROS = 1_000_000
FAR = 2**62
"""A time that never comes, µs; -FAR: that always was."""
RISE_BASELINE = 100_000
"""µs: a rise within less counts as one within this, so that the noise of two readings at almost one moment is no rate (our default)."""
HIGHS = (Comparison.HIGH_HIGH, Comparison.HIGH)
LIMIT_RULES = (*HIGHS, Comparison.LOW, Comparison.LOW_LOW)
"""Those that a device may give as its ``limits``, in the order they are judged."""
_ABOVE = frozenset({*HIGHS, Comparison.CONSUMPTION})

Windows = tuple[tuple[int, int], ...]
"""[from, to) in UTC µs, rising, apart from each other."""
ALWAYS: Windows = ((-FAR, FAR),)


class SensorRule(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One rule of one series, in the sensor's unit (RISING: per second; STALE: seconds; ``hourly``: per hour).

    ``key``: its name among the series' rules, by which its condition is kept. ``rule``: id of the alarm rule, "" for the device's own and
    the platform's. ``variant``: key_period, or "". ``windows``: when it is armed; None: always. ``hourly``: consumption of a meter that
    counts up, judged by its rise. Delays in µs."""

    key: str
    compares: Comparison
    limit: float
    kind: str
    reference: float = 0.0
    deadband: float = 0.0
    on_delay: int = 0
    off_delay: int = 0
    latching: bool = False
    severity: int | None = None
    rule: str = ""
    basis: str = "site"
    variant: str = ""
    windows: Windows | None = None
    hourly: bool = False

    @property
    def by_rate(self) -> bool:
        """Whether the rise between two readings is compared, not a value."""
        return self.hourly or self.compares is Comparison.RISING

    @property
    def rate(self) -> float:
        """The limit of a rise, per second."""
        return self.limit / 3600 if self.hourly else self.limit

    @property
    def silence(self) -> int:
        """The limit of STALE, µs."""
        return round(self.limit * MICROS)

    @property
    def low(self) -> float:
        """The lower limit of DEVIATION."""
        return self.reference - self.limit

    @property
    def high(self) -> float:
        """The limit that a value reaches from below, of DEVIATION the upper one."""
        return self.reference + self.limit if self.compares is Comparison.DEVIATION else self.limit


def beyond(rule: SensorRule, value: float, *, on: bool) -> bool:
    """Whether the trigger of ``rule``, now ``on`` or off, is on after ``value``. At the limit is beyond it; ``hazards.limit_table.band`` is
    the other half."""
    band = rule.deadband if on else 0.0
    if rule.compares in _ABOVE:
        return value >= rule.limit - band
    if rule.compares is Comparison.STATE:
        return value == rule.limit
    if rule.compares is Comparison.DEVIATION:
        return value >= rule.high - band or value <= rule.low + band
    return value <= rule.limit + band


def rise(last_at: int, last_value: float, at: int, value: float) -> float:
    """Rise per second between two readings; NaN, which is never beyond, before the second one."""
    return (value - last_value) / (max(at - last_at, RISE_BASELINE) / MICROS)


# --- windows ---


def is_armed(windows: Windows | None, at: int) -> bool:
    """Whether ``at`` lies in one of ``windows``."""
    return windows is None or any(start <= at < end for start, end in windows)


def end_of_window(windows: Windows | None, at: int) -> int:
    """When the window that ``at`` lies in ends; ``at`` itself if it lies in none (any more), FAR if it never ends."""
    if windows is None:
        return FAR
    return next((end for start, end in windows if start <= at < end), at)


def next_boundary(windows: Windows | None, after: int) -> int:
    """The first beginning or end of a window after ``after``; FAR for none."""
    return min((edge for window in windows or () for edge in window if after < edge), default=FAR)


def united(windows: Iterable[tuple[int, int]]) -> Windows:
    """``windows`` in order, those that touch or overlap as one, empty ones left out."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(windows):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return tuple(found)


def common(first: Sequence[tuple[int, int]], second: Sequence[tuple[int, int]]) -> Windows:
    """What lies in both."""
    return united((max(a, c), min(b, d)) for a, b in first for c, d in second)


def without(windows: Windows, taken: Windows) -> Windows:
    """``windows`` but for ``taken``."""
    edges = [-FAR, *(edge for window in taken for edge in window), FAR]
    return common(windows, list(zip(edges[::2], edges[1::2], strict=True)))
