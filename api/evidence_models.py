"""Bodies about what cameras' alarms left behind: pictures, clips, and holds that keep them. What must not go in: decisions, SQL."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, StrictStr

from api.models import Strict
from hazards.camera_evidence import Role

_Reason = Annotated[StrictStr, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]


class EvidenceFile(BaseModel):
    """One picture or clip (证据) of an incident's alarm, with what was signed of it when it was taken."""

    device: str
    zone: str
    kind: str
    role: Role = Field(description="boxed: with the box drawn; plain: as the camera gave it; clip: the camera's own packets")
    onset: datetime = Field(description="when its alarm began")
    begins: datetime = Field(description="of what it shows")
    ends: datetime
    media_type: str
    size: int = Field(description="bytes")
    sha256: str
    url: str | None = Field(description="null: its bytes are no longer kept")
    held: bool = Field(description="a hazard or a hold refers to it: it is not thrown away")
    removed_at: datetime | None
    removed_for: str = Field(description="age: older than evidence is kept; space: room was needed; empty: it is there")
    statement: str = Field(description="the text that is signed, as it stands")
    signature: str = Field(description="Ed25519 over the text, hexadecimal")
    public_key: str = Field(description="hexadecimal; `bihuan evidence key` prints this system's")


class EvidenceList(BaseModel):
    """Oldest alarm first."""

    items: list[EvidenceFile]


class Hold(BaseModel):
    """A hold (证据封存): what the zone's cameras kept of that time is not thrown away until it is lifted."""

    id: str
    zone: str
    zone_name: str
    begins: datetime
    ends: datetime
    reason: str
    entered_by: str
    entered_at: datetime
    lifted_at: datetime | None
    lifted_by: str | None
    lifted_reason: str | None


class HoldPage(BaseModel):
    """Entered last first."""

    items: list[Hold]
    next: str | None


class NewHold(Strict):
    """The same ``command_id`` of the same caller is one hold."""

    zone: Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    begins: AwareDatetime
    ends: AwareDatetime
    reason: _Reason
    command_id: Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")] | None = None


class LiftHold(Strict):
    """Why the files may go again."""

    reason: _Reason
