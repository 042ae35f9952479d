"""Compression: for any history and however it is cut into batches, what is dropped lies within the error of what is held."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazards.compression import HEARTBEAT, Compressor
from hazards.telemetry import Reading

SECOND = 1_000_000
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-50, 50),
    st.sampled_from([0.0, -0.0, 0.1, 0.2, 0.3, 1e15, 1e15 + 0.125, -1e300, 5e-324, 2.0**40, 2.0**52 + 1]),
)
ERRORS = st.one_of(st.just(0.0), st.sampled_from([0.1, 0.5, 1.0, 1e-9, 1e-300, 1e300, 5e-324]), st.floats(0, 1e6))
BATCHES = st.lists(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0, 1, 5, 400, 2000]), VALUES), max_size=8), max_size=8)


def kept(compressor: Compressor, readings: list[Reading], errors: dict[str, float]) -> list[bool]:
    """What ``compressor`` keeps of one batch."""
    series, error = np.array([int(r.series[1:]) for r in readings], np.int64), np.array([errors[r.series] for r in readings])
    at, value = np.array([r.at for r in readings], np.int64), np.array([r.value for r in readings])
    return [bool(m) for m in compressor.keep(series, error, at, value)]


def history(batches: list[list[tuple[int, int, float]]], *, ordered: bool) -> list[list[Reading]]:
    clocks: dict[int, int] = {}
    found: list[list[Reading]] = []
    for batch in batches:
        readings = []
        for series, step, value in batch:
            clocks[series] = clocks.get(series, 1_795_400_000 * SECOND) + (max(step, 1) if ordered else step - 5) * SECOND
            readings.append(Reading(f"S{series}", clocks[series], value))
        found.append(readings)
    return found


@given(BATCHES, st.tuples(ERRORS, ERRORS, ERRORS))
def test_holding_the_last_kept_value_is_never_off_by_more_than_the_error(
    batches: list[list[tuple[int, int, float]]], errors: tuple[float, float, float]
) -> None:
    allowed = {f"S{n}": e for n, e in enumerate(errors)}
    compressor, held = Compressor(), dict[str, Reading]()
    for batch in history(batches, ordered=True):
        for reading, keep in zip(batch, kept(compressor, batch, allowed), strict=True):
            if keep:
                held[reading.series] = reading
            else:
                before = held[reading.series]
                off = abs(Fraction(reading.value) - Fraction(before.value))
                assert off <= Fraction(allowed[reading.series]), "exact arithmetic: no rounding may hide anything"
                assert reading.at - before.at < HEARTBEAT and allowed[reading.series] > 0


@given(BATCHES, st.tuples(ERRORS, ERRORS, ERRORS))
def test_what_comes_out_of_order_or_twice_is_kept_and_so_is_what_follows(
    batches: list[list[tuple[int, int, float]]], errors: tuple[float, float, float]
) -> None:
    allowed = {f"S{n}": e for n, e in enumerate(errors)}
    compressor, held, newest, late_before = Compressor(), dict[str, Reading](), dict[str, int](), dict[str, bool]()
    for batch in history(batches, ordered=False):
        for reading, keep in zip(batch, kept(compressor, batch, allowed), strict=True):
            name = reading.series
            late = reading.at <= newest.get(name, 0)
            if late or late_before.get(name) or name not in held:
                assert keep
            if keep:
                held[name] = reading
            assert abs(Fraction(reading.value) - Fraction(held[name].value)) <= Fraction(allowed[name])
            newest[name], late_before[name] = max(newest.get(name, 0), reading.at), late


@given(BATCHES, st.tuples(ERRORS, ERRORS, ERRORS), st.booleans())
def test_how_a_history_is_cut_makes_no_difference(
    batches: list[list[tuple[int, int, float]]], errors: tuple[float, float, float], ordered: bool
) -> None:
    allowed = {f"S{n}": e for n, e in enumerate(errors)}
    cut = history(batches, ordered=ordered)
    whole = [r for batch in cut for r in batch]
    in_batches, at_once, one_by_one = Compressor(), Compressor(), Compressor()
    a = [k for batch in cut for k in kept(in_batches, batch, allowed)]
    assert a == kept(at_once, whole, allowed) == [k for r in whole for k in kept(one_by_one, [r], allowed)]


@pytest.mark.parametrize(("error", "expected"), [(0.0, 1000), (0.5, 20)])
def test_a_slow_ramp_with_noise_is_a_few_points(error: float, expected: int) -> None:
    at = np.arange(1000, dtype=np.int64) * SECOND
    value = at / SECOND / 100 + 0.001 * np.sin(at)
    mask = Compressor().keep(np.zeros(1000, np.int64), np.full(1000, error), at, value)
    assert expected <= mask.sum() <= expected * 1.2


def test_a_flat_line_shows_life() -> None:
    at = np.arange(4 * 3600, dtype=np.int64) * SECOND
    mask = Compressor().keep(np.zeros(len(at), np.int64), np.ones(len(at)), at, np.full(len(at), 20.0))
    assert np.diff(at[mask]).max() <= HEARTBEAT and mask.sum() == 16


def test_thousands_of_series_find_room() -> None:
    compressor = Compressor()
    for turn in range(3):
        mask = compressor.keep(np.arange(5000), np.full(5000, 1.0), np.full(5000, turn + 1, np.int64), np.arange(5000, dtype=float))
        assert mask.sum() == (5000 if turn == 0 else 0)
