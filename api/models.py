"""Bodies of requests and answers: pydantic, and nowhere else. Times are RFC 3339 with the site's offset.

What must not go in: decisions, SQL. From the domain to these: ``api/present.py``.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from api.roles import Role

SignInName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._@-]{0,63}$")]
Secret = Annotated[StrictStr, Field(min_length=1, max_length=256)]


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


class Incident(BaseModel):
    """One incident: alarms of one zone and family, merged."""

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
    annunciation: Literal["unacknowledged", "acknowledged", "cleared_unacknowledged", "shelved", "pending", "closed"]
    annunciation_name: Text
    severity: int = Field(ge=1, le=4, description="1 is the gravest")
    opened_at: datetime
    updated_at: datetime
    cleared_at: datetime | None
    closed_at: datetime | None
    version: int
    alarm_count: int
    message: str
    reason: str = Field(description="code of the latest decision")
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


class IncidentPage(BaseModel):
    """Newest first."""

    items: list[Incident]
    next: str | None


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
    clock: Literal["trusted", "absent", "wrong"]
    sent_at: datetime | None = Field(description="the sender's own time when it was not believed")
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


Command = Annotated[Acknowledge | Assign | Comment | Shelve | Unshelve, Field(discriminator="command")]


# --- the site ---
class Contact(BaseModel):
    """Somebody to call."""

    name: str
    role: str
    phone: str


class Enterprise(BaseModel):
    """An enterprise of the park."""

    id: str
    name: str
    contacts: list[Contact]


class EnterprisePage(BaseModel):
    """By id."""

    items: list[Enterprise]
    next: str | None


class Zone(BaseModel):
    """A zone with its risk grade. Geometry in metres on the park plan."""

    id: str
    name: str
    grade: Literal["red", "orange", "yellow", "blue"]
    enterprise: str | None
    polygon: list[tuple[float, float]]
    line: list[tuple[float, float]]
    risks: list[str]
    measures: list[str]
    major_hazard_level: int | None


class ZonePage(BaseModel):
    """By id."""

    items: list[Zone]
    next: str | None


class Device(BaseModel):
    """A camera, sensor or platform. A password in its address is not shown."""

    id: str
    zone: str
    type: str
    url: str
    detectors: list[str]
    areas: dict[str, list[tuple[float, float]]]
    settings: dict[str, Any]


class DevicePage(BaseModel):
    """By id."""

    items: list[Device]
    next: str | None


class WaitingDevice(BaseModel):
    """A device that sends alarms and that nobody registered."""

    device: str
    alarms: int
    first_at: datetime
    last_at: datetime


class WaitingPage(BaseModel):
    """Latest first."""

    items: list[WaitingDevice]
    next: str | None


class SiteInfo(BaseModel):
    """The applied site. ``body`` has the shape of the site file, with the defaults filled in and passwords hidden."""

    version: int
    synthetic: bool
    body: dict[str, Any]


class SiteCheck(BaseModel):
    """A site file that could be applied."""

    site: str
    enterprises: int
    zones: int
    devices: int


class SiteApplied(BaseModel):
    """What applying changed: ids by table. ``version`` counts applied sites."""

    version: int
    added: dict[str, list[str]]
    changed: dict[str, list[str]]
    removed: dict[str, list[str]]


# --- people and machines ---
class Login(Strict):
    """Sign in."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    password: Secret


class PasswordChange(Strict):
    """Change one's own password; every other session ends."""

    old: Secret
    new: Annotated[StrictStr, Field(min_length=10, max_length=256)]


class Me(BaseModel):
    """Who is signed in, and what the console needs to know. ``csrf`` is for the X-CSRF-Token header; machines have none."""

    id: str
    name: str
    role: Role
    enterprise: str | None
    person: bool
    csrf: str | None
    expires_at: datetime | None
    commands: list[str]
    site_name: str | None
    time_zone: str
    synthetic: bool


class User(BaseModel):
    """A person."""

    id: str
    name: str
    role: Role
    enterprise: str | None
    disabled: bool
    created_at: datetime


class UserPage(BaseModel):
    """By sign-in name."""

    items: list[User]
    next: str | None


class NewUser(Strict):
    """A person to be."""

    id: SignInName
    name: Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    role: Role
    enterprise: Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")] | None = None
    password: Annotated[StrictStr, Field(min_length=10, max_length=256)]


class UserChange(Strict):
    """What an administrator changes of a person; what is absent stays."""

    disabled: StrictBool | None = None
    password: Annotated[StrictStr, Field(min_length=10, max_length=256)] | None = None


class Token(BaseModel):
    """A machine's token, without its secret."""

    id: str
    role: Role
    enterprise: str | None
    label: str
    created_at: datetime
    revoked_at: datetime | None


class TokenPage(BaseModel):
    """By id."""

    items: list[Token]
    next: str | None


class NewToken(Strict):
    """A token to be."""

    role: Role
    enterprise: Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")] | None = None
    label: Annotated[StrictStr, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""


class TokenSecret(Token):
    """A new token. ``secret`` is shown this once."""

    secret: str


# --- how it runs ---
class Health(BaseModel):
    """``status`` is "ok", or "unavailable" with ``what`` says why."""

    status: Literal["ok", "unavailable"]
    what: str = ""
