"""Kinds of work that a permit (作业票) is for, as rows of data: which alarms such work explains, and how long a permit holds at most.

The eight special operations (特殊作业) and their longest validity are of GB 30871-2022; a national standard is none of the policy
documents, so these figures are an ``interpretation``, and where the standard gives none a ``platform_default``.
What must not go in: what an explained alarm becomes (``hazards/quieting.py``).
"""

from dataclasses import dataclass

from hazards.ledger.limits import DAY, HOUR


@dataclass(frozen=True, slots=True)
class Level:
    """A level of such work. ``longest``: µs."""

    name: str
    chinese: str
    english: str
    longest: int


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of work. ``longest``: longest validity of one permit, µs, where no level says less or more; ``basis`` of that figure.

    ``explains``: kinds of alarm that such work may raise without anything being wrong; never gas or oxygen, too many
    people, a broken seal or a covered camera: those are what permits are watched by."""

    name: str
    chinese: str
    english: str
    longest: int
    basis: str
    explains: frozenset[str]
    levels: tuple[Level, ...] = ()

    def level(self, name: str) -> Level | None:
        """The level of that name, or None."""
        return next((level for level in self.levels if level.name == name), None)

    def longest_at(self, level: str) -> int:
        """Longest validity at ``level``, µs."""
        known = self.level(level)
        return self.longest if known is None else known.longest


_PEOPLE = frozenset({"intrusion", "loitering", "line_crossing", "people_high"})
_HEAT = frozenset({"flame", "smoke", "hot_work_seen", "temperature_high", "temperature_rising"})
_IN_THE_WAY = frozenset({"exit_blocked", "object_left"})
_DEVICES = frozenset({"camera_offline", "sensor_stale", "device_fault", "power_lost"})
_HOT_LEVELS = (
    Level("special", "特级", "special", 8 * HOUR), Level("first", "一级", "first class", 8 * HOUR),
    Level("second", "二级", "second class", 72 * HOUR),
)  # fmt: skip

_ROWS = [
    # name, Chinese, English, longest, basis of it, explains
    Work("hot_work", "动火", "hot work", 8 * HOUR, "interpretation", _HEAT | _PEOPLE, _HOT_LEVELS),
    Work("confined_space", "受限空间", "confined space", 24 * HOUR, "interpretation", _PEOPLE),
    Work("work_at_height", "高处", "work at height", 7 * DAY, "interpretation", _PEOPLE),
    Work("lifting", "吊装", "lifting", 24 * HOUR, "platform_default", _PEOPLE | _IN_THE_WAY),
    Work("blind_plate", "盲板抽堵", "blind plate", 24 * HOUR, "platform_default", _PEOPLE | {"pressure_low", "flow_low"}),
    Work("temporary_power", "临时用电", "temporary power", 15 * DAY, "interpretation", _PEOPLE | {"power_high", "current_high"}),
    Work("excavation", "动土", "excavation", 7 * DAY, "platform_default", _PEOPLE | _IN_THE_WAY),
    Work("road_closing", "断路", "road closing", 7 * DAY, "platform_default", _PEOPLE | _IN_THE_WAY),
    Work("maintenance", "检维修", "maintenance", 7 * DAY, "platform_default", _PEOPLE | _DEVICES),
    Work("casual", "零散作业", "casual work", 24 * HOUR, "platform_default", _PEOPLE | _IN_THE_WAY),
]
WORKS: dict[str, Work] = {work.name: work for work in _ROWS}


def explains(work: str, alarm: str) -> bool:
    """Whether a permit for ``work`` explains alarm kind ``alarm``."""
    known = WORKS.get(work)
    return known is not None and alarm in known.explains
