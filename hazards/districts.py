"""District codes (行政区划代码, GB/T 2260; towns and villages 统计用区划代码) and which lies within which.

Province, prefecture, county, town, village: 510000 > 510800 > 510802 > 510802001 > 510802001003, by 2, 4, 6, 9 and 12 digits that count.
A town may stand right below a prefecture that has no counties (441900003, 不设区的市). What must not go in: the site, who asks.
"""

import re
from enum import IntEnum
from functools import lru_cache

from hazards.errors import BadInput

_CODE = re.compile(r"[1-9][0-9]([0-9]{4}|[0-9]{7}|[0-9]{10})", re.ASCII)
_CUTS = ((0, 2), (2, 4), (4, 6), (6, 9), (9, 12))
HINT = 'a code of 6, 9 or 12 digits, for example "510802"'

Path = tuple[str, ...]
"""The parts of a code from the province down to the last one that names something."""


class Level(IntEnum):
    """How deep a district stands: a smaller number is higher."""

    PROVINCE = 1  # 省
    PREFECTURE = 2  # 市
    COUNTY = 3  # 县、区
    TOWN = 4  # 乡镇、街道
    VILLAGE = 5  # 村、社区


@lru_cache(4096)
def path_of(code: str) -> Path:
    """The path to a district; empty for what is no code: nothing lies there."""
    if not _CODE.fullmatch(code):
        return ()
    path = _named(tuple(code[start:end] for start, end in _CUTS if start < len(code)))
    skipped = [level for level, part in enumerate(path, 1) if not part.strip("0")]
    return path if not skipped or (skipped == [Level.COUNTY] and len(path) == Level.TOWN) else ()


def _named(path: Path) -> Path:
    """Without the zeros at the end."""
    while path and not path[-1].strip("0"):
        path = path[:-1]
    return path


def is_district(code: str) -> bool:
    """Whether ``code`` can be one: 6, 9 or 12 digits, and nothing left out above what it names but the counties of a prefecture."""
    return bool(path_of(code))


def check_district(code: str, where: str) -> None:
    """Raises BadInput, pointing ``where``, for what is no code."""
    if not is_district(code):
        raise BadInput(f"{code[:40]!r} is no district", where=where, hint=HINT)


def lies_within(code: str, district: str) -> bool:
    """Whether ``code`` is ``district`` or lies below it; never for what is no code."""
    above = path_of(district)
    return bool(above) and path_of(code)[: len(above)] == above


def lies_beside(code: str, district: str) -> bool:
    """Whether ``code`` is or lies below another district of the level and parent of ``district``; provinces lie beside each other."""
    own = path_of(district)
    theirs = path_of(code)[: len(own)]
    return bool(own) and len(theirs) == len(own) and theirs != own and theirs == _named(theirs) and _named(theirs[:-1]) == _named(own[:-1])


def are_one(code: str, other: str) -> bool:
    """Whether two codes name one district, as 510800 and 510800000000 do."""
    return is_district(code) and path_of(code) == path_of(other)
