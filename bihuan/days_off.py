"""Published days off, and days worked instead (调休), of a country. What must not go in: counting days."""

from functools import cache

from chinese_calendar import constants


@cache
def days_off(country: str) -> dict[str, bool]:
    """ISO date to whether it is a working day, for every day that is not as its weekday says; none for a country that is not known."""
    if country != "CN":
        return {}
    off = {day.isoformat(): False for day in constants.holidays}
    return off | {day.isoformat(): True for day in constants.workdays}


def known_years(country: str) -> range:
    """The years whose days off are published."""
    years = [int(day[:4]) for day in days_off(country)]
    return range(min(years), max(years) + 1) if years else range(0)
