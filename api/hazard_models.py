"""Bodies of answers about hazards (隐患). Times are RFC 3339 with the site's offset.

What must not go in: requests (``api/hazard_requests.py``), decisions, SQL. From the domain to these: ``api/present_hazards.py``.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import BaseModel, Field

from api.hazard_clock_models import HazardClock
from api.models import Kind, Text
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
    snapshot: str | None = Field(description="where the incident's picture is")


class GateSensor(BaseModel):
    """What one sensor's readings say, with the limit that was met."""

    device: str
    metric: str
    metric_name: Text
    unit: str
    says: Literal["beyond_limit", "beyond_since", "within_limits", "no_readings", "series_unavailable"]
    says_name: Text
    against: bool = Field(description="whether it speaks against the rectification")
    limit: str = Field(description="low_low, low, high or high_high, where one was met")
    bound: float | None = Field(description="its value")
    value: float | None = Field(description="the reading that met it")
    at: datetime | None
    newest: float | None
    newest_at: datetime | None
    lowest: float | None = Field(description="since the claim")
    highest: float | None = Field(description="since the claim")
    start: datetime
    end: datetime
    url: str = Field(description="the readings themselves, from start to end")


class GateWatcher(BaseModel):
    """A device that can tell, and whether it counts as seeing."""

    device: str
    by: str = Field(description="a detector, a metric, or alarms: it has raised such an alarm")
    sees: bool
    why: str | None = Field(description="why it does not count: out_of_service, blind_since, silent, no_readings, series_unavailable")
    why_name: Text | None
    blind: str | None = Field(description="the incident by which it is out of service now")
    seen: int = Field(description="of the time since the claim, percent")
    incidents: list[str] = Field(description="incidents by which it did not see since the claim")
    urls: list[str] = Field(description="of these incidents")


class GatePaper(BaseModel):
    """A photo or document of the claim, and whether it counts as evidence of the state after rectification."""

    counts: bool
    why: str
    why_name: Text
    where: str = Field(description="the field that decides, as a JSON pointer into the claim")
    taken_at: datetime
    place: str
    document: str
    kept_at: datetime | None = Field(description="when its file was first kept here")
    url: str | None


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
    sensors: list[GateSensor]
    papers: list[GatePaper]
    watchers: list[GateWatcher]
    ruling: Ruling
    seen_ruling: Ruling | None = Field(description="the rule by which a device that was blind for too long does not count")


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
    repeated: bool = Field(description="the same kind at the same enterprise again (重复隐患)")
    tells: list[str] = Field(description="posts that are to be told of what happened last; empty in lists")


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


class MeasureKind(BaseModel):
    """A measure that the caller may take."""

    kind: str
    name: Text


class GradeChoice(BaseModel):
    """A grade of the pack."""

    grade: str
    name: Text
    limit: int
    counting: Literal["natural_days", "working_days", "hours"]
    needs_plan: bool
    needs_criterion: bool
    listed: bool
    extendable: bool


class HazardKind(BaseModel):
    """A kind of hazard. ``observable``: there are devices that can tell whether it is gone."""

    kind: str
    name: Text
    observable: bool


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


class PolicyPack(BaseModel):
    """The pack in force; a hazard names the version under which it was opened."""

    id: str
    version: str
    name: Text
    grades: list[GradeChoice]
    kinds: list[HazardKind]
    measures: list[MeasureKind]
    rules: list[Ruling]


class PolicyVersion(BaseModel):
    """One version of a pack as it was applied."""

    id: str
    version: str
    name: Text
    digest: str = Field(description="SHA-256 of its contents")
    applied_at: datetime
    applied_by: str
    in_force: bool


class PolicyVersionPage(BaseModel):
    """Newest first."""

    items: list[PolicyVersion]
    next: str | None


class PolicyCheck(BaseModel):
    """A pack that may be applied. ``warnings``: what is odd about it, by line."""

    id: str
    version: str
    rules: int
    warnings: list[str]


class PolicyApplied(BaseModel):
    """The pack as applied; ``changed``: it was not there before."""

    id: str
    version: str
    changed: bool


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
    reopened_at: datetime | None
    overdue_at: datetime | None
    track_names: dict[str, Text] = Field(description="``tracks`` in words")
    clocks: list[HazardClock] = Field(description="those that run")
    gate: Gate | None = Field(description="what the evidence gate would say to the next step, as of now")
    commands: list[Allowance]
    grades: list[GradeChoice]
    measure_kinds: list[MeasureKind]
    choices: Choices


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


class Change(BaseModel):
    """What somebody else did first, and the version that it made."""

    number: int
    at: datetime
    actor: str
    role: str
    event: str
    event_name: Text
    state: str


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


# --- the record as a whole ---
class AnchorDelivery(BaseModel):
    """A place outside that an anchor goes to."""

    way: str = Field(description="folder or email")
    delivered_at: datetime | None
    attempts: int
    tried_at: datetime | None
    failed: bool = Field(description="whether the last attempt failed; the log says why")


class Anchor(BaseModel):
    """A day's anchor over the whole ledger; None where the stored statement can't be read. ``statement`` is what is signed."""

    number: int
    first_day: str
    day: str = Field(description="the last day that it is for, in the site's time zone")
    created_at: datetime
    events: int | None = Field(description="of the whole ledger")
    hazards: int | None
    changed: int | None = Field(description="hazards whose newest event it pins: those with events since the anchor before")
    previous: str | None = Field(description="digest of the anchor before")
    key: str | None = Field(description="the public key that signed, Ed25519")
    digest: str = Field(description="SHA-256 of ``statement``")
    signature: str
    statement: str
    url: str
    deliveries: list[AnchorDelivery]


class AnchorPage(BaseModel):
    """Newest first."""

    items: list[Anchor]
    next: str | None
