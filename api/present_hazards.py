"""Hazards from the domain to the bodies of answers: names, rules with their documents, times with the site's offset.

What must not go in: SQL, decisions, HTTP.
"""

from collections.abc import Mapping
from typing import Any

from api import hazard_models as models
from api.gate_models import Gate
from api.hazard_clock_models import ClockPoint, HazardClock
from api.models import Text
from api.policy_models import GradeChoice, MeasureKind
from api.present import Presenter, evidence_url
from api.present_gate import GatePresenter
from api.record_models import Change, HazardEvent
from api.ruling_models import Ruling, SourceOfRule
from api.struct_models import shown
from hazards.ledger.clocks import Clock, points, running
from hazards.ledger.decision import Case
from hazards.ledger.gate import Answer
from hazards.ledger.hazard import Hazard, is_overdue, message_of
from hazards.ledger.kinds import hazard_kind, is_for
from hazards.ledger.particulars import Measure, Paper
from hazards.ledger.policy import Policy, basis_of
from hazards.ledger.record import Entry
from hazards.messages import HazardMessage, IncidentMessage


class HazardPresenter:
    """Turns hazards into bodies, by one registry snapshot and one policy pack."""

    def __init__(self, presenter: Presenter, policy: Policy) -> None:
        self.presenter, self.policy = presenter, policy
        self.text, self.time, self.time_or_none = presenter.text, presenter.time, presenter.time_or_none

    def hazard(self, hazard: Hazard) -> models.Hazard:
        """One row of a list."""
        return self.message(message_of(hazard, {}))

    def message(self, message: HazardMessage) -> models.Hazard:
        """One event of the feed, one push."""
        return models.Hazard(**self.fields(message))

    def under(self, version: str) -> "HazardPresenter":
        """The presenter of hazards that were opened under that version of a pack."""
        pack = self.presenter.registry.policy_under(version) or self.policy
        return self if pack is self.policy else HazardPresenter(self.presenter, pack)

    def fields(self, message: HazardMessage) -> dict[str, Any]:
        """What every form of a hazard shows, in the words of the pack under which it was opened."""
        if (under := self.under(message.policy)) is not self:
            return under.fields(message)
        zone = self.presenter.registry.zone(message.zone)
        enterprises, kind = self.presenter.registry.site.enterprises, hazard_kind(message.kind, self.policy.kinds)
        return {
            "id": message.id, "zone": message.zone, "zone_name": zone.name if zone else self._zone_name(message.zone),
            "zone_grade": zone.grade.value if zone else None, "enterprise": message.enterprise,
            "enterprise_name": next((e.name for e in enterprises if e.id == message.enterprise), None),
            "kind": message.kind, "kind_name": Text(zh=kind.chinese, en=kind.english), "kind_known": kind.known, "grade": message.grade,
            "grade_name": self.grade_name(message.grade), "confirmed": message.confirmed,
            "state": message.state, "state_name": self.text(f"hazard.state.{message.state}"),
            "title": message.title, "incident": message.incident, "opened_at": self.time(message.opened_at),
            "updated_at": self.time(message.updated_at), "due_at": self.time_or_none(message.due_at),
            "overdue": is_overdue(message.state, message.due_at, self.presenter.now),
            "version": message.version, "event": message.event, "event_name": self.text(f"hazard.event.{message.event}"),
            "actor": message.actor, "basis": message.basis, "synthetic": message.synthetic, "tracks": message.tracks,
            "repeated": message.repeated, "alarm_since_claim": message.alarm_since_claim, "tells": message.tells,
        }  # fmt: skip

    def detail(self, case: Case, gate: Answer | None, commands: list[models.Allowance]) -> models.HazardDetail:
        """One hazard in full for the case's actor."""
        hazard, grade = case.hazard, case.grade
        if (own := self.under(hazard.policy)) is not self:
            return own.detail(case, gate, commands)
        claim = hazard.claim
        return models.HazardDetail(
            **self.fields(message_of(hazard, {})), description=hazard.description, origin=hazard.origin.value,
            origin_name=self.text(f"hazard.origin.{hazard.origin.value}"), policy=hazard.policy, proposed_by=hazard.proposed_by,
            proposed_grade=hazard.proposed_grade, criterion=hazard.criterion, confirmed_by=hazard.confirmed_by,
            confirmed_at=self.time_or_none(hazard.confirmed_at),
            due_ruling=self.ruling(basis_of(self.policy.rule(grade.limit.rule if hazard.confirmed else "provisional_clock"))),
            plan=models.Plan(
                responsibility=hazard.plan.responsibility, measures=hazard.plan.measures, funds=hazard.plan.funds, time=hazard.plan.time,
                contingency=hazard.plan.contingency, filed_by=hazard.plan.filed_by, filed_at=self.time(hazard.plan.filed_at),
                approved_by=hazard.plan.approved_by, approved_at=self.time_or_none(hazard.plan.approved_at),
                returned_for=hazard.plan.returned_for,
            ) if hazard.plan else None,
            measures=[self._measure(measure) for measure in hazard.measures],
            claim=models.ClaimShown(by=claim.by, at=self.time(claim.at), note=claim.note, evidence=[self._paper(p) for p in claim.evidence],
                                    verdict=claim.verdict) if claim else None,
            accepted_by=hazard.accepted_by, accepted_at=self.time_or_none(hazard.accepted_at), closed_by=hazard.closed_by,
            closed_at=self.time_or_none(hazard.closed_at), dismissed_reason=hazard.dismissed_reason,
            clocks=[self._clock(clock) for clock in running(hazard, self.policy, self.presenter.zone)],
            gate=self.gate(gate) if gate else None, commands=commands, grades=self.grades(),
            measure_kinds=self.measure_kinds(case.actor.role), choices=self.choices(case), **self._beside(hazard),
        )  # fmt: skip

    def _beside(self, hazard: Hazard) -> dict[str, Any]:
        """What runs beside the rectification."""
        lists = ("reports", "publications", "listings", "supervisions", "extensions", "inspections", "summons", "overrides",
                 "alarms_since_claim")
        return {
            **{name: [shown(each, self.time) for each in getattr(hazard, name)] for name in lists},
            **{name: shown(each, self.time) if (each := getattr(hazard, name)) else None for name in ("referral", "waiver")},
            **{name: self.time_or_none(getattr(hazard, name)) for name in ("received_at", "reopened_at", "overdue_at")},
            **{name: getattr(hazard, name) for name in
               ("supervising_body", "received_by", "repeat_of", "merged_into", "duplicates", "incidents")},
            "track_names": {track: self.text(f"hazard.track.{track}.{at}") for track, at in hazard.tracks.items()},
        }  # fmt: skip

    def choices(self, case: Case) -> models.Choices:
        """What commands choose from."""
        policy, inspection = self.policy, case.grade.inspection
        fitting = [c for c in policy.criteria if is_for(c, case.hazard.kind, policy.kinds) or c.id == case.hazard.criterion]
        criteria = {g.name: [_choice(c.id, c.zh, c.en) for c in fitting if c.grade == g.name] for g in policy.grades}
        return models.Choices(
            criteria=criteria, causes=[_choice(c.name, c.zh, c.en) for c in policy.extension.causes],
            most_days=policy.extension.most_days, signing_posts=list(case.signing_posts()),
            waivers=[_choice(w.name, w.zh, w.en) for w in policy.waivers], posts=[_choice(p.name, p.zh, p.en) for p in policy.posts],
            own_posts=case.held(p.name for p in policy.posts), inspecting_posts=list(inspection.posts) if inspection else [],
            experts=inspection.experts if inspection else 0, may_override=case.actor.role in policy.gate_override.roles,
        )  # fmt: skip

    def event(self, entry: Entry, data: bytes, digest: str) -> HazardEvent:
        """One entry of the record."""
        return HazardEvent(
            number=entry.number, at=self.time(entry.at), actor=entry.actor, role=entry.role, event=entry.event,
            event_name=self.text(f"hazard.event.{entry.event}"), state=entry.state, policy=entry.policy,
            ruling=self.under(entry.policy).ruling(entry.basis), details=entry.details, digest=digest, recorded=data.decode("utf-8"),
        )  # fmt: skip

    def change(self, entry: Entry) -> Change:
        """One entry of the record as somebody needs it who was overtaken by it."""
        return Change(number=entry.number, at=self.time(entry.at), actor=entry.actor, role=entry.role, event=entry.event,
                             event_name=self.text(f"hazard.event.{entry.event}"), state=entry.state)  # fmt: skip

    def incident(self, incident: IncidentMessage, why: str) -> models.HazardIncident:
        """An incident of a hazard, and why it is one."""
        shown = self.presenter.incident(incident)
        return models.HazardIncident(incident=shown, why=why, why_name=self.text(f"hazard.incident.{why}"))  # type: ignore[arg-type]

    def ruling(self, basis: Mapping[str, Any]) -> Ruling:
        """A rule as recorded (``policy.basis_of``), with the documents it comes from."""
        return Ruling(
            rule=basis["rule"], basis=basis["kind"], basis_name=self.text(f"basis.{basis['kind']}"),
            text=Text(zh=basis["zh"], en=basis["en"]), sources=[self._source(s["document"], s["clause"]) for s in basis["sources"]],
        )  # fmt: skip

    def gate(self, answer: Answer) -> Gate:
        """The evidence gate's answer."""
        return GatePresenter(self).gate(answer)

    def grades(self) -> list[GradeChoice]:
        """The grades of the pack."""
        return [GradeChoice(grade=g.name, name=Text(zh=g.zh, en=g.en), limit=g.limit.amount, counting=g.limit.counting.value,
                                   needs_plan=g.needs_plan, needs_criterion=g.needs_criterion, listed=g.listed, extendable=g.extendable)
                for g in self.policy.grades]  # fmt: skip

    def measure_kinds(self, role: str) -> list[MeasureKind]:
        """The measures that ``role`` may take."""
        return [MeasureKind(kind=m.name, name=Text(zh=m.zh, en=m.en)) for m in self.policy.measures if role in m.roles]

    def grade_name(self, grade: str) -> Text:
        """The grade's name in the pack; a grade that the pack no longer has shows itself."""
        row = self.policy.grade(grade)
        return Text(zh=row.zh, en=row.en) if row else Text(zh=grade, en=grade)

    def _zone_name(self, zone: str) -> str:
        return self.presenter.words.one("zh", "zone.unassigned") if zone == "unassigned" else zone

    def _source(self, document: str, clause: str) -> SourceOfRule:
        known = self.policy.document(document)
        standing = known.standing.value if known else "unknown"
        return SourceOfRule(document=document, clause=clause, title=Text(zh=known.zh, en=known.en) if known else None,
                                   standing=standing, standing_name=self.text(f"standing.{standing}"))  # fmt: skip

    def _clock(self, clock: Clock) -> HazardClock:
        found = [
            ClockPoint(name=p.name, at=self.time(p.at), passed=p.at <= self.presenter.now, tells=list(p.tells))
            for p in points(clock, self.presenter.zone)
        ]  # fmt: skip
        name = Text(zh=clock.rule.zh, en=clock.rule.en)
        return HazardClock(clock=clock.rule.clock, name=name, started_at=self.time(clock.start), due_at=self.time(clock.due),
                                  points=found)  # fmt: skip

    def _measure(self, measure: Measure) -> models.Measure:
        kind = self.policy.measure(measure.kind)
        name = Text(zh=kind.zh, en=kind.en) if kind else Text(zh=measure.kind, en=measure.kind)
        return models.Measure(
            number=measure.number, kind=measure.kind, kind_name=name, authority=measure.authority, start=self.time(measure.start),
            until=self.time_or_none(measure.until), note=measure.note, taken_by=measure.taken_by,
            ended_at=self.time_or_none(measure.ended_at), ended_by=measure.ended_by,
        )  # fmt: skip

    def _paper(self, paper: Paper) -> models.PaperShown:
        return models.PaperShown(
            stage=paper.stage.value, taken_at=self.time(paper.taken_at), place=paper.place, sha256=paper.sha256,
            url=evidence_url(paper.sha256), document=paper.document, note=paper.note,
        )  # fmt: skip


def kind_name(kind: str, policy: Policy) -> Text:
    """What a kind of hazard is called."""
    known = hazard_kind(kind, policy.kinds)
    return Text(zh=known.chinese, en=known.english)


def _choice(name: str, zh: str, en: str) -> models.Choice:
    return models.Choice(name=name, text=Text(zh=zh, en=en))
