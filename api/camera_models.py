"""Bodies about how cameras are. What must not go in: decisions, SQL."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.models import Kind, Text


class CameraStatus(BaseModel):
    """How a camera was when it was last heard of (摄像机状态)."""

    camera: str
    zone: str
    state: Literal["opening", "live", "lost", "unreadable", "ended"]
    state_name: Text
    noted_at: datetime = Field(description="when this was noted; old: the process that watches it is gone")
    what: str = Field(description="why it is not live, or what is wrong with its settings; no password in it")
    offline: bool = Field(description="for so long without a picture that it is an alarm")
    sees: bool = Field(description="it shows its zone: on line, neither covered nor turned away nor frozen")
    watching: Literal["still", "moving", "burst"] = Field(description="key frames only, a few frames a second, every frame")
    received_rate: float = Field(description="frames a second")
    analysed_rate: float = Field(description="frames a second that were looked at")
    bitrate: float = Field(description="bits a second")
    last_frame_at: datetime | None
    age: float = Field(description="seconds from a frame's arrival to its look, the longest of the last second")
    dropped: int = Field(description="frames passed over because they were too old")
    reconnects: int
    decode_errors: int
    width: int
    height: int
    drift: float = Field(description="seconds that the camera's clock gained on ours since it connected")
    clock_jumps: int
    cost: float = Field(description="processor seconds a second")
    raised: list[str] = Field(description="kinds of alarm that stand at it")
    raised_kinds: list[Kind] = Field(description="the same with their names")
    figures: dict[str, float] = Field(description="what its detectors count: people, people_in, people_out, people_inside")
    problems: dict[str, str] = Field(description="why a detector does not work, by its name")


class CameraPage(BaseModel):
    """By id."""

    items: list[CameraStatus]
    next: str | None
    blind_zones: list[str] = Field(description="red and orange zones that no camera of theirs shows")
    unwatched_zones: list[str] = Field(description="red and orange zones that have no camera")
