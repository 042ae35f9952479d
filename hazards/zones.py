"""The site as data: enterprises, zones with their risk grade, devices. Pure: reading the file is in ``bihuan/site_file.py``.

Geometry is in metres on the park plan; a camera's areas are fractions (0..1) of its picture.
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from hazards.rules import AlarmRule

Point = tuple[float, float]


class Grade(StrEnum):
    """Risk grade of a zone, in the four colours (001(16)). It is risk, not the grade of a hazard."""

    RED = "red"  # 重大
    ORANGE = "orange"  # 较大
    YELLOW = "yellow"  # 一般
    BLUE = "blue"  # 低


class Contact(Struct, frozen=True, omit_defaults=True):
    """Somebody to call."""

    name: str
    role: str = ""
    phone: str = ""


class Enterprise(Struct, frozen=True, omit_defaults=True):
    """An enterprise of the park."""

    id: str
    name: str
    contacts: list[Contact] = field(default_factory=list)


class Zone(Struct, frozen=True, omit_defaults=True):
    """A zone: a polygon (closed by itself) or a line of at least two points, with its grade."""

    id: str
    name: str
    grade: Grade
    enterprise: str | None = None
    polygon: list[Point] = field(default_factory=list)
    line: list[Point] = field(default_factory=list)
    risks: list[str] = field(default_factory=list)
    measures: list[str] = field(default_factory=list)
    major_hazard_level: int | None = None  # 重大危险源 1 to 4
    outside_park: bool = False  # no park command: the town stands in for it
    district: str = ""  # 行政区划代码 of 6, 9 or 12 digits; empty: the site's


class AlarmTiming(Struct, frozen=True, omit_defaults=True):
    """How the raw signals of a device become an alarm (ISA-18.2): delays in microseconds."""

    on_delay: int = 0
    off_delay: int = 0
    latching: bool = False


class Device(Struct, frozen=True, omit_defaults=True):
    """A camera, sensor or foreign platform. ``settings`` keeps the keys of the site file that have no field of their own."""

    id: str
    zone: str
    type: str
    timing: AlarmTiming = AlarmTiming()
    url: str = ""
    loop: bool = False
    detectors: list[str] = field(default_factory=list)
    areas: dict[str, list[Point]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


class Agreement(Struct, frozen=True, omit_defaults=True):
    """Districts that read each other's major hazard installations by agreement (联防联控), though they are no neighbours by code."""

    districts: list[str]


class Position(Struct, frozen=True, omit_defaults=True):
    """An operating position (操作岗位) whose alarm load is judged by itself. Zones that no position lists belong to the first."""

    id: str
    name: str
    zones: list[str] = field(default_factory=list)
    seats: int = 1  # people who share its load at one time


class Site(Struct, frozen=True, omit_defaults=True):
    """A whole site file, checked."""

    id: str
    name: str
    district: str = ""
    time_zone: str = "Asia/Shanghai"
    policy: str = ""
    synthetic: bool = False  # a demonstration: everything it says is marked so
    enterprises: list[Enterprise] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)
    rules: list[AlarmRule] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)  # webhooks and later keys


def crossing_edges(polygon: list[Point]) -> tuple[int, int] | None:
    """The first two edges (counted from 0, edge i joins corner i and i+1) of a closed polygon that cross, or None."""
    n = len(polygon)
    edges = [(polygon[i], polygon[(i + 1) % n]) for i in range(n)]
    for i in range(n):
        for j in range(i + 1, n):
            adjacent = j == i + 1 or (i == 0 and j == n - 1)
            if not adjacent and _cross(*edges[i], *edges[j]):
                return i, j
            if adjacent and n > 2 and _folds_back(edges[i], edges[j]):
                return i, j
    return None


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _on(a: Point, b: Point, c: Point) -> bool:
    """c, known to be on the line through a and b, lies between them."""
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    t1, t2, t3, t4 = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if ((t1 > 0) != (t2 > 0)) and ((t3 > 0) != (t4 > 0)) and 0 not in (t1, t2, t3, t4):
        return True
    return any(t == 0 and _on(*line, p) for t, line, p in ((t1, (a, b), c), (t2, (a, b), d), (t3, (c, d), a), (t4, (c, d), b)))


def _folds_back(first: tuple[Point, Point], second: tuple[Point, Point]) -> bool:
    """Two neighbouring edges lie on one line and run back over each other."""
    shared = first[1] if first[1] == second[0] else first[0]
    a = first[0] if shared == first[1] else first[1]
    b = second[1] if shared == second[0] else second[0]
    if _turn(a, shared, b) != 0:
        return False
    return (a[0] - shared[0]) * (b[0] - shared[0]) + (a[1] - shared[1]) * (b[1] - shared[1]) > 0
