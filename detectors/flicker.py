"""How often each pixel turns from brighter to darker and back: flames turn many times a second, things that pass turn twice.

A turn counts only after a swing of at least so many grey levels from the last extreme, so noise does not count (the zigzag
filter of time-series analysis); the caller raises that swing with the unrest of the whole picture.
What must not go in: colour, regions, decisions.
"""

import math

import numpy as np
from numpy.typing import NDArray

MEMORY = 1.0
"""Seconds after which a turn counts 1/e: with it the figure reads as turns a second."""


class FlickerMap:
    """Turns a second for each pixel of pictures of one shape."""

    def __init__(self) -> None:
        self._extreme: NDArray[np.int16] | None = None

    def update(self, level: NDArray[np.int16], dt: float, least_swing: int) -> NDArray[np.float32]:
        """Take the next picture (height, width), grey levels, ``dt`` seconds after the last; turns a second by pixel.

        The array is the map's own: read it before the next call."""
        if self._extreme is None or self._extreme.shape != level.shape:
            self._extreme = level.copy()
            self._heading = np.zeros(level.shape, np.int8)
            self.turns = np.zeros(level.shape, np.float32)
            return self.turns
        self.turns *= math.exp(-dt / MEMORY)
        swing = level - self._extreme
        rose = (self._heading <= 0) & (swing >= least_swing)
        fell = (self._heading >= 0) & (swing <= -least_swing)
        turned = rose | fell
        self.turns += turned
        self._heading[rose] = 1
        self._heading[fell] = -1
        follows = turned | (swing * self._heading > 0)
        np.copyto(self._extreme, level, where=follows)
        return self.turns
