"""A time series of each kind, empty, and blocks to write."""

import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from storage.series.influx import InfluxAccess, InfluxSeries
from storage.series.port import RawBlock, RollupBlock, SeriesTags, TimeSeries
from storage.series.sqlite import SqliteSeries
from tests.real.influx import Influx

SECOND = 1_000_000
NOON = 1_795_400_000 * SECOND
TANK = SeriesTags("T-1", "temperature", "smelter", "alu", "Cel")
PRESSURE = SeriesTags("T-1", "pressure", "smelter", "alu", "kPa")


@pytest.fixture(params=["sqlite", "influx"])
async def series(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TimeSeries]:
    """An empty time series, once in a SQLite file and once in a bucket of a real InfluxDB."""
    made: TimeSeries
    if request.param == "influx":
        server: Influx = request.getfixturevalue("shared_influx")
        made = InfluxSeries(InfluxAccess(server.url, server.org, server.token, f"test_{uuid.uuid4().hex}"))
    else:
        made = SqliteSeries(tmp_path / "series.sqlite")
    await made.ensure()
    yield made
    await made.close()


def raw(*points: tuple[float, float], tags: SeriesTags = TANK) -> RawBlock:
    """Readings of one series; times in seconds after noon."""
    at, value = [NOON + round(t * SECOND) for t, _ in points], [float(v) for _, v in points]
    return RawBlock([tags], np.zeros(len(points), np.int64), np.array(at, np.int64), np.array(value))


def rolled(resolution: int, *windows: tuple[int, Sequence[float]], tags: SeriesTags = TANK) -> RollupBlock:
    """Roll-ups of one series: (seconds after noon, the readings of the window)."""
    start = np.array([NOON + t * SECOND for t, _ in windows], np.int64)
    count = np.array([len(v) for _, v in windows], np.int64)
    low, mean, high, last = (np.array([float(f(v)) for _, v in windows]) for f in (min, np.mean, max, lambda v: v[-1]))
    return RollupBlock(resolution, [tags], np.zeros(len(windows), np.int64), start, count, low, mean, high, last)
