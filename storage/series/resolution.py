"""Which resolution answers a range: the finest that is still kept and gives some two thousand points. Pure.

What must not go in: reading.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from storage.series.port import RAW, RESOLUTIONS, Retention

WANTED = 2_000
"""Points of an answer when nobody said otherwise: more than a wall of screens has columns."""
RAW_RANGE = 15 * 60
"""Seconds up to which raw readings are tried: at one a second they are fewer than WANTED."""
_COMBINED = 5
"""Up to so many times WANTED roll-ups are read and combined, rather than taking the next coarser ones."""
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 7 * 86_400, 28 * 86_400)
"""Windows that people read easily, seconds."""
MICROS = 1_000_000
NAMES = {"raw": RAW, "1s": 1, "1m": 60, "15m": 900}


@dataclass(frozen=True, slots=True)
class Choice:
    """``resolution`` to read (seconds; 0: raw), and the windows of the answer, ``every`` seconds (0: raw)."""

    resolution: int
    every: int


def choices(start: int, end: int, *, now: int, retention: Retention, wanted: int = WANTED) -> Iterator[Choice]:
    """What to try for ``start`` to ``end`` (µs), best first; the next when one has more points than wanted. The last always fits."""
    seconds = (end - start) / MICROS
    if seconds <= RAW_RANGE and _kept(RAW, start, now, retention):
        yield Choice(RAW, 0)
    for resolution in sorted(RESOLUTIONS)[1:]:
        coarsest = resolution == max(RESOLUTIONS)
        fits = seconds / resolution <= _COMBINED * wanted and _kept(resolution, start, now, retention)
        if fits or coarsest:
            yield Choice(resolution, _window(seconds, resolution, wanted))


def _kept(resolution: int, start: int, now: int, retention: Retention) -> bool:
    kept = retention.kept.get(RESOLUTIONS[resolution])
    return kept is None or start >= now - kept


def _window(seconds: float, resolution: int, wanted: int) -> int:
    """The smallest easy window that is a multiple of ``resolution`` and gives at most ``wanted`` of them."""
    fitting = [s for s in _STEPS if s % resolution == 0 and seconds / s <= wanted]
    return fitting[0] if fitting else -(-int(seconds) // (wanted * resolution)) * resolution
