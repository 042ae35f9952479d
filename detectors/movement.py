"""What moves in a camera's picture, found once a frame for all its detectors: the usual picture, and what differs from it.

A pixel moves where it is brighter or darker than all its usual neighbours (a mast that sways, leaves), by more than its own unrest
(water, noise), after the light of the whole picture is taken out (a lamp, a cloud, the camera's own exposure), and where the usual
structure is gone too: a shadow, a beam of light leave the structure of the ground. What must not go in: what moves (a person,
smoke), decisions.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.base import Frame, Mask, Movement

Level = NDArray[np.float32]

MEMORY = 20.0
"""Seconds in which a changed picture becomes the usual one; what stands before it takes four times as long."""
YOUNG_MEMORY, LIGHT_MEMORY = 4.0, 1.0
"""The same while little is known yet, and where only the light changed."""
LEAST, MOST = 9.0, 60.0
"""Grey levels a pixel must differ at least, and at most however restless it is."""
COMES_AND_GOES = 0.05
"""Share by which each coming or going of a movement counts as a pixel's unrest: leaves come and go all the time, people seldom."""
UNREST = 3.5
"""Times its usual deviation that a pixel must differ."""
SETTLES_IN = 2.0
"""Seconds until the usual picture is known well enough to be compared with."""
LONGEST_STEP = 3.0
"""Seconds that one frame may count for, so that a gap does not make the next picture the usual one."""
DIFFERENT = 0.35
"""Share of the variance around a pixel (7 x 7) that the usual ones, lit otherwise, do not explain: from there on it is no light."""
FLAT = 8.0
"""Grey levels squared: variance that noise and compression leave on a flat surface."""
SUDDEN_LIGHT = 0.12
"""Share of the mean brightness by which it must jump between two frames to count as a lamp that was switched."""
NEW_SCENE_SHARE, NEW_SCENE_SECONDS = 0.5, 3.0
"""So much of the picture changed for so long: the camera was moved, this is its picture now."""
_NEAR, _AROUND = np.ones((3, 3), np.uint8), np.ones((13, 13), np.uint8)
_WINDOW = (7, 7)
_FURTHEST = 12  # pixels of the coarse level that a shaken camera may have turned


class Background:
    """The usual picture of one camera on the coarse level: mean and deviation of each pixel, forgetting slowly."""

    def __init__(self) -> None:
        self._mean: Level | None = None
        self._deviation: Level
        self._before: Mask  # what moved in the last frame
        self._unsure: Mask  # flat before and now, and near to what moves: the inside of a thing rather than light
        self._t, self._since, self._light, self._changed_for = 0.0, 0.0, 0.0, 0.0

    def look(self, frame: Frame) -> Movement:
        """What moves in ``frame``; it becomes part of the usual picture."""
        now = frame.coarse.astype(np.float32)
        light = float(now.mean())
        if self._mean is None or self._mean.shape != now.shape:
            self._begin(now, frame.t, light)
            return Movement(self._before, 0.0, light, 0.0, settled=False)
        if frame.t < self._t:  # the camera's clock went back
            self._since -= self._t - frame.t
        dt, change = min(LONGEST_STEP, max(0.0, frame.t - self._t)), light - self._light
        self._t, self._light = frame.t, light
        mask, expected, lit = self._compare(now)
        if float(mask.mean()) > 0.15 and self._turn_with(now, expected):
            mask, expected, lit = self._compare(now)
        share = float(mask.mean())
        self._changed_for = self._changed_for + dt if share > NEW_SCENE_SHARE else 0.0
        lamp = abs(change) > SUDDEN_LIGHT * max(20.0, light - change) and float((mask | lit).mean()) > 0.01
        if lamp or self._changed_for > NEW_SCENE_SECONDS:
            self._begin(now, frame.t, light)
            return Movement(self._before, 0.0, light, change, settled=False)
        self._learn(now, expected, mask, lit, dt)
        return Movement(mask, share, light, change, settled=frame.t - self._since >= SETTLES_IN)

    def _begin(self, now: Level, t: float, light: float) -> None:
        """``now`` is the usual picture."""
        self._mean, self._deviation = now, np.full(now.shape, 3.0, np.float32)
        self._before = np.zeros(now.shape, np.bool_)
        self._t, self._since, self._light, self._changed_for = t, t, light, 0.0

    def _compare(self, now: Level) -> tuple[Mask, Level, Mask]:
        """What moves; the usual picture in the light of now; where only the light differs."""
        assert self._mean is not None  # noqa: S101 (looked at before)
        gain, offset = light_between(self._mean, now, self._before)
        expected = self._mean * np.float32(gain) + np.float32(offset)
        apart = np.maximum(now - cv2.dilate(expected, _NEAR), cv2.erode(expected, _NEAR) - now)
        threshold = np.clip(np.float32(UNREST) * self._deviation, np.float32(LEAST), np.float32(MOST))
        differs = np.asarray(cv2.medianBlur((apart > threshold).view(np.uint8), 3), np.uint8)
        if not differs.any():
            nothing = differs.view(np.bool_)
            self._unsure = nothing
            return nothing, expected, nothing
        changed, kept = structures(differs, now, self._mean, self._deviation)
        mask = filled(changed, differs)
        near = cv2.dilate(mask.view(np.uint8), _AROUND).view(np.bool_)
        self._unsure = differs.view(np.bool_) & ~mask & ~kept & near
        return mask, expected, differs.view(np.bool_) & ~mask & ~self._unsure

    def _turn_with(self, now: Level, expected: Level) -> bool:
        """Shift what is known by whole pixels where the camera was shaken; whether it was."""
        assert self._mean is not None  # noqa: S101 (looked at before)
        if min(now.shape) < 32:
            return False
        (dx, dy), surety = cv2.phaseCorrelate(expected, now, _hanning(now.shape))
        x, y = round(dx), round(dy)
        if surety < 0.1 or not 0 < max(abs(x), abs(y)) <= _FURTHEST:
            return False
        rows, columns = _inner(y, now.shape[0]), _inner(x, now.shape[1])
        from_rows, from_columns = _inner(-y, now.shape[0]), _inner(-x, now.shape[1])
        mean, deviation = now.copy(), np.full(now.shape, 6.0, np.float32)
        mean[rows, columns] = expected[from_rows, from_columns]
        deviation[rows, columns] = self._deviation[from_rows, from_columns]
        if float(np.abs(now - mean).mean()) > 0.8 * float(np.abs(now - expected).mean()):
            return False
        self._mean, self._deviation = mean, deviation
        return True

    def _learn(self, now: Level, expected: Level, mask: Mask, lit: Mask, dt: float) -> None:
        """Blend ``now`` into what is known. What moves joins slowly; where only the light differs it joins at once."""
        assert self._mean is not None  # noqa: S101 (looked at before)
        quick = np.float32(1 - math.exp(-dt / LIGHT_MEMORY))
        share = np.float32(1 - math.exp(-dt / (YOUNG_MEMORY if self._t - self._since < SETTLES_IN else MEMORY)))
        rate = np.full(now.shape, share, np.float32)
        rate[lit] = quick
        rate[mask | self._unsure] = share * np.float32(0.25)
        apart = np.minimum(np.abs(now - expected), np.float32(40.0))
        self._mean += rate * (now - self._mean)
        rate[lit] = share
        rate[mask | self._unsure] = np.float32(0)  # what stands there is no unrest
        rate[mask != self._before] = np.float32(COMES_AND_GOES)
        self._deviation += rate * (apart - self._deviation)
        self._before = mask


def structure_differs(
    differs: NDArray[np.uint8], now: Level, usual: Level, deviation: Level | None = None, *, flat: float = FLAT
) -> Mask:
    """``differs`` (0 or 1) without what only the light did; what is enclosed by a change of structure (the side of a lorry) belongs to
    it. ``deviation``: by which pixels differ anyway."""
    changed, _ = structures(differs, now, usual, deviation, flat=flat)
    return filled(changed, differs)


def filled(changed: Mask, differs: NDArray[np.uint8]) -> Mask:
    """``changed`` without single pixels, with what of ``differs`` (0 or 1) it encloses."""
    raster = np.asarray(cv2.medianBlur(changed.view(np.uint8), 3), np.uint8)
    if not raster.any():
        nothing: Mask = raster.view(np.bool_)
        return nothing
    outlines, _ = cv2.findContours(raster, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = np.asarray(cv2.drawContours(np.zeros_like(raster), outlines, -1, (1,), cv2.FILLED), np.uint8)
    moving: Mask = ((whole & differs) | raster).view(np.bool_)
    return moving


def structures(
    differs: NDArray[np.uint8], now: Level, usual: Level, deviation: Level | None = None, *, flat: float = FLAT
) -> tuple[Mask, Mask]:
    """Where ``differs`` (0 or 1) is a change of structure, and where it is one of light over structure that is kept: there the surroundings
    of a pixel are the usual ones times one factor. Of a surface that is flat in both (variance up to ``flat``) nothing can be
    said: it is in neither."""
    mean_now, mean_usual = cv2.blur(now, _WINDOW), cv2.blur(usual, _WINDOW)
    factor = np.clip(mean_now / np.maximum(mean_usual, np.float32(1.0)), np.float32(0.1), np.float32(8.0))
    variance_now = cv2.blur(now * now, _WINDOW) - mean_now * mean_now
    variance_lit = (cv2.blur(usual * usual, _WINDOW) - mean_usual * mean_usual) * factor * factor
    together = (cv2.blur(now * usual, _WINDOW) - mean_now * mean_usual) * factor
    own = np.float32(flat) + (np.float32(4.0) if deviation is None else np.float32(3.0) * deviation * deviation)
    changed = np.asarray(variance_now + variance_lit - 2 * together > own + np.float32(DIFFERENT) * (variance_now + variance_lit), np.bool_)
    some = differs.view(np.bool_)
    return some & changed, some & ~changed & np.asarray(variance_lit > 2 * own, np.bool_)


def light_between(usual: Level, now: Level, ignored: Mask) -> tuple[float, float]:
    """Gain and offset of the light from ``usual`` to ``now``, fitted to a ninth of the pixels, twice: the second time without those
    that the first fit does not explain."""
    x, y = usual[::3, ::3].ravel(), now[::3, ::3].ravel()
    seen = ~ignored[::3, ::3].ravel()
    if np.count_nonzero(seen) >= 0.3 * seen.size:
        x, y = x[seen], y[seen]
    gain, offset = 1.0, float(np.median(y - x))
    for _ in range(2):
        apart = np.abs(y - (np.float32(gain) * x + np.float32(offset)))
        near = apart <= max(4.0, 2.0 * float(np.median(apart)))
        a, b = x[near], y[near]
        if a.size < 30:
            break
        mean_a, mean_b = float(a.mean()), float(b.mean())
        spread = float(((a - mean_a) ** 2).mean())
        gain = min(3.0, max(0.3, float(((a - mean_a) * (b - mean_b)).mean()) / spread)) if spread > 60.0 else 1.0
        offset = mean_b - gain * mean_a
    return gain, offset


def _inner(shift: int, length: int) -> slice:
    return slice(max(0, shift), length + min(0, shift))


_WINDOWS: dict[tuple[int, ...], Level] = {}


def _hanning(shape: tuple[int, ...]) -> Level:
    """The window of the phase correlation, made once for each shape."""
    if shape not in _WINDOWS:
        _WINDOWS[shape] = np.asarray(cv2.createHanningWindow((shape[1], shape[0]), cv2.CV_32F), np.float32)
    return _WINDOWS[shape]
