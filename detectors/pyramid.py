"""The one reduced picture that all detectors share, made once a frame.

What must not go in: what is looked for in it.
"""

import cv2
import numpy as np

from detectors.base import Frame, Picture

LONG_SIDE = 320
"""Pixels of the longer side of the level. Published measurements of background models use it, and a frame costs 2 to 4 ms."""


def small_size_wh(width: int, height: int) -> tuple[int, int]:
    """Size of the level for a frame of ``width`` x ``height`` pixels; a smaller frame keeps its size."""
    ratio = min(1.0, LONG_SIDE / max(width, height))
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def frame_of(picture: Picture, t: float, n: int) -> Frame:
    """``picture`` (height, width, 3) BGR as a frame with its level."""
    height, width = picture.shape[:2]
    size = small_size_wh(width, height)
    small = picture if size == (width, height) else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return Frame(small=np.asarray(small, np.uint8), scale=width / size[0], size_wh=(width, height), t=t, n=n)
