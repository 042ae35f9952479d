"""What every time series must do, held against SQLite and a real InfluxDB alike."""

import numpy as np
import pytest

from storage.series.port import EVENTS, RAW, EventPoint, RawBlock, Retention, SeriesQuery, SeriesRun, SeriesTags, TimeSeries
from tests.storage.series.conftest import NOON, PRESSURE, SECOND, TANK, raw, rolled

HOUR = 3600


async def points(series: TimeSeries, *, tags: SeriesTags = TANK, resolution: int = RAW, start: float = -HOUR, end: float = HOUR,
                 limit: int = 10_000, enterprise: str | None = None, zone: str | None = None) -> list[SeriesRun]:  # fmt: skip
    query = SeriesQuery(device=tags.device, metric=tags.metric, start=NOON + int(start * SECOND), end=NOON + int(end * SECOND),
                        resolution=resolution, limit=limit, enterprise=enterprise, zone=zone)  # fmt: skip
    return list(await series.read(query))


def times(run: SeriesRun) -> list[float]:
    return [(int(at) - NOON) / SECOND for at in run.at]


async def test_ensuring_twice_is_harmless(series: TimeSeries) -> None:
    await series.write_raw(raw((1, 20.5)))
    await series.ensure()
    (run,) = await points(series)
    assert (run.tags, times(run), list(run.last)) == (TANK, [1.0], [20.5])


async def test_raw_readings_come_back_exactly_and_in_order(series: TimeSeries) -> None:
    values = [(3.000001, 0.1 + 0.2), (1, -0.0), (2, 1e300), (2.5, 5e-324), (4, -1.5e-7), (5, 123456789.123456789)]
    assert not await series.write_raw(raw(*values))
    (run,) = await points(series)
    assert list(zip(times(run), run.last.tolist(), strict=True)) == sorted(values)


async def test_a_reading_is_known_by_series_and_time_and_the_later_one_wins(series: TimeSeries) -> None:
    for value in (1.0, 2.0, 2.0):
        await series.write_raw(raw((1, value), (2, value)))
    (run,) = await points(series)
    assert times(run) == [1, 2] and list(run.last) == [2.0, 2.0]


async def test_within_one_block_the_later_one_wins_too(series: TimeSeries) -> None:
    await series.write_raw(raw(*((n % 7, n) for n in range(12_000))))
    (run,) = await points(series)
    assert times(run) == list(range(7)) and sorted(run.last) == list(range(11_993, 12_000))
    await series.write_rollups(rolled(60, *((60 * (n % 3), [n]) for n in range(6_000))))
    (run,) = await points(series, resolution=60)
    assert sorted(run.last) == [5_997, 5_998, 5_999]


async def test_a_range_holds_its_beginning_and_not_its_end(series: TimeSeries) -> None:
    await series.write_raw(raw(*((t, t) for t in range(10))))
    (run,) = await points(series, start=2, end=5)
    assert times(run) == [2, 3, 4]
    assert await points(series, start=100, end=200) == []
    (run,) = await points(series, limit=4)
    assert times(run) == [0, 1, 2, 3], "the oldest"


async def test_series_of_one_device_are_apart(series: TimeSeries) -> None:
    block = RawBlock([TANK, PRESSURE], np.array([0, 1, 0]), np.array([NOON, NOON, NOON + SECOND]), np.array([1.0, 101.3, 2.0]))
    await series.write_raw(block)
    (heat,), (pressure,) = await points(series), await points(series, tags=PRESSURE)
    assert list(heat.last) == [1.0, 2.0] and list(pressure.last) == [101.3]


@pytest.mark.parametrize("resolution", [1, 60, 900])
async def test_rollups_are_absolute_and_replaced(series: TimeSeries, resolution: int) -> None:
    await series.write_rollups(rolled(resolution, (0, [1, 5, 3]), (900, [7])))
    await series.write_rollups(rolled(resolution, (0, [1, 5, 3, 11])))
    (run,) = await points(series, resolution=resolution)
    assert times(run) == [0, 900] and list(run.count) == [4, 1]
    assert [list(c) for c in (run.minimum, run.mean, run.maximum, run.last)] == [[1, 7], [5, 7], [11, 7], [11, 7]]


async def test_a_device_that_moved_has_a_run_for_each_place_and_an_enterprise_sees_its_own(series: TimeSeries) -> None:
    elsewhere = SeriesTags("T-1", "temperature", "depot", "chem", "Cel")
    await series.write_raw(raw((1, 1), (3, 3)))
    await series.write_raw(raw((2, 2), (4, 4), tags=elsewhere))
    assert sorted((r.tags.zone, times(r)) for r in await points(series)) == [("depot", [2, 4]), ("smelter", [1, 3])]
    (run,) = await points(series, enterprise="chem")
    assert run.tags == elsewhere
    assert await points(series, enterprise="nobody") == []
    assert [r.tags for r in await points(series, zone="depot")] == [elsewhere] and await points(series, zone="nowhere") == []
    assert sorted(t for r in await points(series, limit=3) for t in times(r)) == [1, 2, 3], "the limit is for all together"


@pytest.mark.parametrize("odd", ['a b', 'a,b=c', '"quoted"', "温度-1", "x' or true", '") |> drop()', "a/b:c.d_e-f"])
async def test_odd_names_stay_whole(series: TimeSeries, odd: str) -> None:
    tags = SeriesTags(odd, "temperature", odd, odd, odd)
    await series.write_raw(raw((1, 1), tags=tags))
    await series.write_raw(raw((1, 2)))
    (run,) = await points(series, tags=tags)
    assert run.tags == tags and list(run.last) == [1.0]


async def test_a_series_without_unit_and_enterprise(series: TimeSeries) -> None:
    tags = SeriesTags("T-9", "count", "street")
    await series.write_raw(raw((1, 1), tags=tags))
    assert [r.tags for r in await points(series, tags=tags)] == [tags]


async def test_what_is_no_number_is_given_back_and_the_rest_is_written(series: TimeSeries) -> None:
    (rejected,) = await series.write_raw(raw((1, 1), (2, float("nan")), (3, float("inf")), (4, 4)))
    assert rejected.lines.count(b"\n") == 1 and b"T-1" in rejected.lines and "finite" in rejected.reason
    (run,) = await points(series)
    assert times(run) == [1, 4]
    (rejected,) = await series.write_rollups(rolled(60, (0, [1]), (60, [float("nan")])))
    assert "finite" in rejected.reason
    (run,) = await points(series, resolution=60)
    assert times(run) == [0]


async def test_nothing_to_write_is_nothing(series: TimeSeries) -> None:
    assert not [*await series.write_raw(raw()), *await series.write_rollups(rolled(1)), *await series.write_points([])]


async def test_each_measurement_is_kept_for_its_time(series: TimeSeries) -> None:
    await series.write_raw(raw(*((t, t) for t in range(-12_000, 10))))
    await series.write_raw(raw((-100, 1), (5, 2), tags=PRESSURE))
    await series.write_rollups(rolled(60, (-120, [1]), (0, [2])))
    moments = [(m, (NOON + t * SECOND) * 1000) for m in EVENTS for t in (-50, 1)]
    await series.write_points([EventPoint(m, at, {"zone": "smelter"}, {"id": "x"}) for m, at in moments])
    kept = {"telemetry": 10 * SECOND, "telemetry_1m": HOUR * SECOND, "alarms": 20 * SECOND}
    await series.drop_old(Retention(kept), now=NOON + 10 * SECOND)
    (heat,), (pressure,) = await points(series, start=-5 * HOUR), await points(series, tags=PRESSURE)
    assert times(heat) == list(range(10)) and times(pressure) == [5]
    (minutes,) = await points(series, resolution=60)
    assert times(minutes) == [-120, 0]


async def test_many_series_in_one_block(series: TimeSeries) -> None:
    tags = [SeriesTags(f"S-{n}", "temperature", "smelter") for n in range(700)]
    index = np.tile(np.arange(700), 20)
    at = NOON + np.repeat(np.arange(20), 700) * SECOND
    assert not await series.write_raw(RawBlock(tags, index, at, index + at / 1e18))
    (run,) = await points(series, tags=tags[699])
    assert len(run.at) == 20 and run.last[3] == 699 + (NOON + 3 * SECOND) / 1e18
