"""The rules of ``hazards/limits.py`` over very many series at once: arrays say which few series a batch can change. Pure.

Each series has a band of values within which nothing changes, whatever stands; only series that leave it, whose delay or window is
over, whose rise or silence changes, or whose readings are in disorder go through the plain machine. A standing alarm whose
readings stay beyond the limit is as quiet as no alarm. A band holds until other rules are armed: that time, too, is due.
What must not go in: semantics of a rule, names, storage.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from hazards import limits
from hazards.admission import Report
from hazards.limits import NEVER, Condition, Reading, SeriesState
from hazards.rules import Comparison
from hazards.sensor_rules import FAR, MICROS, RISE_BASELINE, SensorRule, is_armed
from hazards.sensors import Sensor, rules_of
from hazards.series_batch import Batch, Flags
from hazards.telemetry import Floats, Int64s

_HOUR = 3600 * MICROS
OF_A_TICK = 5000
"""Slots that one tick looks at; nobody else has a turn meanwhile."""
TIMES, VALUES = 4, 4
_LAST_AT, _LAST_RECEIVED, _DUE, _SILENCE = range(TIMES)
_LAST_VALUE, _FLOOR, _CEILING, _RATE = range(VALUES)
_NO_TIMES = np.array([NEVER, NEVER, FAR, FAR], np.int64)
_NO_VALUES = np.array([math.nan, -math.inf, math.inf, math.inf])


class LimitTable:
    """Rule states by slot. ``times`` and ``values`` hold one row a series: one line of the processor's cache each.

    ``_SILENCE``: µs without a receipt that make stale, -1 while it stands. ``_RATE``: per second, negative while rising stands on."""

    def __init__(self, capacity: int = 256) -> None:
        self.times = np.empty((0, TIMES), np.int64)
        self.values = np.empty((0, VALUES), np.float64)
        self.sensors: list[Sensor | None] = []
        self.conditions: dict[int, dict[str, Condition]] = {}
        self.grow(capacity)

    def grow(self, capacity: int) -> None:
        """Room for ``capacity`` slots."""
        more = capacity - len(self.times)
        self.times = np.concatenate([self.times, np.tile(_NO_TIMES, (more, 1))])
        self.values = np.concatenate([self.values, np.tile(_NO_VALUES, (more, 1))])
        self.sensors.extend([None] * more)

    @property
    def last_at(self) -> Int64s:
        """Newest event time of every slot."""
        return self.times[:, _LAST_AT]

    @property
    def last_received(self) -> Int64s:
        """Newest receipt of every slot."""
        return self.times[:, _LAST_RECEIVED]

    @property
    def last_value(self) -> Floats:
        """Value of the newest reading of every slot; NaN before the first."""
        return self.values[:, _LAST_VALUE]

    def hear(self, slot: int, received: int) -> None:
        """Silence of ``slot`` counts from ``received``."""
        self.times[slot, _LAST_RECEIVED] = received

    def clear(self, slot: int) -> None:
        """``slot`` is nobody's."""
        self.times[slot], self.values[slot] = _NO_TIMES, _NO_VALUES
        self.sensors[slot] = None
        self.conditions.pop(slot, None)

    def state(self, slot: int) -> SeriesState:
        """The state of ``slot`` for the plain machine; put it back with ``store``."""
        last_at, last_received = self.times[slot, _LAST_AT], self.times[slot, _LAST_RECEIVED]
        return SeriesState(int(last_at), float(self.values[slot, _LAST_VALUE]), int(last_received), self.conditions.get(slot) or {})

    def store(self, slot: int, sensor: Sensor | None, state: SeriesState, passed: int = NEVER) -> None:
        """Keep ``state``, and work out within what nothing changes. ``passed``: until when time was let pass, if beyond the newest reading:
        a reading may still be older, so where other rules were armed between the two every one is looked at."""
        self.sensors[slot] = sensor
        if state.conditions:
            self.conditions[slot] = state.conditions
        else:
            self.conditions.pop(slot, None)
        if sensor is None:
            self.times[slot] = state.last_at, state.last_received, FAR, FAR
            self.values[slot] = state.last_value, -math.inf, math.inf, math.inf
            return
        rules = rules_of(sensor)
        due, edge = limits.next_due(rules, state), limits.next_edge(rules, max(state.last_at, passed))
        armed = [rule for rule in rules if is_armed(rule.windows, state.last_at)]
        quiet = band(armed, state) if edge == limits.next_edge(rules, state.last_at) else _NOTHING
        rates = [rule for rule in armed if rule.by_rate]
        self.times[slot] = state.last_at, state.last_received, min(FAR if due is None else due, edge), _silence(rules, state)
        self.values[slot] = state.last_value, *(quiet if len(rates) <= 1 else _NOTHING), _rate(rates, state)

    def take(self, batch: Batch) -> list[Report]:
        """The reports of ``batch``, by series."""
        times, values = self.times[batch.slots], self.values[batch.slots]
        last = batch.ends - 1
        received = np.maximum.reduceat(batch.received, batch.starts)
        moved = np.minimum.reduceat(batch.value, batch.starts) < values[:, _FLOOR]
        moved |= np.maximum.reduceat(batch.value, batch.starts) > values[:, _CEILING]
        moved |= batch.at[last] >= times[:, _DUE]
        moved |= received - times[:, _LAST_RECEIVED] >= times[:, _SILENCE]
        moved |= batch.disordered
        if np.isfinite(values[:, _RATE]).any():
            moved |= _rate_changes(batch, values)
        times[:, _LAST_AT], values[:, _LAST_VALUE] = batch.at[last], batch.value[last]
        times[:, _LAST_RECEIVED] = np.maximum(times[:, _LAST_RECEIVED], received)
        if not moved.any():
            self.times[batch.slots], self.values[batch.slots] = times, values
            return []
        still = ~moved
        self.times[batch.slots[still]], self.values[batch.slots[still]] = times[still], values[still]
        return [report for number in np.flatnonzero(moved) for report in self._take_plainly(batch, int(number))]

    def _take_plainly(self, batch: Batch, number: int) -> list[Report]:
        """Through the plain machine: all readings of a series that is in disorder, else only those that change something."""
        slot, begin, end = int(batch.slots[number]), int(batch.starts[number]), int(batch.ends[number])
        if batch.disordered[number]:
            return self._take_each(slot, batch, slice(begin, end))
        reports = list[Report]()
        while begin < end:
            quiet = self._quiet_readings(slot, batch.at[begin:end], batch.value[begin:end], batch.received[begin:end])
            if quiet:
                self._note_newest(slot, batch, slice(begin, begin + quiet))
                begin += quiet
            if begin < end:
                reports += self._take_each(slot, batch, slice(begin, begin + 1))
                begin += 1
        return reports

    def _take_each(self, slot: int, batch: Batch, part: slice) -> list[Report]:
        columns = batch.at[part], batch.value[part], batch.received[part], batch.pack[part]
        readings = [Reading(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]
        state, sensor = self.state(slot), self.sensors[slot]
        reports = limits.take(sensor if sensor is not None else _NOBODY, state, readings)
        self.store(slot, sensor, state)
        return reports

    def _note_newest(self, slot: int, batch: Batch, part: slice) -> None:
        self.times[slot, _LAST_AT], self.values[slot, _LAST_VALUE] = batch.at[part][-1], batch.value[part][-1]
        self.times[slot, _LAST_RECEIVED] = max(self.times[slot, _LAST_RECEIVED], batch.received[part].max())

    def _quiet_readings(self, slot: int, at: Int64s, value: Floats, received: Int64s) -> int:
        """How many of the readings in order come before the first that changes something: ``take`` for one series."""
        last_at, last_received, due, silence = self.times[slot].tolist()
        last_value, floor, ceiling, rate = self.values[slot].tolist()
        moved = (value < floor) | (value > ceiling) | (at >= due)
        if silence != FAR:
            heard = np.maximum.accumulate(np.concatenate(([last_received], received)))
            moved |= received - heard[:-1] >= silence
        if math.isfinite(rate):
            steps = np.maximum(np.diff(at, prepend=last_at), RISE_BASELINE) / MICROS
            moved |= (np.diff(value, prepend=last_value) / steps >= abs(rate)) != (rate < 0)
        first = int(moved.argmax())
        return first if moved[first] else len(at)

    def tick(self, now: Int64s, silent_from: int) -> tuple[list[Report], list[int]]:
        """Reports that ``now`` (of every slot) discovers, and the slots they changed. See ``hazards.limits.pass_time``.

        Where more than ``OF_A_TICK`` slots are due, at the beginning of a schedule say, the others are left to the next tick."""
        quiet_for = now - np.maximum(self.times[:, _LAST_RECEIVED], silent_from)
        silence = self.times[:, _SILENCE]
        heard = self.times[:, _LAST_RECEIVED] != NEVER
        found = (self.times[:, _DUE] <= now) | ((silence >= 0) & (quiet_for >= silence) & heard)
        reports, slots = list[Report](), np.flatnonzero(found).tolist()
        if len(slots) > OF_A_TICK:
            slots = sorted(slots, key=lambda slot: slot not in self.conditions)[:OF_A_TICK]  # what may be an alarm goes first
        for slot in slots:
            state, sensor = self.state(slot), self.sensors[slot]
            if sensor is not None:
                reports += limits.pass_time(sensor, state, int(now[slot]), silent_from=silent_from)
                self.store(slot, sensor, state, int(now[slot]))
        return reports, slots

    def change(self, slot: int, sensor: Sensor | None, now: int, reason: str) -> list[Report]:
        """``sensor`` stands for ``slot`` from now on; what stood by a rule that is gone is cleared with ``reason``."""
        state, old = self.state(slot), self.sensors[slot]
        reports = limits.change_rules(sensor, old, state, now, reason) if old is not None else []
        self.store(slot, sensor, state)
        return reports

    def stale(self) -> list[int]:
        """Slots whose silence is an alarm that stands."""
        found = []
        for slot, conditions in self.conditions.items():
            rules = rules_of(sensor) if (sensor := self.sensors[slot]) is not None else ()
            if any(r.compares is Comparison.STALE and (c := conditions.get(r.key)) is not None and c.standing for r in rules):
                found.append(slot)
        return found

    def forget_old(self, slots: Iterable[int]) -> None:
        """Drop what is remembered of alarms that ended over an hour before the newest reading: no late one is told apart by them."""
        for slot in slots:
            conditions = self.conditions.get(slot)
            if conditions and all(c.at_rest and c.ended_at + _HOUR < self.times[slot, _LAST_AT] for c in conditions.values()):
                del self.conditions[slot]


_NOBODY = Sensor(series="", device="", metric="", zone="")
"""Stands for a series that nobody registered: it has no rules."""
_NOTHING = (math.inf, -math.inf)
"""The band in which no value lies."""


def _silence(rules: Sequence[SensorRule], state: SeriesState) -> int:
    rule = next((rule for rule in rules if rule.compares is Comparison.STALE), None)
    return FAR if rule is None else -1 if _holds(state, rule) else rule.silence


def _rate(rates: Sequence[SensorRule], state: SeriesState) -> float:
    if len(rates) != 1:
        return math.inf
    return -rates[0].rate if _holds(state, rates[0]) else rates[0].rate


def _holds(state: SeriesState, rule: SensorRule) -> bool:
    condition = state.conditions.get(rule.key)
    return condition is not None and condition.beyond


def band(rules: Sequence[SensorRule], state: SeriesState) -> tuple[float, float]:
    """(floor, ceiling), both inside: values that change no trigger of ``rules``. The other half of ``hazards.sensor_rules.beyond``.

    Where that is not one stretch, it is the one in which the newest value lies, or nothing."""
    floor, ceiling = -math.inf, math.inf
    for rule in rules:
        if rule.by_rate or rule.compares is Comparison.STALE:
            continue
        low, high = _band_of(rule, on=_holds(state, rule), newest=state.last_value)
        floor, ceiling = max(floor, low), min(ceiling, high)
    return floor, ceiling


def _band_of(rule: SensorRule, *, on: bool, newest: float) -> tuple[float, float]:
    match rule.compares:
        case Comparison.HIGH | Comparison.HIGH_HIGH | Comparison.CONSUMPTION:
            return (rule.limit - rule.deadband, math.inf) if on else (-math.inf, _below(rule.limit))
        case Comparison.LOW | Comparison.LOW_LOW:
            return (-math.inf, rule.limit + rule.deadband) if on else (_above(rule.limit), math.inf)
        case Comparison.STATE if on:
            return rule.limit, rule.limit
        case Comparison.STATE:
            above, below = newest > rule.limit, newest < rule.limit
            return (_above(rule.limit), math.inf) if above else (-math.inf, _below(rule.limit)) if below else _NOTHING
        case _ if on:
            upper, lower = rule.high - rule.deadband, rule.low + rule.deadband
            return (upper, math.inf) if newest >= upper else (-math.inf, lower) if newest <= lower else _NOTHING
    return _above(rule.low), _below(rule.high)


def _above(limit: float) -> float:
    return math.nextafter(limit, math.inf)


def _below(limit: float) -> float:
    return math.nextafter(limit, -math.inf)


def _rate_changes(batch: Batch, values: Floats) -> Flags:
    """Series whose rise crosses their rate, in either direction, with any reading (m)."""
    before = np.empty_like(batch.value)
    before[1:] = batch.value[:-1]
    before[batch.starts] = values[:, _LAST_VALUE]
    rise = (batch.value - before) / (np.maximum(batch.at - batch.previous_at, RISE_BASELINE) / MICROS)
    rate = values[batch.number, _RATE]
    changes = (rise >= np.abs(rate)) != (rate < 0)
    return np.logical_or.reduceat(changes, batch.starts) if changes.any() else np.zeros(len(batch.slots), np.bool_)
