"""Bodies of answers of the evidence gate. From the domain to these: ``api/present_gate.py``. What must not go in: requests, decisions."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.models import Kind, Text
from api.ruling_models import Ruling


class GateEvidence(BaseModel):
    """An incident that speaks against it."""

    why: Literal["standing", "undecided", "raised_since"]
    why_name: Text
    incident: str
    kinds: list[str]
    kind_names: list[Kind]
    devices: list[str]
    severity: int
    opened_at: datetime
    raised: int = Field(description="alarms raised since the claim")
    last_at: datetime | None = Field(description="the newest of them")
    url: str
    snapshot: str | None = Field(description="where the incident's picture is")


class GateSensor(BaseModel):
    """What one sensor's readings say, with the limit that was met."""

    device: str
    metric: str
    metric_name: Text
    unit: str
    says: Literal["beyond_limit", "beyond_since", "within_limits", "no_readings", "series_unavailable"]
    says_name: Text
    against: bool = Field(description="whether it speaks against the rectification")
    limit: str = Field(description="low_low, low, high or high_high, where one was met")
    bound: float | None = Field(description="its value")
    value: float | None = Field(description="the reading that met it")
    at: datetime | None
    newest: float | None
    newest_at: datetime | None
    lowest: float | None = Field(description="since the claim")
    highest: float | None = Field(description="since the claim")
    start: datetime
    end: datetime
    url: str = Field(description="the readings themselves, from start to end")


class GateWatcher(BaseModel):
    """A device that can tell, and whether it counts as seeing."""

    device: str
    by: str = Field(description="a detector, a metric, or alarms: it has raised such an alarm")
    sees: bool
    why: str | None = Field(description="why it does not count: out_of_service, blind_since, silent, no_readings, series_unavailable")
    why_name: Text | None
    blind: str | None = Field(description="the incident by which it is out of service now")
    seen: int = Field(description="of the time since the claim, percent")
    incidents: list[str] = Field(description="incidents by which it did not see since the claim")
    urls: list[str] = Field(description="of these incidents")


class GatePaper(BaseModel):
    """A photo or document of the claim, and whether it counts as evidence of the state after rectification."""

    counts: bool
    why: str
    why_name: Text
    where: str = Field(description="the field that decides, as a JSON pointer into the claim")
    taken_at: datetime
    place: str
    document: str
    kept_at: datetime | None = Field(description="when its file was first kept here")
    url: str | None


class Gate(BaseModel):
    """What the zone's own cameras and sensors say to a claim, an acceptance or a closing."""

    question: Literal["claim", "accept", "close"]
    verdict: Literal["clear", "refuted", "blind", "not_applicable"]
    verdict_name: Text
    passes: bool
    since: datetime
    at: datetime
    reasons: list[str]
    why: list[Text]
    evidence: list[GateEvidence]
    sensors: list[GateSensor]
    papers: list[GatePaper]
    watchers: list[GateWatcher]
    ruling: Ruling
    seen_ruling: Ruling | None = Field(description="the rule by which a device that was blind for too long does not count")
