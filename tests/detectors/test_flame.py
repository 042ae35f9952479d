"""Flame against drawn scenes: what burns is raised and cleared, what only looks like it is not."""

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.base import Attention, Transition
from detectors.pyramid import frame_of
from detectors.watch import Watch
from ingest.cameras.synthetic import flame_frames

Picture = NDArray[np.uint8]
SIZE, RATE = (352, 288), 12


def watched(pictures: Iterator[Picture], rate: float = RATE, **settings: Any) -> list[Transition]:
    watch = Watch(["flame"], **settings)
    told = [x for n, picture in enumerate(pictures) if watch.due(n / rate) for x in watch.feed(frame_of(picture, n / rate, n))]
    return told + watch.end()


def drawn_flame(seconds: float, burning: tuple[float, float]) -> Iterator[Picture]:
    return flame_frames(seconds=seconds, flame_from=burning[0], flame_to=burning[1], size=SIZE, fps=RATE)


@pytest.fixture(scope="module")
def burning() -> list[Picture]:
    """A flame from 2 to 8 s of 14."""
    return list(drawn_flame(14, (2, 8)))


def test_a_flame_is_raised_within_seconds_and_cleared_after_quiet(burning: list[Picture]) -> None:
    raised, cleared = watched(iter(burning))
    assert (raised.kind, raised.state, cleared.state) == ("flame", "raised", "cleared")
    assert 2 < raised.t < 5.5
    assert 8 + 4 <= cleared.t < 14
    assert {"turns", "spread", "light", "in_step", "lasting", "area"} <= set(raised.cues), "the operator's why"
    assert raised.score >= 0.5
    assert (cleared.cause, raised.cause) == ("no_evidence", "evidence")


def test_a_flame_that_still_burns_at_the_end_is_cleared_with_the_source(burning: list[Picture]) -> None:
    told = watched(iter(burning[: 7 * RATE]))
    assert [(x.state, x.cause) for x in told] == [("raised", "evidence"), ("cleared", "source_ended")]


def test_a_flame_outside_the_area_is_not_seen(burning: list[Picture]) -> None:
    left = [(0.0, 0.0), (0.4, 0.0), (0.4, 1.0), (0.0, 1.0)]
    right = [(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)]
    assert watched(iter(burning), areas={"flame": left}) == []
    assert len(watched(iter(burning), areas={"flame": right})) == 2


def test_a_stream_too_slow_to_show_flicker_stays_quiet(burning: list[Picture]) -> None:
    assert watched(iter(burning[::6]), rate=2) == []


def looked_at_closely_when_asked(pictures: list[Picture], watch: Watch) -> tuple[list[Transition], int]:
    """What is told when a key frame is looked at every 2 s, and every frame while ``watch`` wants a burst; how many frames that took."""
    told, looked = [], 0
    for n, picture in enumerate(pictures):
        if n % (2 * RATE) == 0 or watch.attention is Attention.BURST:
            told += watch.feed(frame_of(picture, n / RATE, n))
            looked += 1
    return told, looked


def test_a_camera_looked_at_in_key_frames_is_looked_at_closely_when_it_burns(burning: list[Picture]) -> None:
    told, _ = looked_at_closely_when_asked(burning[RATE:], Watch(["flame"]))  # it burns from 1 s on, between two key frames
    assert told[0].state == "raised"
    assert told[0].t - 1 <= 3.5, "at most 1 s until the key frame, then a burst"
    quiet, looked = looked_at_closely_when_asked(list(scene(10, lambda picture, t: None)), Watch(["flame"]))
    assert (quiet, looked) == ([], 5), "a grey scene needs no burst"


def test_a_lamp_that_stays_is_asked_for_ever_more_seldom() -> None:
    def lamp(picture: Picture, _: float) -> None:
        cv2.circle(picture, (170, 90), 12, (70, 190, 255), -1)

    watch, pictures = Watch(["flame"]), list(scene(60, lamp))
    told, looked = looked_at_closely_when_asked(pictures, watch)
    assert told == []
    assert 2 * RATE <= looked < 0.3 * len(pictures)


def scene(seconds: float, draw: Callable[[Picture, float], None], seed: int = 3) -> Iterator[Picture]:
    """A grey scene with a camera's noise in which ``draw`` paints at each time."""
    random = np.random.default_rng(seed)
    ground = np.full((SIZE[1], SIZE[0], 3), (96, 100, 98), np.uint8)
    for n in range(round(seconds * RATE)):
        picture = ground.copy()
        draw(picture, n / RATE)
        yield np.clip(picture + random.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)


def red_car(picture: Picture, t: float) -> None:
    x = int(t * 90) % 500 - 120
    cv2.rectangle(picture, (x, 150), (x + 110, 200), (40, 45, 205), -1)
    cv2.rectangle(picture, (x + 20, 130), (x + 85, 152), (150, 160, 230), -1)
    cv2.circle(picture, (x + 104, 170), 6, (60, 190, 255), -1)


def vest(picture: Picture, t: float) -> None:
    x, sway = int(40 + t * 20) % 300, int(6 * np.sin(t * 9))
    cv2.rectangle(picture, (x + sway, 110), (x + 30 + sway, 170), (20, 110, 250), -1)
    cv2.rectangle(picture, (x + sway, 130), (x + 30 + sway, 136), (220, 225, 225), -1)
    cv2.circle(picture, (x + 15 + sway, 98), 10, (30, 220, 250), -1)


def brake_lights(picture: Picture, t: float) -> None:
    lit = int(t * 3) % 2 == 0
    for x in (120, 220):
        cv2.rectangle(picture, (x, 150), (x + 24, 162), (70, 80, 255) if lit else (30, 30, 110), -1)
        if lit:
            cv2.rectangle(picture, (x + 6, 153), (x + 18, 159), (200, 225, 255), -1)


def beacon(picture: Picture, t: float) -> None:
    phase = (t * 4) % 1
    if phase < 0.5:
        cv2.circle(picture, (170, 90), 26, (20, 120, 230), -1)
        cv2.circle(picture, (170, 90), 14, (60, 200, 255), -1)
        cv2.circle(picture, (170, 90), 7, (235, 250, 255), -1)


def sunset(picture: Picture, t: float) -> None:
    rows = np.linspace(0, 1, 160)[:, None]
    sky = np.concatenate([60 + 40 * rows, 90 + 120 * rows, 200 + 55 * rows], axis=1)
    picture[:160] = np.clip(sky[:, None, :] + 3 * np.sin(t), 0, 255).astype(np.uint8)
    cv2.circle(picture, (180, 140), 20, (190, 245, 255), -1)


@pytest.mark.parametrize("draw", [red_car, vest, brake_lights, beacon, sunset])
def test_what_only_looks_like_fire_does_not_alarm(draw: Callable[[Picture, float], None]) -> None:
    assert watched(scene(15, draw)) == []


def test_a_picture_of_a_flame_that_does_not_move_does_not_alarm(burning: list[Picture]) -> None:
    random = np.random.default_rng(5)
    still = burning[5 * RATE]
    shown = (np.clip(still + random.normal(0, 3, still.shape), 0, 255).astype(np.uint8) for _ in range(15 * RATE))
    assert watched(shown) == []


def test_noise_and_a_picture_that_changes_its_shape_do_no_harm() -> None:
    random = np.random.default_rng(1)
    watch = Watch(["flame", "x_ray"])
    assert watch.unknown == ["x_ray"]
    for n, shape in enumerate([(90, 160), (90, 160), (288, 352), (1, 1), (2, 900), (288, 352)] * 4):
        assert watch.feed(frame_of(random.integers(0, 256, (*shape, 3), np.uint8), n / RATE, n)) == []
