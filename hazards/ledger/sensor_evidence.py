"""What a sensor's readings say of a hazard: beyond a limit that speaks of its kind now or since the claim, within it, or nothing at all.

A limit speaks of a kind of hazard when the alarm of that limit does: temperature_high of heat, temperature_high_high also of fire. The
readings are roll-ups, so a minimum or maximum is that of every reading in it. What must not go in: reading the time series
(``storage/series_sight.py`` does), alarms, the verdict (``hazards/ledger/gate.py``).
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from hazards.ledger.blindness import Blind
from hazards.ledger.kinds import HazardKind
from hazards.rules import Comparison
from hazards.sensors import Sensor, rules_of, standing_limits

UPPER = frozenset({"high", "high_high"})
_LATENESS = 60 * 1_000_000
"""Roll-ups come some seconds after their readings: a sensor with a shorter ``stale_after`` is not called silent for that, µs."""


class Says(StrEnum):
    """What the readings of one sensor say."""

    BEYOND_LIMIT = "beyond_limit"  # 超限: its newest reading
    BEYOND_SINCE = "beyond_since"  # 期间超限: it was beyond since the claim, and came back
    WITHIN_LIMITS = "within_limits"  # 未超限
    NO_READINGS = "no_readings"  # 无读数
    SERIES_UNAVAILABLE = "series_unavailable"  # 时序库不可用: nobody knows


AGAINST = frozenset({Says.BEYOND_LIMIT, Says.BEYOND_SINCE})


class Rollup(Struct, frozen=True, array_like=True):
    """Readings of ``at`` <= time < ``until`` (µs) in one: least, greatest and last value, in the sensor's unit."""

    at: int
    until: int
    low: float
    high: float
    last: float


class Measured(Struct, frozen=True, kw_only=True):
    """What the time series had of one sensor at ``read_at`` (µs), oldest first; ``rollups`` None: it did not answer, or nobody asked.

    ``start``: from when on it was asked; ``limits``: those that speak of the hazard's kind; ``silence``: how long the sensor may say
    nothing until it is called silent, µs."""

    device: str
    metric: str
    unit: str
    limits: Mapping[str, float]
    silence: int
    start: int
    read_at: int
    rollups: Sequence[Rollup] | None = None


class SensorEvidence(Struct, frozen=True, kw_only=True):
    """What one sensor says, and the numbers. ``limit``, ``bound``, ``value``, ``at``: the limit that was met, its value, the reading and
    its time. ``lowest``, ``highest``: since ``start``, the claim. Times in µs."""

    device: str
    metric: str
    unit: str
    says: Says
    start: int
    end: int
    limit: str = ""
    bound: float | None = None
    value: float | None = None
    at: int | None = None
    newest: float | None = None
    newest_at: int | None = None
    lowest: float | None = None
    highest: float | None = None

    @property
    def against(self) -> bool:
        """Whether it speaks against the rectification."""
        return self.says in AGAINST


def limits_that_speak(kind: HazardKind, sensor: Sensor) -> dict[str, float]:
    """The limits of ``sensor`` whose alarms are alarms of ``kind``, the strictest of each name. A rule that is armed at times only says
    what it has to say by its alarms."""
    return standing_limits(sensor, kind.speaks)


def can_tell(kind: HazardKind, sensor: Sensor) -> bool:
    """Whether ``sensor`` observes ``kind``: it measures what belongs to it, and has a limit or a rate that would say so."""
    rises = any(rule.compares is Comparison.RISING and kind.speaks(rule.kind) for rule in rules_of(sensor))
    return sensor.metric in kind.metrics and (rises or bool(limits_that_speak(kind, sensor)))


def silence_of(sensor: Sensor, default: int) -> int:
    """How long ``sensor`` may say nothing until it is called silent, µs; ``default`` for one whose silence is no alarm."""
    rule = next((rule for rule in rules_of(sensor) if rule.compares is Comparison.STALE), None)
    return default if rule is None else max(rule.silence, _LATENESS)


def evidence_of(measured: Measured, since: int) -> SensorEvidence:
    """What the sensor says: of its newest reading, and of all since ``since`` (µs)."""
    rollups = measured.rollups
    if not rollups:
        says = Says.SERIES_UNAVAILABLE if rollups is None else Says.NO_READINGS
        return SensorEvidence(device=measured.device, metric=measured.metric, unit=measured.unit, says=says,
                              start=min(since, measured.read_at), end=measured.read_at)  # fmt: skip
    newest, after = rollups[-1], [r for r in rollups if r.at >= since]
    says, met = Says.BEYOND_LIMIT, _met(measured.limits, newest.last, newest.last, newest.at)
    if met is None:
        says, met = Says.BEYOND_SINCE, next((m for r in after if (m := _met(measured.limits, r.low, r.high, r.at)) is not None), None)
    limit, value, at = met if met is not None else ("", None, None)
    return SensorEvidence(
        device=measured.device, metric=measured.metric, unit=measured.unit, says=says if met is not None else Says.WITHIN_LIMITS,
        start=min(since, newest.at), end=measured.read_at, limit=limit, bound=measured.limits.get(limit), value=value, at=at,
        newest=newest.last, newest_at=newest.at, lowest=min((r.low for r in after), default=None),
        highest=max((r.high for r in after), default=None),
    )  # fmt: skip


def _met(limits: Mapping[str, float], low: float, high: float, at: int) -> tuple[str, float, int] | None:
    """The gravest limit that values between ``low`` and ``high`` meet; a value at its limit is beyond it."""
    for name in ("high_high", "low_low", "high", "low"):
        bound, value = limits.get(name), high if name in UPPER else low
        if bound is not None and (value >= bound if name in UPPER else value <= bound):
            return name, value, at
    return None


def silences(measured: Measured, since: int, now: int) -> list[Blind]:
    """When the sensor said nothing for longer than it may, within ``since`` to ``now`` (µs)."""
    found, heard = [], measured.start - measured.silence  # nothing is known of before
    for rollup in measured.rollups or ():
        if rollup.at - heard > measured.silence:
            found.append(Blind(heard + measured.silence, rollup.at))
        heard = max(heard, rollup.until)
    if now - heard > measured.silence:
        found.append(Blind(heard + measured.silence, now))
    return [Blind(max(b.start, since), min(b.end, now)) for b in found if b.end >= since]
