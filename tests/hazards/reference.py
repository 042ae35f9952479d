"""Merging once more, plainly and slowly, to compare with: the whole rule of grouping on one page, without states or bytes.

It is written from the documentation (docs/merging.md) and shares no code with ``hazards/merging.py`` but the names of kinds and their
families. It knows what grouping depends on: ids, delays, latches, the regroup window, floods, what does not count towards a flood; and
which incidents wait for an answer, whatever is declared.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from hazards.kinds import group_of, kind_of
from hazards.messages import Action, Signal
from hazards.zones import AlarmTiming

MINUTE = 60 * 1_000_000
FAMILY_OF_FLOOD = "flood"


@dataclass
class PlainIncident:
    """``ids``: of its signals. ``present``: alarms that are not over."""

    group: str
    opened_at: int
    ids: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    cleared_at: int | None = None
    sounded: bool = False
    over: bool = False
    acknowledged: bool = False
    severity: int = 4


@dataclass
class PlainAlarm:
    """``is_on``: it counts as present. ``raising``, ``clearing``: a delay runs until ``due``."""

    device: str
    kind: str
    is_on: bool = False
    raising: bool = False
    clearing: bool = False
    latched: bool = False
    due: int | None = None
    last_at: int = 0
    last_received: int = 0
    ended_at: int | None = None
    incident: PlainIncident | None = None
    held: set[str] = field(default_factory=set)  # sources that raised it and have not ended it
    calls: bool = False  # it has called people, and nobody has acknowledged it since


class Reference:
    """One zone. ``timing_of``: by device; ``quiet``: whether a signal's alarm is declared away (device, kind, at)."""

    def __init__(self, timing_of: Callable[[str], AlarmTiming], quiet: Callable[[str, str, int], bool] = lambda *_: False) -> None:
        self.timing_of, self.quiet = timing_of, quiet
        self.seen: set[str] = set()
        self.alarms: dict[str, PlainAlarm] = {}
        self.incidents: list[PlainIncident] = []
        self.new_alarms: list[int] = []
        self.in_flood = False

    def groups(self) -> set[frozenset[str]]:
        """Which ids are together."""
        return {frozenset(incident.ids) for incident in self.incidents}

    def standing(self) -> set[str]:
        """Keys of the alarms that are not over."""
        return {key for key, alarm in self.alarms.items() if alarm.is_on or alarm.raising}

    # --- what happens ---

    def take(self, signal: Signal) -> None:
        """A signal is consumed; one that came before has no effect."""
        if signal.id in self.seen:
            return
        self.seen.add(signal.id)
        key, at = f"{signal.device} {signal.kind}", min(signal.at, signal.received_at)
        alarm = self.alarms.setdefault(key, PlainAlarm(signal.device, signal.kind))
        incident = self._where_it_is(alarm)
        if incident is not None:
            self._let_delays_end(incident, at)
        late = self._is_late(alarm, signal, at)
        rises = signal.action is not Action.CLEARED and not alarm.is_on and not late
        if not late and not self._goes_on(alarm, signal):
            self._move(alarm, signal.action, at, self._timing(signal))
            alarm.last_at, alarm.last_received = at, signal.received_at
        if rises and incident is not None:
            self._let_go(incident, at - 1)
            own = group_of(kind_of(signal.kind).family)
            if incident.group != own and (incident.over or (incident.group == FAMILY_OF_FLOOD and self._stands_alone(signal))):
                incident = self._newest_now(own, at)
        flooded = rises and not self._says_nothing(alarm, at) and self._count(signal.received_at)
        if incident is None or (rises and incident.over):
            incident = self._new_or_flood(signal, at, flooded)
        if rises and signal.kind.startswith("methane_high"):
            incident.acknowledged = False  # nobody has heard of this one
        if rises and alarm.incident is not incident:
            alarm.calls = False
        if rises or alarm.incident is None:
            alarm.incident = incident
        incident.ids.append(signal.id)
        if rises and not alarm.raising:
            self._call(alarm, incident, at)
        self._keep_up(incident, key, alarm, at, sounds=rises and not alarm.raising)
        if signal.action is Action.CLEARED and len(incident.ids) == 1 and not incident.present:
            incident.over = True

    def _timing(self, signal: Signal) -> AlarmTiming:
        """A rule has waited itself; methane over its limit waits for nothing."""
        timing = self.timing_of(signal.device)
        if signal.timed:
            return AlarmTiming(latching=timing.latching)
        return AlarmTiming(0, timing.off_delay, timing.latching) if signal.kind.startswith("methane_high") else timing

    def tick(self, now: int) -> None:
        """Time passes."""
        for incident in self.incidents:
            self._let_delays_end(incident, now)
            for key in incident.present:
                self._call(self.alarms[key], incident, now)
            if incident.acknowledged:
                for key in list(incident.present):
                    if self.alarms[key].latched:
                        self.alarms[key].latched = self.alarms[key].is_on = False
                        self._keep_up(incident, key, self.alarms[key], now, sounds=False)
            self._let_go(incident, now)

    def acknowledge(self, signal: str) -> None:
        """Somebody acknowledges the incident that ``signal`` is in."""
        incident = next(i for i in self.incidents if signal in i.ids)
        incident.acknowledged = True
        for alarm in self.alarms.values():
            alarm.calls = alarm.calls and alarm.incident is not incident

    def waits_for_an_answer(self, signal: str) -> bool:
        """Whether an alarm of the incident that ``signal`` is in has called people, and nobody has acknowledged it since.

        Left out: frozen pictures, which another alarm may explain, and methane, of which a calibration is but a label."""
        return any(
            alarm.calls and alarm.kind not in ("frozen", "methane_high")
            for alarm in self.alarms.values() if alarm.incident is not None and signal in alarm.incident.ids
        )  # fmt: skip

    def _call(self, alarm: PlainAlarm, incident: PlainIncident, at: int) -> None:
        alarm.calls = alarm.calls or (not alarm.raising and not incident.acknowledged and not self._says_nothing(alarm, at))

    # --- where it goes ---

    def _where_it_is(self, alarm: PlainAlarm) -> PlainIncident | None:
        if alarm.incident is not None and not alarm.incident.over:
            return alarm.incident
        group = group_of(kind_of(alarm.kind).family)
        return self._newest(group)

    def _newest(self, group: str) -> PlainIncident | None:
        return next((i for i in reversed(self.incidents) if i.group == group), None)

    def _newest_now(self, group: str, at: int) -> PlainIncident | None:
        incident = self._newest(group)
        if incident is not None:
            self._let_delays_end(incident, at)
            self._let_go(incident, at - 1)
        return incident

    def _new_or_flood(self, signal: Signal, at: int, flooded: bool) -> PlainIncident:
        group = group_of(kind_of(signal.kind).family)
        if flooded and not self._stands_alone(signal):
            group, flood = FAMILY_OF_FLOOD, self._newest_now(FAMILY_OF_FLOOD, at)
            if flood is not None and not flood.over:
                return flood
        self.incidents.append(PlainIncident(group, at))
        return self.incidents[-1]

    # --- floods ---

    def _stands_alone(self, signal: Signal) -> bool:
        kind = kind_of(signal.kind)
        return (signal.severity or kind.severity) == 1 or kind.family in ("fire", "heat", "gas")

    def _count(self, received: int) -> bool:
        self.new_alarms = [t for t in self.new_alarms if t > received - 10 * MINUTE]
        if self.in_flood and len(self.new_alarms) < 5:
            self.in_flood = False
        self.new_alarms.append(received)
        self.in_flood = self.in_flood or len(self.new_alarms) > 10
        return self.in_flood

    def _says_nothing(self, alarm: PlainAlarm, at: int) -> bool:
        if self.quiet(alarm.device, alarm.kind, at):
            return True
        cause = self.alarms.get(f"{alarm.device} camera_offline")
        if alarm.kind != "frozen" or cause is None or cause.incident is None:
            return False
        return cause.is_on or cause.last_at + 2 * MINUTE > at

    # --- one alarm ---

    def _is_late(self, alarm: PlainAlarm, signal: Signal, at: int) -> bool:
        older = at < alarm.last_at, signal.received_at < alarm.last_received
        return any(older) if signal.action is Action.CLEARED else all(older)

    def _goes_on(self, alarm: PlainAlarm, signal: Signal) -> bool:
        """Whether a rule was but withdrawn and another source has raised it, too; or a device says that it is over and a rule does not."""
        if signal.action is Action.RAISED:
            alarm.held.add(signal.source)
        elif signal.action is Action.CLEARED:
            alarm.held.discard(signal.source)
            if "reason" not in signal.details:
                alarm.held &= set() if signal.timed else {"rule"}
            return bool(alarm.held)
        return False

    def _move(self, alarm: PlainAlarm, action: Action, at: int, timing: AlarmTiming) -> None:
        if action is Action.CLEARED:
            if alarm.raising:
                alarm.raising, alarm.due = False, None
            elif alarm.is_on and not alarm.clearing and not alarm.latched:
                self._begin_to_clear(alarm, at, timing)
        elif action is Action.RAISED:
            if alarm.is_on:
                alarm.clearing, alarm.latched, alarm.due = False, False, None
            elif not alarm.raising:
                alarm.raising, alarm.due = True, at + timing.on_delay
        elif alarm.raising:
            alarm.due = at + timing.on_delay  # a pulse begins the delay anew
        elif not alarm.is_on or alarm.clearing:
            alarm.is_on = True
            self._begin_to_clear(alarm, at, timing)
        self._end_delay(alarm, at, timing)

    def _begin_to_clear(self, alarm: PlainAlarm, at: int, timing: AlarmTiming) -> None:
        alarm.clearing, alarm.due = True, at + timing.off_delay

    def _end_delay(self, alarm: PlainAlarm, now: int, timing: AlarmTiming) -> bool:
        if alarm.due is None or alarm.due > now:
            return False
        if alarm.raising:
            alarm.raising, alarm.is_on, alarm.due = False, True, None
        elif timing.latching:
            alarm.clearing, alarm.latched, alarm.due = False, True, None
        else:
            alarm.clearing, alarm.is_on, alarm.due = False, False, None
        return True

    # --- one incident ---

    def _let_delays_end(self, incident: PlainIncident, now: int) -> None:
        due = sorted((a.due, key) for key in incident.present if (a := self.alarms[key]).due is not None and a.due <= now)
        for at, key in due:
            alarm = self.alarms[key]
            sounds = alarm.raising
            self._end_delay(alarm, now, self.timing_of(alarm.device))
            self._keep_up(incident, key, alarm, at, sounds=sounds)

    def _keep_up(self, incident: PlainIncident, key: str, alarm: PlainAlarm, at: int, *, sounds: bool) -> None:
        waits = alarm.is_on or alarm.raising
        if waits and key not in incident.present:
            incident.present.append(key)
        elif not waits and key in incident.present:
            incident.present.remove(key)
        standing = any(self.alarms[k].is_on for k in incident.present)
        if sounds or standing:
            incident.cleared_at, incident.sounded = None, True
        if not standing and incident.cleared_at is None and (incident.sounded or not incident.present):
            incident.cleared_at = max(at, incident.opened_at)

    def _let_go(self, incident: PlainIncident, now: int) -> None:
        if incident.cleared_at is not None and not incident.present and incident.cleared_at + 5 * MINUTE <= now:
            incident.over = True
