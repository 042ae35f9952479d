"""What moves in a camera's picture, found once a frame for all its detectors: the usual picture, and what differs from it.

What must not go in: what moves (a person, smoke), decisions.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.base import Frame, Mask, Movement

MEMORY = 20.0
"""Seconds in which a changed picture becomes the usual one."""
LEAST = 12.0
"""Grey levels a pixel must differ at least; a restless pixel (leaves, water) must differ by more than its own unrest."""
UNREST = 3.5
"""Times its usual deviation that a pixel must differ."""
SETTLES_IN = 2.0
"""Seconds until the usual picture is known well enough to be compared with."""
LONGEST_STEP = 3.0
"""Seconds that one frame may count for, so that a gap does not make the next picture the usual one."""
_CLEAN = np.ones((3, 3), np.uint8)


class Background:
    """The usual picture of one camera on the coarse level: mean and deviation of each pixel, forgetting slowly."""

    def __init__(self) -> None:
        self._mean: NDArray[np.float32] | None = None
        self._deviation: NDArray[np.float32]
        self._t, self._since, self._light = 0.0, 0.0, 0.0

    def look(self, frame: Frame) -> Movement:
        """What moves in ``frame``; it becomes part of the usual picture."""
        now = frame.coarse.astype(np.float32)
        light = float(now.mean())
        if self._mean is None or self._mean.shape != now.shape:
            self._mean, self._deviation = now, np.full(now.shape, 4.0, np.float32)
            self._t, self._since, self._light = frame.t, frame.t, light
            return Movement(np.zeros(now.shape, np.bool_), 0.0, light, 0.0, settled=False)
        dt, change = min(LONGEST_STEP, max(0.0, frame.t - self._t)), light - self._light
        self._t, self._light = frame.t, light
        difference = now - self._mean
        shift = float(np.median(difference[::4, ::4]))  # a lamp or a cloud moves the whole picture: that is no movement
        apart = np.abs(difference - np.float32(shift))
        mask = self._clean(apart > np.maximum(np.float32(LEAST), np.float32(UNREST) * self._deviation))
        self._learn(self._mean, difference, apart, mask, dt)
        return Movement(mask, float(mask.mean()), light, change, settled=frame.t - self._since >= SETTLES_IN)

    def _learn(
        self, mean: NDArray[np.float32], difference: NDArray[np.float32], apart: NDArray[np.float32], mask: Mask, dt: float
    ) -> None:  # fmt: skip
        young = self._t - self._since < SETTLES_IN
        share = np.float32(1 - math.exp(-dt / (1.0 if young else MEMORY)))
        slow = share if young else share * np.float32(0.25)  # what stands before the usual picture joins it more slowly
        mean += np.where(mask, slow, share).astype(np.float32) * difference
        rate = np.where(mask, np.float32(0.1) * share, share).astype(np.float32)
        self._deviation += rate * (np.minimum(apart, np.float32(40.0)) - self._deviation)

    @staticmethod
    def _clean(mask: Mask) -> Mask:
        """``mask`` without single pixels."""
        opened: Mask = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, _CLEAN).view(np.bool_)
        return opened
