"""Bodies of answers about hazards (隐患). Times are RFC 3339 with the site's offset.

What must not go in: requests (``api/hazard_requests.py``), decisions, SQL. From the domain to these: ``api/present_hazards.py``.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import BaseModel, Field

from api.gate_models import Gate
from api.hazard_clock_models import HazardClock
from api.models import Incident, Text
from api.policy_models import GradeChoice, MeasureKind
from api.ruling_models import Ruling
from api.struct_models import answer_model
from hazards.ledger import particulars

# Bodies made from the domain's own structs; a type checker sees their common base.
if TYPE_CHECKING:
    Report: TypeAlias = BaseModel
    Publication: TypeAlias = BaseModel
    Listing: TypeAlias = BaseModel
    Extension: TypeAlias = BaseModel
    Inspection: TypeAlias = BaseModel
    Summons: TypeAlias = BaseModel
    Referral: TypeAlias = BaseModel
    Waiver: TypeAlias = BaseModel
    Override: TypeAlias = BaseModel
    AlarmSince: TypeAlias = BaseModel
else:
    Report = answer_model(particulars.Report)
    Publication = answer_model(particulars.Publication)
    Listing = answer_model(particulars.Listing)
    Extension = answer_model(particulars.Extension)
    Inspection = answer_model(particulars.Inspection)
    Summons = answer_model(particulars.Summons)
    Referral = answer_model(particulars.Referral)
    Waiver = answer_model(particulars.Waiver)
    Override = answer_model(particulars.Override)
    AlarmSince = answer_model(particulars.AlarmSince)


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
    state: Literal["proposed", "confirmed", "planned", "rectifying", "claimed", "accepted", "closed", "dismissed", "merged"]
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
    tracks: dict[str, str] = Field(description="where it stands beside the rectification: listing, extension, supervision, summons …")
    alarm_since_claim: bool = Field(description="an alarm of its kind came since the claim that waits for acceptance (申请验收后又报警)")
    repeated: bool = Field(description="the same kind at the same enterprise again (重复隐患)")
    tells: list[str] = Field(description="posts that are to be told of what happened last; empty in lists")


class HazardPage(BaseModel):
    """Newest first."""

    items: list[Hazard]
    next: str | None


class HazardIncident(BaseModel):
    """An incident of a hazard. ``why``: of the record (origin, duplicate, recurrence, since_claim), or of its kind while it was open."""

    incident: Incident
    why: Literal["origin", "duplicate", "recurrence", "since_claim", "same_kind"]
    why_name: Text


class HazardIncidentPage(BaseModel):
    """Newest first."""

    items: list[HazardIncident]
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
    approved_by: str | None
    approved_at: datetime | None
    returned_for: str


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
    """A command and whether the caller may give it now; else why not. ``rule``: id of the rule by which it is recorded."""

    command: str
    name: Text
    allowed: bool
    rule: str
    open_to: list[str] = Field(description="roles whose people could give it now: whose turn it is")
    why_not: Ruling | None = None
    detail: str = ""


class Choice(BaseModel):
    """One thing of the pack to choose."""

    name: str
    text: Text


class Choices(BaseModel):
    """What commands choose from: items of the criteria by grade, causes of an extension, items that waive a penalty, posts."""

    criteria: dict[str, list[Choice]]
    causes: list[Choice]
    most_days: int = Field(description="of one extension")
    signing_posts: list[str] = Field(description="whose signatures an extension needs here")
    waivers: list[Choice]
    posts: list[Choice]
    own_posts: list[str] = Field(description="those that the caller holds; the administrator stands in for each")
    inspecting_posts: list[str] = Field(description="whose people inspect before acceptance here, each for one post")
    experts: int = Field(description="how many experts that inspection needs")
    may_override: bool = Field(description="whether the caller may go on against the evidence gate, with a reason")


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
    supervising_body: str
    received_by: str | None
    received_at: datetime | None
    reports: list[Report]
    publications: list[Publication]
    listings: list[Listing] = Field(description="挂牌整改")
    supervisions: list[Listing] = Field(description="挂牌督办")
    extensions: list[Extension]
    inspections: list[Inspection]
    summons: list[Summons]
    referral: Referral | None
    waiver: Waiver | None
    overrides: list[Override]
    repeat_of: list[str]
    merged_into: str | None
    duplicates: list[str]
    incidents: list[str] = Field(description="further incidents: of duplicates, of a recurrence")
    alarms_since_claim: list[AlarmSince] = Field(description="one an incident, the newest")
    reopened_at: datetime | None
    overdue_at: datetime | None
    track_names: dict[str, Text] = Field(description="``tracks`` in words")
    clocks: list[HazardClock] = Field(description="those that run")
    gate: Gate | None = Field(description="what the evidence gate would say to the next step, as of now")
    commands: list[Allowance]
    grades: list[GradeChoice]
    measure_kinds: list[MeasureKind]
    choices: Choices


class EvidenceKept(BaseModel):
    """A file that was kept; name it by ``sha256`` in a claim."""

    sha256: str
    media_type: str
    size: int
    url: str


