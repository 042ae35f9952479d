"""The course of a zone's incidents while their alarms move: active, cleared, closed; quiet, told. Pure.

``hazards/merging.py`` decides where a signal goes and calls this for what follows. What must not go in: grouping, storage, what makes an
incident surer and graver (``hazards/incident_gravity.py``).
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from hazards.alarm_state import ALARMING, Alarm, Phase, Trigger, expire, move
from hazards.annunciation import SPARED, AlarmState, Move, next_state
from hazards.flood import GROUP
from hazards.incident_gravity import Gravity
from hazards.inhibition import CAUSES, ZONE_CAUSES
from hazards.inhibition import EFFECTS as EXPLAINED
from hazards.kinds import holds_never_suppressed
from hazards.messages import IncidentState
from hazards.quieting import STRONGEST, Quiet, counted, held_back, silent
from hazards.telling import IN_FLOOD, INTERVALS, Intervals, News, due
from hazards.zone_state import Incident, Reason, Sounded, incident_of

REGROUP_WINDOW = 5 * 60 * 1_000_000
"""How long after its end an incident still takes a new alarm of its group, in microseconds (platform default)."""
ANEW = "anew"
"""In place of the mark of declarations in a state that an older version wrote: all that is not normal is to be shown."""
_SECOND = 1_000_000


def intervals_of(group: str, incident: Incident) -> Intervals:
    """How often ``incident``, which the zone keeps under ``group``, is told; a flood's only while nothing grave is in it."""
    return IN_FLOOD if group == GROUP and incident.severity > 1 else INTERVALS[incident.severity]


def stand_of(incident: Incident) -> tuple[str, int, str, str]:
    """How it stands: what changes this is why it stands so."""
    return incident.state, incident.severity, incident.certainty, incident.quiet


def heard(received_at: int, at: int) -> dict[str, Any]:
    """For the line of a timeline that says what was at ``at``: by how much later (µs) anybody could know, from a second."""
    return {"late_by": received_at - at} if received_at - at >= _SECOND else {}


def waits_for_quiet(incident: Incident) -> bool:
    """Whether it has cleared, and time alone ends it."""
    return incident.state is IncidentState.CLEARED and not incident.over and not incident.present


class Course(Gravity):
    """One call's work on one zone state."""

    # --- time ---

    def pass_time(self, incident: Incident, now: int) -> None:
        """End the delays of the incident's alarms that are over at ``now``, earliest first."""
        delays = ((self.state.alarms[key].due, key) for key in incident.present)
        over = sorted((at, key) for at, key in delays if at is not None and at <= now)
        for at, key in over:
            alarm = self.state.alarms[key]
            before, stood = alarm.phase, stand_of(incident)
            expire(alarm, now, self.around.timing_of(alarm.device))
            self.annunciate(alarm, before, at, incident)
            reason = Reason.CONFIRMED if before is Phase.RAISING else Reason.LATCHED if alarm.phase is Phase.LATCHED else Reason.ENDED
            self.explain(incident, stood, self.settle(incident, key, at, reason, sounded=before is Phase.RAISING))
            self.cause_moved(alarm, before, at)

    def release(self, incident: Incident, key: str, now: int) -> None:
        """Let a latched alarm go after its acknowledgement."""
        alarm = self.state.alarms[key]
        before, stood = alarm.phase, stand_of(incident)
        move(alarm, Trigger.RELEASED, now, self.around.timing_of(alarm.device))
        self.annunciate(alarm, before, now, incident)
        self.explain(incident, stood, self.settle(incident, key, now, Reason.RELEASED, sounded=False))
        self.cause_moved(alarm, before, now)

    def let_go_if_quiet(self, incident: Incident, now: int) -> None:
        """After the regroup window: take no more alarms, and close unless somebody still has to acknowledge it."""
        if not waits_for_quiet(incident) or incident.cleared_at is None or incident.cleared_at + REGROUP_WINDOW > now:
            return
        incident.over = True
        if incident.id in self.acknowledged or not incident.annunciated or not incident.loud:
            self.close(incident, incident.cleared_at + REGROUP_WINDOW, Reason.QUIET)
            self.merged.changed[incident.id] = incident

    # --- what follows when an alarm moved ---

    def settle(self, incident: Incident, key: str, at: int, reason: Reason, *, sounded: bool) -> Reason:
        """Bring the incident's state in line with its alarms after alarm ``key`` moved; the reason, made precise."""
        alarm = self.state.alarms[key]
        phase = alarm.phase
        if phase is Phase.NORMAL and key in incident.present:
            incident.present.remove(key)
        elif phase is not Phase.NORMAL and key not in incident.present:
            incident.present.append(key)
        if sounded:
            self._sounded(incident, alarm, at)
        before = incident.state
        alarming = any(self.state.alarms[k].phase in ALARMING for k in incident.present)
        if sounded or (alarming and before is not IncidentState.ACTIVE):
            self._activate(incident, alarm, at)
        if incident.labels or incident.quiet or alarm.quiet:
            self._hear(incident, at, pulsed=sounded and phase is Phase.NORMAL and not silent(alarm))
        else:  # nothing here was or is quiet: as nearly always
            incident.loud = incident.loud or alarming or sounded
        corroborated = sounded and self._bear_out(incident, alarm, at)
        if alarming:
            reason = Reason.OTHERS_STAND if reason in (Reason.ENDED, Reason.RELEASED) and phase is Phase.NORMAL else reason
        elif incident.annunciated or not incident.present:
            self._quieten(incident, at, reason, {} if reason is Reason.RELEASED else heard(alarm.last_received, at))
        reason = Reason.CORROBORATED if corroborated else reason
        if before is IncidentState.PENDING and incident.state is IncidentState.PENDING and incident.count == 1:
            self.happened(incident, at, "pending", reason, heard(alarm.last_received, at))
        self.note(incident, News.CHANGE if incident.state is not before else News.MORE)
        return reason

    def explain(self, incident: Incident, stood: tuple[str, int, str, str] | None, reason: Reason) -> None:
        """Keep ``reason`` as why it stands as it does, if that is other than it ``stood``: a repetition, what comes late, and what is
        quiet beside a loud alarm change nothing, and are not why people are called."""
        if stood != stand_of(incident):
            incident.reason = reason

    def _sounded(self, incident: Incident, alarm: Alarm, at: int) -> None:
        """Note that ``alarm`` calls people; a label of calibration keeps even methane's from the ledger."""
        if not silent(alarm) and alarm.quiet != Quiet.CALIBRATION.value:
            self.merged.sounded.append(Sounded(incident.id, alarm.device, alarm.kind, at))

    def _activate(self, incident: Incident, alarm: Alarm, at: int) -> None:
        if incident.state is IncidentState.ACTIVE:
            return
        event = "reactivated" if incident.annunciated else "opened"
        self.happened(incident, at, event, Reason.REACTIVATED, heard(alarm.last_received, at))
        incident.state, incident.cleared_at, incident.annunciated = IncidentState.ACTIVE, None, True

    def _quieten(self, incident: Incident, at: int, reason: Reason, explained: dict[str, Any]) -> None:
        """No alarm stands any more: cleared; an end without a beginning is over at once."""
        if incident.state in (IncidentState.CLEARED, IncidentState.CLOSED):
            return
        incident.state, incident.cleared_at = IncidentState.CLEARED, max(at, incident.opened_at)
        ended_by = {"ended_by": incident.ended_by} if incident.ended_by else {}
        self.happened(incident, at, "cleared", reason, explained | ended_by)
        if reason is Reason.NOTHING_STOOD:
            incident.over = True
            self.close(incident, at, reason)

    def close(self, incident: Incident, at: int, reason: Reason) -> None:
        """It is over."""
        incident.state, incident.closed_at, incident.reason = IncidentState.CLOSED, at, reason
        incident.news, incident.remind_at = News.CHANGE, None
        self.happened(incident, at, "closed", reason)

    # --- towards people ---

    def annunciate(self, alarm: Alarm, before: Phase, at: int, incident: Incident | None, *, pulsed: bool = False) -> None:
        """Move the alarm's state towards people after its condition went from ``before`` to where it is."""
        was = alarm.state
        for what in _moves(before, alarm.phase, pulsed):
            alarm.state = next_state(alarm.state, what)
            if what is Move.OCCURRED and incident is not None and incident.id in self.acknowledged:
                alarm.state = next_state(alarm.state, Move.ACKNOWLEDGED)  # who acknowledged the incident has taken this on, too
        self._moved(alarm, was, at, incident)

    def _moved(self, alarm: Alarm, was: AlarmState, at: int, incident: Incident | None) -> None:
        if alarm.state is not was:
            alarm.since = at
        self.merged.alarms[alarm.key] = alarm
        if incident is not None:
            self.merged.of[alarm.key] = incident.id

    def acknowledge(self, incident: Incident, now: int) -> None:
        """Somebody acknowledged the incident: so are its alarms, and what is declared of them may quieten them now."""
        incident.acknowledged, incident.remind_at = True, None
        for alarm in self._alarms_of(incident):
            alarm.called = False
            if alarm.state in (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED):
                was, alarm.state = alarm.state, next_state(alarm.state, Move.ACKNOWLEDGED)
                self._moved(alarm, was, now, incident)
        if incident.labels or incident.quiet:
            self._hear(incident, now)

    def show_all(self, now: int) -> None:
        """Tell of every alarm that is not normal: an older version did not."""
        for alarm in self.state.alarms.values():
            if alarm.state is not AlarmState.NORMAL:
                self._moved(alarm, AlarmState.NORMAL, now, incident_of(self.state, alarm))

    def cause_moved(self, alarm: Alarm, before: Phase, at: int) -> None:
        """If ``alarm`` explains others and has begun or ended to stand, see what becomes of those."""
        if alarm.kind in CAUSES and (before in ALARMING) != (alarm.phase in ALARMING):
            self.cause_changed(alarm, at)

    def cause_changed(self, cause: Alarm, at: int) -> None:
        """An alarm that explains others began or ended to stand: see what becomes of those."""
        if cause.kind in ZONE_CAUSES:
            self.causes_changed()
            self._look_at([key for key, alarm in self.state.alarms.items() if alarm.kind in EXPLAINED], at)
        else:
            self._look_at([key for kind in EXPLAINED if (key := f"{cause.device} {kind}") in self.state.alarms], at)

    def look_again(self, now: int) -> None:
        """See of every alarm what keeps it quiet at ``now``, and let it sound if nothing does."""
        self._look_at(list(self.state.alarms), now)
        for incident in self.state.incidents.values():
            if incident.quiet and not incident.present:
                self._hear(incident, now)

    def _look_at(self, keys: Iterable[str], now: int) -> None:
        for key in keys:
            alarm = self.state.alarms[key]
            if alarm.phase is Phase.NORMAL and alarm.state not in SPARED and not (alarm.called and alarm.quiet):
                continue
            was, quiet = alarm.state, (alarm.quiet, alarm.by)
            self.hush(alarm, now)
            self.spare(alarm)
            if (alarm.quiet, alarm.by) == quiet and alarm.state is was:
                continue
            incident = incident_of(self.state, alarm)
            self._moved(alarm, was, now, incident)
            if incident is not None and (key in incident.present or incident.quiet):
                self._quiet_changed(incident, alarm, now)
            if alarm.kind in CAUSES and alarm.kind not in EXPLAINED:
                self.cause_changed(alarm, now)

    def _quiet_changed(self, incident: Incident, alarm: Alarm, now: int) -> None:
        standing = alarm.phase in ALARMING
        if standing and alarm.severity:
            self.raise_severity(incident, counted(alarm, alarm.severity), now, Reason.SOUNDED, {})
        if standing and not held_back(alarm):
            self._sounded(incident, alarm, now)
        self._hear(incident, now)
        if standing and not silent(alarm):
            self._bear_out(incident, alarm, now)

    def _hear(self, incident: Incident, at: int, *, pulsed: bool = False) -> None:
        """Work out whether any alarm of it calls somebody: one that stands, or one that called and ended and nobody has answered.

        ``pulsed``: one called that is over already."""
        standing = [a for key in incident.present if (a := self.state.alarms[key]).phase in ALARMING]
        labels = sorted({a.quiet for a in standing if a.quiet}, key=lambda q: STRONGEST.index(Quiet(q)))
        if labels != incident.labels:
            incident.labels = labels
            self.note(incident, News.CHANGE)
        calls = pulsed or self._unanswered(incident, standing)
        if not standing and not calls:
            return
        mildest = None if calls else min(standing, key=_quietness)
        before, mildest = incident.quiet, mildest if mildest is not None and held_back(mildest) else None
        incident.quiet, incident.quiet_by = (mildest.quiet, mildest.by) if mildest is not None else ("", "")
        incident.loud = incident.loud or pulsed or any(not silent(a) for a in standing)
        if before and not incident.quiet:
            self.happened(incident, at, "sounded", Reason.SOUNDED, {"was": before})
            incident.reason = Reason.SOUNDED
            incident.raised_at = max(incident.raised_at, at)
            self.note(incident, News.CHANGE)
        elif incident.quiet and incident.quiet != before:
            self.happened(incident, at, "quietened", Reason(incident.quiet), {"by": incident.quiet_by})
            incident.reason = Reason(incident.quiet)
            self.note(incident, News.CHANGE)

    def _unanswered(self, incident: Incident, standing: Collection[Alarm]) -> bool:
        """Whether an alarm of it called, perhaps is over, and nobody has acknowledged the incident since."""
        if incident.acknowledged or not incident.loud or incident.state is IncidentState.CLOSED:
            return False
        alarms = list(self._alarms_of(incident))
        if any((a.called or a.state is AlarmState.RETURNED) and not silent(a) for a in alarms):
            return True
        return not standing and not any(a.state in SPARED for a in alarms)  # something called: of an older version, or forgotten

    def _alarms_of(self, incident: Incident) -> Iterator[Alarm]:
        return (alarm for alarm in self.state.alarms.values() if incident_of(self.state, alarm) is incident)

    def tell(self, now: int) -> None:
        """Say which incidents are to be told now, and remind of those that nobody acknowledged."""
        for group, incident in self.state.incidents.items():
            intervals = intervals_of(group, incident)
            at = due(incident.news, incident.told_at, incident.opened_at, intervals)
            calls = not incident.quiet or holds_never_suppressed(incident.kinds)
            waits = incident.state is IncidentState.ACTIVE and incident.loud and calls and not incident.acknowledged
            if at is not None and at <= now:
                self.merged.told[incident.id] = incident.word or "updated"
            elif waits and incident.remind_at is not None and incident.remind_at <= now:
                self.happened(incident, now, "reminded", Reason.REMINDED)
                self.merged.told[incident.id] = "reminded"
            else:
                if not waits:
                    incident.remind_at = None
                continue
            incident.news, incident.told_at, incident.word = News.NOTHING, now, ""
            incident.remind_at = now + intervals.repeat if waits and intervals.repeat else None
            self.merged.changed[incident.id] = incident


def _quietness(alarm: Alarm) -> int:
    return len(STRONGEST) - STRONGEST.index(Quiet(alarm.quiet)) if held_back(alarm) else 0


def _moves(before: Phase, after: Phase, pulsed: bool) -> list[Move]:
    """What a change of the condition is, towards people."""
    began = before not in ALARMING and (after in ALARMING or pulsed)
    began |= before is Phase.LATCHED and after is Phase.STANDING
    found = [Move.OCCURRED] if began else []
    if after is Phase.LATCHED and before is not Phase.LATCHED:
        found.append(Move.LATCHED)
    elif after is Phase.NORMAL and before is Phase.LATCHED:
        found.append(Move.RELEASED)
    elif after is Phase.NORMAL and (before in ALARMING or pulsed):
        found.append(Move.RETURNED)
    return found
