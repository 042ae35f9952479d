"""Bodies about time series. What must not go in: decisions, reading."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

Resolution = Literal["raw", "1s", "1m", "15m"]


class SensorLimits(BaseModel):
    """Limits in the series' unit; null: there is none."""

    low_low: float | None
    low: float | None
    high: float | None
    high_high: float | None


class Series(BaseModel):
    """One series as registered."""

    device: str
    metric: str
    zone: str
    unit: str = Field(description="of its values and limits; empty: a number without one")
    limits: SensorLimits
    range: tuple[float, float] | None = Field(description="what the sensor can measure")
    error: float = Field(description="largest error of a stored raw value (dead-band compression); 0: every reading is stored")
    shared: bool = Field(description="it stands in a major hazard installation beside the caller's district, who can't read its points")


class SeriesPage(BaseModel):
    """By device and metric."""

    items: list[Series]
    next: str | None


class Point(BaseModel):
    """A raw reading (``value``), or a window that begins at ``at`` (the other fields)."""

    at: datetime
    value: float | None = None
    min: float | None = None
    mean: float | None = None
    max: float | None = None
    last: float | None = None
    count: int | None = None


class SeriesPoints(Series):
    """Points of one series, oldest first."""

    resolution: Resolution = Field(description="what was read")
    window: int = Field(description="seconds of each point's window; 0: raw readings")
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    points: list[Point]
    next: datetime | None = Field(description="``from`` of the next page; null: this is all")
    left_out: list[str] = Field(description="other units that the series had and that can't be converted: their points are not here")
