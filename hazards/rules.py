"""Alarm rules as values: when a reading is an alarm, and what the operator is to do about it. Pure, data and its check.

A rule comes from the policy pack or the site file, and its newest version may come from the console. ``hazards/rule_checks.py`` says
whether it may be used; what it means for one sensor at one time is worked out in ``hazards/rule_resolution.py`` and judged in
``hazards/limits.py``; the same values run over recorded telemetry.
What must not go in: state of a series, SQL, parsing of files.
"""

from enum import StrEnum

from msgspec import Struct, field

from hazards.declarations import Declared

PRECEDENCE = {"console": 0, "site": 1, "pack": 2}
"""By source of a rule; the smaller wins."""


class Comparison(StrEnum):
    """What of a series is compared with the limit."""

    HIGH_HIGH = "high_high"
    HIGH = "high"
    LOW = "low"
    LOW_LOW = "low_low"
    RISING = "rising"  # rise per second
    DEVIATION = "deviation"  # distance from ``reference``, either side
    STATE = "state"  # a digital value equal to the limit
    STALE = "stale"  # no reading for so many seconds
    CONSUMPTION = "consumption"  # above the limit while a shutdown is declared or a stop order holds


class Words(Struct, frozen=True, omit_defaults=True):
    """A text in both languages."""

    zh: str
    en: str = ""


class ResponseSheet(Struct, frozen=True, omit_defaults=True):
    """What the operator reads beside the alarm (报警处置卡). ``within``: time allowed for the action, µs. ``call``: posts or people."""

    cause: Words
    consequence: Words
    action: Words
    within: int
    call: list[str]


class Window(Struct, frozen=True, omit_defaults=True):
    """Part of the week, site time: ISO days (1 to 7), minutes of the day, ``until`` exclusive (if smaller: on the next day)."""

    days: list[int]
    start: int
    until: int


class Override(Struct, frozen=True, omit_defaults=True):
    """What differs in one zone; None: as the rule says."""

    limit: float | None = None
    deadband: float | None = None
    on_delay: int | None = None
    off_delay: int | None = None
    severity: int | None = None
    enabled: bool | None = None
    reason: str = ""


class AlarmRule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule for all sensors of ``metric`` in ``zones`` (empty: every zone) with a grade in ``grades`` (empty: every grade).

    ``limit`` and ``reference`` in ``unit`` (RISING: per second; STALE: seconds). ``key_period_limit``: the limit while a key period is
    declared. ``schedule``: when it is armed; empty: always. ``during``: armed only while one of these is declared for the zone
    (CONSUMPTION, where it says nothing: a shutdown or a stop order). ``kind``: the alarm it raises, by default metric_comparison.
    Delays in µs. ``source``: where it comes from, pack, site or console; ``basis`` as in the policy pack."""

    id: str
    name: Words
    metric: str
    compares: Comparison
    response: ResponseSheet
    limit: float | None = None
    reference: float | None = None
    unit: str = ""
    kind: str = ""
    severity: int | None = None
    deadband: float = 0.0
    on_delay: int = 0
    off_delay: int = 0
    latching: bool = False
    schedule: list[Window] = field(default_factory=list)
    during: list[Declared] = field(default_factory=list)
    key_period_limit: float | None = None
    zones: list[str] = field(default_factory=list)
    grades: list[str] = field(default_factory=list)
    overrides: dict[str, Override] = field(default_factory=dict)
    enabled: bool = True
    source: str = "site"
    basis: str = "platform_default"


def kind_of_alarm(rule: AlarmRule) -> str:
    """The kind of alarm that ``rule`` raises, of ``hazards/kinds.py`` or its own."""
    return rule.kind or ("sensor_stale" if rule.compares is Comparison.STALE else f"{rule.metric}_{rule.compares}")
