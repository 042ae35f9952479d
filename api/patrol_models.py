"""Bodies about patrol rounds over cameras (在线远程巡查). What must not go in: decisions, SQL."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StrictBool, StrictInt, StrictStr

from api.models import Strict

_Name = Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Judgement = Literal["normal", "abnormal", "no_picture"]


class Round(BaseModel):
    """One round, of the cameras that the caller sees. Counts are cameras."""

    id: str
    seconds: int = Field(description="that each camera is shown")
    started_by: str
    started_at: datetime
    ended_by: str | None
    ended_at: datetime | None = Field(description="null: it goes on")
    cameras: int
    normal: int
    abnormal: int
    no_picture: int = Field(description="judged to show nothing")
    unjudged: int


class Look(BaseModel):
    """One camera of a round: who looked when, and what they judged."""

    camera: str
    zone: str
    zone_name: str
    judgement: Judgement | None = Field(description="null: nobody has judged it")
    note: str
    pictured: bool | None = Field(description="whether the camera's newest picture was there to judge by, no old one of an alarm")
    judged_by: str | None
    judged_at: datetime | None


class WholeRound(Round):
    """A round with its cameras, in the order in which they are shown."""

    looks: list[Look]


class RoundPage(BaseModel):
    """Begun last first."""

    items: list[Round]
    next: str | None


class NewRound(Strict):
    """The same ``command_id`` of the same caller is one round."""

    zones: Annotated[list[_Name], Field(max_length=500)] = Field(default_factory=list, description="empty: all that the caller sees")
    seconds: Annotated[StrictInt, Field(ge=3, le=600)] = 15
    command_id: _Name | None = None


class NewLook(Strict):
    """What was judged of a camera. ``note`` is needed for what is not normal."""

    camera: _Name
    judgement: Judgement
    note: Annotated[StrictStr, Field(max_length=1000, pattern=r"^[^\x00]*$")] = ""
    pictured: StrictBool = Field(description="whether the camera's newest picture was there to judge by, no old one of an alarm")
