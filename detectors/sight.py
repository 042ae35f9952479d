"""How well a camera still sees what it usually sees: its picture's structure against the usual one, in a few figures.

Structure is the gradient of the coarse level: light changes scale it, a cover takes it away, a turned camera has it elsewhere, a lens
out of focus keeps only what is broad. What must not go in: thresholds, decisions (``detectors.tamper``).
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.base import Frame

Level = NDArray[np.float32]

MEMORY = 45.0
"""Seconds in which a changed view becomes the usual one: night falls and fog rises more slowly, a hand is quicker."""
YOUNG_MEMORY, YOUNG = 1.5, 3.0
"""The same within the first seconds, and how many those are."""
LONGEST_STEP = 3.0
"""Seconds that one frame may count for."""
_BROAD = 16
"""Pixels of the coarse level in one cell of the broad view, which a lens out of focus still shows."""
_STRUCTURED = 4.0
"""Grey levels a pixel, squared: mean gradient of a cell that has structure."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much of a usual structure is in a picture. ``kept``: correlation -1..1, which noise lowers; ``strength``: the share of the usual
    structure that is found again, 1 all, 0 none, which noise leaves and the light scales."""

    kept: float
    strength: float


@dataclass(frozen=True, slots=True)
class Sight:
    """One picture against the usual one.

    ``light``: mean grey level; ``dimmed``: light by usual light, at most 1; ``contrast``: standard deviation, grey levels; ``burnt``,
    ``usually_burnt``: share of pixels at or over 250; ``structure``, ``usual_structure``: mean gradient, grey levels a pixel; ``lines``:
    likeness of the gradients of the coarse level; ``lost_share``: of the cells with usual structure that lost it, whatever a caption in
    the picture keeps; ``detail``: of what is finer than five pixels of the level; ``sharpness``: energy of the
    detail by the usual one, in the usual light; ``broad``: of the view in large cells; ``steady``:
    correlation of the gradients with those of the last picture; ``pace``: by how much the whole view went on since then, pixels of the
    coarse level; ``shift``: where the usual view is found again, pixels of the coarse
    level, and ``shift_kept``: how well, as ``kept``; ``known``: there is a usual picture with something to see."""

    light: float
    dimmed: float
    contrast: float
    burnt: float
    usually_burnt: float
    structure: float
    usual_structure: float
    lines: Likeness
    lost_share: float
    detail: Likeness
    sharpness: float
    broad: Likeness
    steady: float
    pace: tuple[float, float]
    shift: tuple[float, float]
    shift_kept: float
    known: bool


@dataclass(frozen=True, slots=True)
class _Structure:
    """What is compared of one picture: (2, height, width) gradients across and down, (height, width) details, (rows, columns) cells."""

    lines: Level
    detail: Level
    broad: Level
    light: float
    burnt: float


class UsualSight:
    """The usual structure of one camera's picture, forgetting slowly; it stands still while ``learn`` is not called."""

    def __init__(self) -> None:
        self._usual: _Structure | None = None
        self._last: _Structure
        self._learned_for = 0.0

    def forget(self) -> None:
        """The next picture is the usual one."""
        self._usual, self._learned_for = None, 0.0

    def look(self, frame: Frame, *, search: bool) -> Sight:
        """``frame`` against the usual picture. ``search``: look for a shifted view where it is not kept."""
        now = _structure(frame)
        if self._usual is None or self._usual.detail.shape != now.detail.shape:
            self._usual, self._last, self._learned_for = now, now, 0.0
        usual, last = self._usual, self._last
        self._last = now
        lines = _compare(usual.lines, now.lines)
        usual_structure = float(np.abs(usual.lines).mean())
        known = self._learned_for >= YOUNG and usual_structure > 0.8
        shift, shift_kept = (0.0, 0.0), 0.0
        if search and known and lines.kept < 0.5:
            shift, shift_kept = _found_again(usual.lines, now.lines)
        dimmed = min(1.0, max(2.0, now.light) / max(2.0, usual.light))
        sharpness = float(now.detail.std()) / max(0.05, float(usual.detail.std()) * dimmed)
        steady = _compare(last.lines, now.lines).kept
        pace, pace_kept = _found_again(last.lines, now.lines) if search and steady < 0.5 else ((0.0, 0.0), 0.0)
        return Sight(
            now.light, dimmed, float(frame.coarse.std()), now.burnt, usual.burnt, float(np.abs(now.lines).mean()), usual_structure, lines,
            _lost_share(usual.lines, now.lines, dimmed), _compare(usual.detail, now.detail), sharpness, _compare(usual.broad, now.broad),
            steady, pace if pace_kept > max(0.5, steady + 0.25) else (0.0, 0.0), shift, shift_kept, known,
        )  # fmt: skip

    def learn(self, dt: float) -> None:
        """The picture just looked at is in order: blend it into the usual one. ``dt``: seconds since the last one."""
        assert self._usual is not None  # noqa: S101 (looked at before)
        dt = min(LONGEST_STEP, dt)
        self._learned_for += dt
        share = np.float32(1 - math.exp(-dt / (YOUNG_MEMORY if self._learned_for < YOUNG else MEMORY)))
        usual, now = self._usual, self._last
        self._usual = _Structure(
            usual.lines + share * (now.lines - usual.lines), usual.detail + share * (now.detail - usual.detail),
            usual.broad + share * (now.broad - usual.broad), usual.light + float(share) * (now.light - usual.light),
            usual.burnt + float(share) * (now.burnt - usual.burnt),
        )  # fmt: skip


def _structure(frame: Frame) -> _Structure:
    now, level = frame.coarse.astype(np.float32), frame.grey.astype(np.float32)
    smooth = cv2.GaussianBlur(now, (3, 3), 0)
    lines = np.stack([cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=1), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=1)])
    height, width = now.shape
    size = max(2, round(width / _BROAD)), max(2, round(height / _BROAD))
    cells = np.asarray(cv2.resize(now, size, interpolation=cv2.INTER_AREA), np.float32)
    detail = np.asarray(level - cv2.blur(level, (5, 5)), np.float32)
    broad = np.asarray(cells - cells.mean(), np.float32)
    burnt = float(np.count_nonzero(frame.coarse >= 250)) / now.size
    return _Structure(np.asarray(lines, np.float32), detail, broad, float(now.mean()), burnt)


def _lost_share(usual: Level, now: Level, dimmed: float) -> float:
    """Share of the cells with usual structure in which less than a third of it is found again."""
    _, height, width = usual.shape
    cells = max(1, width // _BROAD), max(1, height // _BROAD)
    own = np.asarray(cv2.resize((usual * usual).sum(axis=0), cells, interpolation=cv2.INTER_AREA), np.float32)
    again = np.asarray(cv2.resize((usual * now).sum(axis=0), cells, interpolation=cv2.INTER_AREA), np.float32)
    structured = own > _STRUCTURED
    count = np.count_nonzero(structured)
    if count < 0.1 * own.size:
        return 0.0
    return float(np.count_nonzero(structured & (again < np.float32(0.33 * dimmed) * own)) / count)


def _compare(usual: Level, now: Level) -> Likeness:
    a, b = usual.ravel(), now.ravel()
    aa, bb, ab = float(a @ a), float(b @ b), float(a @ b)
    if aa < 1e-6 * a.size:
        return Likeness(0.0, 0.0)
    return Likeness(ab / math.sqrt(aa * bb) if bb > 0 else 0.0, ab / aa)


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
    return (float(x), float(y)), _compare(np.ascontiguousarray(before), np.ascontiguousarray(after)).kept
