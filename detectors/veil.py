"""Two grey pictures of one camera compared in small windows: what became hazy or clear softly, and what was replaced sharply.

Where a veil of smoke thickens or thins, a window is still explained by a straight line through its old grey levels; where a thing
moved, it is not. What must not go in: memory, colour, decisions.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.base import Mask

Levels = NDArray[np.float32]
"""(height, width) of the coarse level, grey levels."""
Affine = NDArray[np.float32]
"""(2, 3): where a point of the old picture is in the new one."""

WINDOW = (7, 7)
"""Pixels of the coarse level in which two pictures are compared."""
LEAST_CHANGE = 4.0
"""Grey levels by which a window must become lighter or darker: above a camera's noise."""
_TEXTURE = 16.0  # variance of grey levels from which on a window has contrast that a veil can take
_LEAST_POINTS = 8  # that must be followed to know how the camera moved
_EDGE = np.ones((7, 7), np.uint8)


@dataclass(frozen=True, slots=True)
class Change:
    """Each (height, width). ``shift``: grey levels by which the window became lighter; ``left``: deviation in it that the old picture
    does not explain; ``soft`` and ``sharp``: changes of either kind; ``contrast``: logarithm of the ratio of contrast to brightness, new
    to old (0 for a shadow or a lamp), nan where there is no texture; ``mean``: grey levels of the window."""

    shift: Levels
    left: Levels
    soft: Mask
    sharp: Mask
    contrast: Levels
    mean: Levels


def compared(now: Levels, before: Levels, valid: Mask | None = None) -> Change:
    """``now`` against ``before``, which lies on it pixel by pixel where ``valid`` (None: everywhere)."""
    gain, light = exposure(before, now - before)
    before = before + np.float32(gain) * before + np.float32(light)
    mean_now, mean_before = _mean(now), _mean(before)
    spread_now = _mean(now * now) - mean_now * mean_now
    spread_before = _mean(before * before) - mean_before * mean_before
    both = _mean(now * before) - mean_now * mean_before
    left = np.sqrt(np.maximum(np.float32(0), spread_now - both * both / (spread_before + 4)))
    shift = mean_now - mean_before
    size = np.abs(shift)
    soft = (size >= LEAST_CHANGE) & (left <= 0.4 * size + 1.5)
    sharp = (left > 6) & (left > 0.6 * size + 1.5) & (_mean(np.abs(now - before)) > 6)
    if valid is not None:
        soft, sharp = soft & valid, sharp & valid
    ratio = (np.maximum(both, 0) + 1) / (spread_before + 1) * (mean_before + 8) / (mean_now + 8)
    textured = (spread_before > _TEXTURE) & (ratio > 0)
    contrast = np.full(now.shape, np.nan, np.float32)
    np.log(ratio, out=contrast, where=textured)
    return Change(shift, left, soft, sharp, contrast, np.float32(0.5) * (mean_now + mean_before))


def exposure(before: Levels, difference: Levels) -> tuple[float, float]:
    """Gain and grey levels by which the whole picture became lighter (a lamp, the camera's own exposure): ``difference`` is about gain *
    ``before`` + levels in most pixels."""
    old, change = before[::3, ::3].ravel(), difference[::3, ::3].ravel()
    gain, light = 0.0, float(np.median(change))
    usual = np.abs(change - light) < 12
    for _ in range(2):
        if np.count_nonzero(usual) < 0.3 * usual.size:
            return 0.0, light
        x, y = old[usual], change[usual]
        x_mean, y_mean = float(x.mean()), float(y.mean())
        gain = float(((x - x_mean) * (y - y_mean)).sum()) / (float(((x - x_mean) ** 2).sum()) + 100)
        light = y_mean - gain * x_mean
        off = np.abs(change - gain * old - light)
        usual = off < max(2.0, 2.5 * float(np.median(off[usual])))
    return gain, light


def camera_motion(before: Levels, now: Levels) -> Affine | None:
    """How the camera moved between the two, by points that could be followed; None: it stood still, or can't be told."""
    old, new = before.astype(np.uint8), now.astype(np.uint8)
    points = cv2.goodFeaturesToTrack(old, 80, 0.02, 5)
    if points is None or len(points) < _LEAST_POINTS:
        return None
    there, followed, _ = cv2.calcOpticalFlowPyrLK(old, new, points, np.empty_like(points), winSize=(9, 9), maxLevel=2)
    kept = followed.ravel() == 1
    if np.count_nonzero(kept) < _LEAST_POINTS or float(np.median(np.abs(there - points)[kept])) < 0.1:
        return None
    matrix, _ = cv2.estimateAffinePartial2D(points[kept], there[kept], ransacReprojThreshold=0.7, maxIters=200)
    return None if matrix is None else np.asarray(matrix, np.float32)


def moved_onto(before: Levels, now: Levels, motion: Affine) -> tuple[Levels, Mask] | None:
    """``before`` as the camera's ``motion`` shows it now, and where that is known; None: it fits no better than without."""
    height, width = now.shape
    warped = np.asarray(
        cv2.warpAffine(before, motion, (width, height), borderMode=cv2.BORDER_CONSTANT, borderValue=(-1000.0,)), np.float32
    )
    known = warped > -1
    moved: Levels = np.where(known, warped, now)
    if unrest(moved, now) >= unrest(before, now):
        return None
    valid: Mask = cv2.erode(known.view(np.uint8), _EDGE, borderType=cv2.BORDER_CONSTANT, borderValue=(0.0,)).view(np.bool_)
    return moved, valid




def unrest(before: Levels, now: Levels) -> float:
    """Grey levels by which the middle pixel differs: noise, or a camera that moves."""
    return float(np.median(np.abs(now[::3, ::3] - before[::3, ::3])))


def _mean(values: Levels) -> Levels:
    return np.asarray(cv2.boxFilter(values, -1, WINDOW), np.float32)
