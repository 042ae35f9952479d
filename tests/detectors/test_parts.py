"""Flicker, conditions over time, areas, and which frames are looked at."""

import numpy as np
import pytest

from detectors.base import Detection, Timing
from detectors.flicker import FlickerMap
from detectors.pyramid import small_size_wh
from detectors.temporal import Condition
from detectors.watch import ANALYSED_RATE, Watch
from detectors.zones import fractions_of, mask_of, parse_polygon
from hazards.errors import BadInput

TIMING = Timing(raise_after=0.5, clear_after=2.0)


def level(*values: int) -> np.ndarray:
    return np.array([values], np.int16)


def test_turns_are_counted_a_second_and_small_swings_are_not() -> None:
    flicker = FlickerMap()
    for n in range(60):  # 10 s at 6 a second: the first pixel turns with every picture, the second passes once, the third is noise
        turns = flicker.update(level(200 if n % 2 else 100, 200 if 20 < n < 25 else 100, 104 if n % 2 else 100), 1 / 6, 14)
    assert turns[0, 0] == pytest.approx(6, rel=0.15)
    assert turns[0, 1] < 0.1
    assert turns[0, 2] == 0


def seen(score: float) -> list[Detection]:
    return [Detection("flame", score, (1, 2, 3, 4))]


def test_evidence_gathers_and_quiet_clears() -> None:
    condition = Condition("flame", TIMING)
    told = [condition.feed(seen(0.9) if n < 20 else [], n / 10, n) for n in range(60)]
    changes = [(n, t.state, t.cause) for n, t in enumerate(told) if t]
    assert changes == [(5, "raised", "evidence"), (39, "cleared", "no_evidence")]


def test_a_weak_score_keeps_up_what_is_raised_but_raises_nothing() -> None:
    condition = Condition("flame", TIMING)
    assert all(condition.feed(seen(0.4), n / 10, n) is None for n in range(100))
    assert any(condition.feed(seen(0.9), 10 + n / 10, n) for n in range(10))
    assert all(condition.feed(seen(0.4), 11 + n / 10, n) is None for n in range(100))


def test_single_frames_never_raise() -> None:
    condition = Condition("flame", TIMING)
    assert all(condition.feed(seen(1.0) if n % 4 == 0 else [], n / 10, n) is None for n in range(200))


def test_a_gap_is_no_evidence_and_no_quiet() -> None:
    condition = Condition("flame", TIMING, raised=True)
    condition.feed([], 0.0, 0)
    assert condition.feed([], 100.0, 1) is None
    assert condition.raised


def test_an_interruption_keeps_what_is_raised_and_forgets_what_had_gathered() -> None:
    condition = Condition("flame", TIMING)
    for n in range(5):
        condition.feed(seen(1.0), n / 10, n)
    condition.interrupt()
    assert condition.feed(seen(1.0), 0.0, 0) is None
    assert condition.end(1.0, 1) is None, "nothing was raised"


@pytest.mark.parametrize(("rate", "share"), [(2, 1.0), (10, 1.0), (12, 1.0), (15, 1.0), (25, 0.6), (30, 0.5), (60, 0.25)])
def test_about_fifteen_frames_a_second_are_looked_at(rate: int, share: float) -> None:
    watch = Watch(["flame"])
    looked = sum(watch.due(n / rate) for n in range(rate * 20))
    assert looked / (rate * 20) == pytest.approx(share, rel=0.08)
    assert looked <= ANALYSED_RATE * 20 * 1.05


def test_time_that_starts_again_is_looked_at_again() -> None:
    watch = Watch(["flame"])
    assert watch.due(1000.0)
    assert watch.due(0.0)


def test_areas_are_fractions_or_pixels_and_inside_is_true() -> None:
    assert fractions_of([(0, 0), (639, 0), (639, 359)], (640, 360)) == [(0, 0), (1, 0), (1, 1)]
    assert fractions_of([(0, 0), (1, 0), (0.5, 1)], (640, 360)) == [(0, 0), (1, 0), (0.5, 1)]
    mask = mask_of([(0, 0), (0.5, 0), (0.5, 1), (0, 1)], (320, 180))
    assert mask.shape == (180, 320)
    assert mask[90, 40] and not mask[90, 280]


def test_a_polygon_is_parsed_or_named() -> None:
    assert parse_polygon("0,0 1,0.5  2,3") == [(0, 0), (1, 0.5), (2, 3)]
    for bad in ("", "0,0 1,1", "0;0 1;1 2;2", "0,0 1,1 x,2", "0,0 1,1 -1,2", "0,0 1,1 inf,2", "0,0,0 1,1,1 2,2,2"):
        with pytest.raises(BadInput):
            parse_polygon(bad)


def test_the_level_keeps_the_ratio_and_never_enlarges() -> None:
    assert small_size_wh(1920, 1080) == (320, 180)
    assert small_size_wh(480, 850) == (181, 320)
    assert small_size_wh(100, 50) == (100, 50)
    assert small_size_wh(100_000, 2) == (320, 1)
