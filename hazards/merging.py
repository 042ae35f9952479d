"""Many signals, one incident: the merging of a zone's alarms, with a reason for every decision. Pure.

Signals of one zone and one group of kind families join one incident; a device that nobody registered has incidents of its own.
Grouping depends on the order consumed (signals and ticks), not on how it was cut into batches: a replay groups the same.
What must not go in: storage, the act of acknowledging (it is an argument), what bears what out (``hazards/correlation.py``).
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from hazards.alarm_state import ALARMING, Alarm, Phase, Trigger, expire, is_late, move
from hazards.correlation import Source, corroborate, modality_of, particulars, remember, surer
from hazards.identity import incident_id
from hazards.kinds import group_of, kind_of, leading
from hazards.messages import UNASSIGNED, Action, IncidentState, Signal
from hazards.zone_state import Decision, Happening, Incident, Merged, Reason, ZoneState
from hazards.zones import AlarmTiming

REGROUP_WINDOW = 5 * 60 * 1_000_000
"""How long after its end an incident still takes a new alarm of its group, in microseconds (platform default)."""
REMEMBERED = 256
"""How many quiet alarms and past groups a zone state keeps; those longest quiet are forgotten first."""
LISTED_DEVICES = 100
"""How many devices an incident names; its alarms name them all."""

TimingOf = Callable[[str], AlarmTiming]
TypeOf = Callable[[str], str | None]
"""By a device's id: its type in the site file, None for one that nobody registered."""


def _no_type(_device: str) -> str | None:
    return None


def state_key(zone: str, device: str) -> str:
    """Which zone state a signal belongs to: its zone, or its device while nobody registered that."""
    return f"{UNASSIGNED}/{device}" if zone == UNASSIGNED else zone


def next_wake(state: ZoneState) -> int | None:
    """When ``wake`` should be called next: the earliest delay or regroup window that ends."""
    deadlines = [a.due for a in state.alarms.values() if a.due is not None]
    deadlines += [i.cleared_at + REGROUP_WINDOW for i in state.incidents.values() if _waits_for_quiet(i) and i.cleared_at is not None]
    return min(deadlines, default=None)


def merge(
    state: ZoneState, signals: Sequence[Signal], timing_of: TimingOf, acknowledged: Collection[str] = (), *, type_of: TypeOf = _no_type
) -> Merged:
    """Take ``signals`` (new ones of one state key, in consumed order) into ``state``, which changes in place."""
    merging = _Merging(state, timing_of, acknowledged, type_of)
    for signal in signals:
        merging.take(signal)
    _forget(state)
    return merging.merged


def wake(
    state: ZoneState, now: int, timing_of: TimingOf, acknowledged: Collection[str] = (), *, type_of: TypeOf = _no_type
) -> Merged:
    """Let time pass to ``now``: end delays, release the latches of ``acknowledged`` incidents, close what stayed quiet."""
    merging = _Merging(state, timing_of, acknowledged, type_of)
    for incident in list(state.incidents.values()):
        merging.pass_time(incident, now)
        for key in list(incident.present):
            if incident.id in merging.acknowledged and state.alarms[key].phase is Phase.LATCHED:
                merging.release(incident, key, now)
        merging.let_go_if_quiet(incident, now)
    _forget(state)
    return merging.merged


def close_by_hand(state: ZoneState, incident_id: str, now: int) -> bool:
    """A person ended the incident: its alarms are normal until raised again, it takes no more. Whether the state still held it."""
    incident = next((i for i in state.incidents.values() if i.id == incident_id), None)
    if incident is None:
        return False
    for key in incident.present:
        alarm = state.alarms[key]
        alarm.phase, alarm.due = Phase.NORMAL, None
    incident.present.clear()
    incident.state, incident.over, incident.reason = IncidentState.CLOSED, True, Reason.CLOSED_BY_HAND
    incident.cleared_at, incident.closed_at = incident.cleared_at or now, now
    return True


def _waits_for_quiet(incident: Incident) -> bool:
    return incident.state is IncidentState.CLEARED and not incident.over and not incident.present


def _forget(state: ZoneState) -> None:
    """Keep the state compact: drop the alarms and incidents that have been quiet longest, beyond ``REMEMBERED``."""
    quiet = sorted((a.last_received, k) for k, a in state.alarms.items() if a.phase is Phase.NORMAL)
    for _, key in quiet[: max(0, len(quiet) - REMEMBERED)]:
        del state.alarms[key]
    past = sorted((i.updated_at, f) for f, i in state.incidents.items() if i.over)
    for _, family in past[: max(0, len(past) - REMEMBERED)]:
        del state.incidents[family]


class _Merging:
    """One call's work on one zone state."""

    def __init__(self, state: ZoneState, timing_of: TimingOf, acknowledged: Collection[str], type_of: TypeOf) -> None:
        self.state, self.timing_of, self.type_of, self.acknowledged = state, timing_of, type_of, set(acknowledged)
        self.merged = Merged()

    def take(self, signal: Signal) -> None:
        """Move the signal's alarm, find or open its incident, and say why."""
        kind, key = kind_of(signal.kind), f"{signal.device} {signal.kind}"
        group = self._group(kind.family)
        incident = self.state.incidents.get(group)
        if incident is not None:
            self.pass_time(incident, signal.at)
        alarm = self.state.alarms.get(key) or self.state.alarms.setdefault(key, Alarm(signal.device, signal.kind))
        before, late = alarm.phase, is_late(alarm, signal)
        if not late:
            move(alarm, Trigger(signal.action.value), signal.at, self._timing(signal))
            alarm.last_at, alarm.last_received = signal.at, signal.received_at
        rises = signal.action is not Action.CLEARED and before not in ALARMING and not late
        if incident is not None and rises:
            self.let_go_if_quiet(incident, signal.at - 1)
        if incident is None or (rises and incident.over):
            incident = self._open(group, signal)
            reason = _opening_reason(alarm.phase, signal.action)
        else:
            reason = Reason.LATE if late else _joining_reason(incident, before, alarm.phase, signal.action)
        self._absorb(incident, signal)
        if rises and incident.state is not IncidentState.ACTIVE:
            incident.raised_at = signal.received_at
        sounded = rises and alarm.phase is not Phase.RAISING
        reason = self._settle(incident, key, signal.at, reason, sounded=sounded)
        explained: dict[str, Any] = {"alarm": key, "phase": alarm.phase.value, "incident_state": incident.state.value}
        if alarm.due is not None:
            explained["due"] = alarm.due
        if reason is Reason.CORROBORATED:
            explained["certainty"] = incident.certainty.value
        self.merged.decisions.append(Decision(signal.id, incident.id, reason, explained))

    def _timing(self, signal: Signal) -> AlarmTiming:
        """A rule has waited its delays out itself; what it raised may still be latching."""
        timing = self.timing_of(signal.device)
        return AlarmTiming(latching=timing.latching) if signal.timed else timing

    def pass_time(self, incident: Incident, now: int) -> None:
        """End the delays of the incident's alarms that are over at ``now``, earliest first."""
        due = sorted((alarm.due, key) for key in incident.present if (alarm := self.state.alarms[key]).due is not None and alarm.due <= now)
        for at, key in due:
            alarm = self.state.alarms[key]
            before = alarm.phase
            expire(alarm, now, self.timing_of(alarm.device))
            reason = Reason.CONFIRMED if before is Phase.RAISING else Reason.LATCHED if alarm.phase is Phase.LATCHED else Reason.ENDED
            self._settle(incident, key, at, reason, sounded=before is Phase.RAISING)

    def release(self, incident: Incident, key: str, now: int) -> None:
        """Let a latched alarm go after its acknowledgement."""
        alarm = self.state.alarms[key]
        move(alarm, Trigger.RELEASED, now, self.timing_of(alarm.device))
        self._settle(incident, key, now, Reason.RELEASED, sounded=False)

    def let_go_if_quiet(self, incident: Incident, now: int) -> None:
        """After the regroup window: take no more alarms, and close unless somebody still has to acknowledge it."""
        if not _waits_for_quiet(incident) or incident.cleared_at is None or incident.cleared_at + REGROUP_WINDOW > now:
            return
        incident.over = True
        if incident.id in self.acknowledged or not incident.annunciated:
            self._close(incident, incident.cleared_at + REGROUP_WINDOW, Reason.QUIET)
            self.merged.changed[incident.id] = incident

    def _group(self, family: str) -> str:
        """Where the state keeps the incident of ``family``: under its group, or under itself if it began before there were groups."""
        own = self.state.incidents.get(family)
        return family if own is not None and not own.over else group_of(family)

    def _open(self, group: str, signal: Signal) -> Incident:
        incident = Incident(
            id=incident_id(f"{state_key(signal.zone, signal.device)} {group}", signal.id), family=kind_of(signal.kind).family,
            opened_at=signal.at,
            state=IncidentState.PENDING, severity=4, updated_at=signal.received_at, reason=Reason.OPENED, synthetic=signal.synthetic,
        )  # fmt: skip
        self.state.incidents[group] = incident
        return incident

    def _absorb(self, incident: Incident, signal: Signal) -> None:
        incident.count += 1
        incident.updated_at = max(incident.updated_at, signal.received_at)
        if signal.kind not in incident.kinds:
            incident.kinds.append(signal.kind)
        if signal.device not in incident.devices and len(incident.devices) < LISTED_DEVICES:
            incident.devices.append(signal.device)
        severity = signal.severity or kind_of(signal.kind).severity
        if signal.action is not Action.CLEARED or incident.count == 1:
            if incident.count == 1:
                incident.severity = severity
            self._raise_severity(incident, severity, signal.at, Reason.JOINED, {})
            incident.family = leading(incident.family, kind_of(signal.kind).family)
            incident.message = signal.message or incident.message
            incident.snapshot = signal.snapshot or incident.snapshot

    def _settle(self, incident: Incident, key: str, at: int, reason: Reason, *, sounded: bool) -> Reason:
        """Bring the incident's state in line with its alarms after alarm ``key`` moved; the reason, made precise."""
        phase = self.state.alarms[key].phase
        if phase is Phase.NORMAL and key in incident.present:
            incident.present.remove(key)
        elif phase is not Phase.NORMAL and key not in incident.present:
            incident.present.append(key)
        before = incident.state
        alarming = any(self.state.alarms[k].phase in ALARMING for k in incident.present)
        if sounded or (alarming and before is not IncidentState.ACTIVE):
            self._activate(incident, at)
        corroborated = sounded and self._corroborate(incident, self.state.alarms[key], at)
        if alarming:
            reason = Reason.OTHERS_STAND if reason in (Reason.ENDED, Reason.RELEASED) and phase is Phase.NORMAL else reason
        elif incident.annunciated or not incident.present:
            self._quieten(incident, at, reason)
        reason = Reason.CORROBORATED if corroborated else reason
        incident.reason = reason
        if before is IncidentState.PENDING and incident.state is IncidentState.PENDING and incident.count == 1:
            self._happened(incident, at, "pending", reason)
        self.merged.changed[incident.id] = incident
        return reason

    def _corroborate(self, incident: Incident, alarm: Alarm, at: int) -> bool:
        """Let the alarm that has just sounded bear out the incident; whether that made it surer, by more than itself."""
        source = Source(alarm.device, alarm.kind, modality_of(alarm.kind, self.type_of(alarm.device)), at)
        finding = corroborate(incident.sources, source, self._ended)
        incident.sources = remember(incident.sources, source, self._ended)
        if finding is None or not surer(finding.certainty, incident.certainty):
            return False
        why = particulars(finding)
        self._happened(incident, at, "certainty_raised", Reason.CORROBORATED, {"from": incident.certainty, "to": finding.certainty, **why})
        incident.certainty, incident.corroboration = finding.certainty, why
        if finding.severity is not None:
            self._raise_severity(incident, finding.severity, at, Reason.CORROBORATED, why)
        return len(finding.sources) > 1

    def _ended(self, key: str) -> int | None:
        alarm = self.state.alarms.get(key)
        return 0 if alarm is None else None if alarm.phase in ALARMING else alarm.last_at

    def _raise_severity(self, incident: Incident, severity: int, at: int, reason: Reason, why: dict[str, Any]) -> None:
        """To ``severity`` if that is graver; an acknowledgement of what it was before no longer counts."""
        if severity >= incident.severity:
            return
        self._happened(incident, at, "severity_raised", reason, {"from": incident.severity, "to": severity, **why})
        incident.severity = severity
        self.merged.graver.add(incident.id)
        self.acknowledged.discard(incident.id)

    def _activate(self, incident: Incident, at: int) -> None:
        if incident.state is IncidentState.ACTIVE:
            return
        self._happened(incident, at, "reactivated" if incident.annunciated else "opened", Reason.REACTIVATED)
        incident.state, incident.cleared_at, incident.annunciated = IncidentState.ACTIVE, None, True

    def _quieten(self, incident: Incident, at: int, reason: Reason) -> None:
        """No alarm stands any more: cleared; an end without a beginning is over at once."""
        if incident.state in (IncidentState.CLEARED, IncidentState.CLOSED):
            return
        incident.state, incident.cleared_at = IncidentState.CLEARED, max(at, incident.opened_at)
        self._happened(incident, at, "cleared", reason)
        if reason is Reason.NOTHING_STOOD:
            incident.over = True
            self._close(incident, at, reason)

    def _close(self, incident: Incident, at: int, reason: Reason) -> None:
        incident.state, incident.closed_at, incident.reason = IncidentState.CLOSED, at, reason
        self._happened(incident, at, "closed", reason)

    def _happened(self, incident: Incident, at: int, event: str, reason: Reason, explained: dict[str, Any] | None = None) -> None:
        self.merged.happenings.append(Happening(incident.id, at, event, Reason.OPENED if event == "opened" else reason, explained or {}))


def _opening_reason(phase: Phase, action: Action) -> Reason:
    if phase is Phase.RAISING:
        return Reason.WITHIN_ON_DELAY
    return Reason.NOTHING_STOOD if action is Action.CLEARED else Reason.OPENED


def _joining_reason(incident: Incident, before: Phase, after: Phase, action: Action) -> Reason:
    """Why a signal that is not late joins an incident that is there."""
    if action is Action.CLEARED:
        return _ENDINGS.get((before, after), Reason.ENDED)
    if before in ALARMING:
        return Reason.REPEATED
    if after is Phase.RAISING:
        return Reason.WITHIN_ON_DELAY
    return Reason.JOINED if incident.state is IncidentState.ACTIVE else Reason.REACTIVATED


_ENDINGS: dict[tuple[Phase, Phase], Reason] = {
    (Phase.NORMAL, Phase.NORMAL): Reason.NOTHING_STOOD,
    (Phase.RAISING, Phase.NORMAL): Reason.TRANSIENT,
    (Phase.STANDING, Phase.CLEARING): Reason.WITHIN_OFF_DELAY,
    (Phase.CLEARING, Phase.CLEARING): Reason.WITHIN_OFF_DELAY,
    (Phase.STANDING, Phase.LATCHED): Reason.LATCHED,
    (Phase.LATCHED, Phase.LATCHED): Reason.LATCHED,
}
