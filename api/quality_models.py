"""Bodies about alarm quality (报警质量). What must not go in: figures and targets (``hazards``), SQL."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.models import Text
from hazards.alarm_targets import Unit

Basis = Literal["eemua_191", "isa_18_2", "platform_default"]


class QualityTarget(BaseModel):
    """Up to ``good`` is good, up to ``manageable`` can be borne, more is overload; with ``at_least`` the other way round."""

    good: float
    manageable: float
    at_least: bool
    strict: bool = Field(description="the limits themselves are no longer within")
    basis: Basis
    basis_name: Text
    check: bool = Field(description="known from secondary sources only: to be checked against the standard itself")
    second: Basis | None = Field(description="who gives the limit manageable; null: the same")


class QualityFigure(BaseModel):
    """One figure. ``value`` null: there is nothing to count; ``target`` null: it only informs."""

    name: str = Field(examples=["rate_average", "flood_share", "stale"])
    label: Text
    value: float | None
    unit: Unit
    target: QualityTarget | None
    verdict: Literal["good", "manageable", "overloaded"] | None
    verdict_name: Text | None


class AlarmFlood(BaseModel):
    """A flood: it began above 10 alarms a seat in 10 minutes and ended below 5. ``end`` null: it had not ended with the window."""

    start: datetime
    end: datetime | None
    seconds: float
    peak: int = Field(description="most alarms in any 10 minutes of it")
    alarms: int


class BadActor(BaseModel):
    """A device's kind of alarm. ``alarms``: how often it was raised, before merging; ``chatters``: the third or later within a minute."""

    device: str
    zone: str = Field(description="where the device stands now")
    zone_name: str
    kind: str
    kind_name: Text
    family: str
    alarms: int
    share: float = Field(description="of all that was raised, 0 to 1")
    chatters: int


class SeverityShare(BaseModel):
    """Annunciated alarms of one severity."""

    severity: int
    alarms: int
    share: float | None


class OperatingPosition(BaseModel):
    """An operating position (操作岗位) with its own load, as far as the caller sees its zones. Zones that none lists are the first's."""

    id: str
    name: str
    zones: list[str] = Field(description="those of them that the caller sees")
    seats: int = Field(description="people who share its load")
    rate: QualityFigure
    maximum: QualityFigure
    flood: QualityFigure


class AlarmsNow(BaseModel):
    """The last 10 minutes up to this moment, which the window does not hold yet. ``rate``: alarms a seat."""

    at: datetime
    rate: float
    flood: bool


class AlarmQuality(BaseModel):
    """Figures of the whole 10-minute periods from ``start`` up to ``end``; standing, stale and unacknowledged are of this moment."""

    start: datetime
    end: datetime
    position: str | None = Field(description="null: all of them, each figure per seat")
    seats: int
    synthetic: bool = Field(description="of demonstrations and drills alone; false: of everything but these")
    counts: list[int] = Field(description="annunciated alarms in each 10 minutes, oldest first")
    now: AlarmsNow | None = Field(description="null: the window does not reach up to now")
    figures: list[QualityFigure]
    floods: list[AlarmFlood]
    severities: list[SeverityShare]
    bad_actors: list[BadActor] = Field(description="the ten that raised most")
    chattering: list[BadActor] = Field(description="the ten that chattered most")
    positions: list[OperatingPosition]
