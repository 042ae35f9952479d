"""When a reading is an alarm: limits, rate of rise and silence, with deadband and delays, for one series. Pure, one reading at a time.

This plain machine is the specification; ``hazards/limit_table.py`` finds the few series that need it among very many.
Readings are taken in the order they came, by event time:

- A condition (Schmitt trigger) begins at its limit and ends beyond limit -/+ deadband. It is believed to hold until the next reading
  (sample and hold). The alarm is raised ``on_delay`` after the condition began, cleared ``off_delay`` after it ended; a reading that
  comes later, or a tick, only discovers that. What is discovered never depends on how many readings came together.
- A reading older than the newest of its series is **late**: it moves nothing. Beyond a limit that has no on-delay, and outside the alarm
  that is known, it is told as a pulse. Readings of equal time are not late, the later one wins.
- A reading ahead of its receipt is **early**: it counts as of its receipt, else one wrong clock would make all that follows late.
- **Stale** goes by receipt: no reading for ``stale_after``, over with the next one.

What must not go in: NumPy, slots, storage, clocks.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from hazards.admission import Report
from hazards.messages import Action
from hazards.metrics import metric_of
from hazards.sensors import NO_LIMITS, Sensor, default_limits

MICROS = 1_000_000
NEVER = -1
"""Time of what has not happened."""
RISE_BASELINE = 100_000
"""µs: a rise within less counts as one within this, so that the noise of two readings at almost one moment is no rate (our default)."""


class Rule(StrEnum):
    """What can be wrong with one series; the value is the end of the alarm's kind."""

    HIGH_HIGH = "high_high"
    HIGH = "high"
    LOW = "low"
    LOW_LOW = "low_low"
    RISING = "rising"
    STALE = "stale"


LIMIT_RULES = (Rule.HIGH_HIGH, Rule.HIGH, Rule.LOW, Rule.LOW_LOW)


class Condition(Struct, omit_defaults=True):
    """One rule of one series that is not at rest, or was not long ago.

    ``beyond``: the trigger is on, since ``since`` (event µs). ``standing``: the alarm is raised and not yet cleared. ``onset``: when the
    condition of the alarm began, the alarm's identity. ``raised_at``, ``ended_at``: of the latest alarm. ``value``: what began it."""

    beyond: bool = False
    standing: bool = False
    since: int = NEVER
    onset: int = NEVER
    raised_at: int = NEVER
    ended_at: int = NEVER
    value: float = 0.0

    @property
    def at_rest(self) -> bool:
        """Neither on nor standing."""
        return not (self.beyond or self.standing)


class SeriesState(Struct, omit_defaults=True):
    """All that the rules remember of one series. ``last_at``: event time of the newest reading; ``last_received``: its receipt."""

    last_at: int = NEVER
    last_value: float = float("nan")
    last_received: int = NEVER
    conditions: dict[str, Condition] = field(default_factory=dict)


class Reading(Struct, frozen=True):
    """One reading for the rules: event time, value, receipt, and the pack it came in (a late pulse is told once a pack)."""

    at: int
    value: float
    received: int
    pack: int = 0


def limit_of(sensor: Sensor, rule: str) -> float | None:
    """The limit of ``rule``, in the sensor's unit (a rate: per second; stale: seconds); None: the sensor has no such rule."""
    if rule == Rule.RISING:
        return sensor.rate
    if rule == Rule.STALE:
        return None if sensor.stale_after is None else sensor.stale_after / MICROS
    limit: float | None = getattr(sensor.limits, rule)
    return limit


def take(sensor: Sensor, state: SeriesState, readings: Sequence[Reading]) -> list[Report]:
    """The reports of ``readings``, which came in this order; ``state`` changes in place."""
    machine = _Machine(sensor, state)
    for reading in readings:
        machine.take(reading)
    return machine.reports


def pass_time(sensor: Sensor, state: SeriesState, now: int, *, silent_from: int = NEVER) -> list[Report]:
    """What is discovered by ``now`` (UTC µs) without a reading: delays that are over, silence. All that was received until ``now`` has
    been taken. ``silent_from``: silence counts from here at the earliest, when somebody began to listen."""
    machine = _Machine(sensor, state)
    machine.end_delays(now)
    machine.notice_silence(now, silent_from)
    return machine.reports


def next_due(sensor: Sensor, state: SeriesState) -> int | None:
    """When a running delay of a limit ends: ``pass_time`` has work then. Silence is not part of it."""
    return min((due for rule, c in state.conditions.items() if (due := _due(sensor, rule, c)) is not None), default=None)


def change_rules(sensor: Sensor | None, old: Sensor, state: SeriesState, now: int, reason: str) -> list[Report]:
    """Clear what stands by a rule of ``old`` that ``sensor`` (None: removed) does not have any more, with ``reason``."""
    reports = []
    for rule, condition in list(state.conditions.items()):
        if sensor is not None and limit_of(sensor, rule) is not None:
            continue
        if condition.standing:
            reports.append(_report(old, rule, condition, Action.CLEARED, max(now, condition.raised_at), {"reason": reason}))
        del state.conditions[rule]
    return reports


class _Machine:
    """One series for the length of a call."""

    def __init__(self, sensor: Sensor, state: SeriesState) -> None:
        self.sensor, self.state = sensor, state
        self.reports: list[Report] = []
        self._told: set[tuple[int, str]] = set()

    def take(self, reading: Reading) -> None:
        self._heard(reading.received)
        at, state = min(reading.at, reading.received), self.state
        if at < state.last_at:
            self._tell_late(at, reading)
            return
        self.end_delays(at)
        for rule in LIMIT_RULES:
            limit = limit_of(self.sensor, rule)
            if limit is not None:
                self._see(rule, beyond(rule, reading.value, limit, self.sensor.deadband, self._is_on(rule)), at, reading.value)
        if self.sensor.rate is not None:
            rate = rise(state.last_at, state.last_value, at, reading.value)
            self._see(Rule.RISING, rate >= self.sensor.rate, at, rate)
        state.last_at, state.last_value = at, reading.value

    def _is_on(self, rule: str) -> bool:
        condition = self.state.conditions.get(rule)
        return condition is not None and condition.beyond

    def _see(self, rule: str, on: bool, at: int, value: float) -> None:
        """Move the trigger of ``rule``; a delay of zero is over at once."""
        condition = self.state.conditions.get(rule)
        if condition is None:
            if not on:
                return
            condition = self.state.conditions[rule] = Condition()
        if condition.beyond != on:
            condition.beyond, condition.since = on, at
            if on and not condition.standing:
                condition.onset = max(at, condition.onset + 1)  # two of equal time are two alarms
                condition.value = value
        self._end_delay(rule, condition, at)

    def end_delays(self, now: int) -> None:
        """Raise and clear what is due at ``now``, earliest first."""
        due = [(at, rule, c) for rule, c in self.state.conditions.items() if (at := _due(self.sensor, rule, c)) is not None and at <= now]
        for _, rule, condition in sorted(due, key=lambda d: d[:2]):
            self._end_delay(rule, condition, now)

    def _end_delay(self, rule: str, condition: Condition, now: int) -> None:
        due = _due(self.sensor, rule, condition)
        if due is None or due > now:
            return
        if condition.beyond:
            self._raise(rule, condition, due)
        else:
            self._clear(rule, condition, max(due, condition.raised_at))

    def _raise(self, rule: str, condition: Condition, at: int) -> None:
        condition.standing, condition.raised_at = True, at
        self.reports.append(_report(self.sensor, rule, condition, Action.RAISED, at))

    def _clear(self, rule: str, condition: Condition, at: int) -> None:
        condition.standing, condition.ended_at = False, at
        self.reports.append(_report(self.sensor, rule, condition, Action.CLEARED, at))

    # --- silence ---

    def _heard(self, received: int) -> None:
        if received <= self.state.last_received:
            return
        self.notice_silence(received, NEVER)
        self.state.last_received = received
        condition = self.state.conditions.get(Rule.STALE)
        if condition is not None and condition.standing:
            condition.beyond = False
            self._clear(Rule.STALE, condition, max(received, condition.raised_at))

    def notice_silence(self, now: int, silent_from: int) -> None:
        after, heard = self.sensor.stale_after, self.state.last_received
        if after is None or heard == NEVER or now < max(heard, silent_from) + after:
            return
        condition = self.state.conditions.setdefault(Rule.STALE, Condition())
        if not condition.standing:
            condition.beyond, condition.since, condition.onset = True, heard, heard
            condition.value = after / MICROS
            self._raise(Rule.STALE, condition, max(heard, silent_from) + after)

    # --- late ---

    def _tell_late(self, at: int, reading: Reading) -> None:
        """A pulse for each rule that a late reading would have raised at once and that did not stand then anyway."""
        if self.sensor.on_delay:
            return
        for rule in LIMIT_RULES:
            limit = limit_of(self.sensor, rule)
            if limit is None or not beyond(rule, reading.value, limit, 0.0, on=False):
                continue
            condition = self.state.conditions.get(rule) or Condition()
            known = condition.onset <= at and (condition.standing or at <= condition.ended_at)
            if known or (reading.pack, rule) in self._told:
                continue
            self._told.add((reading.pack, rule))
            told = Condition(onset=at, value=reading.value)
            self.reports.append(_report(self.sensor, rule, told, Action.PULSE, at, {"late": True}))


def beyond(rule: str, value: float, limit: float, deadband: float, on: bool) -> bool:
    """Whether the trigger of ``rule``, now ``on`` or off, is on after ``value``. At the limit is beyond it."""
    if rule in (Rule.HIGH, Rule.HIGH_HIGH):
        return value >= (limit - deadband if on else limit)
    return value <= (limit + deadband if on else limit)


def rise(last_at: int, last_value: float, at: int, value: float) -> float:
    """Rise per second between two readings; NaN, which is never beyond, before the second one."""
    return (value - last_value) / (max(at - last_at, RISE_BASELINE) / MICROS)


def _due(sensor: Sensor, rule: str, condition: Condition) -> int | None:
    """When the delay that runs for ``condition`` is over; None: none runs."""
    if rule == Rule.STALE or condition.beyond == condition.standing:
        return None
    return condition.since + (sensor.on_delay if condition.beyond else sensor.off_delay)


def kind_of_rule(sensor: Sensor, rule: str) -> str:
    """The kind of the alarm of ``rule``, of ``hazards/kinds.py``."""
    return "sensor_stale" if rule == Rule.STALE else f"{sensor.metric}_{rule}"


def _report(sensor: Sensor, rule: str, condition: Condition, action: Action, at: int, more: dict[str, Any] | None = None) -> Report:
    kind, limit = kind_of_rule(sensor, rule), limit_of(sensor, rule)
    details: dict[str, Any] = {"rule": rule, "limit": limit, "unit": _unit(sensor, rule), "basis": basis_of(sensor, rule)}
    if rule != Rule.STALE:
        details |= {"value": condition.value, "metric": sensor.metric}
    return Report(
        source=f"rule/{kind}", source_id=f"{sensor.device}/{sensor.metric}/{condition.onset}/{action}", device=sensor.device, kind=kind,
        action=action, at=at, message=_message(sensor, rule, condition, limit), zone=sensor.zone, timed=True,
        details=details | (more or {}),
    )  # fmt: skip


def _unit(sensor: Sensor, rule: str) -> str:
    return "s" if rule == Rule.STALE else f"{sensor.unit}/s" if rule == Rule.RISING else sensor.unit


def basis_of(sensor: Sensor, rule: str) -> str:
    """Where the limit comes from: the site's file, or what the platform takes for a metric without any of its own."""
    if rule in LIMIT_RULES and sensor.limits != NO_LIMITS and sensor.limits == default_limits(sensor.metric, sensor.unit):
        return "platform_default"
    return "site"


_WORDS: dict[str, tuple[str, str]] = {  # beyond, exactly at
    Rule.HIGH_HIGH: ("高于高高限", "达到高高限"), Rule.HIGH: ("高于", "达到"),
    Rule.LOW: ("低于", "降至"), Rule.LOW_LOW: ("低于低低限", "降至低低限"), Rule.RISING: ("高于", "达到"),
}  # fmt: skip


def _message(sensor: Sensor, rule: str, condition: Condition, limit: float | None) -> str:
    """In the words of the catalogue: what, how much, which limit."""
    name = metric_of(sensor.metric).chinese
    if rule == Rule.STALE:
        return f"{name}数据中断超过 {limit or 0:g} 秒"
    what = f"{name}上升速率" if rule == Rule.RISING else name
    words = _WORDS[rule][condition.value == limit]
    return f"{what} {condition.value:.6g} {_unit(sensor, rule)} {words} {limit or 0:g}".replace("  ", " ")


