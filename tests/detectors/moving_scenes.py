"""Drawn scenes with texture and a camera's noise, in which people and things come and go; and a watch over them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.base import Transition
from detectors.pyramid import frame_of
from detectors.watch import Watch

Picture = NDArray[np.uint8]
Draw = Callable[[NDArray[np.float32], float], "NDArray[np.float32] | None"]
"""Paints into a picture at a time; may return another one instead."""
WIDTH, HEIGHT, RATE = 352, 288, 8.0


def ground(seed: int = 4) -> NDArray[np.float32]:
    """A yard: a floor and a wall with broad and fine structure, some boxes and a window."""
    random = np.random.default_rng(seed)
    picture = np.empty((HEIGHT, WIDTH, 3), np.float32)
    picture[:110], picture[110:] = (118, 124, 122), (92, 98, 100)
    for cells, strength in ((9, 26), (40, 14)):
        rough = random.normal(0, strength, (cells, cells)).astype(np.float32)
        picture += cv2.resize(rough, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)[:, :, None]
    for _ in range(14):
        x, y, w, h = (int(v) for v in random.integers((0, 0, 12, 10), (WIDTH - 50, 170, 60, 60)))
        cv2.rectangle(picture, (x, y), (x + w, y + h), tuple(float(v) for v in random.integers(40, 190, 3)), -1)
    return picture


def person(picture: NDArray[np.float32], x: float, foot: float, height: float = 70, shade: float = 45) -> None:
    """Somebody whose feet are at (``x``, ``foot``): head, body, two legs that walk with ``x``."""
    w, step = height * 0.28, np.sin(x / 6) * height * 0.1
    top = foot - height
    cv2.circle(picture, (int(x), int(top + height * 0.09)), int(height * 0.09), (120, 150, 190), -1)
    cv2.rectangle(picture, (int(x - w / 2), int(top + height * 0.18)), (int(x + w / 2), int(top + height * 0.6)), (shade, 40, 90), -1)
    for side in (-1, 1):
        hip, shoe = (int(x + side * w * 0.2), int(top + height * 0.58)), (int(x + side * (w * 0.2 + step)), int(foot))
        cv2.line(picture, hip, shoe, (60, 45, 40), max(2, int(w * 0.3)))


def scene(seconds: float, draw: Draw, *, rate: float = RATE, noise: float = 3.0, seed: int = 3, light: float = 1.0) -> Iterator[Picture]:
    """The yard with what ``draw`` paints at each time, and noise."""
    random, yard = np.random.default_rng(seed), ground()
    grains = random.normal(0, noise, (HEIGHT * 2, WIDTH * 2, 3)).astype(np.float32)  # another part of it for each picture: quicker
    for n in range(round(seconds * rate)):
        picture = yard.copy()
        painted = draw(picture, n / rate)
        picture = picture if painted is None else painted
        y, x = random.integers(0, (HEIGHT, WIDTH))
        yield np.clip(picture * light + grains[y : y + HEIGHT, x : x + WIDTH], 0, 255).astype(np.uint8)


def watched(names: Sequence[str], pictures: Iterator[Picture], *, rate: float = RATE, **settings: Any) -> list[Transition]:
    """What the detectors ``names`` tell of ``pictures``, without what the end clears."""
    return watch_over(Watch(names, **settings), pictures, rate=rate)


def watch_over(watch: Watch, pictures: Iterator[Picture], *, rate: float = RATE, start: float = 0.0) -> list[Transition]:
    """What ``watch`` tells of ``pictures`` from ``start`` seconds on."""
    times = ((start + n / rate, n, picture) for n, picture in enumerate(pictures))
    told = [x for t, n, picture in times if watch.due(t) for x in watch.feed(frame_of(picture, t, n))]
    assert watch.problems == {}
    return told


def states(told: Sequence[Transition]) -> list[str]:
    return [x.state for x in told]


def nothing(picture: NDArray[np.float32], t: float) -> None:
    """An empty yard."""


def lamp(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    """The lights go on after 6 s, uneven over the picture, and off after 12."""
    if not 6 <= t < 12:
        return picture * 0.55
    across = np.linspace(1.25, 0.8, WIDTH, dtype=np.float32)[None, :, None]
    return picture * across


def cloud(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    """A soft shadow passes over the yard."""
    edge = np.linspace(0, 1, WIDTH, dtype=np.float32) - (t / 8 - 0.6)
    return picture * (1 - 0.4 / (1 + np.exp(-12 * edge)))[None, :, None]


def rain(picture: NDArray[np.float32], t: float) -> None:
    random = np.random.default_rng(int(t * 1000))
    for x, y, length in random.integers((0, 0, 6), (WIDTH, HEIGHT, 20), (120, 3)):
        cv2.line(picture, (int(x), int(y)), (int(x + 1), int(y + length)), (190, 195, 200), 1)


def beams(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    """The beam of a car's headlights sweeps over a dark yard; the car itself is not in the picture."""
    x = (t * 45) % 500 - 70
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    beam = np.exp(-((columns - x) ** 2) / (2 * 45**2) - (rows - 180) ** 2 / (2 * 60**2))
    return picture * (0.3 + 0.7 * beam[:, :, None])


def shadows(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    """Soft shadows of branches sway on the floor."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    pattern = np.sin((columns + 9 * np.sin(t * 2)) / 14) * np.sin((rows + 5 * np.sin(t * 1.4)) / 18)
    return picture * (0.8 + 0.16 * pattern)[:, :, None]


def leaves(picture: NDArray[np.float32], t: float) -> None:
    """A bush in the wind: leaves that swing on the spot."""
    random = np.random.default_rng(8)
    for x, y, phase, green in random.uniform((230, 120, 0, 40), (340, 220, 6, 130), (160, 4)):
        sway = 3.5 * np.sin(t * 4 + phase) + 2 * np.sin(t * 7 + 2 * phase)
        cv2.ellipse(picture, (int(x + sway), int(y)), (5, 3), 30, 0, 360, (30, float(green), 40), -1)


def shake(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    """The mast sways in the wind: some pixels, several times a second."""
    dx, dy = 3 * np.sin(t * 5.1), 2 * np.sin(t * 3.7)
    return shifted(picture, dx, dy)


def shifted(picture: NDArray[np.float32], dx: float, dy: float) -> NDArray[np.float32]:
    turn = np.float32([[1, 0, dx], [0, 1, dy]])
    return cv2.warpAffine(picture, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)


NO_ALARM = {"lamp": lamp, "cloud": cloud, "rain": rain, "headlights": beams, "shadows": shadows, "leaves": leaves, "shake": shake}
"""What moves in a yard and is nobody."""
