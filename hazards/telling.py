"""When an incident is told again: group, update and repeat interval, by severity. Pure.

What matters (it opened, cleared, closed, became graver, surer or audible) is told at once; counts and further alarms wait for the update
interval, so that a chattering sensor does not fill the feed. SQL always holds the newest. What must not go in: channels, receipts.
"""

from dataclasses import dataclass
from enum import IntEnum

_SECOND = 1_000_000


class News(IntEnum):
    """What of an incident is not told yet."""

    NOTHING = 0
    MORE = 1  # further alarms, counts
    CHANGE = 2  # what somebody decides by


@dataclass(frozen=True, slots=True)
class Intervals:
    """µs. ``group``: how long a new one gathers before it is told first. ``update``: between two tellings of further alarms.

    ``repeat``: after which one that nobody acknowledged is told again; 0: never."""

    group: int
    update: int
    repeat: int


INTERVALS: dict[int, Intervals] = {
    1: Intervals(0, 1 * _SECOND, 2 * 60 * _SECOND),
    2: Intervals(0, 2 * _SECOND, 10 * 60 * _SECOND),
    3: Intervals(0, 5 * _SECOND, 60 * 60 * _SECOND),
    4: Intervals(2 * _SECOND, 10 * _SECOND, 0),
}
"""By severity (platform defaults; a grave alarm never waits)."""
IN_FLOOD = Intervals(0, 5 * _SECOND, 10 * 60 * _SECOND)
"""Of the incident that takes a flood."""


def due(news: News, told_at: int, opened_at: int, intervals: Intervals) -> int | None:
    """When it is to be told (µs, 0: at once); None: there is nothing to tell."""
    if news is News.NOTHING:
        return None
    if not told_at:
        return opened_at + intervals.group if intervals.group else 0
    return told_at if news is News.CHANGE else told_at + intervals.update
