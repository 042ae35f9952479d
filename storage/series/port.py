"""The port to the time series: what is written, what can be asked, how long it is kept. ``docs/time-series.md`` describes it for people.

A point is known by its measurement, its tags and its time: writing it again is harmless, the later value wins. So whoever writes
may repeat, and acknowledges only after a write returned. Telemetry in columns of numbers, everything else a point at a time.
What must not go in: a database, decisions on what to store (``streams/store.py``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from hazards.telemetry import Floats, Int64s

Places = NDArray[np.int64]

RAW = 0
RESOLUTIONS = {RAW: "telemetry", 1: "telemetry_1s", 60: "telemetry_1m", 900: "telemetry_15m"}
"""Resolution in seconds (0: raw) and the measurement that holds it."""
EVENTS = ("alarms", "incidents", "hazards", "alarm_quality")
"""Measurements whose points come one at a time."""
_DAY = 86_400 * 1_000_000


class SeriesTags(Struct, frozen=True, cache_hash=True):
    """What names one telemetry series. ``enterprise`` "": the zone has none; ``unit`` "": a number without one."""

    device: str
    metric: str
    zone: str
    enterprise: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class RawBlock:
    """Raw readings: ``at`` (int64 µs) and ``value`` (float64, finite) one a reading, ``index`` points into ``series``."""

    series: Sequence[SeriesTags]
    index: Places
    at: Int64s
    value: Floats


@dataclass(frozen=True, slots=True)
class RollupBlock:
    """Roll-ups of one ``resolution`` (seconds), one entry each: ``start`` (int64 µs) is the window's beginning, ``count`` its readings."""

    resolution: int
    series: Sequence[SeriesTags]
    index: Places
    start: Int64s
    count: Int64s
    minimum: Floats
    mean: Floats
    maximum: Floats
    last: Floats


Value = str | int | float | bool


class EventPoint(Struct, frozen=True):
    """One point of EVENTS: ``at`` in nanoseconds, so that points of one microsecond can stand beside each other.

    A field keeps its type for ever: InfluxDB refuses another one."""

    measurement: str
    at: int
    tags: Mapping[str, str]
    fields: Mapping[str, Value]


class Rejected(Struct, frozen=True):
    """What the time series will never take, and why. ``lines``: line protocol, one point a line."""

    lines: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesQuery:
    """Points of one device's metric in ``start`` <= time < ``end`` (µs), oldest first, ``limit`` at most.

    ``enterprise``: only what was measured while the zone was this enterprise's; ``zone``: while the device stood there; None: all."""

    device: str
    metric: str
    start: int
    end: int
    resolution: int = RAW
    limit: int = 10_000
    enterprise: str | None = None
    zone: str | None = None


def _no_numbers() -> Floats:
    return np.empty(0)


def _no_times() -> Int64s:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class SeriesRun:
    """Points of one series (one set of tags) in the order of time. Raw: ``at`` and ``last``; roll-ups: every column."""

    tags: SeriesTags
    at: Int64s
    last: Floats
    count: Int64s = field(default_factory=_no_times)
    minimum: Floats = field(default_factory=_no_numbers)
    mean: Floats = field(default_factory=_no_numbers)
    maximum: Floats = field(default_factory=_no_numbers)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each measurement is kept, in µs. Platform defaults; raw data of major hazard sources (重大危险源) at least 30 days."""

    kept: Mapping[str, int] = field(
        default_factory=lambda: {
            "telemetry": 30 * _DAY, "telemetry_1s": 7 * _DAY, "telemetry_1m": 400 * _DAY, "telemetry_15m": 5 * 366 * _DAY,
            "alarms": 5 * 366 * _DAY, "incidents": 5 * 366 * _DAY, "hazards": 5 * 366 * _DAY,
            "alarm_quality": 5 * 366 * _DAY,
        }
    )  # fmt: skip


class TimeSeriesReader(Protocol):
    """What the API asks. Every call raises StorageUnavailable while the time series does not answer."""

    async def read(self, query: SeriesQuery) -> Sequence[SeriesRun]:
        """The points, a run for each set of tags the series has had; together ``limit`` at most, the oldest."""

    async def close(self) -> None:
        """Give back connections and threads."""


class TimeSeries(TimeSeriesReader, Protocol):
    """What the store agent writes to. A write returns when the points are durable; what is returned will never be taken."""

    async def ensure(self) -> None:
        """Make what is missing (file and tables, bucket). Raises StorageUnavailable: try again."""

    async def write_raw(self, block: RawBlock) -> Sequence[Rejected]:
        """Store raw readings."""

    async def write_rollups(self, block: RollupBlock) -> Sequence[Rejected]:
        """Store roll-ups; those of a window that is there already replace it."""

    async def write_points(self, points: Sequence[EventPoint]) -> Sequence[Rejected]:
        """Store points of ``EVENTS``."""

    async def drop_old(self, retention: Retention, *, now: int) -> None:
        """Drop what is older than ``retention`` allows at ``now`` (µs), in steps that hold nobody up."""


def bucket_of(district: str) -> str:
    """The bucket of a district: one each, since a token opens a whole bucket. Other characters than letters, digits, - and _ become _."""
    return "bihuan_" + (re.sub(r"[^\w-]", "_", district.strip()) or "default")
