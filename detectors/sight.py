"""How well a camera still sees what it usually sees: its picture's structure against the usual one, in a few figures.

Structure is the gradient of the coarse level: light changes scale it, a cover takes it away, a turned camera has it elsewhere, a lens
out of focus keeps only what is broad. What must not go in: thresholds, decisions (``detectors.tamper``).
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.base import Grey

Level = NDArray[np.float32]

MEMORY = 45.0
"""Seconds in which a changed view becomes the usual one: night falls and fog rises more slowly, a hand is quicker."""
YOUNG_MEMORY, YOUNG = 1.5, 3.0
"""The same within the first seconds, and how many those are."""
LONGEST_STEP = 3.0
"""Seconds that one frame may count for."""
_BROAD = 16
"""Pixels of the coarse level in one cell of the broad view, which a lens out of focus still shows."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One picture against the usual one.

    ``light``: mean grey level; ``contrast``: standard deviation, grey levels; ``burnt``: share of pixels at or over 250; ``structure``:
    mean gradient, grey levels a pixel; ``usual_structure``: of the usual picture; ``kept``: correlation of the gradients -1..1;
    ``strength``: the usual gradients found again, 1 all, 0 none; ``broad_kept``, ``broad_strength``: the same for the broad view;
    ``steady``: correlation of the gradients with those of the last picture; ``shift``: where the usual view is found again, pixels
    of the coarse level, and ``shift_kept``: how well, as ``kept``; ``known``: there is a usual picture with something to see."""

    light: float
    contrast: float
    burnt: float
    structure: float
    usual_structure: float
    kept: float
    strength: float
    broad_kept: float
    broad_strength: float
    steady: float
    shift: tuple[float, float]
    shift_kept: float
    known: bool


class UsualSight:
    """The usual structure of one camera's picture, forgetting slowly; it stands still while ``learn`` is not called."""

    def __init__(self) -> None:
        self._gradient: Level | None = None  # (2, height, width): across and down
        self._broad: Level
        self._last: Level
        self._learned_for = 0.0

    def forget(self) -> None:
        """The next picture is the usual one."""
        self._gradient, self._learned_for = None, 0.0

    def look(self, grey: Grey, *, search: bool) -> Sight:
        """``grey`` (height, width) of the coarse level against the usual picture. ``search``: look for a shifted view where it is not
        kept."""
        now = grey.astype(np.float32)
        gradient, broad = _gradient(now), _broad(now)
        if self._gradient is None or self._gradient.shape != gradient.shape:
            self._gradient, self._broad, self._last, self._learned_for = gradient.copy(), broad.copy(), gradient, 0.0
        usual, last = self._gradient, self._last
        self._last = gradient
        kept, strength = _compare(usual, gradient)
        broad_kept, broad_strength = _compare(self._broad, broad)
        usual_structure = float(np.abs(usual).mean())
        known = self._learned_for >= YOUNG and usual_structure > 0.8
        shift, shift_kept = (0.0, 0.0), 0.0
        if search and known and kept < 0.5:
            shift, shift_kept = _found_again(usual, gradient)
        return Sight(
            float(now.mean()), float(now.std()), float(np.count_nonzero(grey >= 250)) / grey.size, float(np.abs(gradient).mean()),
            usual_structure, kept, strength, broad_kept, broad_strength, _compare(last, gradient)[0], shift, shift_kept, known,
        )  # fmt: skip

    def learn(self, grey: Grey, dt: float) -> None:
        """The picture just looked at is in order: blend it into the usual one. ``dt``: seconds since the last frame."""
        assert self._gradient is not None  # noqa: S101 (looked at before)
        dt = min(LONGEST_STEP, dt)
        self._learned_for += dt
        share = np.float32(1 - math.exp(-dt / (YOUNG_MEMORY if self._learned_for < YOUNG else MEMORY)))
        self._gradient += share * (self._last - self._gradient)
        self._broad += share * (_broad(grey.astype(np.float32)) - self._broad)


def _gradient(now: Level) -> Level:
    smooth = cv2.GaussianBlur(now, (3, 3), 0)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=1)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=1)
    return np.stack([across, down])


def _broad(now: Level) -> Level:
    height, width = now.shape
    size = max(2, round(width / _BROAD)), max(2, round(height / _BROAD))
    cells = cv2.resize(now, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cells - cells.mean(), np.float32)


def _compare(usual: Level, now: Level) -> tuple[float, float]:
    """Correlation of two structures, and the share of ``usual`` that is in ``now``."""
    a, b = usual.ravel(), now.ravel()
    aa, bb, ab = float(a @ a), float(b @ b), float(a @ b)
    if aa < 1e-6 * a.size:
        return 0.0, 0.0
    return ab / math.sqrt(aa * bb) if bb > 0 else 0.0, ab / aa


def _found_again(usual: Level, now: Level) -> tuple[tuple[float, float], float]:
    """The shift (pixels, across and down) by which the usual structure lies best on the new one, and their correlation there."""
    magnitude_usual = np.hypot(usual[0], usual[1])
    magnitude_now = np.hypot(now[0], now[1])
    if min(magnitude_usual.shape) < 16:
        return (0.0, 0.0), 0.0
    (dx, dy), _ = cv2.phaseCorrelate(magnitude_usual, magnitude_now)
    x, y = round(dx), round(dy)
    _, height, width = usual.shape
    if abs(x) >= 0.7 * width or abs(y) >= 0.7 * height:
        return (0.0, 0.0), 0.0
    before = usual[:, max(0, -y) : height - max(0, y), max(0, -x) : width - max(0, x)]
    after = now[:, max(0, y) : height - max(0, -y), max(0, x) : width - max(0, -x)]
    return (float(x), float(y)), _compare(np.ascontiguousarray(before), np.ascontiguousarray(after))[0]
