"""Smoke: what drifts softly is raised and cleared, what only changes the light or moves is not; real clips are in ``test_clips``."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.base import Attention, Transition
from detectors.pyramid import frame_of
from detectors.watch import Watch

Picture = NDArray[np.uint8]
Draw = Callable[[NDArray[np.float32], float], NDArray[np.float32]]
SIZE, RATE = (320, 240), 8


def ground() -> NDArray[np.float32]:
    """A yard: paving with joints, a wall with bricks, a door."""
    random = np.random.default_rng(2)
    picture = np.full((SIZE[1], SIZE[0], 3), (96, 102, 104), np.float32)
    picture[:110] = (112, 120, 128)
    picture[:110:9, :] -= 30
    picture[110::14, :] -= 24
    for x in range(0, SIZE[0], 18):
        picture[:, x : x + 2] -= 22
    picture[40:110, 210:250] = (70, 62, 54)
    return picture + random.normal(0, 5, (SIZE[1], SIZE[0], 1)).astype(np.float32)


class Plume:
    """Clouds of noise that rise from one point, widen and thin out."""

    def __init__(self) -> None:
        random = np.random.default_rng(4)
        size = SIZE[0], SIZE[1] * 12
        self._clouds = [(cv2.resize(random.random((n * 12, n), np.float32), size), rise) for n, rise in ((5, 60), (11, 95))]
        rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]].astype(np.float32)
        above = (200 - rows) / 200
        self._shape = np.clip(1 - ((columns - 150 - 30 * above) / (16 + 60 * np.clip(above, 0, 1))) ** 2, 0, 1) * (above > 0)

    def opacity(self, t: float) -> NDArray[np.float32]:
        cloud = sum(np.roll(noise, -int(t * rise), axis=0)[: SIZE[1]] for noise, rise in self._clouds) / 2
        return np.clip(self._shape * (2.2 * cloud - 0.55), 0, 0.85)[:, :, None].astype(np.float32)


PLUME = Plume()


def smoke(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    veil = PLUME.opacity(t)
    return picture * (1 - veil) + 178 * veil


def shown(seconds: float, draw: Draw, rate: float = RATE) -> Iterator[tuple[Picture, float]]:
    """The yard with a camera's noise and what ``draw`` makes of it."""
    random, yard = np.random.default_rng(3), ground()
    for n in range(round(seconds * rate)):
        drawn = draw(yard.copy(), n / rate) + random.normal(0, 2.5, yard.shape)
        yield np.clip(drawn, 0, 255).astype(np.uint8), n / rate


def watched(pictures: Iterator[tuple[Picture, float]], watch: Watch | None = None) -> list[Transition]:
    watch = watch or Watch(["smoke"])
    told = [x for n, (picture, t) in enumerate(pictures) for x in watch.feed(frame_of(picture, t, n))]
    return told + watch.end()


def between(start: float, end: float) -> Draw:
    return lambda picture, t: smoke(picture, t) if start <= t < end else picture


def test_smoke_is_raised_with_its_cues_and_cleared_when_it_is_gone() -> None:
    raised, cleared = watched(shown(26, between(3, 12)))
    assert (raised.kind, raised.state, cleared.state, cleared.cause) == ("smoke", "raised", "cleared", "no_evidence")
    assert 3 < raised.t < 9
    assert 12 + 8 <= cleared.t < 26
    assert {"lasting", "soft", "grey", "unbroken"} <= set(raised.fired)
    x, y, w, h = raised.box
    assert x < 165 < x + w and y < 160 < y + h, "the box holds the plume"


def test_smoke_is_seen_at_three_frames_a_second_and_asked_for_at_one_in_two_seconds() -> None:
    assert [x.state for x in watched(shown(15, between(2, 15), rate=3))] == ["raised", "cleared"]
    watch = Watch(["smoke"])
    seen = list(shown(20, between(9, 20), rate=0.5))
    attention = []
    for n, (picture, t) in enumerate(seen):
        assert watch.feed(frame_of(picture, t, n)) == []
        attention.append(watch.attention)
    assert attention[:5] == [Attention.STILL] * 5
    assert attention[5] == Attention.MOVING


def test_smoke_outside_the_area_is_not_seen() -> None:
    right = [(0.9, 0.0), (1.0, 0.0), (1.0, 1.0), (0.9, 1.0)]
    assert watched(shown(12, between(2, 12)), Watch(["smoke"], areas={"smoke": right})) == []


def lamp(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    return picture * (1.3 if int(t / 3) % 2 else 0.8) + (15 if int(t / 3) % 2 else 0)


def headlights(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]].astype(np.float32)
    at = (t * 70) % 500 - 90
    return picture * (1 + 0.9 * np.exp(-(((columns - at) / 45) ** 2) - ((rows - 170) / 30) ** 2))[:, :, None]


def shadow(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]].astype(np.float32)
    at = 160 + 130 * np.sin(t * 0.9)
    return picture * (1 - 0.45 * np.exp(-(((columns - at) / 26) ** 2) - ((rows - 130) / 60) ** 2))[:, :, None]


def people(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    for speed, colour in ((34, (60, 52, 48)), (-27, (150, 150, 155)), (21, (20, 110, 250))):
        x = int(t * speed) % 360 - 20
        cv2.rectangle(picture, (x, 110), (x + 22, 190), colour, -1)
        cv2.circle(picture, (x + 11, 98), 10, (120, 140, 170), -1)
    return picture


def rain(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    random = np.random.default_rng(int(t * RATE))
    for x, y in random.integers(0, 320, (140, 2)):
        cv2.line(picture, (int(x), int(y) % 240), (int(x) - 2, int(y) % 240 + 14), (190, 190, 190), 1)
    return picture


def pan(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    return np.roll(picture, int(9 * np.sin(t * 1.3)), axis=1)


def sunset(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    return picture * np.array([1 - 0.03 * t, 1 - 0.025 * t, 1 - 0.015 * t], np.float32)


@pytest.mark.parametrize("draw", [lamp, headlights, shadow, people, rain, pan, sunset])
def test_light_people_and_weather_are_no_smoke(draw: Draw) -> None:
    assert watched(shown(15, draw)) == []


def test_noise_and_a_picture_that_changes_its_shape_do_no_harm() -> None:
    random, watch = np.random.default_rng(1), Watch(["smoke"])
    for n, shape in enumerate([(90, 160), (90, 160), (288, 352), (1, 1), (2, 900), (288, 352)] * 4):
        assert watch.feed(frame_of(random.integers(0, 256, (*shape, 3), np.uint8), n / RATE, n)) == []
