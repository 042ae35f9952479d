"""Bodies of requests and answers about hazards (隐患). Times are RFC 3339 with the site's offset.

What must not go in: decisions, SQL. From the domain to these: ``api/present_hazards.py``.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StrictInt, StrictStr

from api.models import Kind, Strict, Text

# --- why ---


class SourceOfRule(BaseModel):
    """A place in a document; ``standing``: draft, in_force, expired or unknown."""

    document: str
    clause: str
    title: Text | None
    standing: str
    standing_name: Text


class Ruling(BaseModel):
    """A rule and who says it. ``basis``: clause, interpretation, platform_default or demo."""

    rule: str
    basis: str
    basis_name: Text
    text: Text = Field(description="the sense of the rule in our words")
    sources: list[SourceOfRule]


class GateEvidence(BaseModel):
    """An incident that speaks against it."""

    why: Literal["standing", "undecided", "raised_since"]
    why_name: Text
    incident: str
    kinds: list[str]
    kind_names: list[Kind]
    devices: list[str]
    severity: int
    opened_at: datetime
    raised: int = Field(description="alarms raised since the claim")
    last_at: datetime | None = Field(description="the newest of them")
    url: str


class GateWatcher(BaseModel):
    """A device that can tell. ``blind``: the incident by which it is out of service."""

    device: str
    by: str = Field(description="a detector, a metric, or alarms: it has raised such an alarm")
    blind: str | None


class Gate(BaseModel):
    """What the zone's own cameras and sensors say to a claim, an acceptance or a closing."""

    question: Literal["claim", "accept", "close"]
    verdict: Literal["clear", "refuted", "blind", "not_applicable"]
    verdict_name: Text
    passes: bool
    since: datetime
    at: datetime
    reasons: list[str]
    why: list[Text]
    evidence: list[GateEvidence]
    watchers: list[GateWatcher]
    ruling: Ruling


# --- a hazard ---
class Hazard(BaseModel):
    """One hazard as lists, the feed and webhooks show it. ``grade`` is a proposal until ``confirmed``."""

    id: str
    zone: str
    zone_name: str
    zone_grade: str | None = Field(description="risk colour of the zone; it is not the hazard's grade")
    enterprise: str | None
    enterprise_name: str | None
    kind: str
    kind_name: Text
    kind_known: bool = Field(description="whether the table of kinds has it")
    grade: str
    grade_name: Text
    confirmed: bool
    state: Literal["proposed", "confirmed", "planned", "rectifying", "claimed", "accepted", "closed", "dismissed"]
    state_name: Text
    title: str
    incident: str | None
    opened_at: datetime
    updated_at: datetime
    due_at: datetime | None = Field(description="the last second of the day on which rectification is due; provisional until confirmed")
    overdue: bool
    version: int
    event: str = Field(description="what happened last")
    event_name: Text
    actor: str
    basis: dict[str, Any] = Field(description="rule, kind, sources and sense of what happened last; empty in lists")
    synthetic: bool


class HazardPage(BaseModel):
    """Newest first."""

    items: list[Hazard]
    next: str | None


class Plan(BaseModel):
    """五落实."""

    responsibility: str
    measures: str
    funds: str
    time: str
    contingency: str
    filed_by: str
    filed_at: datetime


class Measure(BaseModel):
    """管控措施."""

    number: int
    kind: str
    kind_name: Text
    authority: str
    start: datetime
    until: datetime | None
    note: str
    taken_by: str
    ended_at: datetime | None
    ended_by: str | None


class PaperShown(BaseModel):
    """A photo or document with time and place."""

    stage: Literal["before", "after"]
    taken_at: datetime
    place: str
    sha256: str | None
    url: str | None
    document: str
    note: str


class ClaimShown(BaseModel):
    """The rectification as claimed; ``verdict``: what the evidence gate said then."""

    by: str
    at: datetime
    note: str
    evidence: list[PaperShown]
    verdict: str


class Allowance(BaseModel):
    """A command and whether the caller may give it now; else why not."""

    command: str
    name: Text
    allowed: bool
    why_not: Ruling | None = None
    detail: str = ""


class MeasureKind(BaseModel):
    """A measure that the caller may take."""

    kind: str
    name: Text


class GradeChoice(BaseModel):
    """A grade of the pack."""

    grade: str
    name: Text
    days: int
    needs_plan: bool
    needs_criterion: bool


class HazardKind(BaseModel):
    """A kind of hazard. ``observable``: there are devices that can tell whether it is gone."""

    kind: str
    name: Text
    observable: bool


class PolicyPack(BaseModel):
    """The pack in force; a hazard names the version under which it was opened."""

    id: str
    version: str
    name: Text
    grades: list[GradeChoice]
    kinds: list[HazardKind]
    measures: list[MeasureKind]
    rules: list[Ruling]


class HazardDetail(Hazard):
    """One hazard in full, with what the caller can do about it."""

    description: str
    origin: str
    origin_name: Text
    policy: str
    proposed_by: str
    proposed_grade: str
    criterion: str
    confirmed_by: str | None
    confirmed_at: datetime | None
    due_ruling: Ruling | None = Field(description="the rule that gives the due date")
    plan: Plan | None
    measures: list[Measure]
    claim: ClaimShown | None
    accepted_by: str | None
    accepted_at: datetime | None
    closed_by: str | None
    closed_at: datetime | None
    dismissed_reason: str | None
    gate: Gate | None = Field(description="what the evidence gate would say to the next step, as of now")
    commands: list[Allowance]
    grades: list[GradeChoice]
    measure_kinds: list[MeasureKind]


class HazardEvent(BaseModel):
    """One entry of the record, with the digest that chains it to the one before."""

    number: int
    at: datetime
    actor: str
    role: str
    event: str
    event_name: Text
    state: str
    policy: str
    ruling: Ruling
    details: dict[str, Any] = Field(description="as recorded: times in microseconds UTC")
    digest: str = Field(description="SHA-256 over the digest before it and the recorded bytes")
    recorded: str = Field(description="the recorded bytes, UTF-8")


class HazardEventPage(BaseModel):
    """In the order of record."""

    items: list[HazardEvent]
    next: str | None


class EvidenceKept(BaseModel):
    """A file that was kept; name it by ``sha256`` in a claim."""

    sha256: str
    media_type: str
    size: int
    url: str


# --- what people ask ---
_NO_NUL = r"^[^\x00]*$"
_SAID = r"^[^\x00]*[^\s\x00][^\x00]*$"
Short = Annotated[StrictStr, Field(max_length=200, pattern=_NO_NUL)]
ShortSaid = Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=_SAID)]
Note = Annotated[StrictStr, Field(max_length=4000, pattern=_NO_NUL)]
Said = Annotated[StrictStr, Field(min_length=1, max_length=4000, pattern=_SAID)]
Reason = Annotated[StrictStr, Field(min_length=1, max_length=1000, pattern=_SAID)]
KindName = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
GradeName = Annotated[StrictStr, Field(max_length=64, pattern=_NO_NUL, description="general 一般, serious 较大, major 重大")]
Version = Annotated[StrictInt | None, Field(ge=0, le=2**53, description="the version you looked at; another one by now: 409")]
CommandId = Annotated[
    StrictStr | None,
    Field(min_length=1, max_length=100, pattern=_NO_NUL, description="your own id of this request: sent again, it has no second effect"),
]


class Proposal(Strict):
    """A hazard to be: from an incident, which fills in what is left out, or by hand with zone, kind, grade and title."""

    incident: Annotated[StrictStr | None, Field(max_length=300, pattern=_NO_NUL)] = None
    zone: Annotated[StrictStr | None, Field(max_length=300, pattern=_NO_NUL)] = None
    kind: KindName | None = None
    grade: GradeName | None = None
    title: Short | None = None
    description: Note = ""
    command_id: CommandId = None


class _Command(Strict):
    version: Version = None
    command_id: CommandId = None


class Confirm(_Command):
    """确认定级: it is one, of this grade; ``criterion``: the item of the criteria that it meets (needed for major)."""

    command: Literal["confirm"]
    grade: GradeName
    criterion: Annotated[StrictStr, Field(max_length=1000, pattern=_NO_NUL)] = ""


class Dismiss(_Command):
    """排除: it is none."""

    command: Literal["dismiss"]
    reason: Reason


class FilePlan(_Command):
    """五落实: the plan with all five commitments."""

    command: Literal["plan"]
    responsibility: Note = ""
    measures: Note = ""
    funds: Note = ""
    time: Note = ""
    contingency: Note = ""


class StartRectification(_Command):
    """开始整改."""

    command: Literal["start_rectification"]
    note: Note = ""


class TakeMeasure(_Command):
    """应急管控: an immediate measure, who ordered it, since when (absent: now), until when."""

    command: Literal["measure"]
    kind: Annotated[StrictStr, Field(max_length=64, pattern=_NO_NUL)]
    authority: ShortSaid
    start: AwareDatetime | None = None
    until: AwareDatetime | None = None
    note: Note = ""


class EndMeasure(_Command):
    """解除管控: the measure of that number is over."""

    command: Literal["end_measure"]
    measure: Annotated[StrictInt, Field(ge=1, le=2**31)]
    note: Note = ""


class Paper(Strict):
    """A piece of evidence: a file (``sha256`` of POST …/evidence or of a snapshot) or the name of a document, with time and place."""

    stage: Literal["before", "after"]
    taken_at: AwareDatetime
    place: ShortSaid
    sha256: Annotated[StrictStr, Field(pattern="^[0-9a-f]{64}$")] | None = None
    document: Short = ""
    note: Annotated[StrictStr, Field(max_length=1000, pattern=_NO_NUL)] = ""


class Claim(_Command):
    """申请验收: it is rectified; the evidence gate is asked."""

    command: Literal["claim"]
    note: Said
    evidence: list[Paper] = Field(default=[], max_length=40)


class Accept(_Command):
    """验收通过: the evidence gate is asked."""

    command: Literal["accept"]
    note: Note = ""


class Refuse(_Command):
    """验收不通过: back to rectification."""

    command: Literal["refuse"]
    reason: Reason


class CloseHazard(_Command):
    """销号: off the list; the evidence gate is asked."""

    command: Literal["close"]
    note: Note = ""


class CommentOnHazard(_Command):
    """备注."""

    command: Literal["comment"]
    text: Said


HazardCommand = Annotated[
    Confirm | Dismiss | FilePlan | StartRectification | TakeMeasure | EndMeasure | Claim | Accept | Refuse | CloseHazard | CommentOnHazard,
    Field(discriminator="command"),
]
