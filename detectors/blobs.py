"""Regions of a mask: where they are, how large, how full. Pixels of the coarse level, and fractions of the picture for people.

What must not go in: time (``detectors.tracks``), what a region is.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from detectors.base import Box, Frame, Mask, Point

_MOST = 40  # the largest only: a picture full of small ones must not cost more time


@dataclass(frozen=True, slots=True)
class Blob:
    """One region. ``x``, ``y``, ``w``, ``h``: its box in pixels of the mask; ``area``: its pixels; ``centre``: of the box."""

    x: int
    y: int
    w: int
    h: int
    area: int

    @property
    def centre(self) -> Point:
        """Middle of the box, pixels of the mask."""
        return self.x + self.w / 2, self.y + self.h / 2

    @property
    def foot(self) -> Point:
        """Middle of the lower edge, pixels of the mask: where a person stands."""
        return self.x + self.w / 2, self.y + self.h - 0.5

    @property
    def fullness(self) -> float:
        """Share of the box that belongs to the region: a person about 0.6, twigs and rain little."""
        return self.area / (self.w * self.h)


def blobs_of(mask: Mask, least_area: float, *, join: int = 3) -> list[Blob]:
    """Regions of ``mask`` (height, width) with at least ``least_area`` pixels, the largest first. Gaps of up to ``join`` pixels inside a
    region are bridged, more upright than sideways: a belt cuts a person in two, two people side by side are two."""
    raster = mask.view(np.uint8)
    if join:
        raster = np.asarray(cv2.morphologyEx(raster, cv2.MORPH_CLOSE, np.ones((join + 2, join), np.uint8)), np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(raster, connectivity=8)
    order = np.argsort(-stats[1:count, cv2.CC_STAT_AREA])[:_MOST] + 1
    rows = ([int(v) for v in stats[i]] for i in order if stats[i, cv2.CC_STAT_AREA] >= least_area)
    return [Blob(x, y, w, h, area) for x, y, w, h, area in rows]


def coarse_mask(mask: Mask | None, shape: tuple[int, ...]) -> Mask | None:
    """``mask`` of the level in ``shape`` (height, width) of the coarse one."""
    if mask is None or mask.shape == shape:
        return mask
    reduced: Mask = cv2.resize(mask.view(np.uint8), (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST).view(np.bool_)
    return reduced


def inside(blob: Blob, moving: Mask, area: Mask) -> bool:
    """Whether ``blob`` is in ``area``: it stands there, or half of what is seen of it is there (feet may be hidden)."""
    height, width = area.shape
    x, y = min(width - 1, int(blob.foot[0])), min(height - 1, int(blob.foot[1]))
    if area[y, x]:
        return True
    part = (slice(blob.y, blob.y + blob.h), slice(blob.x, blob.x + blob.w))
    seen = np.count_nonzero(moving[part])
    return bool(seen > 0 and np.count_nonzero(moving[part] & area[part]) >= 0.5 * seen)


def box_of(blob: Blob, frame: Frame) -> Box:
    """The blob's box in pixels of the full frame, within it."""
    across, down = frame.size_wh[0] / frame.coarse.shape[1], frame.size_wh[1] / frame.coarse.shape[0]
    x, y = blob.x * across, blob.y * down
    return x, y, min(blob.w * across, frame.size_wh[0] - x), min(blob.h * down, frame.size_wh[1] - y)
