"""People counted and people missing: drawn scenes for the mechanics, real people for OpenCV's detector."""

import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.absent_from_post import Parameters as Absent
from detectors.base import Attention, Frame
from detectors.overcrowding import Parameters as Crowd
from detectors.people import PeopleFinder
from detectors.watch import Watch
from ingest.cameras.source import VideoSource
from tests.detectors.moving_scenes import NO_ALARM, nothing, person, scene, states, watch_over, watched

POST = [(0.2, 0.3), (0.7, 0.3), (0.7, 1.0), (0.2, 1.0)]


def three(picture: NDArray[np.float32], t: float) -> None:
    """One walks about from 5 s on, another two from 14 to 26 s."""
    if t >= 5:
        person(picture, 60 + 50 * np.sin(t / 2), 270, height=80)
    if 14 <= t < 26:
        person(picture, 180 + 40 * np.sin(t / 2), 190, height=70, shade=140)
        person(picture, 290 + 40 * np.sin(t / 1.7), 250, height=80)


def test_more_people_than_allowed_are_told_while_they_are_there() -> None:
    given = {"overcrowding": Crowd(allowed=2, find_people=False)}
    watch = Watch(["overcrowding"], parameters=given)
    raised, cleared = watch_over(watch, scene(40, three, rate=6), rate=6)
    assert 14 < raised.t < 20
    assert raised.cues["people"] == 3
    assert 26 < cleared.t < 39
    assert watch.figures == {"people": 1}
    given = {"overcrowding": Crowd(allowed=3, find_people=False)}
    assert watched(["overcrowding"], scene(30, three, rate=6), rate=6, parameters=given) == []


@pytest.mark.parametrize("name", NO_ALARM)
def test_light_weather_and_leaves_are_not_counted(name: str) -> None:
    watch = Watch(["overcrowding"], parameters={"overcrowding": Crowd(allowed=0, find_people=False)})
    assert watch_over(watch, scene(14, NO_ALARM[name], rate=6), rate=6) == []
    assert watch.figures == {"people": 0}


def test_real_people_are_found_and_an_empty_room_is_empty(media: Path) -> None:
    """Frames by the clip's notes: empty until 62, one person 62 to 201, 229 to 451 and so on."""
    finder, right, wrong, spent = PeopleFinder(), 0, 0, 0.0
    frames = [f for f in VideoSource(str(media / "people/01_one_by_one.mp4")).frames() if f.n < 480 and f.n % 16 == 0]
    pictures = [(f.n, f.full()) for f in VideoSource(str(media / "people/01_one_by_one.mp4")).frames() if f.n < 480 and f.n % 16 == 0]
    assert len(frames) == len(pictures) == 30
    for n, picture in pictures:
        began = time.thread_time()
        found = len(finder.find(picture))
        spent += time.thread_time() - began
        there = 75 <= n <= 190 or 240 <= n <= 440
        empty = n <= 55 or 205 <= n <= 225 or n >= 455
        right += there and found > 0
        wrong += empty and found > 0
    print(f"found in {right} of 21 frames with somebody, in {wrong} of 7 without; {1000 * spent / 30:.0f} ms a picture")
    assert wrong <= 1


def test_people_in_a_real_clip_are_counted(media: Path) -> None:
    watch = Watch(["overcrowding"], parameters={"overcrowding": Crowd(allowed=0)})
    told = []
    for f in VideoSource(str(media / "people/01_one_by_one.mp4")).frames():
        if f.n > 210:
            break
        if f.n % 2 == 0:
            small = f.small()
            told += watch.feed(Frame(small, f.size_wh[0] / small.shape[1], f.size_wh, f.t, f.n, full=f.full))
    assert states(told)[:1] == ["raised"]
    assert 6.2 <= told[0].t < 12
    assert told[0].cues["people"] >= 1


def guard(picture: NDArray[np.float32], t: float) -> None:
    """A guard sits at the post until 20 s, moves a little now and then, is away until 60, comes back."""
    if t < 20 or t >= 60:
        person(picture, 150 + (3 if int(t / 3) % 2 else 0), 220, height=90)
    if 20 <= t < 24 or 57 <= t < 60:
        away = t - 20 if t < 24 else 60 - t
        person(picture, 150 + away * 70, 220, height=90)


@pytest.mark.parametrize("rate", [4.0, 0.5])
def test_an_empty_post_is_told_after_its_time_and_cleared_when_somebody_comes(rate: float) -> None:
    given, areas = {"absent_from_post": Absent(seconds=25)}, {"absent_from_post": POST}
    raised, cleared = watched(["absent_from_post"], scene(75, guard, rate=rate), rate=rate, parameters=given, areas=areas)
    assert 20 + 25 <= raised.t < 24 + 29
    assert raised.cues["empty_for"] >= 25
    assert 57 <= cleared.t < 70
    x, y, w, h = raised.box
    assert (x / 352, y / 288, (x + w) / 352, (y + h) / 288) == pytest.approx((0.2, 0.3, 0.7, 1.0), abs=0.02)


def test_a_guard_who_moves_a_little_is_there_and_people_elsewhere_are_not() -> None:
    def sits(picture: NDArray[np.float32], t: float) -> None:
        person(picture, 150 + (3 if int(t / 7) % 2 else 0), 220, height=90)

    def elsewhere(picture: NDArray[np.float32], t: float) -> None:
        person(picture, 300 + 20 * np.sin(t), 260, height=80)

    given = {"absent_from_post": Absent(seconds=25)}
    for draw, wanted in ((sits, []), (elsewhere, ["raised"])):
        told = watched(["absent_from_post"], scene(60, draw, rate=1), rate=1, parameters=given, areas={"absent_from_post": POST})
        assert states(told) == wanted


@pytest.mark.parametrize("name", ["lamp", "cloud", "shadows"])
def test_light_does_not_staff_a_post(name: str) -> None:
    told = watched(["absent_from_post"], scene(40, NO_ALARM[name], rate=2), rate=2, parameters={"absent_from_post": Absent(seconds=20)})
    assert states(told) == ["raised"]


def test_the_time_is_told_as_a_figure_and_key_frames_are_enough() -> None:
    watch = Watch(["absent_from_post"])
    watch_over(watch, scene(20, nothing, rate=0.5), rate=0.5)
    assert watch.figures == {"post_empty_seconds": pytest.approx(18, abs=2.1)}
    assert watch.attention == Attention.STILL
