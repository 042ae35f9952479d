"""Bodies about deliveries and their endpoints. What must not go in: decisions, SQL."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictStr

from api.models import Strict, Text

State = Literal["waiting", "delivered", "dead", "cancelled"]


class Delivery(BaseModel):
    """One message (推送) to one endpoint, over all its attempts."""

    id: str = Field(description="the webhook-id, the same in every attempt")
    endpoint: str
    url: str = Field(description="a password in it is hidden")
    enterprise: str | None = Field(description="the endpoint's; null: an endpoint that gets everything")
    subject: str = Field(description="id of the incident or hazard")
    event: str = Field(description="the type in the message", examples=["incident.opened"])
    event_name: Text
    severity: int
    state: State
    state_name: Text
    attempts: int
    next_at: datetime | None = Field(description="when it is tried again")
    created_at: datetime
    delivered_at: datetime | None
    replayed_at: datetime | None
    replayed_by: str | None
    last_status: int | None = Field(description="HTTP status of the latest answer")
    last_error: str | None


class DeliveryPage(BaseModel):
    """Newest first."""

    items: list[Delivery]
    next: str | None


class Attempt(BaseModel):
    """One attempt."""

    number: int
    at: datetime
    took_ms: int
    status: int | None
    error: str | None


class DeliveryDetail(Delivery):
    """With its attempts and what was sent."""

    tried: list[Attempt] = Field(description="the first first")
    body: dict[str, Any] = Field(description="what is sent: type, timestamp, data")


class Webhook(BaseModel):
    """One endpoint of the site file and how it is doing."""

    id: str
    url: str = Field(description="a password in it is hidden")
    enterprise: str | None = Field(description="null: it gets everything")
    on: bool
    trouble: str = Field(description="why nothing can be sent there, as with a missing secret; empty: nothing")
    turned_off_at: datetime | None
    turned_off_by: str | None = Field(description='"endpoint": by its own answer 410')
    turned_off_why: str | None
    paused_until: datetime | None = Field(description="it asked to slow down")
    failures: int = Field(description="failed attempts in a row")
    delivered_at: datetime | None = Field(description="its last success")
    waiting: int
    dead: int = Field(description="given up; each can be replayed")
    cancelled: int


class WebhookPage(BaseModel):
    """By address."""

    items: list[Webhook]
    next: str | None


class TurnOn(Strict):
    """Send to it again. What was cancelled meanwhile is not sent by itself: replay it."""

    command: Literal["turn_on"]


class TurnOff(Strict):
    """Send nothing there; what waits is cancelled."""

    command: Literal["turn_off"]
    reason: Annotated[StrictStr, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]


WebhookCommand = Annotated[TurnOn | TurnOff, Field(discriminator="command")]
