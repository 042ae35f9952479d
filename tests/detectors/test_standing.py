"""Objects left, exits blocked: what newly stands is told until it is gone; people, light and weather are not."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.base import Frame, Transition
from detectors.object_left import ExitParameters, StandingParameters
from detectors.people import PeopleFinder
from detectors.pyramid import frame_of
from detectors.watch import Watch
from ingest.cameras.source import VideoSource
from tests.detectors.moving_scenes import NO_ALARM, Draw, nothing, person, scene, states, watch_over, watched

QUICK = {"object_left": StandingParameters(seconds=15), "exit_blocked": ExitParameters(seconds=10)}
BOTH = ["object_left", "exit_blocked"]


def box(picture: NDArray[np.float32], x: int, y: int, size: int = 40) -> None:
    cv2.rectangle(picture, (x, y), (x + size, y + size), (150, 170, 60), -1)
    cv2.rectangle(picture, (x + 6, y + 8), (x + size - 6, y + 16), (40, 50, 60), -1)


def put_down(picture: NDArray[np.float32], t: float) -> None:
    """Somebody brings a box at 8 s, goes, others walk past it, and at 34 s it is fetched."""
    if 10 <= t < 34:
        box(picture, 140, 190)
    for came, went in ((8, 13), (20, 26), (32, 37)):
        if came <= t < went:
            person(picture, 10 + (t - came) * 65, 235, height=90)


def told(draw: Draw, seconds: float, rate: float = 2.0, **settings: object) -> list[Transition]:
    return watched(BOTH, scene(seconds, draw, rate=rate), rate=rate, parameters=QUICK, **settings)


@pytest.mark.parametrize("rate", [4.0, 0.5])
def test_a_box_is_told_after_its_time_though_people_pass_before_it_and_cleared_when_fetched(rate: float) -> None:
    seen = {(x.kind, x.state): x for x in told(put_down, 54, rate)}
    assert len(seen) == 4
    blocked, left = seen["exit_blocked", "raised"], seen["object_left", "raised"]
    assert 10 + 10 <= blocked.t < 10 + 18
    assert 10 + 15 <= left.t < 10 + 23
    x, y, w, h = left.box
    assert 130 < x < 150 and 180 < y < 205 and 20 < w < 55 and 20 < h < 55
    assert left.cues["stood"] >= 15
    assert all(34 < seen[kind, "cleared"].t < 54 for kind in BOTH)


def test_it_stays_told_for_long_and_over_a_broken_stream() -> None:
    def stands(picture: NDArray[np.float32], t: float) -> None:
        if t >= 6:
            box(picture, 200, 160)

    watch = Watch(["exit_blocked"], parameters=QUICK)
    assert states(watch_over(watch, scene(200, stands, rate=0.5), rate=0.5)) == ["raised"]
    watch.interrupt()
    assert watch_over(watch, scene(30, lambda picture, _: box(picture, 200, 160), rate=0.5), rate=0.5) == []
    assert states(watch_over(watch, scene(40, nothing, rate=0.5), rate=0.5, start=30)) == ["cleared"]


def test_the_area_decides() -> None:
    left, right = [(0.0, 0.0), (0.3, 0.0), (0.3, 1.0), (0.0, 1.0)], [(0.3, 0.0), (1.0, 0.0), (1.0, 1.0), (0.3, 1.0)]
    assert told(put_down, 30, areas=dict.fromkeys(BOTH, left)) == []
    assert {x.kind for x in told(put_down, 30, areas=dict.fromkeys(BOTH, right))} == set(BOTH)


def fetched(picture: NDArray[np.float32], t: float) -> None:
    """A box that stood there from the start is taken away."""
    if t < 12:
        box(picture, 200, 160)


def patch_of_light(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    """The sun falls through a window on floor and wall, sharply bounded, from 10 s on."""
    lit = np.ones((*picture.shape[:2], 1), np.float32)
    if t >= 10:
        cv2.fillPoly(lit, [np.array([[120, 150], [200, 140], [230, 230], [150, 250]])], (1.5,))
    return picture * lit


@pytest.mark.parametrize("draw", [fetched, patch_of_light, *NO_ALARM.values()])
def test_what_is_taken_away_light_and_weather_are_no_objects(draw: Draw) -> None:
    assert told(draw, 40) == []


def test_somebody_who_stands_and_moves_a_little_is_no_object() -> None:
    def waits(picture: NDArray[np.float32], t: float) -> None:
        if t >= 8:
            person(picture, 180 + 4 * np.sin(t * 0.9) + 2 * np.sin(t * 2.3), 235, height=110)

    assert told(waits, 45, rate=1) == []


def test_a_real_person_who_stands_like_a_statue_is_no_object_and_a_box_is(media: Path) -> None:
    """The people detector is asked: a still of somebody who walks, in an empty room."""
    pictures = {f.n: f.full() for f in VideoSource(str(media / "people/01_one_by_one.mp4")).frames() if f.n < 160}
    statue = next(n for n in range(80, 160, 4) if PeopleFinder().find(pictures[n]))
    found = []
    for ask in (True, False):
        watch = Watch(["object_left"], parameters={"object_left": StandingParameters(seconds=15, ask_people=ask)})
        random = np.random.default_rng(2)
        seen: list[Transition] = []
        for n in range(60):
            picture = pictures[n % 40 if n < 15 else statue]
            shown = np.clip(picture + random.normal(0, 1, picture.shape), 0, 255).astype(np.uint8)
            level = frame_of(shown, float(n), n)
            seen += watch.feed(Frame(level.small, level.scale, level.size_wh, level.t, n, full=lambda whole=shown: whole))
        found.append(states(seen))
    assert found == [[], ["raised"]]
