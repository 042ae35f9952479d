"""Bodies about messages that were put aside. What must not go in: decisions, SQL."""

from datetime import datetime

from pydantic import BaseModel, Field


class DeadLetter(BaseModel):
    """One message (死信) that could not be read or applied."""

    id: str
    topic: str
    reason: str
    parked: bool = Field(description="its version was not known here: it can be sent again after an upgrade")
    at: datetime = Field(description="when it was put aside, the latest time")
    resent_at: datetime | None = Field(description="when it was sent again; null also when it was put aside once more")
    size: int = Field(description="bytes")
    beginning: str = Field(description="its first bytes in base64, at most 384 of them")


class DeadLetterPage(BaseModel):
    """Newest first."""

    items: list[DeadLetter]
    next: str | None
