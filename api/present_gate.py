"""The evidence gate's answer from the domain to the body of an answer: every piece of evidence with its link.

What must not go in: judging, SQL, HTTP.
"""

from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from api.gate_models import Gate, GateEvidence, GatePaper, GateSensor, GateWatcher
from api.models import Text
from api.present import evidence_url
from hazards.ledger.gate import Answer, Evidence, Watched
from hazards.ledger.papers import PaperEvidence, PaperWhy
from hazards.ledger.policy import basis_of
from hazards.ledger.sensor_evidence import SensorEvidence
from hazards.metrics import metric_of

if TYPE_CHECKING:
    from api.present_hazards import HazardPresenter

_SECOND = 1_000_000


class GatePresenter:
    """Turns answers into bodies with the words, times and rules of ``hazards``."""

    def __init__(self, hazards: "HazardPresenter") -> None:
        self._of, self._time, self._time_or_none = hazards, hazards.time, hazards.time_or_none

    def gate(self, answer: Answer) -> Gate:
        """The whole answer."""
        of, seen = self._of, self._of.policy.rules.get(answer.seen_rule)
        return Gate(
            question=answer.question.value, verdict=answer.verdict.value, verdict_name=of.text(f"gate.verdict.{answer.verdict.value}"),
            passes=answer.passes, since=self._time(answer.since), at=self._time(answer.at), reasons=answer.reasons,
            why=[self._reason(reason) for reason in answer.reasons], evidence=[self._incident(e) for e in answer.evidence],
            sensors=[self._sensor(s) for s in answer.sensors], papers=[self._paper(p) for p in answer.papers],
            watchers=[self._watcher(w) for w in answer.watchers], ruling=of.ruling(basis_of(of.policy.rule(answer.rule))),
            seen_ruling=of.ruling(basis_of(seen)) if seen else None,
        )  # fmt: skip

    def _reason(self, code: str) -> Text:
        return self._of.text(f"gate.reason.{code}")

    def _incident(self, e: Evidence) -> GateEvidence:
        return GateEvidence(
            why=e.why.value, why_name=self._reason(e.why.value), incident=e.incident, kinds=e.kinds,
            kind_names=[self._of.presenter.kind(kind) for kind in e.kinds], devices=e.devices, severity=e.severity,
            opened_at=self._time(e.opened_at), raised=e.raised, last_at=self._time_or_none(e.last_at), url=incident_url(e.incident),
            snapshot=evidence_url(e.snapshot),
        )  # fmt: skip

    def _sensor(self, s: SensorEvidence) -> GateSensor:
        metric, start, end = metric_of(s.metric), self._time(s.start), self._time(s.end)
        return GateSensor(
            device=s.device, metric=s.metric, metric_name=Text(zh=metric.chinese, en=metric.english), unit=s.unit, says=s.says.value,
            says_name=self._reason(s.says.value), against=s.against, limit=s.limit, bound=s.bound, value=s.value,
            at=self._time_or_none(s.at), newest=s.newest, newest_at=self._time_or_none(s.newest_at), lowest=s.lowest, highest=s.highest,
            start=start, end=end, url=series_url(s.device, s.metric, start, self._time(max(s.end, s.start + _SECOND))),
        )  # fmt: skip

    def _watcher(self, w: Watched) -> GateWatcher:
        why = w.why.value if w.why is not None else None
        return GateWatcher(
            device=w.device, by=w.by, sees=why is None, why=why, why_name=self._reason(why) if why else None, blind=w.blind,
            seen=w.seen, incidents=w.incidents, urls=[incident_url(incident) for incident in w.incidents],
        )  # fmt: skip

    def _paper(self, p: PaperEvidence) -> GatePaper:
        return GatePaper(
            counts=p.why is PaperWhy.COUNTS, why=p.why.value, why_name=self._reason(p.why.value), where=p.where,
            taken_at=self._time(p.taken_at), place=p.place, document=p.document,
            kept_at=self._time_or_none(p.kept_at), url=evidence_url(p.sha256),
        )  # fmt: skip


def incident_url(incident: str) -> str:
    """Where an incident is served."""
    return f"/api/v1/incidents/{incident}"


def series_url(device: str, metric: str, start: datetime, end: datetime) -> str:
    """Where the readings of a series from ``start`` to ``end`` are served."""
    return f"/api/v1/series?{urlencode({'device': device, 'metric': metric, 'from': start.isoformat(), 'to': end.isoformat()})}"
