"""Runs of points: combined exactly, joined in order, cut at the limit; resolutions that fit."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.series.lines import raw_lines
from storage.series.port import RAW, RESOLUTIONS, RawBlock, Retention, SeriesRun, SeriesTags
from storage.series.resolution import WANTED, choices
from storage.series.runs import joined, wider, within_limit
from tests.storage.series.conftest import SECOND, TANK

HOUR, DAY = 3600 * SECOND, 86_400 * SECOND
NUMBERS = st.floats(-1e6, 1e6)
READINGS = st.lists(NUMBERS, min_size=1, max_size=5)
WINDOWS = st.lists(st.tuples(st.integers(0, 400), READINGS), min_size=1, max_size=40, unique_by=lambda w: w[0])


def run_of(windows: list[tuple[int, list[float]]], every: int) -> SeriesRun:
    windows = sorted(windows)
    at = np.array([n * every for n, _ in windows], np.int64)
    low, mean, high, last = (np.array([float(f(v)) for _, v in windows]) for f in (min, np.mean, max, lambda v: v[-1]))
    return SeriesRun(TANK, at, last, np.array([len(v) for _, v in windows], np.int64), low, mean, high)


@given(WINDOWS, st.integers(1, 50), st.sampled_from([0, 3 * SECOND, 8 * HOUR]))
def test_wider_windows_are_those_of_the_readings(windows: list[tuple[int, list[float]]], factor: int, offset: int) -> None:
    found = wider(run_of(windows, SECOND), factor * SECOND, offset)
    readings: dict[int, list[float]] = {}
    for n, values in sorted(windows):
        readings.setdefault(n * SECOND - (n * SECOND + offset) % (factor * SECOND), []).extend(values)
    assert found.at.tolist() == sorted(readings)
    for n, at in enumerate(found.at.tolist()):
        values = readings[at]
        assert (found.minimum[n], found.maximum[n], found.last[n], found.count[n]) == (min(values), max(values), values[-1], len(values))
        assert math.isclose(found.mean[n], math.fsum(values) / len(values), rel_tol=1e-9, abs_tol=1e-6)


@given(st.lists(st.lists(st.integers(0, 30), max_size=10, unique=True), max_size=4), st.integers(1, 20))
def test_a_limit_leaves_the_oldest_of_all_runs(times: list[list[int]], limit: int) -> None:
    runs = [SeriesRun(TANK, np.array(sorted(t), np.int64), np.array(sorted(t), float)) for t in times]
    found = sorted(int(at) for run in within_limit(runs, limit) for at in run.at)
    everything = sorted(at for t in times for at in t)
    assert found[:limit] == everything[:limit] and all(at == found[limit - 1] for at in found[limit:]), "equal times stay together"


def test_joined_runs_are_in_order_and_in_one_unit() -> None:
    kelvin = SeriesTags("T-1", "temperature", "smelter", "alu", "K")
    first = SeriesRun(kelvin, np.array([1, 3], np.int64), np.array([1.0, 3.0]))
    second = SeriesRun(TANK, np.array([2, 4], np.int64), np.array([20.0, 40.0]))
    found = joined([first, second], lambda unit, values: values * (10 if unit == "K" else 1))
    assert found is not None and found.tags == TANK
    assert found.at.tolist() == [1, 2, 3, 4] and found.last.tolist() == [10, 20, 30, 40] and len(found.count) == 0
    assert joined([], lambda _, values: values) is None


@given(st.integers(1, 10 * 366 * DAY), st.integers(0, 3 * 366 * DAY), st.integers(1, WANTED))
def test_a_resolution_gives_neither_too_many_points_nor_reads_what_is_gone(length: int, ago: int, wanted: int) -> None:
    now, retention = 10**17, Retention()
    start = now - ago - length
    found = list(choices(start, start + length, now=now, retention=retention, wanted=wanted))
    assert found and found[-1].resolution == 900
    for choice in found:
        if choice.resolution != RAW:
            assert choice.every % choice.resolution == 0 and length / SECOND / choice.every <= wanted
        if choice.resolution != 900:
            assert start >= now - retention.kept[RESOLUTIONS[choice.resolution]]
    assert [c.resolution for c in found] == sorted(c.resolution for c in found)


@pytest.mark.parametrize("value", [0.1 + 0.2, -0.0, 1e300, 5e-324, 123456789.123456789, 1e16])
def test_a_line_holds_the_number_exactly(value: float) -> None:
    (line,) = raw_lines(RawBlock([TANK], np.zeros(1, np.int64), np.array([7], np.int64), np.array([value])))
    begin, number, at = line.split(" ")
    assert begin == "telemetry,device=T-1,enterprise=alu,metric=temperature,unit=Cel,zone=smelter" and at == "7"
    assert float(number.removeprefix("value=")) == value
