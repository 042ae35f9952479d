"""Bodies of answers about the record and its anchors. What must not go in: how it is chained and signed (``hazards/ledger``)."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from api.models import Text
from api.ruling_models import Ruling


class Change(BaseModel):
    """What somebody else did first, and the version that it made."""

    number: int
    at: datetime
    actor: str
    role: str
    event: str
    event_name: Text
    state: str


class HazardEvent(Change):
    """One entry of the record, with the digest that chains it to the one before."""

    policy: str
    ruling: Ruling
    details: dict[str, Any] = Field(description="as recorded: times in microseconds UTC")
    digest: str = Field(description="SHA-256 over the digest before it and the recorded bytes")
    recorded: str = Field(description="the recorded bytes, UTF-8")


class HazardEventPage(BaseModel):
    """In the order of record."""

    items: list[HazardEvent]
    next: str | None


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
