"""When a reading is an alarm: limits, deviation, state, rise and silence, with deadband, delays and windows, for one series. Pure.

This plain machine is the specification; ``hazards/limit_table.py`` finds the few series that need it among very many.
Readings are taken one at a time in the order they came, by event time:

- A condition (Schmitt trigger) begins at its limit and ends beyond limit -/+ deadband. It is believed to hold until the next reading
  (sample and hold). The alarm is raised ``on_delay`` after the condition began, cleared ``off_delay`` after it ended; a reading that
  comes later, or a tick, only discovers that. What is discovered never depends on how many readings came together.
- A rule with **windows** judges readings whose event time lies in one. At the end of a window its condition is over, and what it raised is
  cleared then, whatever the off-delay, with the reason; at the beginning nothing happens before the next reading.
- A reading older than the newest of its series is **late**: it moves nothing. Beyond a limit that has no on-delay, and outside the alarm
  that is known, it is told as a pulse. Readings of equal time are not late, the later one wins.
- A reading ahead of its receipt is **early**: it counts as of its receipt, else one wrong clock would make all that follows late.
- **Stale** goes by receipt: no reading for its limit, over with the next one.

What must not go in: NumPy, slots, storage, clocks, words (``hazards/limit_reports.py``).
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field

from hazards.admission import Report
from hazards.limit_reports import report_of
from hazards.messages import Action, Lapse
from hazards.rules import Comparison
from hazards.sensor_rules import FAR, SensorRule, beyond, end_of_window, is_armed, next_boundary, rise
from hazards.sensors import Sensor, rules_of

NEVER = -1
"""Time of what has not happened."""
"""Reason of a clearing: the rule is no longer armed."""


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
    """All that the rules remember of one series. ``last_at``: event time of the newest reading; ``last_received``: its receipt.

    ``conditions``: by the key of their rule."""

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


def take(sensor: Sensor, state: SeriesState, readings: Sequence[Reading]) -> list[Report]:
    """The reports of ``readings``, which came in this order; ``state`` changes in place."""
    machine = _Machine(sensor, state)
    for reading in readings:
        machine.take(reading)
    return machine.reports


def pass_time(sensor: Sensor, state: SeriesState, now: int, *, silent_from: int = NEVER) -> list[Report]:
    """What is discovered by ``now`` (UTC µs) without a reading: delays and windows that are over, silence. All that was received until
    ``now`` has been taken. ``silent_from``: silence counts from here at the earliest, when somebody began to listen."""
    machine = _Machine(sensor, state)
    machine.advance(now)
    machine.notice_silence(now, silent_from)
    return machine.reports


def next_due(rules: Sequence[SensorRule], state: SeriesState) -> int | None:
    """When a running delay or the window of a condition ends: ``pass_time`` has work then. Silence is not part of it."""
    if not state.conditions:
        return None
    found = min((_next_change(r, c) for r in rules if (c := state.conditions.get(r.key)) is not None), default=FAR)
    return found if found < FAR else None


def next_edge(rules: Sequence[SensorRule], after: int) -> int:
    """The first time after ``after`` at which other rules are armed; FAR for never."""
    return min((next_boundary(rule.windows, after) for rule in rules if rule.windows is not None), default=FAR)


def change_rules(sensor: Sensor | None, old: Sensor, state: SeriesState, now: int, reason: str) -> list[Report]:
    """Clear what stands by a rule of ``old`` that ``sensor`` (None: removed) does not have any more, with ``reason``. Where another rule
    has taken its place, for the same kind of alarm by the same comparison, the alarm goes on under that one."""
    reports, before = [], {rule.key: rule for rule in rules_of(old)}
    after = {rule.key: rule for rule in rules_of(sensor)} if sensor is not None else {}
    for key, condition in list(state.conditions.items()):
        rule = before.get(key)
        if rule is not None and (same := after.get(key)) is not None and _is_like(same, rule):
            continue
        del state.conditions[key]
        heirs = [h for h in after.values() if rule is not None and _is_like(h, rule) and h.key not in before]
        heir = next((h for h in heirs if h.key not in state.conditions and is_armed(h.windows, condition.since)), None)
        if heir is not None:
            state.conditions[heir.key] = condition
        elif rule is not None and condition.standing:
            at = max(now, condition.raised_at)
            reports.append(report_of(old, rule, condition.onset, condition.value, Action.CLEARED, at, {"reason": reason}))
    return reports


def _is_like(rule: SensorRule, other: SensorRule) -> bool:
    return (rule.compares, rule.kind) == (other.compares, other.kind)


class _Machine:
    """One series for the length of a call."""

    def __init__(self, sensor: Sensor, state: SeriesState) -> None:
        self.sensor, self.state = sensor, state
        self.reports: list[Report] = []
        everything = rules_of(sensor)
        self._rules = [rule for rule in everything if rule.compares is not Comparison.STALE]
        self._stale = next((rule for rule in everything if rule.compares is Comparison.STALE), None)
        self._told: set[tuple[int, str]] = set()

    def take(self, reading: Reading) -> None:
        self._heard(reading.received)
        at, state = min(reading.at, reading.received), self.state
        if at < state.last_at:
            self._tell_late(at, reading)
            return
        if state.conditions:
            self.advance(at)
        for rule in self._rules:
            if not is_armed(rule.windows, at):
                continue
            if rule.by_rate:
                rate = rise(state.last_at, state.last_value, at, reading.value)
                self._see(rule, rate >= rule.rate, at, rate * 3600 if rule.hourly else rate)
            else:
                self._see(rule, beyond(rule, reading.value, on=self._is_on(rule)), at, reading.value)
        state.last_at, state.last_value = at, reading.value

    def _is_on(self, rule: SensorRule) -> bool:
        condition = self.state.conditions.get(rule.key)
        return condition is not None and condition.beyond

    def _see(self, rule: SensorRule, on: bool, at: int, value: float) -> None:
        """Move the trigger of ``rule``; a delay of zero is over at once."""
        condition = self.state.conditions.get(rule.key)
        if condition is None:
            if not on:
                return
            condition = self.state.conditions[rule.key] = Condition()
        if condition.beyond != on and at >= condition.since:  # else a tick has ended its window, and it is not begun anew before that
            condition.beyond, condition.since = on, at
            if on and not condition.standing:
                condition.onset = max(at, condition.onset + 1)  # two of equal time are two alarms
                condition.value = value
        if _next_change(rule, condition) <= at:
            self._change(rule, condition)

    def advance(self, now: int) -> None:
        """Raise, clear and disarm what is due at ``now``, earliest first."""
        waiting = [(rule, c) for rule in self._rules if (c := self.state.conditions.get(rule.key)) is not None]
        while waiting:
            at, _, rule, condition = min(((_next_change(r, c), r.key, r, c) for r, c in waiting), key=lambda due: due[:2])
            if at > now:
                return
            self._change(rule, condition)

    def _change(self, rule: SensorRule, condition: Condition) -> None:
        """What happens next to ``condition``, now that it is time."""
        at = _next_change(rule, condition)
        if not condition.beyond:
            self._clear(rule, condition, max(at, condition.raised_at))
        elif at < end_of_window(rule.windows, condition.since):
            condition.standing, condition.raised_at = True, at
            self._report(rule, condition, Action.RAISED, at)
        else:
            condition.beyond, condition.since = False, at
            if condition.standing:
                self._clear(rule, condition, max(at, condition.raised_at), {"reason": Lapse.WINDOW_ENDED.value})

    def _clear(self, rule: SensorRule, condition: Condition, at: int, more: dict[str, Any] | None = None) -> None:
        condition.standing, condition.ended_at = False, at
        self._report(rule, condition, Action.CLEARED, at, more)

    def _report(self, rule: SensorRule, condition: Condition, action: Action, at: int, more: dict[str, Any] | None = None) -> None:
        self.reports.append(report_of(self.sensor, rule, condition.onset, condition.value, action, at, more))

    # --- silence ---

    def _heard(self, received: int) -> None:
        if received <= self.state.last_received:
            return
        self.notice_silence(received, NEVER)
        self.state.last_received = received
        condition = self.state.conditions.get(self._stale.key) if self._stale is not None else None
        if self._stale is not None and condition is not None and condition.standing:
            condition.beyond = False
            self._clear(self._stale, condition, max(received, condition.raised_at))

    def notice_silence(self, now: int, silent_from: int) -> None:
        rule, heard = self._stale, self.state.last_received
        if rule is None or heard == NEVER or now < max(heard, silent_from) + rule.silence:
            return
        condition = self.state.conditions.setdefault(rule.key, Condition())
        if not condition.standing:
            condition.beyond, condition.since, condition.onset, condition.value = True, heard, heard, rule.limit
            condition.standing, condition.raised_at = True, max(heard, silent_from) + rule.silence
            self._report(rule, condition, Action.RAISED, condition.raised_at)

    # --- late ---

    def _tell_late(self, at: int, reading: Reading) -> None:
        """A pulse for each rule that a late reading would have raised at once and that did not stand then anyway."""
        for rule in self._rules:
            if rule.on_delay or rule.by_rate or not is_armed(rule.windows, at) or not beyond(rule, reading.value, on=False):
                continue
            condition = self.state.conditions.get(rule.key) or Condition()
            known = condition.onset <= at and (condition.standing or at <= condition.ended_at)
            if known or (reading.pack, rule.key) in self._told:
                continue
            self._told.add((reading.pack, rule.key))
            self.reports.append(report_of(self.sensor, rule, at, reading.value, Action.PULSE, at, {"late": True}))


def _next_change(rule: SensorRule, condition: Condition) -> int:
    """When the delay that runs for ``condition`` or its window is over; FAR: never."""
    if rule.compares is Comparison.STALE:
        return FAR
    if not condition.beyond:
        return condition.since + rule.off_delay if condition.standing else FAR
    end = end_of_window(rule.windows, condition.since)
    return end if condition.standing else min(end, condition.since + rule.on_delay)
