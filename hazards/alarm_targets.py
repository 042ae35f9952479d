"""What a good alarm load is, by EEMUA 191 and ANSI/ISA-18.2 (IEC 62682): a row a figure. Pure data.

``check`` marks what we have from secondary sources only. Where a standard gives one limit, the second is ours and says so.
What must not go in: how a figure comes about (``hazards/alarm_quality.py``).
"""

from enum import StrEnum
from typing import Literal

from msgspec import Struct


class Verdict(StrEnum):
    """How a figure stands against its target; the words are those of EEMUA 191 for the load of an operating position."""

    GOOD = "good"  # 良好
    MANAGEABLE = "manageable"  # 可承受
    OVERLOADED = "overloaded"  # 过载


class Basis(StrEnum):
    """Who says so."""

    EEMUA_191 = "eemua_191"
    ISA_18_2 = "isa_18_2"
    PLATFORM_DEFAULT = "platform_default"


class Target(Struct, frozen=True):
    """Up to ``good`` is good, up to ``manageable`` can be borne, more is overload; with ``at_least`` the other way round.

    ``strict``: the limits themselves are no longer within. ``check``: from secondary sources only.
    ``second``: who gives the limit ``manageable``; None: the same."""

    good: float
    manageable: float
    basis: Basis
    check: bool = False
    strict: bool = False
    at_least: bool = False
    second: Basis | None = None

    def verdict(self, value: float) -> Verdict:
        """How ``value`` stands."""
        for limit, verdict in ((self.good, Verdict.GOOD), (self.manageable, Verdict.MANAGEABLE)):
            beyond = value < limit if self.at_least else value > limit
            if not beyond and not (self.strict and value == limit):
                return verdict
        return Verdict.OVERLOADED


_EEMUA, _ISA, _OURS = Basis.EEMUA_191, Basis.ISA_18_2, Basis.PLATFORM_DEFAULT

TARGETS: dict[str, Target] = {
    # per operating position
    "rate_average": Target(1, 2, _EEMUA),  # annunciated alarms in 10 minutes
    "rate_maximum": Target(10, 10, _ISA),
    "share_above_10": Target(0.01, 0.01, _ISA, check=True, strict=True),  # of the 10-minute periods
    "per_day": Target(150, 300, _EEMUA, check=True),  # the edition of 2016 has no daily figure any more
    "flood_share": Target(0.01, 0.01, _ISA, strict=True),  # of the time
    # what stands and what flutters
    "stale": Target(5, 5, _ISA, check=True, strict=True),
    "chattering": Target(0, 0, _ISA, check=True),
    "top_ten_share": Target(0.05, 0.20, _ISA, check=True, strict=True, second=_OURS),
    # severities: about 80 / 15 / 5 / under 1 %
    "severity_1_share": Target(0.01, 0.05, _EEMUA, check=True, strict=True, second=_OURS),
    "severity_2_share": Target(0.05, 0.15, _EEMUA, check=True, second=_OURS),
    "severity_3_share": Target(0.15, 0.30, _EEMUA, check=True, second=_OURS),
    "severity_4_share": Target(0.80, 0.50, _EEMUA, check=True, at_least=True, second=_OURS),
    # seconds until somebody acknowledged: no standard gives any
    "acknowledged_median": Target(60, 300, _OURS),
    "acknowledged_p90": Target(300, 900, _OURS),
}
"""By the name of the figure; one that is not here only informs."""


Unit = Literal["alarms", "share", "seconds", "count"]
"""``alarms``: in the time that the figure is about; ``share``: 0 to 1."""


class Figure(Struct, frozen=True):
    """One figure. ``value`` None: there is nothing to count."""

    name: str
    value: float | None
    unit: Unit

    @property
    def target(self) -> Target | None:
        """What it should be, or None: it only informs."""
        return TARGETS.get(self.name)

    @property
    def verdict(self) -> Verdict | None:
        """How it stands, or None without a value or a target."""
        return None if self.value is None or self.target is None else self.target.verdict(self.value)
