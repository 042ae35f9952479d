"""Many signals, one incident: the merging of a zone's alarms, with a reason for every decision. Pure.

Signals of one zone and one group of kind families join one incident; in a flood, all that would open incidents of their own join the
flood's; a device that nobody registered has incidents of its own. Grouping depends on the order consumed (signals and ticks), not on how
it was cut into batches: a replay groups the same. A time ahead of its receipt (early) counts as of its receipt.
What must not go in: storage, the act of acknowledging (it is an argument), what follows once it is known where a signal goes
(``hazards/incident_course.py``), what bears what out (``hazards/correlation.py``, ``hazards/across.py``).
"""

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from hazards.alarm_state import ALARMING, LATENESS, Alarm, Phase, Trigger, is_late, move
from hazards.annunciation import SPARED, AlarmState
from hazards.flood import GROUP, NEVER_IN_FLOOD
from hazards.identity import incident_id
from hazards.incident_course import ANEW, REGROUP_WINDOW, Course, heard, intervals_of, stand_of, waits_for_quiet
from hazards.inhibition import CAUSES
from hazards.kinds import graveness, group_of, kind_of, leading, never_suppressed
from hazards.messages import UNASSIGNED, Action, IncidentState, Signal
from hazards.quieting import counted, counts_in_flood, held_back
from hazards.signal_reasons import why_here
from hazards.surroundings import Surroundings
from hazards.telling import News, due
from hazards.weight import Weighed, weigh
from hazards.withdrawal import holds_on, lapse_of, why_it_stands
from hazards.zone_state import Decision, Incident, Merged, Reason, ZoneState, incident_of, put_in
from hazards.zones import AlarmTiming

REMEMBERED = 256
"""How many quiet alarms and past groups a zone state keeps; those longest quiet are forgotten first."""
LISTED_DEVICES = 100
"""How many devices an incident names; its alarms name them all."""
LISTED_KINDS = 100
"""How many kinds an incident names, and methane over its limit beside them; senders may make up any number."""


def state_key(zone: str, device: str) -> str:
    """Which zone state a signal belongs to: its zone, or its device while nobody registered that."""
    return f"{UNASSIGNED}/{device}" if zone == UNASSIGNED else zone


def next_wake(state: ZoneState) -> int | None:
    """When ``wake`` should be called next: the earliest delay, regroup window, quiet or telling that ends."""
    deadlines = [a.due for a in state.alarms.values() if a.due is not None]
    deadlines += [] if state.quiet_until is None else [state.quiet_until]
    for group, incident in state.incidents.items():
        if waits_for_quiet(incident) and incident.cleared_at is not None:
            deadlines.append(incident.cleared_at + REGROUP_WINDOW)
        telling = due(incident.news, incident.told_at, incident.opened_at, intervals_of(group, incident))
        deadlines += [at for at in (telling, incident.remind_at) if at is not None]
    return min(deadlines, default=None)


def merge(state: ZoneState, signals: Sequence[Signal], around: Surroundings) -> Merged:
    """Take ``signals`` (new ones of one state key, in consumed order) into ``state``, which changes in place."""
    merging = _Merging(state, around)
    for signal in signals:
        merging.take(signal)
    _forget(state)
    return merging.merged


def wake(state: ZoneState, now: int, around: Surroundings) -> Merged:
    """Let time pass to ``now``: end delays and quiet, release the latches of acknowledged incidents, close what stayed quiet, tell."""
    course = Course(state, around)
    for incident in list(state.incidents.values()):
        course.pass_time(incident, now)
        if incident.id in course.acknowledged and not incident.acknowledged:
            course.acknowledge(incident, now)
        for key in list(incident.present):
            if incident.id in course.acknowledged and state.alarms[key].phase is Phase.LATCHED:
                course.release(incident, key, now)
        course.let_go_if_quiet(incident, now)
    if state.declared == ANEW:
        course.show_all(now)
    mark = around.mark
    if mark != state.declared or (state.quiet_until is not None and state.quiet_until <= now):
        state.declared = mark
        changes = [at for d in around.declarations for at in (d.starts_at, d.ends_at) if at is not None and at > now]
        state.quiet_until = min(changes, default=None)
        course.look_again(now)
    course.tell(now)
    _forget(state)
    return course.merged


def close_by_hand(state: ZoneState, incident_id: str, now: int) -> bool:
    """A person ended the incident: its alarms are normal until raised again, it takes no more. Whether the state still held it."""
    incident = next((i for i in state.incidents.values() if i.id == incident_id), None)
    if incident is None:
        return False
    for alarm in state.alarms.values():
        if incident_of(state, alarm) is incident:
            if alarm.kind in CAUSES:
                state.quiet_until = now  # what it explained is looked at anew at the next wake
            alarm.phase, alarm.due, alarm.state, alarm.since = Phase.NORMAL, None, AlarmState.NORMAL, now
            alarm.called, alarm.held = False, []
    incident.present.clear()
    incident.state, incident.over, incident.reason = IncidentState.CLOSED, True, Reason.CLOSED_BY_HAND
    incident.cleared_at, incident.closed_at = incident.cleared_at or now, now
    incident.news, incident.remind_at = News.NOTHING, None
    return True


def _forget(state: ZoneState) -> None:
    """Keep the state compact: drop the alarms and incidents that have been quiet longest, beyond ``REMEMBERED``."""
    if len(state.alarms) > REMEMBERED:
        quiet = sorted((a.last_received, k) for k, a in state.alarms.items() if a.phase is Phase.NORMAL)
        for _, key in quiet[: max(0, len(quiet) - REMEMBERED)]:
            del state.alarms[key]
    if len(state.incidents) > REMEMBERED:
        past = sorted((i.updated_at, f) for f, i in state.incidents.items() if i.over and not i.news)
        for _, family in past[: max(0, len(past) - REMEMBERED)]:
            del state.incidents[family]


class _Merging(Course):
    """Where each signal goes."""

    def take(self, signal: Signal) -> None:
        """Move the signal's alarm, find or open its incident, and say why."""
        key, at = f"{signal.device} {signal.kind}", min(signal.at, signal.received_at)
        alarm = self.state.alarms.get(key) or self.state.alarms.setdefault(key, Alarm(signal.device, signal.kind))
        group = self._group(alarm, kind_of(signal.kind).family)
        incident = self._looked_at(group, at)
        before, late = alarm.phase, is_late(alarm, signal.action, at, signal.received_at)
        held = not late and holds_on(alarm, signal)
        if not late and not held:
            move(alarm, Trigger(signal.action.value), at, self._timing(signal))
            alarm.last_at, alarm.last_received = at, signal.received_at
        rises = signal.action is not Action.CLEARED and before not in ALARMING and not late
        moves = not late and signal.action is not Action.CLEARED
        weighed = self._weigh(alarm, signal, at) if moves else Weighed(graveness(signal.kind, signal.severity))
        if rises:
            group, incident, opening = self._place(group, incident, alarm, weighed, signal, at)
        else:
            opening = Reason.NOTHING_STOOD if incident is None else None
        if incident is None:
            incident = self._open(group, signal, at)
        if rises or not alarm.group:
            put_in(alarm, incident, group)
        reason = why_it_stands(signal) if held else why_here(incident, before, alarm.phase, signal.action, opening, late=late)
        stood = stand_of(incident) if incident.count else None
        if signal.action is Action.CLEARED and not late and not held:
            incident.ended_by = lapse_of(signal)
        self._absorb(incident, signal, alarm, weighed, at)  # first: one that makes it graver is not acknowledged with it
        if rises:
            self.call_for_methane(incident, alarm, at)
        if not late and not held:
            self.annunciate(alarm, before, at, incident, pulsed=rises and signal.action is Action.PULSE)
        if alarm.quiet or alarm.state in SPARED:
            if not moves:  # else it has just been looked at
                self.hush(alarm, max(at, alarm.last_at))
            self.spare(alarm)
        if rises and incident.state is not IncidentState.ACTIVE:
            incident.raised_at = signal.received_at
        reason = self.settle(incident, key, at, reason, sounded=rises and alarm.phase is not Phase.RAISING)
        self.cause_moved(alarm, before, at)
        self.explain(incident, stood, self._decide(signal, incident, alarm, weighed, reason, rises=rises))

    def _place(
        self, group: str, incident: Incident | None, alarm: Alarm, weighed: Weighed, signal: Signal, at: int
    ) -> tuple[str, Incident | None, Reason | None]:
        """Where a new alarm goes: group, the incident that takes it (None: a new one), and why if it does not simply join."""
        own = group_of(kind_of(signal.kind).family)
        alone = weighed.severity == 1 or own in NEVER_IN_FLOOD or never_suppressed(alarm.kind)
        if incident is not None:
            self.let_go_if_quiet(incident, at - 1)
            if group != own and (incident.over or (alone and group == GROUP)):  # its flood is over, or it is too grave for one now
                group, incident = own, self._looked_at(own, at, rises=True)
        last = incident_of(self.state, alarm)
        alarm.called = alarm.called and last is not None and not last.over  # else it is answered where it was
        flooded = counts_in_flood(alarm) and self.state.flood.take(signal.received_at)
        if incident is not None and not incident.over:
            return group, incident, None
        if not flooded or alone:
            return group, None, Reason.OPENED
        incident = self._looked_at(GROUP, at, rises=True)
        return GROUP, incident if incident is not None and not incident.over else None, Reason.FLOOD

    def _decide(self, signal: Signal, incident: Incident, alarm: Alarm, weighed: Weighed, reason: Reason, *, rises: bool) -> Reason:
        """Put down where the signal went, and why, which is made precise."""
        explained: dict[str, Any] = {"alarm": alarm.key, "phase": alarm.phase.value,
                                     "incident_state": incident.state.value, "alarm_state": alarm.state.value}  # fmt: skip
        if alarm.due is not None:
            explained["due"] = alarm.due
        if reason is Reason.CORROBORATED:
            explained["certainty"] = incident.certainty.value
        if lapse := lapse_of(signal):
            explained["ended_by"] = lapse
        if signal.received_at - signal.at > LATENESS:
            explained["late_by"] = signal.received_at - signal.at
        elif signal.at > signal.received_at:
            explained["early_by"] = signal.at - signal.received_at
        if signal.action is not Action.CLEARED:
            if weighed.by:
                explained |= {"weighed": list(weighed.by), "because": list(weighed.because), "severity": weighed.severity}
            if alarm.quiet:
                explained |= {"quiet": alarm.quiet, "by": alarm.by}
            if rises and reason in (Reason.OPENED, Reason.JOINED, Reason.REACTIVATED, Reason.FLOOD):
                reason = Reason(alarm.quiet) if held_back(alarm) else Reason.WITHOUT_PERMIT if kind_of(signal.kind).work else reason
        self.merged.decisions.append(Decision(signal.id, incident.id, reason, explained))
        return reason

    def _weigh(self, alarm: Alarm, signal: Signal, at: int) -> Weighed:
        """How grave the alarm is, and what keeps it quiet; both stay with it."""
        kind = kind_of(signal.kind)
        weighed = weigh(graveness(kind.name, signal.severity), kind.name, kind.family, at, self.around.zone, hazards=self.around.hazards,
                        declarations=self.around.declarations, synthetic=signal.synthetic)  # fmt: skip
        alarm.severity = weighed.severity
        self.hush(alarm, at)
        return weighed

    def _timing(self, signal: Signal) -> AlarmTiming:
        """A rule has waited its delays out itself; what it raised may still be latching. Methane over its limit waits for nothing."""
        timing = self.around.timing_of(signal.device)
        if signal.timed:
            return AlarmTiming(latching=timing.latching)
        return structs.replace(timing, on_delay=0) if timing.on_delay and never_suppressed(signal.kind) else timing

    def _group(self, alarm: Alarm, family: str) -> str:
        """Where the state keeps the incident of ``alarm``: where it is already, or under its family's group; under the family itself if
        that began before there were groups."""
        own = incident_of(self.state, alarm)
        if own is not None and not own.over:
            return alarm.group
        older = self.state.incidents.get(family)
        return family if older is not None and not older.over else group_of(family)

    def _looked_at(self, group: str, at: int, *, rises: bool = False) -> Incident | None:
        """The newest incident of ``group`` as it is at ``at``, for an alarm that ``rises``."""
        incident = self.state.incidents.get(group)
        if incident is not None:
            self.pass_time(incident, at)
            if rises:
                self.let_go_if_quiet(incident, at - 1)
        return incident

    def _open(self, group: str, signal: Signal, at: int) -> Incident:
        incident = Incident(
            id=incident_id(f"{state_key(signal.zone, signal.device)} {group}", signal.id),
            family=GROUP if group == GROUP else kind_of(signal.kind).family, opened_at=at, state=IncidentState.PENDING, severity=4,
            updated_at=signal.received_at, reason=Reason.OPENED, synthetic=signal.synthetic, loud=False,
        )  # fmt: skip
        self.state.incidents[group] = incident
        if group == GROUP:
            self.happened(incident, at, "flood_began", Reason.FLOOD, {"first": signal.device, "kind": signal.kind})
        return incident

    def _absorb(self, incident: Incident, signal: Signal, alarm: Alarm, weighed: Weighed, at: int) -> None:
        incident.count += 1
        incident.updated_at = max(incident.updated_at, signal.received_at)
        if signal.kind not in incident.kinds and (len(incident.kinds) < LISTED_KINDS or never_suppressed(signal.kind)):
            incident.kinds.append(signal.kind)
        if signal.device not in incident.devices and len(incident.devices) < LISTED_DEVICES:
            incident.devices.append(signal.device)
        if signal.action is not Action.CLEARED or incident.count == 1:
            severity = counted(alarm, weighed.severity)
            if incident.count == 1:
                incident.severity = severity
            why = {"by": list(weighed.by), "because": list(weighed.because)} if weighed.by else {}
            self.raise_severity(incident, severity, at, Reason.WEIGHED if why else Reason.JOINED, why | heard(signal.received_at, at))
            if incident.family != GROUP:
                incident.family = leading(incident.family, kind_of(signal.kind).family)
            incident.message = signal.message or incident.message
            incident.snapshot = signal.snapshot or incident.snapshot
