"""RFC 3339 date-times to UTC microseconds. Pure; no clock, no dependency on ``datetime``'s narrower range.

What must not go in: judging whether a time is believable (``hazards/admission.py``).
"""

import re

_FORM = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY, _MINUTE = 86_400, 60


def parse_time(text: str) -> int:
    """UTC microseconds since 1970 of ``text``; digits beyond the microsecond are cut off.

    Years 0000 to 9999 in any offset; a leap second (23:59:60 UTC, section 5.7) is the first second of the next day.
    Raises ValueError with the reason."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("not of the form 2026-11-22T10:15:30+08:00")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    if not 1 <= month <= 12 or not 1 <= day <= _days_in(year, month):
        raise ValueError(f"no such day: {match[0][:10]}")
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError(f"no such time of day: {match[0][11:19]}")
    seconds = _days_before(year, month, day) * _DAY + hour * 3600 + minute * _MINUTE + second - _offset(match)
    if second == 60 and seconds % _DAY != 0:
        raise ValueError("second 60 is only at 23:59:60 UTC")
    return seconds * 1_000_000 + int((match[7] or "0")[:6].ljust(6, "0"))


def _offset(match: re.Match[str]) -> int:
    """Seconds east of UTC; "-00:00" (offset not known) counts as UTC."""
    if match[8] is None:
        return 0
    hours, minutes = int(match[9]), int(match[10])
    if hours > 23 or minutes > 59:
        raise ValueError(f"no such offset: {match[8]}{match[9]}:{match[10]}")
    return (hours * 3600 + minutes * _MINUTE) * (-1 if match[8] == "-" else 1)


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days_in(year: int, month: int) -> int:
    return 29 if month == 2 and _leap(year) else _MONTH_DAYS[month - 1]


def _days_before(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 in the proleptic Gregorian calendar, year 0 included."""
    before = year + 399  # shifted by 400 years, so that the divisions below never see a negative year
    days = before * 365 + before // 4 - before // 100 + before // 400
    days += sum(_MONTH_DAYS[: month - 1]) + (month > 2 and _leap(year)) + day - 1
    return days - _EPOCH


_EPOCH = 0
_EPOCH = _days_before(1970, 1, 1)
