"""What can be done to a camera, as changes of its pictures (height, width, 3), at ``t`` seconds after it was done."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Change = Callable[[Picture, float], Picture]
_random = np.random.default_rng(7)


def grain(picture: NDArray[np.float32] | Picture, sigma: float = 2.0) -> Picture:
    """``picture`` with a sensor's noise."""
    return np.clip(picture.astype(np.float32) + _random.normal(0, sigma, picture.shape), 0, 255).astype(np.uint8)


def cover(p: Picture, t: float) -> Picture:
    return grain(np.full_like(p, 110))


def hand(p: Picture, t: float) -> Picture:
    height, width = p.shape[:2]
    across = np.linspace(0.6, 1.1, width)[None, :, None]
    return grain(np.ones((height, width, 1)) * across * np.array([70, 90, 140]))


def cloth(p: Picture, t: float) -> Picture:
    """Nine tenths are covered, a caption below goes on."""
    covered = p.copy()
    covered[: int(0.9 * p.shape[0])] = (60, 60, 70)
    return grain(covered)


def black(p: Picture, t: float) -> Picture:
    return grain(np.zeros_like(p), 1.5)


def overexposed(p: Picture, t: float) -> Picture:
    return np.clip(p.astype(np.float32) * 4 + 160, 0, 255).astype(np.uint8)


def defocused(p: Picture, t: float) -> Picture:
    return grain(cv2.GaussianBlur(p, (0, 0), p.shape[1] / 50), 1.5)


def moved(p: Picture, t: float) -> Picture:
    height, width = p.shape[:2]
    turn = np.float32([[1, 0, 0.2 * width], [0, 1, 0.1 * height]])
    return cv2.warpAffine(p, turn, (width, height), borderMode=cv2.BORDER_REFLECT)


def rotated(p: Picture, t: float) -> Picture:
    height, width = p.shape[:2]
    return cv2.warpAffine(p, cv2.getRotationMatrix2D((width / 2, height / 2), 25, 1.3), (width, height), borderMode=cv2.BORDER_REFLECT)


def lights_off(p: Picture, t: float) -> Picture:
    return grain(p * 0.12)


def infrared(p: Picture, t: float) -> Picture:
    """The camera's own lamp: no colour, bright in the middle, more noise."""
    height, width = p.shape[:2]
    grey = cv2.cvtColor(p, cv2.COLOR_BGR2GRAY).astype(np.float32)
    rows, columns = np.mgrid[0:height, 0:width]
    lit = np.exp(-((columns - width / 2) ** 2) / (0.45 * width) ** 2 - (rows - height / 2) ** 2 / (0.5 * height) ** 2)
    return grain(np.repeat((grey * (0.25 + 0.9 * lit) * 0.8)[:, :, None], 3, axis=2), 4.0)


def lorry(p: Picture, t: float) -> Picture:
    """A lorry passes close by, over nearly the whole picture for two seconds."""
    height, width = p.shape[:2]
    left, picture = int(1.4 * width - t * 0.45 * width), p.copy()
    cv2.rectangle(picture, (left, int(0.05 * height)), (left + int(0.9 * width), int(0.95 * height)), (180, 180, 190), -1)
    for k in range(6):
        x = left + int(0.15 * width * k)
        cv2.rectangle(picture, (x, int(0.3 * height)), (x + int(0.07 * width), int(0.5 * height)), (60, 40, 150), -1)
    return picture


TAMPERED: dict[str, tuple[Change, set[str]]] = {
    # what is done, and the cues that may name it
    "covered": (cover, {"covered"}), "hand": (hand, {"covered"}), "cloth": (cloth, {"covered", "view_lost"}), "black": (black, {"black"}),
    "overexposed": (overexposed, {"overexposed"}), "defocused": (defocused, {"defocused"}), "moved": (moved, {"moved", "view_lost"}),
    "rotated": (rotated, {"view_lost", "covered"}),
}  # fmt: skip
HARMLESS: dict[str, Change] = {"lights_off": lights_off, "infrared": infrared, "lorry": lorry}
