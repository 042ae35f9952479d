"""What makes an incident surer and graver, and what that does to an acknowledgement; and how a change of one is noted. Pure.

What bears out what are rows (``hazards/correlation.py``, ``hazards/across.py``). What must not go in: states of incidents, what is told
(``hazards/incident_course.py``).
"""

from typing import Any

from hazards.across import agree, has_part, remember_across
from hazards.alarm_state import ALARMING, Alarm
from hazards.correlation import Finding, Source, corroborate, modality_of, particulars, remember, surer
from hazards.kinds import never_suppressed
from hazards.messages import IncidentState
from hazards.quieting import held_back, silent
from hazards.sparing import Sparing
from hazards.surroundings import Surroundings
from hazards.telling import News
from hazards.zone_state import Happening, Incident, Merged, Reason, ZoneState, incident_of


class Gravity(Sparing):
    """One call's work on the incidents of one zone state, as far as sureness and severity go."""

    def __init__(self, state: ZoneState, around: Surroundings) -> None:
        super().__init__(state, around)
        self.acknowledged, self.merged = set(around.acknowledged), Merged()

    def note(self, incident: Incident, news: News) -> None:
        """The incident has changed; ``news``: how soon it is to be told."""
        incident.news = max(incident.news, news)
        self.merged.changed[incident.id] = incident

    def _bear_out(self, incident: Incident, alarm: Alarm, at: int) -> bool:
        """Let the alarm that has just sounded bear out incidents; whether its own became surer, by more than itself."""
        source = Source(alarm.device, alarm.kind, modality_of(alarm.kind, self.around.type_of(alarm.device)), at)
        calls = not silent(alarm)
        finding = corroborate(incident.sources, source, self._ended) if calls else None
        incident.sources = remember(incident.sources, source, self._ended)
        surer_now = finding is not None and self._found(incident, finding, at) and len(finding.sources) > 1
        if calls and has_part(alarm.kind):
            surer_now |= self._agree_across(source, incident, at)
        return surer_now

    def _agree_across(self, source: Source, own: Incident, at: int) -> bool:
        changed = False
        for key, finding in agree(self.state.sources, source, self._ended):
            leading = self.state.alarms.get(key)
            incident = incident_of(self.state, leading) if leading is not None else None
            if incident is not None and incident.state is IncidentState.ACTIVE and self._found(incident, finding, at):
                changed |= incident is own
                incident.reason = Reason.CORROBORATED
        self.state.sources = remember_across(self.state.sources, source, self._ended)
        return changed

    def _found(self, incident: Incident, finding: Finding, at: int) -> bool:
        """Take ``finding`` over if it says more than is known; whether it does."""
        more = surer(finding.certainty, incident.certainty)
        graver = finding.severity is not None and finding.severity < incident.severity
        if not more and not (graver and len(finding.sources) > 1):
            return False
        why = particulars(finding)
        if more:
            self.happened(incident, at, "certainty_raised", Reason.CORROBORATED,
                          {"from": incident.certainty, "to": finding.certainty, **why})  # fmt: skip
            incident.certainty = finding.certainty
        incident.corroboration = why
        if finding.severity is not None:
            self.raise_severity(incident, finding.severity, at, Reason.CORROBORATED, why)
        self.note(incident, News.CHANGE)
        return True

    def _ended(self, key: str) -> int | None:
        alarm = self.state.alarms.get(key)
        return 0 if alarm is None else None if alarm.phase in ALARMING else alarm.last_at

    def raise_severity(self, incident: Incident, severity: int, at: int, reason: Reason, why: dict[str, Any]) -> None:
        """To ``severity`` if that is graver; an acknowledgement of what it was before no longer counts: what stands calls anew."""
        if severity >= incident.severity:
            return
        self.happened(incident, at, "severity_raised", reason, {"from": incident.severity, "to": severity, **why})
        incident.severity = severity
        self._call_anew(incident, at)

    def call_for_methane(self, incident: Incident, alarm: Alarm, at: int) -> None:
        """Whoever acknowledged the incident before has not heard of ``alarm``, methane over its limit, that now begins."""
        if never_suppressed(alarm.kind) and (incident.acknowledged or incident.id in self.acknowledged):
            self.happened(incident, at, "sounded", Reason.JOINED, {"device": alarm.device, "kind": alarm.kind})
            self._call_anew(incident, at)

    def _call_anew(self, incident: Incident, at: int) -> None:
        incident.acknowledged = False
        for key in incident.present:
            alarm = self.state.alarms[key]
            alarm.called = alarm.called or (alarm.phase in ALARMING and not held_back(alarm))
        self.merged.graver.add(incident.id)
        self.acknowledged.discard(incident.id)
        incident.raised_at = max(incident.raised_at, incident.updated_at, at)  # to people it is new
        self.note(incident, News.CHANGE)

    def happened(self, incident: Incident, at: int, event: str, reason: Reason, explained: dict[str, Any] | None = None) -> None:
        """One more line of its timeline."""
        if event in ("opened", "closed"):
            incident.word = event
        self.merged.happenings.append(Happening(incident.id, at, event, Reason.OPENED if event == "opened" else reason, explained or {}))
