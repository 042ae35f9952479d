"""From the domain to the bodies of answers: names, texts, times with the site's offset.

What must not go in: SQL, decisions, HTTP.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from api import models, site_models
from api.declaration_models import DeclarationFacts
from api.present_links import hazard_link
from api.words import Bilingual, Words
from hazards.alarm_state import ALARMING, LATENESS
from hazards.annunciation import AlarmState
from hazards.device_clock import WORDS as FAULT_WORDS
from hazards.device_clock import ClockFault
from hazards.incidents import is_acknowledged
from hazards.kinds import FAMILIES, gravest_first, holds_never_suppressed, kind_of
from hazards.ledger.limits import EPOCH
from hazards.messages import LAPSES, UNASSIGNED, IncidentMessage, IncidentState, Signal
from hazards.quieting import Quiet
from hazards.rules import kind_of_alarm
from hazards.zone_state import Reason
from hazards.zones import Device, Enterprise, Zone
from storage.alarm_states import StandingAlarm
from storage.incident_hazards import Counted
from storage.site_store import Registry

EVIDENCE_URL = "/api/v1/evidence/"
Annunciation = Literal[
    "unacknowledged", "acknowledged", "cleared_unacknowledged", "shelved", "pending", "closed", "suppressed_by_design", "out_of_service",
    "calibration", "permit",
]  # fmt: skip
_OF_QUIET: dict[str, Annunciation] = {
    Quiet.OUT_OF_SERVICE: "out_of_service", Quiet.SHELVED: "shelved", Quiet.INHIBITED: "suppressed_by_design",
    Quiet.CALIBRATION: "calibration", Quiet.PERMIT: "permit",
}  # fmt: skip


def zone_of_time(name: str) -> tzinfo:
    """The time zone of that IANA name; UTC where the machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def annunciation(incident: IncidentMessage, now: int) -> Annunciation:
    """The one word for how it stands towards the operator (ISA-18.2 states, for a merged incident)."""
    if incident.state is IncidentState.CLOSED:
        return "closed"
    grave = holds_never_suppressed(incident.kinds)
    if incident.shelved_until is not None and incident.shelved_until > now and not grave:
        return "shelved"
    if incident.state is IncidentState.PENDING:
        return "pending"
    if is_acknowledged(incident):
        return "acknowledged"
    if incident.quiet and not grave:
        return _OF_QUIET[incident.quiet]
    return "cleared_unacknowledged" if incident.state is IncidentState.CLEARED else "unacknowledged"


def _late(by: int) -> float | None:
    """Seconds of a lateness of ``by`` µs that people are told of."""
    return by / 1e6 if by > LATENESS else None


class Presenter:
    """Turns things of one registry snapshot into bodies. ``now``: UTC microseconds."""

    def __init__(self, registry: Registry, words: Words, *, now: int) -> None:
        self.registry, self.words, self.now = registry, words, now
        self.time_zone_name = registry.site.time_zone
        self.zone = zone_of_time(self.time_zone_name)

    def time(self, at: int) -> datetime:
        """UTC microseconds with the site's offset; times beyond the calendar are given as its nearest edge."""
        try:
            return (EPOCH + timedelta(microseconds=at)).astimezone(self.zone)
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC) if at > 0 else datetime.min.replace(tzinfo=UTC)

    def time_or_none(self, at: int | None) -> datetime | None:
        """``time``, or None for None."""
        return None if at is None else self.time(at)

    def text(self, key: str, parameters: Mapping[str, Any] | None = None) -> models.Text:
        """The catalogue's text in both languages."""
        return _text(self.words.both(key, parameters))

    def kind(self, name: str) -> models.Kind:
        """A kind with its names."""
        row = kind_of(name)
        return models.Kind(kind=name, family=row.family, name=self.kind_name(name), known=row.known)

    def kind_name(self, name: str) -> models.Text:
        """What a kind is called; one that the platform does not know, by the rule that raises it."""
        row = kind_of(name)
        rules = () if row.known else self.registry.rules.values()
        words = next((rule.name for rule in rules if kind_of_alarm(rule) == name), None)
        return models.Text(zh=row.chinese, en=row.english) if words is None else models.Text(zh=words.zh, en=words.en or words.zh)

    def why(self, reason: str, explained: Mapping[str, Any] | None = None) -> models.Text:
        """The sentence behind a reason's code: for a signal with its particulars, for an incident (``explained`` None) without."""
        if explained is None:
            return self.text(self.words.first(f"reason.of_incident.{reason}", f"reason.{reason}"))
        if explained.get("ended_by") and reason in (Reason.ENDED, Reason.OTHERS_STAND):
            return self.text(f"reason.{explained['ended_by']}")
        parameters = dict(explained)
        sure = self.text(f"certainty.{parameters.get('certainty', '')}")
        device, _, kind = str(parameters.get("alarm", "")).partition(" ")
        named = self.kind_name(kind) if kind else models.Text(zh="", en="")
        due = parameters.get("due")
        if isinstance(due, int):
            parameters["due"] = self.time(due).strftime("%H:%M:%S")
        of_language = {"zh": (named.zh, sure.zh), "en": (named.en, sure.en)}
        zh, en = (
            self.words.one(language, f"reason.{reason}", {**parameters, "device": device, "kind": kind_name, "certainty": certainty})
            for language, (kind_name, certainty) in of_language.items()
        )
        return models.Text(zh=zh, en=en)

    def corroboration(self, kept: Mapping[str, Any]) -> models.Corroboration | None:
        """Why an incident is surer than one source makes it; None for what ``hazards.correlation.particulars`` did not make."""
        if not kept.get("sources"):
            return None
        sources = [self._source(s) for s in kept["sources"]]
        return models.Corroboration(
            rule=kept["rule"], basis=kept["basis"], basis_name=self.text(f"basis.{kept['basis']}"), needs=kept["needs"],
            sentence=self._sentence(kept, sources), sources=sources,
        )  # fmt: skip

    def _source(self, kept: Mapping[str, Any]) -> models.Source:
        return models.Source(
            device=kept["device"], kind=kept["kind"], kind_name=self.kind(kept["kind"]).name, modality=kept["modality"],
            modality_name=self.text(f"modality.{kept['modality']}"), at=self.time(kept["at"]),
        )  # fmt: skip

    def _sentence(self, kept: Mapping[str, Any], sources: Sequence[models.Source]) -> models.Text:
        """Who saw what when, what that means, and on whose word."""

        def one(language: str) -> str:
            each = [
                self.words.one(language, "corroboration.source", {"modality": getattr(s.modality_name, language), "device": s.device,
                               "time": s.at.strftime("%H:%M:%S"), "kind": getattr(s.kind_name, language)})
                for s in sources
            ]  # fmt: skip
            parameters = {"sources": self.words.one(language, "corroboration.and").join(each), "rule": kept["text"][language],
                          "basis": self.words.one(language, f"basis.{kept['basis']}")}  # fmt: skip
            return self.words.one(language, "corroboration.sentence", parameters)

        return models.Text(zh=one("zh"), en=one("en"))

    def incident(self, incident: IncidentMessage, counted: Counted | None = None) -> models.Incident:
        """One incident. ``counted``: the open hazards of its zone."""
        zone = self.registry.zone(incident.zone)
        unassigned = incident.zone == UNASSIGNED
        word, kinds = annunciation(incident, self.now), gravest_first(incident.kinds)
        lapsed = word == "cleared_unacknowledged" and incident.reason in LAPSES
        return models.Incident(
            id=incident.id, zone=incident.zone,
            zone_name=zone.name if zone else (self.words.one("zh", "zone.unassigned") if unassigned else incident.zone),
            zone_grade=zone.grade.value if zone else None,
            enterprise=incident.enterprise, enterprise_name=self.enterprise_name(incident.enterprise),
            family=incident.family, family_name=self._family(incident.family), kinds=kinds,
            kind_names=[self.kind(kind) for kind in kinds], devices=incident.devices, state=incident.state.value,
            annunciation=word, annunciation_name=self.text(f"annunciation.{word}{'.lapsed' if lapsed else ''}"), severity=incident.severity,
            certainty=incident.certainty.value, certainty_name=self.text(f"certainty.{incident.certainty.value}"),
            corroboration=self.corroboration(incident.corroboration),
            opened_at=self.time(incident.opened_at), raised_at=self.time_or_none(incident.raised_at or None),
            updated_at=self.time(incident.updated_at),
            cleared_at=self.time_or_none(incident.cleared_at), closed_at=self.time_or_none(incident.closed_at),
            version=incident.version, alarm_count=incident.alarm_count, message=incident.message, reason=incident.reason,
            why=self.why(incident.reason), snapshot=incident.snapshot, snapshot_url=evidence_url(incident.snapshot),
            acknowledged_by=incident.acknowledged_by, acknowledged_at=self.time_or_none(incident.acknowledged_at),
            assigned_to=incident.assigned_to, shelved_by=incident.shelved_by,
            shelved_until=self.time_or_none(incident.shelved_until), shelve_reason=incident.shelve_reason, synthetic=incident.synthetic,
            quiet=incident.quiet or None, quiet_by=incident.quiet_by or None,
            labels=[models.Label(label=label, name=self.text(f"quiet.{label}")) for label in incident.labels],
            hazards=[hazard_link(link, self) for link in incident.hazards], open_hazards=counted.open if counted else None,
            overdue_hazards=counted.overdue if counted else None,
        )  # fmt: skip

    def alarm_state(self, row: StandingAlarm) -> models.AlarmState:
        """How one alarm stands towards people."""
        return models.AlarmState(
            device=row.device, kind=row.kind, kind_name=self.kind(row.kind).name, zone=row.zone, incident=row.incident or None,
            state=AlarmState(row.state), state_name=self.text(f"alarm_state.{row.state}"), standing=row.phase in ALARMING,
            severity=row.severity,
            quiet=row.quiet or None, quiet_by=row.quiet_by or None, since=self.time(row.since), last_at=self.time(row.last_at),
        )  # fmt: skip

    def alarm(self, signal: Signal, reason: str, explained: Mapping[str, Any]) -> models.Alarm:
        """One signal of an incident with the decision about it."""
        return models.Alarm(
            id=signal.source_id, signal=signal.id, source=signal.source, device=signal.device, kind=signal.kind,
            kind_name=self.kind(signal.kind), action=signal.action.value, at=self.time(signal.at),
            received_at=self.time(signal.received_at),
            late_seconds=_late(signal.received_at - signal.at), clock=signal.clock.value, sent_at=self.time_or_none(signal.sent_at),
            severity=signal.severity, score=signal.score, box=list(signal.box) if signal.box else None, message=signal.message,
            snapshot=signal.snapshot, snapshot_url=evidence_url(signal.snapshot), reason=reason, why=self.why(reason, explained),
            details=signal.details, synthetic=signal.synthetic,
        )  # fmt: skip

    def clock(self, fault: ClockFault) -> site_models.DeviceClock:
        """What is wrong with a device's clock."""
        zh, en = FAULT_WORDS[fault.fault]
        return site_models.DeviceClock(
            state=fault.state, fault=fault.fault.value, fault_name=models.Text(zh=zh, en=en),
            ahead_seconds=None if fault.error is None else fault.error / 1e6, since=self.time(fault.since), last_at=self.time(fault.last),
        )  # fmt: skip

    def timeline_event(self, row_id: int, at: int, actor: str, event: str, body: Mapping[str, Any]) -> models.TimelineEvent:
        """One line of the record."""
        corroboration, lapse = self.corroboration(body), body.get("ended_by")
        return models.TimelineEvent(
            id=str(row_id), at=self.time(at), actor=actor, event=event, event_name=self.text(f"event.{event}{'.lapsed' if lapse else ''}"),
            why=corroboration.sentence if corroboration else self.text(f"reason.{lapse}") if lapse else None,
            late_seconds=_late(body.get("late_by", 0)), details=dict(body),
        )  # fmt: skip

    def _family(self, family: str) -> models.Text:
        if family in FAMILIES:
            return self.text(f"family.{family}")
        return self.kind(family).name

    def enterprise_name(self, enterprise_id: str | None) -> str | None:
        """What an enterprise is called; None for none, or one that is gone."""
        return next((e.name for e in self.registry.site.enterprises if e.id == enterprise_id), None)


def evidence_url(sha256: str | None) -> str | None:
    """Where the picture is served."""
    return EVIDENCE_URL + sha256 if sha256 else None


def enterprise(e: Enterprise) -> site_models.Enterprise:
    """An enterprise."""
    return site_models.Enterprise(
        id=e.id, name=e.name, contacts=[site_models.Contact(name=c.name, role=c.role, phone=c.phone) for c in e.contacts]
    )


def zone(z: Zone, district: str, in_force: list[DeclarationFacts], *, shared: bool) -> site_models.Zone:
    """A zone, which lies in ``district``."""
    return site_models.Zone(
        id=z.id, name=z.name, grade=z.grade.value, enterprise=z.enterprise, polygon=z.polygon, line=z.line, risks=z.risks,
        measures=z.measures, major_hazard_level=z.major_hazard_level, district=district, shared=shared,
        in_force=in_force,
    )  # fmt: skip


def device(d: Device, *, shared: bool, clock: site_models.DeviceClock | None = None) -> site_models.Device:
    """A device, with the password of its address hidden; of a shared one neither address, areas, settings nor clock."""
    if shared:
        return site_models.Device(
            id=d.id, zone=d.zone, type=d.type, url="", detectors=d.detectors, areas={}, settings={}, clock=None, shared=True
        )  # fmt: skip
    return site_models.Device(
        id=d.id, zone=d.zone, type=d.type, url=without_password(d.url), detectors=d.detectors, areas=d.areas, settings=d.settings,
        clock=clock, shared=False,
    )  # fmt: skip


def without_password(url: str) -> str:
    """``url`` with what stands before its @ hidden: addresses of cameras often carry a password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if "@" not in parts.netloc:
        return url
    return parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]).geturl()


def _text(text: Bilingual) -> models.Text:
    return models.Text(zh=text.zh, en=text.en)
