"""Bodies that show the clocks (时限) of a hazard. What must not go in: when clocks run (``hazards/ledger/clocks.py``)."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.models import Text


class ClockPoint(BaseModel):
    """A point at which people are told. ``name``: half, due, or a distance to the due date such as -3d."""

    name: str
    at: datetime
    passed: bool
    tells: list[str] = Field(description="posts")


class HazardClock(BaseModel):
    """A clock (时限) that runs on a hazard."""

    clock: str
    name: Text
    started_at: datetime
    due_at: datetime
    points: list[ClockPoint]
