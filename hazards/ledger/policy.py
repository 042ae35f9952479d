"""The policy pack: grades, limits, clocks, who may do what, and for every rule where it comes from. Types and pure look-ups.

A pack is one ``Policy`` value, read from a city's file. Honest authority: only what a document says is a ``clause``; our reading of
it is an ``interpretation``, what nobody says is a ``platform_default``. What must not go in: the numbers themselves, reading files,
counting days (``hazards/ledger/limits.py``).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from hazards.ledger.lifecycle import Event
from hazards.rules import AlarmRule

TOLD = ("enterprise", "park_command", "department", "bureau", "safety_office")
"""Posts that events tell whatever a pack says; one that a city does not have is left out (``bihuan policy check`` warns)."""


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
    """A policy document, by the number of its file. ``dated``, ``until``: ISO dates as far as they are known."""

    id: str
    zh: str
    en: str
    standing: Standing = Standing.UNKNOWN
    dated: str = ""
    until: str = ""


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


class Counting(StrEnum):
    """How a limit is counted."""

    NATURAL_DAYS = "natural_days"  # 自然日: to the end of the last day, the first not counted
    WORKING_DAYS = "working_days"  # 工作日: the same, without days off
    HOURS = "hours"  # 小时: from the minute on


class Limit(Struct, frozen=True):
    """How long something may take, and the rule that says so. 0 days is the day on which the clock starts."""

    amount: int
    counting: Counting
    rule: str


class Calendar(Struct, frozen=True):
    """Days off. Saturday and Sunday, unless ``exceptions`` (ISO date to "is it a working day") says otherwise (调休).

    ``country``: whose published days off stand among the exceptions, "" for none."""

    country: str = ""
    exceptions: Mapping[str, bool] = field(default_factory=dict)


class Post(Struct, frozen=True):
    """A post (岗位) that signs or is told, and the roles whose people hold it."""

    name: str
    zh: str
    en: str
    roles: frozenset[str]


class Right(Struct, frozen=True):
    """Who may give a command, and the rule that says so."""

    roles: frozenset[str]
    rule: str


class GateRule(Struct, frozen=True):
    """How much a device must have seen since the claim to count for the evidence gate, percent; and after how many minutes without a
    reading a sensor without ``stale_after`` is called silent."""

    seen_percent: int = 50
    silent_minutes: int = 60
    rule: str = "gate_sight"


class InspectionRule(Struct, frozen=True):
    """What an acceptance needs: an inspection that passed, with people of these posts (all of them) and so many experts."""

    posts: tuple[str, ...]
    experts: int
    rule: str


class GradeRule(Struct, frozen=True, kw_only=True):
    """A grade of hazard (隐患等级): its limit and what belongs to it."""

    name: str
    zh: str
    en: str
    limit: Limit
    needs_plan: bool = False  # permanent rectification waits for an approved plan with the five commitments
    needs_criterion: bool = False  # confirmed against a numbered item of the criteria (判定标准)
    listed: bool = False  # 挂牌整改, publication, double report, referral are for it
    extendable: bool = False  # its limit can be extended, and when it is missed there is a summons (约谈)
    accepted_by: frozenset[str]  # roles that may accept, refuse and close
    accepted_by_rule: str
    inspection: InspectionRule | None = None


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


class Criterion(Struct, frozen=True):
    """A numbered item of the major-hazard criteria (判定标准). ``kinds``: kinds of hazard that it is for, no others; none: all."""

    id: str
    zh: str
    en: str
    grade: str
    rule: str
    kinds: tuple[str, ...] = ()


class Named(Struct, frozen=True):
    """A thing of the pack that people choose by name: an objective cause, an item of a list of waivers."""

    name: str
    zh: str
    en: str
    rule: str


class ExtensionRule(Struct, frozen=True, kw_only=True):
    """Extension (延期): who signs, how long and how often, for which causes; who files it."""

    posts: tuple[str, ...]  # one signature each, of different persons
    posts_outside_park: tuple[str, ...]
    most_days: int  # of one extension
    most_times: int
    causes: tuple[Named, ...]
    rule: str  # who signs
    outside_rule: str
    cap_rule: str
    cause_rule: str


class WarningPoint(Struct, frozen=True):
    """A point of a clock at which people are told. ``at``: "half", "due", or a distance to the due date such as "-3d", "-12h", "+1d"."""

    at: str
    tells: tuple[str, ...]  # posts


class ClockRule(Struct, frozen=True, kw_only=True):
    """One kind of clock on a hazard: ``clock`` names it in ``hazards/ledger/clocks.py``, which knows when it starts and stops.

    ``limit`` None: the due date is kept with the hazard (rectification). ``grades`` empty: all."""

    clock: str
    zh: str
    en: str
    points: tuple[WarningPoint, ...]
    limit: Limit | None = None
    grades: frozenset[str] = frozenset()

    def is_for(self, grade: str) -> bool:
        """Whether it runs on hazards of ``grade``."""
        return not self.grades or grade in self.grades


class RepeatRule(Struct, frozen=True, kw_only=True):
    """Repeats (重复隐患): same kind, same enterprise within ``days`` of an earlier one; ``same_zone``: the place counts too.

    From ``from_count`` earlier ones on the grade is proposed one graver where ``raises_grade``, and the enterprise is inspected
    ``inspections`` times a quarter."""

    days: int
    same_zone: bool
    from_count: int
    raises_grade: bool
    inspections: int
    rule: str


class RecurrenceRule(Struct, frozen=True, kw_only=True):
    """An alarm of the kind after the closing (复发): within ``hours`` it reopens the hazard, later, within the window of repeats, an
    incident at least as grave as ``severity`` proposes a repeat; 0: neither."""

    hours: int = 72
    severity: int = 2
    rule: str = "recurrence_by_alarm"


class DutyRule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A periodic duty (履职时钟), such as the monthly special inspection. ``period``: month or quarter; due at its end.

    ``post`` has it, and each of ``also`` has it as well, for itself: what one did does not stand for the others."""

    name: str
    zh: str
    en: str
    post: str
    period: str
    points: tuple[WarningPoint, ...]
    rule: str
    also: tuple[str, ...] = ()

    @property
    def posts(self) -> tuple[str, ...]:
        """Every post that has it, each once."""
        return tuple(dict.fromkeys((self.post, *self.also)))


class KeyPeriod(Struct, frozen=True):
    """A key period (重点时段), ISO dates, both included."""

    name: str
    zh: str
    en: str
    first: str
    last: str
    rule: str


class Amount(Struct, frozen=True):
    """Money (yuan), from ``least`` to ``most``."""

    name: str
    least: int
    most: int
    rule: str


class KindRow(Struct, frozen=True, kw_only=True):
    """A kind of hazard as a pack adds or changes it: ``hazards/ledger/kinds.py`` explains the fields."""

    name: str
    zh: str
    en: str
    families: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()


class Policy(Struct, frozen=True, kw_only=True):
    """A whole pack. ``version`` is kept with every hazard that was opened under it."""

    id: str
    version: str
    zh: str
    en: str
    documents: tuple[Document, ...]
    rules: Mapping[str, Rule]
    grades: tuple[GradeRule, ...]  # gravest last
    posts: tuple[Post, ...]
    commands: Mapping[str, Right]  # every command of the ledger
    measures: tuple[MeasureKind, ...]
    proposals: tuple[ProposalRule, ...]
    grade_of_severity: Mapping[str, str]  # the grade proposed for an incident's hazard when nobody names one
    events: Mapping[Event, str]  # the rule that each event of the lifecycle follows
    extension: ExtensionRule
    clocks: tuple[ClockRule, ...]
    repeats: RepeatRule
    gate_override: Right  # who may go on against the evidence gate, with a reason
    gate: GateRule = GateRule()
    recurrence: RecurrenceRule = RecurrenceRule()
    criteria: tuple[Criterion, ...] = ()
    waivers: tuple[Named, ...] = ()  # items of the first-offence and minor-offence lists
    duties: tuple[DutyRule, ...] = ()
    key_periods: tuple[KeyPeriod, ...] = ()
    kinds: tuple[KindRow, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)
    amounts: tuple[Amount, ...] = ()
    alarm_rules: tuple[AlarmRule, ...] = ()
    templates: Mapping[str, str] = field(default_factory=dict)  # name to text with {fields}
    responsible: frozenset[str] = field(default_factory=frozenset)  # roles that rectify where a zone has an enterprise
    responsible_without_enterprise: frozenset[str] = field(default_factory=frozenset)

    def rule(self, name: str) -> Rule:
        """The rule of that id. Raises KeyError: a pack was checked when it was read."""
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

    def post(self, name: str) -> Post | None:
        """The post of that name, or None."""
        return next((p for p in self.posts if p.name == name), None)

    def duty(self, name: str) -> DutyRule | None:
        """The rule of the duty of that name, or None."""
        return next((rule for rule in self.duties if rule.name == name), None)

    def known_posts(self, *names: str) -> tuple[str, ...]:
        """Those of ``names`` that this city has."""
        return tuple(name for name in names if self.post(name) is not None)

    def roles_of(self, posts: tuple[str, ...]) -> frozenset[str]:
        """All roles that hold one of ``posts``."""
        return frozenset(role for p in self.posts if p.name in posts for role in p.roles)

    def measure(self, name: str) -> MeasureKind | None:
        """The measure of that name, or None."""
        return next((m for m in self.measures if m.name == name), None)

    def criterion(self, name: str) -> Criterion | None:
        """The item of the criteria of that id, or None."""
        return next((c for c in self.criteria if c.id == name), None)

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
