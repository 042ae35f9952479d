"""Bodies about what is declared of zones: permits to work (作业票), calibration (标校), shutdowns, key periods, alarms out of service.

What must not go in: SQL, what may be entered (``hazards/declaring.py``, whose structs make the bodies that are asked for).
"""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StrictStr

from api.models import Strict, Text
from api.struct_models import request_model
from hazards.declarations import Declared
from hazards.declaring import Declare, Standing


class DeclarationFacts(BaseModel):
    """One declaration. In force from ``starts_at`` to before ``ends_at`` (null: until somebody ends it)."""

    id: str = Field(description="hazard:ID:measure:N follows from a measure of a hazard, pack:NAME is a key period of the policy pack")
    kind: Declared
    kind_name: Text
    zone: str = Field(description='"" for the whole site')
    zone_name: Text
    enterprise: str | None
    enterprise_name: str | None
    standing: Standing
    standing_name: Text
    starts_at: datetime
    ends_at: datetime | None
    planned_end: datetime | None = Field(description="the end as it was entered, where it ended early")
    devices: list[str]
    alarms: list[str] = Field(description="kinds of alarm; empty: all")
    alarm_names: list[Text]
    work: str
    work_name: Text | None
    level: str
    level_name: Text | None
    guardian: str
    reason: Text
    measure: str
    measure_name: Text | None
    hazard: str | None = Field(description="the hazard whose measure it is")
    entered_by: str
    entered_at: datetime | None
    ended_at: datetime | None
    ended_by: str
    ended_why: str
    version: int
    synthetic: bool


class Declaration(DeclarationFacts):
    """One declaration, for who asks."""

    may_end: bool = Field(description="whether the caller's role may end it now, or withdraw it before it begins")


class DeclarationPage(BaseModel):
    """Entered last first; key periods of the pack before them."""

    items: list[Declaration]
    next: str | None


class DeclarationNotice(BaseModel):
    """Something was declared, ended or withdrawn: an event ``declaration`` of the feed."""

    id: str
    event: str = Field(examples=["entered", "ended", "withdrawn"])
    event_name: Text
    at: datetime
    actor: str
    declaration: DeclarationFacts


class WorkLevel(BaseModel):
    """A level of a kind of work."""

    level: str
    name: Text
    longest_hours: int


class Work(BaseModel):
    """A kind of work that a permit is for. ``explains``: kinds of alarm that are labelled while it is permitted."""

    work: str
    name: Text
    longest_hours: int = Field(description="longest validity of one permit, where no level says otherwise")
    basis: str = Field(description="of that figure: interpretation (GB 30871) or platform_default")
    levels: list[WorkLevel]
    explains: list[str]


class WorkList(BaseModel):
    """Every kind of work."""

    items: list[Work]


_CommandId = Annotated[StrictStr, Field(min_length=1, max_length=300, pattern=r"^[^\x00]*$")]


class NewDeclaration(request_model(Declare)):  # type: ignore[misc]
    """What is declared. The same ``command_id`` twice is one declaration."""

    command_id: _CommandId | None = None


class EndDeclaration(Strict):
    """End it before its time, or withdraw it before it begins."""

    reason: Annotated[StrictStr, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
    version: Annotated[int, Field(ge=0, le=2**53, description="the version you looked at; another one by now: 409")] | None = None
    command_id: _CommandId | None = None


