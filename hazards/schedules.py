"""Parts of the week as absolute windows, for some days around a time. Pure: the time zone is given.

What must not go in: rules, declarations.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from hazards.rules import Window
from hazards.sensor_rules import ALWAYS, FAR, Windows, united

BACK, AHEAD = timedelta(days=2), timedelta(days=8)
"""How far around now windows are worked out, by whole days of the site. They are worked out anew every day."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def horizon(now: int, time_zone: tzinfo) -> tuple[date, date]:
    """The first and last day, of the site, for which windows are worked out at ``now`` (UTC µs)."""
    here = (_EPOCH + timedelta(microseconds=now)).astimezone(time_zone)
    return (here - BACK).date(), (here + AHEAD).date()


def windows_of(schedule: Sequence[Window], first: date, last: date, time_zone: tzinfo) -> Windows:
    """When ``schedule`` arms, from the beginning of ``first`` to the end of ``last``; an empty one always.

    A window under way at either end has no beginning or no end: what stands by it goes on standing."""
    if not schedule:
        return ALWAYS
    start, end = _moment(first, 0, time_zone), _moment(last, 24 * 60, time_zone)
    found = united(window for day in _days(first - timedelta(days=1), last) for window in _on(schedule, day, time_zone))
    kept = [(begin, over) for begin, over in found if over > start and begin < end]
    return tuple((-FAR if begin <= start else begin, FAR if over >= end else over) for begin, over in kept)


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _on(schedule: Sequence[Window], day: date, time_zone: tzinfo) -> Iterator[tuple[int, int]]:
    for window in schedule:
        if day.isoweekday() in window.days:
            over = window.until if window.until > window.start else window.until + 24 * 60
            yield _moment(day, window.start, time_zone), _moment(day, over, time_zone)


def _moment(day: date, minute: int, time_zone: tzinfo) -> int:
    """The UTC µs of a minute of the site's day, or of the day after it."""
    days, minute = divmod(minute, 24 * 60)
    there = datetime.combine(day + timedelta(days=days), time(minute // 60, minute % 60), time_zone)
    return (there.astimezone(UTC) - _EPOCH) // _MICROSECOND
