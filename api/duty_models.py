"""Bodies about periodic duties (履职). What must not go in: SQL, periods."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StrictStr

from api.models import Strict, Text
from api.ruling_models import Ruling
from hazards.ledger.duties import Standing


class DutyPoint(BaseModel):
    """A point at which people are told of a duty. ``tells``: posts of the pack."""

    at: datetime
    point: str = Field(examples=["-3d", "due"])
    tells: list[str]
    tells_names: list[Text]
    passed: bool


class Duty(BaseModel):
    """What a body has to do in a period, such as the monthly special inspection."""

    id: str = Field(examples=["monthly_inspection:department:2026-11"])
    duty: str
    name: Text
    post: str
    post_name: Text
    body: str
    period: str = Field(examples=["2026-11", "2026-Q4"])
    due_at: datetime
    standing: Standing = Field(description="late: it was done after its due date")
    standing_name: Text
    done_at: datetime | None
    done_by: str | None
    note: str
    points: list[DutyPoint]
    ruling: Ruling | None = Field(description="null: a duty that the pack no longer has")
    may_finish: bool = Field(description="whether the caller's role holds its post and it is not done")


class DutyNotice(BaseModel):
    """A point of a duty has passed: an event ``duty`` of the feed, the data of a push ``duty.*``."""

    id: str
    duty: str
    name: Text
    post: str
    post_name: Text
    body: str
    period: str
    due_at: datetime
    event: str = Field(examples=["clock_point", "overdue"])
    event_name: Text
    point: str = Field(examples=["-3d", "due"])
    told_at: datetime
    tells: list[str] = Field(description="posts that are to be told")
    roles: list[str] = Field(description="roles that hold one of these posts")
    ruling: Ruling


class DutyPage(BaseModel):
    """Latest due date first."""

    items: list[Duty]
    next: str | None


class FinishDuty(Strict):
    """It was done. ``note``: what was done, or where it is on record."""

    command: Literal["done"]
    note: Annotated[StrictStr, Field(max_length=4000, pattern=r"^[^\x00]*$")] = ""
