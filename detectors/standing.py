"""Things that newly stand where nothing stood: the picture as it is when the place is free, and what has differed from it, unmoving.

A pixel counts while it is still and differs from the free picture in structure, not only in light. What somebody hides while passing
keeps its time. What is taken away from the free picture is not a thing that stands. What must not go in: how long is too long, what a
person is (``detectors.object_left``).
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.base import Frame, Mask
from detectors.blobs import Blob, blobs_of
from detectors.movement import light_between, structure_differs, structures

Level = NDArray[np.float32]

MEMORY = 60.0
"""Seconds in which the free picture follows what changes without standing out (the sun)."""
LEARNS = 4.0
"""Seconds at the start in which the free picture is learned."""
DIFFERS, MOVES = 12.0, 8.0
"""Grey levels by which a pixel differs from the free picture, and from the last pictures."""
STILL_AFTER = 1.5
"""Seconds without movement after which a pixel is still."""
HIDDEN = 30.0
"""Seconds for which somebody may stand before a thing that had stood still."""
ALIVE = 4.0
"""Seconds since something moved at the edge of a thing up to which it is alive."""
JUDGED_AFTER, JUDGED_UNTIL = 2.5, 9.0
"""Seconds that a thing has stood when it is looked at whether it is one."""
TAKEN = 1.05
"""Times as strong as now must the edges in the free picture have been for something to have been taken away."""
SLOPE = 20.0
"""Grey levels squared: variance that the soft edge of a shadow makes on a flat floor."""
LIT = 0.5
"""Pixels of kept structure in a thing and around it, by its own, from which on it is the edge of a patch of light."""
LONGEST_STEP = 3.0


class StandingThings:
    """The free picture of one camera on the coarse level, and since when each pixel shows something else."""

    def __init__(self) -> None:
        self._free: Level | None = None
        self._now: Level  # the last seconds, so that noise is not movement
        self._still: Level  # seconds since the pixel last moved
        self._stood: Level  # seconds for which it has shown a thing
        self._hidden: Level  # seconds since that was last seen
        self._t, self._learned_for = 0.0, 0.0

    def pause(self) -> None:
        """The stream broke: what stood goes on, the time between does not count."""
        self._t = float("inf")

    def look(self, frame: Frame) -> None:
        """Take the next picture."""
        now = frame.coarse.astype(np.float32)
        if self._free is None or self._free.shape != now.shape:
            self._free, self._now, self._learned_for = now.copy(), now.copy(), 0.0
            self._t = frame.t
            self._still, self._stood, self._hidden = (np.zeros(now.shape, np.float32) for _ in range(3))
        dt = min(LONGEST_STEP, max(0.0, frame.t - self._t)) if math.isfinite(self._t) else 0.0
        self._t = frame.t
        gain, offset = light_between(self._now, now, self._still < STILL_AFTER)
        moved = np.abs(now - (self._now * np.float32(gain) + np.float32(offset))) > MOVES
        moving = cv2.medianBlur(moved.view(np.uint8), 3).view(np.bool_)
        self._still = np.where(moving, np.float32(0), self._still + np.float32(dt))
        quick = np.float32(1 - math.exp(-dt / 1.0))
        self._now += np.where(moving, np.float32(1), quick) * (now - self._now)
        self._compare(now, dt)

    def things(self, seconds: float, least_area: float, area: Mask | None) -> list[tuple[Blob, float]]:
        """What has stood for ``seconds`` or more with at least ``least_area`` pixels in ``area``, largest first; and for how long. What
        moves at its edge is alive: it is left out while it does."""
        if self._free is None:
            return []
        mask: Mask = self._stood >= seconds
        if area is not None:
            mask = mask & area
        if np.count_nonzero(mask) < least_area:
            return []
        found = []
        for blob in blobs_of(mask, least_area):
            part = (slice(blob.y, blob.y + blob.h), slice(blob.x, blob.x + blob.w))
            if not self._alive(blob, mask):
                found.append((blob, float(np.median(self._stood[part][mask[part]]))))
        return found

    def _alive(self, blob: Blob, mask: Mask) -> bool:
        """Whether a good part of the blob's edge has moved in the last seconds."""
        part = (slice(max(0, blob.y - 2), blob.y + blob.h + 2), slice(max(0, blob.x - 2), blob.x + blob.w + 2))
        raster = mask[part].astype(np.uint8)
        edge = (cv2.dilate(raster, np.ones((5, 5), np.uint8)) - cv2.erode(raster, _NEAR)).view(np.bool_)
        return bool(np.count_nonzero(self._still[part][edge] < ALIVE) > 0.2 * np.count_nonzero(edge))

    def _compare(self, now: Level, dt: float) -> None:
        assert self._free is not None  # noqa: S101 (looked at before)
        gain, offset = light_between(self._free, now, self._stood > 0)
        expected = self._free * np.float32(gain) + np.float32(offset)
        differs = np.asarray(cv2.medianBlur((np.abs(now - expected) > DIFFERS).view(np.uint8), 3), np.uint8)
        self._learned_for += dt
        if self._learned_for < LEARNS:
            self._free += np.float32(1 - math.exp(-dt / 1.5)) * (now - self._free)
            return
        shown, still = structure_differs(differs, now, self._free, flat=SLOPE), self._still >= STILL_AFTER
        stands = shown & still
        self._stood = np.where(stands, self._stood + np.float32(dt), self._stood)
        self._hidden = np.where(stands, np.float32(0), self._hidden + np.float32(dt))
        self._stood[(still & ~shown) | (self._hidden > HIDDEN)] = 0
        self._forget_what_is_free(differs, now)
        free = still & ~shown
        lit = free & differs.view(np.bool_)  # only the light differs: a lamp
        rate = np.where(lit, np.float32(1 - math.exp(-dt / 2.0)), np.float32(1 - math.exp(-dt / MEMORY))) * free
        self._free += rate.astype(np.float32) * (now - self._free)

    def _forget_what_is_free(self, differs: NDArray[np.uint8], now: Level) -> None:
        """Of what has stood for some seconds: where the edge was in the free picture and is not now, something was taken away; where
        the structure inside is kept, light falls through a window. Both are the free picture from now on."""
        assert self._free is not None  # noqa: S101 (looked at before)
        standing = self._stood > 0
        if not (standing & (self._stood > JUDGED_AFTER) & (self._stood < JUDGED_UNTIL)).any():
            return
        _, kept = structures(differs, now, self._free, flat=SLOPE)
        before, after = _gradient(self._free), _gradient(now)
        for blob in blobs_of(standing, 6):
            part = (slice(max(0, blob.y - 2), blob.y + blob.h + 2), slice(max(0, blob.x - 2), blob.x + blob.w + 2))
            times = self._stood[part][self._stood[part] > 0]
            if not times.size or not JUDGED_AFTER < float(np.median(times)) < JUDGED_UNTIL:
                continue
            raster = cv2.morphologyEx(standing[part].astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
            inside, edge = raster.view(np.bool_), (cv2.dilate(raster, _NEAR) - cv2.erode(raster, _NEAR)).view(np.bool_)
            taken = float(before[part][edge].sum()) > TAKEN * float(after[part][edge].sum())
            around = (slice(max(0, blob.y - 6), blob.y + blob.h + 6), slice(max(0, blob.x - 6), blob.x + blob.w + 6))
            lit = np.count_nonzero(kept[around]) > LIT * np.count_nonzero(inside)
            if taken or lit:
                wide = cv2.dilate(raster, np.ones((5, 5), np.uint8)).view(np.bool_)
                self._free[part][wide], self._stood[part][wide] = now[part][wide], 0.0


_NEAR = np.ones((3, 3), np.uint8)


def _gradient(picture: Level) -> Level:
    return np.hypot(cv2.Sobel(picture, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(picture, cv2.CV_32F, 0, 1, ksize=3)).astype(np.float32)
