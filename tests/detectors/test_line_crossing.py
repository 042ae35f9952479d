"""Line crossing and the electronic seal: who crosses, which way, how many are inside."""

from typing import Any

import numpy as np
import pytest
from msgspec import convert
from numpy.typing import NDArray

from detectors.line_crossing import LineCrossingDetector, Parameters
from detectors.pyramid import frame_of
from detectors.watch import Watch
from tests.detectors.moving_scenes import NO_ALARM, person, scene, watch_over

DOOR = ((0.5, 0.0), (0.5, 1.0))  # from top to bottom: to its left, seen from its first point, is the right of the picture


def walk(starts: float, ends: float, row: float, began: float, seconds: float = 6) -> Any:
    def draw(picture: NDArray[np.float32], t: float) -> None:
        if began <= t < began + seconds:
            person(picture, starts + (ends - starts) * (t - began) / seconds, row)

    return draw


def together(*draws: Any) -> Any:
    def draw(picture: NDArray[np.float32], t: float) -> None:
        for one in draws:
            one(picture, t)

    return draw


def counting(**parameters: Any) -> Watch:
    return Watch(["line_crossing"], parameters={"line_crossing": Parameters(line=DOOR, **parameters)})


def test_each_crossing_is_counted_with_its_direction_and_an_alarm_names_it() -> None:
    watch = counting()
    told = watch_over(watch, scene(26, together(walk(40, 300, 200, 4), walk(320, 60, 260, 9), walk(310, 40, 190, 17))))
    assert watch.figures == {"people_in": 2, "people_out": 1, "people_inside": 2}, "the first was inside before the count began"
    assert [x.state for x in told] == ["raised", "cleared"] * 3
    assert [x.fired[0] for x in told if x.state == "raised"] == ["crossed_out", "crossed_in", "crossed_in"]
    assert 6.8 < told[0].t < 8
    assert told[0].box[1] + told[0].box[3] == pytest.approx(200, abs=30), "legs are thin, they may be missed"


@pytest.mark.parametrize(("forbidden", "alarms"), [("in", 1), ("out", 1), ("both", 2), ("none", 0)])
def test_only_the_forbidden_direction_is_an_alarm(forbidden: str, alarms: int) -> None:
    watch = counting(forbidden=forbidden, inside=5)
    told = watch_over(watch, scene(20, together(walk(40, 300, 200, 3), walk(320, 60, 260, 12))))
    assert sum(x.state == "raised" for x in told) == alarms
    assert watch.figures["people_inside"] == 5


def test_who_turns_back_or_walks_past_the_end_of_the_line_does_not_cross() -> None:
    turns = together(walk(40, 165, 200, 3), walk(165, 40, 200, 9))
    watch = counting()
    assert watch_over(watch, scene(16, turns)) == []
    short = Watch(["line_crossing"], parameters={"line_crossing": Parameters(line=((0.5, 0.0), (0.5, 0.4)))})
    assert watch_over(short, scene(12, walk(40, 300, 250, 3))) == []
    assert watch.figures == short.figures == {"people_in": 0, "people_out": 0, "people_inside": 0}


@pytest.mark.parametrize("name", NO_ALARM)
def test_light_weather_and_leaves_do_not_cross(name: str) -> None:
    watch = counting()
    assert watch_over(watch, scene(14, NO_ALARM[name])) == []


def test_counts_stay_when_the_stream_breaks_and_a_reset_begins_anew() -> None:
    watch = counting()
    watch_over(watch, scene(11, walk(320, 60, 200, 3)))
    watch.interrupt()
    watch_over(watch, scene(11, walk(320, 60, 200, 3)))
    assert watch.figures["people_inside"] == 2
    detector = watch._detectors["line_crossing"]
    assert isinstance(detector, LineCrossingDetector)
    detector.reset(inside=7)
    assert watch.figures == {"people_in": 0, "people_out": 0, "people_inside": 7}


def test_parameters_are_read_as_a_site_file_gives_them_and_a_line_is_needed() -> None:
    given = convert({"line": [[0.1, 0.5], [0.9, 0.5]], "forbidden": "in"}, Parameters)
    assert given.line == ((0.1, 0.5), (0.9, 0.5))
    watch = Watch(["line_crossing"])
    assert watch.feed(frame_of(np.zeros((90, 160, 3), np.uint8), 0.0, 0)) == []
    assert "no line is drawn" in watch.problems["line_crossing"]
