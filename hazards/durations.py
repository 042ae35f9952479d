"""Durations as people write them in a file (``500ms``, ``30s``, ``5m``) to microseconds. Pure.

What must not go in: YAML, calendars, working days.
"""

import re

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*(us|ms|s|min|m|h|d)$")
_MICROSECONDS = {"us": 1, "ms": 1000, "s": 1_000_000, "m": 60_000_000, "min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}

LONGEST_DAYS = 3660
LONGEST = LONGEST_DAYS * _MICROSECONDS["d"]
"""Microseconds above which a duration is taken for a slip."""


def read_duration(text: str) -> int | None:
    """Microseconds of ``text``, or None for what is no duration. May be above LONGEST: the caller decides what to say."""
    match = _DURATION.match(text)
    if not match:
        return None
    microseconds = float(match[1]) * _MICROSECONDS[match[2]]
    return round(microseconds) if microseconds <= LONGEST else LONGEST + 1
