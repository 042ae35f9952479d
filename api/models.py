"""Bodies of requests and answers about alarms and incidents: pydantic, and nowhere else. Times are RFC 3339 with the site's offset.

What must not go in: decisions, SQL. From the domain to these: ``api/present.py``.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from hazards import annunciation


class Strict(BaseModel):
    """A request body: unknown fields are an error, so that a typing mistake does not pass in silence."""

    model_config = ConfigDict(extra="forbid")


class Text(BaseModel):
    """A text for people in both languages."""

    zh: str
    en: str


class Kind(BaseModel):
    """A kind of alarm; ``known`` is false for one that the kinds table does not have."""

    kind: str
    family: str
    name: Text
    known: bool


# --- alarms and incidents ---
class Accepted(BaseModel):
    """Durably taken: every alarm of the request, or none."""

    accepted: int
    ids: list[str] = Field(description="the senders' own ids in the order sent, ours where a protocol has none")


class TelemetryAccepted(BaseModel):
    """Durably taken: every reading of the request."""

    accepted: int = Field(description="readings; a record with a value and a sum is two")
    ids: list[str] = Field(description="the packs that the readings are in; others' readings may be in them too")
    out_of_range: int = Field(description="of them outside their sensor's range: kept, and limits hold for them")
    unregistered: int = Field(description="of them of a device or metric that nobody registered")
    ignored: list[str] = Field(description="JSON pointers of texts and data (vs, vd), which are no telemetry")


class Source(BaseModel):
    """One device that bore an incident out, with what it raised and when."""

    device: str
    kind: str
    kind_name: Text
    modality: Literal["camera", "sensor", "person", "other"] = Field(description="by what it knows")
    modality_name: Text
    at: datetime


class Corroboration(BaseModel):
    """Why an incident is surer than one source makes it: the rule, on whose word it is a rule, and the sources."""

    rule: str
    basis: str = Field(description="platform_default: no document says it, we chose it")
    basis_name: Text
    needs: str = Field(description="what the sources are: devices, modalities or person")
    sentence: Text
    sources: list[Source]


class Label(BaseModel):
    """Why an alarm is quieter than it would be: a permit, a calibration, another alarm that explains it."""

    label: str
    name: Text


class AlarmState(BaseModel):
    """One alarm (one kind on one device) that is not normal, in the states of ISA-18.2."""

    device: str
    kind: str
    kind_name: Text
    zone: str
    incident: str | None
    state: annunciation.AlarmState
    state_name: Text
    standing: bool = Field(description="whether its condition holds now")
    severity: int = Field(ge=1, le=4)
    quiet: str | None
    quiet_by: str | None = Field(description="the declaration, or the alarm that explains it")
    since: datetime
    last_at: datetime = Field(description="of the newest signal that moved it")


class AlarmStatePage(BaseModel):
    """The newest first."""

    items: list[AlarmState]
    next: str | None


class IncidentHazard(BaseModel):
    """An open hazard (隐患) of an incident's zone, and its clock."""

    id: str
    kind: str
    kind_name: Text
    grade: str
    grade_name: Text
    confirmed: bool
    state: str
    state_name: Text
    title: str
    due_at: datetime | None
    overdue: bool
    same: bool = Field(description="an alarm of the incident is one of its kind")


class Incident(BaseModel):
    """One incident: alarms of one zone and group of families, merged."""

    id: str
    zone: str
    zone_name: str
    zone_grade: str | None = Field(description="risk colour of the zone: red, orange, yellow, blue")
    enterprise: str | None
    enterprise_name: str | None
    family: str
    family_name: Text
    kinds: list[str]
    kind_names: list[Kind]
    devices: list[str]
    state: Literal["pending", "active", "cleared", "closed"]
    annunciation: Literal[
        "unacknowledged", "acknowledged", "cleared_unacknowledged", "shelved", "pending", "closed",
        "suppressed_by_design", "out_of_service", "calibration", "permit",
    ]  # fmt: skip
    annunciation_name: Text
    severity: int = Field(ge=1, le=4, description="1 is the gravest")
    certainty: Literal["possible", "likely", "observed"] = Field(description="grows with independent sources, never falls")
    certainty_name: Text
    corroboration: Corroboration | None = Field(description="why it is surer than possible")
    opened_at: datetime
    raised_at: datetime | None = Field(description="receipt of what last made it active, loud or graver: sort by it; null: never")
    updated_at: datetime
    cleared_at: datetime | None
    closed_at: datetime | None
    version: int
    alarm_count: int
    message: str
    reason: str = Field(description="code of the latest decision that changed state, severity, certainty or quiet")
    why: Text
    snapshot: str | None = Field(description="SHA-256 of the picture")
    snapshot_url: str | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    assigned_to: str | None
    shelved_by: str | None
    shelved_until: datetime | None
    shelve_reason: str | None
    synthetic: bool = Field(description="made by a demonstration or drill, not by the real park")
    hazards: list[IncidentHazard] = Field(
        description="of its zone the open hazards that are due first, five at most, those first of which its alarms speak; empty in lists"
    )
    open_hazards: int | None = Field(description="how many open hazards its zone has; null on the feed and in pushes")
    overdue_hazards: int | None = Field(description="how many of them are overdue")
    quiet: str | None = Field(description="why nobody is called by any of its alarms that stand; null: they call")
    quiet_by: str | None = Field(description="the declaration, or the alarm that explains it")
    labels: list[Label] = Field(description="of its alarms that stand, though others of them may call")


class Response(BaseModel):
    """A response sheet (报警处置卡). ``rule``: the alarm rule it is of; null: for alarms of that kind, ours where no rule raises it."""

    rule: str | None
    rule_name: Text | None
    kind: str
    cause: Text
    consequence: Text
    action: Text
    within_seconds: int = Field(description="time allowed for the action")
    within: Text
    call: list[Text]


class IncidentInFull(Incident):
    """One incident with what to do about it."""

    response: Response = Field(description="of the rule of its gravest alarm, else of its gravest kind")


class IncidentPage(BaseModel):
    """Newest first."""

    items: list[Incident]
    next: str | None


_LATE = "how much later than its time it was received, from ten minutes on; null: less"


class Alarm(BaseModel):
    """One signal of an incident, as it came."""

    id: str = Field(description="the id the sender gave; ours where it has none")
    signal: str = Field(description="our id: the deduplication key")
    source: str
    device: str
    kind: str
    kind_name: Kind
    action: Literal["raised", "cleared", "pulse"]
    at: datetime
    received_at: datetime
    late_seconds: float | None = Field(description=_LATE)
    clock: Literal["trusted", "absent", "wrong", "corrected"]
    sent_at: datetime | None = Field(description="the sender's own time when it was corrected or not believed")
    severity: int | None
    score: float | None
    box: list[float] | None = Field(description="x, y, width, height in pixels of the picture")
    message: str
    snapshot: str | None
    snapshot_url: str | None
    reason: str
    why: Text
    details: dict[str, Any]
    synthetic: bool


class AlarmPage(BaseModel):
    """In the order of their times."""

    items: list[Alarm]
    next: str | None


class TimelineEvent(BaseModel):
    """One line of an incident's record."""

    id: str
    at: datetime
    actor: str
    event: str
    event_name: Text
    why: Text | None = Field(description="the sentence behind a rise of certainty or severity, or an end that is no return to normal")
    late_seconds: float | None = Field(description=_LATE)
    details: dict[str, Any]


class TimelinePage(BaseModel):
    """In the order of record."""

    items: list[TimelineEvent]
    next: str | None


Version = Annotated[StrictInt | None, Field(ge=0, le=2**53, description="the version you looked at; older than a person's change: 409")]


class Acknowledge(Strict):
    """确认: seen and taken on."""

    command: Literal["acknowledge"]
    version: Version = None


class Assign(Strict):
    """指派: to a person by sign-in name, or to nobody."""

    command: Literal["assign"]
    to: Annotated[StrictStr, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")] | None
    version: Version = None


class Comment(Strict):
    """备注."""

    command: Literal["comment"]
    text: Annotated[StrictStr, Field(min_length=1, max_length=4000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
    version: Version = None


class Shelve(Strict):
    """搁置: silence for a limited time, with a reason."""

    command: Literal["shelve"]
    minutes: Annotated[StrictInt, Field(ge=1, le=1440)]
    reason: Annotated[StrictStr, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
    version: Version = None


class Unshelve(Strict):
    """取消搁置."""

    command: Literal["unshelve"]
    version: Version = None


class Close(Strict):
    """关闭: ended by hand, with a reason."""

    command: Literal["close"]
    reason: Annotated[StrictStr, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
    version: Version = None


Command = Annotated[Acknowledge | Assign | Comment | Shelve | Unshelve | Close, Field(discriminator="command")]


# --- how it runs ---
class Health(BaseModel):
    """``status`` is "ok", or "unavailable" with ``what`` says why."""

    status: Literal["ok", "unavailable"]
    what: str = ""
