"""Counting limits: from a start and a limit of the pack to the last moment at which something is in time.

Days run to the last second of the last day in the site's time zone, the day of the start not counted (our reading of 001(15)), so a
change of the clocks moves no due date by an hour. What must not go in: which limit applies.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from hazards.ledger.policy import Calendar, Counting, Limit

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
"""Microseconds."""


def due_at(limit: Limit, start: int, zone: tzinfo, calendar: Calendar) -> int:
    """The last second at which what began at ``start`` is in time, UTC µs."""
    if limit.counting is Counting.HOURS:
        return start + limit.amount * HOUR
    if limit.counting is Counting.NATURAL_DAYS:
        return _natural_end(start, limit.amount, zone)
    return end_of_day(day_after(local_date(start, zone), limit.amount, limit.counting, calendar), zone)


@lru_cache(maxsize=16_384)
def _natural_end(start: int, days: int, zone: tzinfo) -> int:
    """Asked again with every look at a hazard's clocks."""
    return end_of_day(local_date(start, zone) + timedelta(days=days), zone)


def later_by(due: int, days: int, counting: Counting, zone: tzinfo, calendar: Calendar) -> int:
    """The due date ``due`` moved by ``days`` (an extension), to the end of that day."""
    return end_of_day(day_after(local_date(due, zone), days, counting, calendar), zone)


def day_after(day: date, days: int, counting: Counting, calendar: Calendar) -> date:
    """``days`` natural or working days after ``day``; of 0 working days the day itself, whatever it is."""
    if counting is not Counting.WORKING_DAYS:
        return day + timedelta(days=days)
    while days > 0:
        day += timedelta(days=1)
        days -= is_working_day(day, calendar)
    return day


def is_working_day(day: date, calendar: Calendar) -> bool:
    """Whether people are at work on ``day``."""
    known = calendar.exceptions.get(day.isoformat())
    return day.weekday() < 5 if known is None else known


def local_date(at: int, zone: tzinfo) -> date:
    """The date on which ``at`` (µs) falls in ``zone``."""
    return (EPOCH + timedelta(microseconds=at)).astimezone(zone).date()


def end_of_day(day: date, zone: tzinfo) -> int:
    """The last second of ``day`` in ``zone``, UTC µs."""
    return (datetime.combine(day, time(23, 59, 59), zone) - EPOCH) // MICROSECOND
