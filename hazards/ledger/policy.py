"""The policy pack: grades, days, who may do what, and for every rule where it comes from. Types and pure look-ups.

A pack is one ``Policy`` value; the pack of the Guangyuan zone is ``hazards/ledger/policy_guangyuan.py``. A city's own file will be
read into the same types. Honest authority: only what a document says is a ``clause``; our reading of it is an ``interpretation``,
what nobody says is a ``platform_default``. What must not go in: the numbers themselves, reading files, clocks of its own.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from hazards.ledger.lifecycle import Event

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Authority(StrEnum):
    """Who says a rule."""

    CLAUSE = "clause"  # 条款: the document says it
    INTERPRETATION = "interpretation"  # 解读: our reading of it
    PLATFORM_DEFAULT = "platform_default"  # 平台默认: nobody says it, we chose
    DEMO = "demo"  # 演示: only of a demonstration


class Standing(StrEnum):
    """Whether a document is in force."""

    DRAFT = "draft"  # 征求意见稿
    IN_FORCE = "in_force"  # 现行
    EXPIRED = "expired"  # 已失效
    UNKNOWN = "unknown"  # 未核实


class Document(Struct, frozen=True):
    """A policy document, by the number of its file."""

    id: str
    zh: str
    en: str
    standing: Standing = Standing.UNKNOWN


class Source(Struct, frozen=True):
    """A place in a document: number of its file and clause."""

    document: str
    clause: str


class Rule(Struct, frozen=True):
    """One rule with its basis. ``zh`` and ``en`` give its sense in our words, never a quotation."""

    id: str
    authority: Authority
    zh: str
    en: str
    sources: tuple[Source, ...] = ()


class GradeRule(Struct, frozen=True):
    """A grade of hazard (隐患等级) and how long its rectification may take: 0 days is the day on which the clock starts."""

    name: str
    zh: str
    en: str
    days: int
    rule: str  # id of the rule that gives the days
    needs_plan: bool  # permanent rectification waits for a plan with the five commitments
    needs_criterion: bool  # confirmed against a numbered item of the criteria
    accepted_by: frozenset[str]  # roles that may accept, refuse and close
    accepted_by_rule: str


class MeasureKind(Struct, frozen=True):
    """A kind of immediate measure (管控措施), the roles that may take it, and the rule that says so."""

    name: str
    zh: str
    en: str
    roles: frozenset[str]
    rule: str


class ProposalRule(Struct, frozen=True):
    """An incident at least this grave and this certain proposes a hazard of ``grade`` (拟定级)."""

    severity: int
    certainty: str
    grade: str
    rule: str


class Policy(Struct, frozen=True, kw_only=True):
    """A whole pack. ``version`` is kept with every hazard that was opened under it."""

    id: str
    version: str
    zh: str
    en: str
    documents: tuple[Document, ...]
    rules: Mapping[str, Rule]
    grades: tuple[GradeRule, ...]  # gravest last
    measures: tuple[MeasureKind, ...]
    proposals: tuple[ProposalRule, ...]
    grade_of_severity: Mapping[int, str]  # the grade proposed for an incident's hazard when nobody names one
    events: Mapping[Event, str]  # the rule that each event of the lifecycle follows
    responsible: frozenset[str] = field(default_factory=frozenset)  # roles that rectify where a zone has an enterprise
    responsible_without_enterprise: frozenset[str] = field(default_factory=frozenset)

    def rule(self, name: str) -> Rule:
        """The rule of that id. Raises KeyError: ids are the program's own."""
        return self.rules[name]

    def rule_of(self, event: Event) -> Rule:
        """The rule that ``event`` follows."""
        return self.rules[self.events[event]]

    def grade(self, name: str) -> GradeRule | None:
        """The grade of that name, or None."""
        return next((g for g in self.grades if g.name == name), None)

    def grade_or_gravest(self, name: str) -> GradeRule:
        """The grade of that name; for one that this pack does not have the gravest, so that no rule is lost."""
        return self.grade(name) or self.grades[-1]

    def is_graver(self, first: str, second: str) -> bool:
        """Whether the grade ``first`` is graver than ``second``."""
        return self.grades.index(self.grade_or_gravest(first)) > self.grades.index(self.grade_or_gravest(second))

    def measure(self, name: str) -> MeasureKind | None:
        """The measure of that name, or None."""
        return next((m for m in self.measures if m.name == name), None)

    def document(self, name: str) -> Document | None:
        """The document of that file number, or None."""
        return next((d for d in self.documents if d.id == name), None)

    def proposal(self, severity: int, certainty: str) -> ProposalRule | None:
        """The rule by which such an incident proposes a hazard, or None."""
        return next((p for p in self.proposals if severity <= p.severity and certainty == p.certainty), None)


def basis_of(rule: Rule) -> dict[str, Any]:
    """``rule`` as it stands in records, messages and refusals: who says it, where, and its sense in both languages."""
    sources = [{"document": s.document, "clause": s.clause} for s in rule.sources]
    return {"rule": rule.id, "kind": rule.authority.value, "sources": sources, "zh": rule.zh, "en": rule.en}


def due_at(grade: GradeRule, start: int, zone: tzinfo) -> int:
    """The last second of the day on which rectification is due, UTC µs: ``grade.days`` natural days after ``start``'s day in ``zone``.

    The day on which the clock starts is not counted."""
    day = (EPOCH + timedelta(microseconds=start)).astimezone(zone).date() + timedelta(days=grade.days)
    end = datetime.combine(day, time(23, 59, 59), zone)
    return (end - EPOCH) // timedelta(microseconds=1)
