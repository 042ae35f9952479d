"""Bodies about the site: zones, devices, enterprises, the site file. What must not go in: decisions, SQL."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.declaration_models import DeclarationFacts
from api.models import Text
from api.ruling_models import Ruling


class Contact(BaseModel):
    """Somebody to call."""

    name: str
    role: str
    phone: str


class Enterprise(BaseModel):
    """An enterprise of the park."""

    id: str
    name: str
    contacts: list[Contact]


class Repeats(BaseModel):
    """Repeats of one kind within the pack's window (重复隐患)."""

    kind: str
    name: Text
    count: int


class GradeCount(BaseModel):
    """Open hazards of one grade."""

    grade: str
    name: Text
    confirmed: int
    proposed: int = Field(description="of this grade as far as it was proposed (拟定)")
    overdue: int


class OwnZone(BaseModel):
    """A zone of the enterprise with its risk grade."""

    id: str
    name: str
    grade: Literal["red", "orange", "yellow", "blue"]
    major_hazard_level: int | None


class EnterpriseProfile(Enterprise):
    """An enterprise with what the ledger says of it, as far as the caller sees its zones."""

    zones: list[OwnZone]
    grades: list[GradeCount] = Field(description="every grade of the pack, the gravest first")
    open_hazards: int
    overdue_hazards: int
    major_hazards: int = Field(description="open ones, confirmed as of the gravest grade")
    repeats: list[Repeats]
    repeat_days: int = Field(description="the pack's window: repeats within so many days count")
    inspections: int | None = Field(description="inspections a quarter that its repeats ask for by the pack; null: none do")
    inspections_ruling: Ruling | None


class EnterprisePage(BaseModel):
    """By id."""

    items: list[Enterprise]
    next: str | None


class Zone(BaseModel):
    """A zone with its risk grade. Geometry in metres on the park plan. ``district``: the code that the site file gives it, else the site's.

    ``shared``: it lies beside the caller's district and is read as a major hazard installation; nothing that happens there can be."""

    id: str
    name: str
    grade: Literal["red", "orange", "yellow", "blue"]
    enterprise: str | None
    polygon: list[tuple[float, float]]
    line: list[tuple[float, float]]
    risks: list[str]
    measures: list[str]
    major_hazard_level: int | None
    district: str
    shared: bool
    in_force: list[DeclarationFacts] = Field(description="what is declared of it now, measures of hazards too; empty for shared ones")


class ZonePage(BaseModel):
    """By id."""

    items: list[Zone]
    next: str | None


class DeviceClock(BaseModel):
    """A clock (设备时钟) that is steadily wrong and corrected, or not believed. What this process heard lately."""

    state: Literal["corrected", "distrusted"]
    fault: Literal["time_zone", "ahead", "behind", "erratic"]
    fault_name: Text
    ahead_seconds: float | None = Field(description="how far it is ahead of ours, negative: behind; null: not steadily")
    since: datetime
    last_at: datetime = Field(description="receipt of the latest wrong time")


class Device(BaseModel):
    """A camera, sensor or platform. A password in its address is not shown. ``clock``: null while nothing wrong is known of it.

    ``shared``: it stands in a shared zone; address, areas and settings are then left out."""

    id: str
    zone: str
    type: str
    url: str
    detectors: list[str]
    areas: dict[str, list[tuple[float, float]]]
    settings: dict[str, Any]
    clock: DeviceClock | None
    shared: bool


class DevicePage(BaseModel):
    """By id."""

    items: list[Device]
    next: str | None


class WaitingDevice(BaseModel):
    """A device that sends alarms and that nobody registered."""

    device: str
    alarms: int
    first_at: datetime
    last_at: datetime


class WaitingPage(BaseModel):
    """Latest first."""

    items: list[WaitingDevice]
    next: str | None


class SiteInfo(BaseModel):
    """The applied site. ``body`` has the shape of the site file, with the defaults filled in and passwords hidden."""

    version: int
    synthetic: bool
    body: dict[str, Any]


class SiteCheck(BaseModel):
    """A site file that could be applied."""

    site: str
    enterprises: int
    zones: int
    devices: int


class SiteApplied(BaseModel):
    """What applying changed: ids by table. ``version`` counts applied sites."""

    version: int
    added: dict[str, list[str]]
    changed: dict[str, list[str]]
    removed: dict[str, list[str]]
