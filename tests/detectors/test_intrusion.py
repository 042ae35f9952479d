"""Intrusion and loitering: who comes in is told, at any rate; light, weather and leaves are not."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.base import Attention
from detectors.line_crossing import Parameters
from detectors.loitering import Parameters as Loitering
from detectors.watch import Watch
from tests.detectors.moving_scenes import NO_ALARM, nothing, person, scene, states, watch_over, watched

LEFT = [(0.0, 0.0), (0.45, 0.0), (0.45, 1.0), (0.0, 1.0)]
RIGHT = [(0.55, 0.0), (1.0, 0.0), (1.0, 1.0), (0.55, 1.0)]


def walker(picture: NDArray[np.float32], t: float) -> None:
    """Somebody walks through from 5 to 12 s, from left to right."""
    if 5 <= t < 12:
        person(picture, 20 + (t - 5) * 46, 210)


def stays(picture: NDArray[np.float32], t: float) -> None:
    """Somebody comes in at 5 s, stays near one place and leaves at 30."""
    if 5 <= t < 32:
        x = 20 + (t - 5) * 40 if t < 8 else 140 + 6 * np.sin(t) if t < 30 else 140 + (t - 30) * 120
        person(picture, x, 210)


@pytest.mark.parametrize("rate", [15.0, 8.0, 4.0, 2.0])
def test_somebody_who_walks_through_is_told_and_cleared(rate: float) -> None:
    raised, cleared = watched(["intrusion"], scene(20, walker, rate=rate), rate=rate)
    assert (raised.kind, raised.state, cleared.state) == ("intrusion", "raised", "cleared")
    assert 5 < raised.t < (6.5 if rate > 2 else 8)
    assert 12 + 3 < cleared.t < 19
    assert {"travel", "height", "seconds"} <= set(raised.cues)
    assert raised.fired[0] == "travel"
    x, y, w, h = raised.box
    assert 130 < y < y + h < 220, "between head and foot"
    assert x < 20 + (raised.t - 5) * 46 < x + w


def test_at_night_with_noise_a_dark_figure_is_told() -> None:
    assert states(watched(["intrusion"], scene(14, walker, noise=5.0, light=0.4))) == ["raised"]


def test_the_area_decides_and_a_mask_hides() -> None:
    for area, begins in ((LEFT, 5.0), (RIGHT, 8.5)):
        raised, *_ = watched(["intrusion"], scene(14, walker), areas={"intrusion": area})
        assert begins < raised.t < begins + 2
    upper = [(0.0, 0.0), (1.0, 0.0), (1.0, 0.2), (0.0, 0.2)]
    assert watched(["intrusion"], scene(14, walker), areas={"intrusion": upper}) == []
    assert watched(["intrusion"], scene(14, walker), masks=[[(0, 0.4), (1, 0.4), (1, 0.85), (0, 0.85)]]) == []


def test_somebody_who_was_there_from_the_first_picture_is_told_when_he_moves() -> None:
    def leaves_place(picture: NDArray[np.float32], t: float) -> None:
        person(picture, 120 + max(0.0, t - 3) * 40, 210)

    raised, *_ = watched(["intrusion"], scene(7, leaves_place))
    assert 3 < raised.t < 4.5


@pytest.mark.parametrize("name", NO_ALARM)
def test_light_weather_and_leaves_are_nobody(name: str) -> None:
    assert watched(["intrusion", "loitering"], scene(24, NO_ALARM[name]), parameters={"loitering": Loitering(stay=5)}) == []


@pytest.mark.parametrize("name", ["lamp", "rain", "shadows", "leaves", "shake"])
def test_somebody_is_told_in_such_weather_too(name: str) -> None:
    def both(picture: NDArray[np.float32], t: float) -> NDArray[np.float32] | None:
        if t >= 14:
            person(picture, 20 + (t - 14) * 46, 230, height=80)
        return NO_ALARM[name](picture, t)

    raised, *_ = watched(["intrusion"], scene(20, both))
    assert 14 < raised.t < 16.5


def test_it_asks_for_a_closer_look_only_while_something_moves() -> None:
    watch = Watch(["intrusion"])
    watch_over(watch, scene(5, nothing))
    assert watch.attention == Attention.STILL
    watch_over(watch, scene(6, walker), start=5 + 1 / 8)
    assert watch.attention > Attention.STILL


def test_what_came_and_stands_needs_no_closer_look_any_more() -> None:
    def parked(picture: NDArray[np.float32], t: float) -> None:
        cv2.rectangle(picture, (int(min(160, 20 + 40 * t)), 180), (int(min(160, 20 + 40 * t)) + 90, 230), (30, 60, 180), -1)

    watch = Watch(["line_crossing", "loitering"], parameters={"line_crossing": Parameters(line=((0.0, 0.2), (1.0, 0.2)))})
    watch_over(watch, scene(4, parked, rate=4), rate=4)
    assert watch.attention == Attention.MOVING
    watch = Watch(["line_crossing"], parameters={"line_crossing": Parameters(line=((0.0, 0.2), (1.0, 0.2)))})
    watch_over(watch, scene(16, parked, rate=4), rate=4)
    assert watch.attention == Attention.STILL


def test_a_clock_that_goes_back_does_no_harm() -> None:
    watch = Watch(["intrusion"])
    watch_over(watch, scene(4, nothing), start=50_000.0)
    raised, *_ = watch_over(watch, scene(14, walker))
    assert 5 < raised.t < 6.5


def test_who_stays_too_long_loiters_and_who_walks_through_does_not() -> None:
    given = {"loitering": Loitering(stay=10)}
    assert watched(["loitering"], scene(20, walker), parameters=given) == []
    raised, cleared = watched(["loitering"], scene(42, stays, rate=5), rate=5, parameters=given)
    assert 15 <= raised.t < 18
    assert raised.cues["seconds"] >= 10
    assert 32 + 5 < cleared.t < 41
    elsewhere = {"loitering": [(0.6, 0.0), (1.0, 0.0), (1.0, 1.0), (0.6, 1.0)]}
    assert watched(["loitering"], scene(30, stays, rate=5), rate=5, parameters=given, areas=elsewhere) == []


def test_somebody_behind_a_pillar_for_a_moment_goes_on_loitering() -> None:
    def hidden(picture: NDArray[np.float32], t: float) -> NDArray[np.float32] | None:
        if not 12 <= t < 15:
            stays(picture, t)
        return None

    raised, *_ = watched(["loitering"], scene(24, hidden, rate=5), rate=5, parameters={"loitering": Loitering(stay=12)})
    assert 17 <= raised.t < 21


