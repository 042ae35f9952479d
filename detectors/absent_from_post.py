"""Absent from post (离岗): nobody at a post that must be staffed, for longer than is allowed.

Somebody is there when a part of the area changes between two looks in more than light: a person at a post moves, if only the head, many
times in five minutes. A chair that was left moved does not move again. Before it tells, it asks OpenCV's people detector. A screen or
a fan in the area looks like somebody: mask it. What must not go in: shifts, breaks (rules of the zone).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import cv2
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from detectors.base import NO_VIEW, Attention, Detection, Detector, Frame, Mask, Timing, View, parameters_in
from detectors.blobs import coarse_mask
from detectors.movement import light_between, structure_differs
from detectors.people import PeopleFinder

CHANGES = 10.0
"""Grey levels by which a pixel changes between two looks when somebody moves."""
LOOK_EVERY = 1.0
"""Seconds between the two pictures that are compared: slow movements show, noise is the same."""
_ASK_EVERY = 20.0
_FURTHEST_APART = 10.0


class Parameters(Struct, frozen=True, forbid_unknown_fields=True):
    """What a site file may set. ``seconds``: that the post may be empty; ``least_area``: what must change, as a share of the picture;
    ``find_people``: ask OpenCV's people detector before telling."""

    seconds: Annotated[float, Meta(ge=2)] = 300.0
    least_area: Annotated[float, Meta(gt=0, le=1)] = 0.0008
    find_people: bool = True


class AbsentFromPostDetector(Detector):
    """Whether the post in the area of one camera is empty. The time goes on when the stream breaks and comes back soon."""

    kinds: ClassVar[Sequence[str]] = ("absent_from_post",)
    timing: ClassVar[Timing] = Timing(raise_after=0.1, clear_after=1.0)
    Parameters: ClassVar[type[Struct]] = Parameters

    def __init__(self, view: View = NO_VIEW) -> None:
        super().__init__(view)
        self._parameters = parameters_in(view, Parameters)
        self._finder: PeopleFinder | None = None
        self._before: NDArray[np.float32] | None = None
        self._before_t, self._t = float("-inf"), float("-inf")
        self._empty_for, self._asked = 0.0, float("-inf")

    def look(self, frame: Frame) -> list[Detection]:
        """One detection over the area while it has been empty for too long."""
        if 0 <= frame.t - self._t <= _FURTHEST_APART:
            self._empty_for += frame.t - self._t
        self._t = frame.t
        area = coarse_mask(self.view.mask, frame.coarse.shape)
        if self._moves(frame, area):
            self._empty_for = 0.0
        if self._empty_for < self._parameters.seconds:
            return []
        if self._parameters.find_people and self._found(frame):
            self._empty_for = 0.0
            return []
        cues = {"empty_for": round(self._empty_for, 1), "allowed": self._parameters.seconds}
        return [Detection("absent_from_post", 0.8, _box(area, frame), cues, ("empty",))]

    @property
    def attention(self) -> Attention:
        """Key frames are enough."""
        return Attention.STILL

    @property
    def figures(self) -> Mapping[str, float]:
        """Seconds for which the post has been empty."""
        return {"post_empty_seconds": round(self._empty_for, 1)}

    def _moves(self, frame: Frame, area: Mask | None) -> bool:
        """Whether a part of the area has changed since the last look."""
        if 0 <= frame.t - self._before_t < LOOK_EVERY:
            return False
        now, before, gap = frame.coarse.astype(np.float32), self._before, frame.t - self._before_t
        self._before, self._before_t = now, frame.t
        if before is None or before.shape != now.shape or not 0 <= gap <= _FURTHEST_APART:
            return False
        gain, offset = light_between(before, now, np.zeros(now.shape, np.bool_))
        apart = np.abs(now - (before * np.float32(gain) + np.float32(offset))) > CHANGES
        if area is not None:
            apart &= area
        differs = np.asarray(cv2.medianBlur(apart.view(np.uint8), 3), np.uint8)
        least = max(5.0, self._parameters.least_area * now.size)
        return bool(np.count_nonzero(differs) >= least and np.count_nonzero(structure_differs(differs, now, before)) >= least)

    def _found(self, frame: Frame) -> bool:
        """Whether the people detector sees somebody at the post, asked seldom; False between two questions."""
        if 0 <= frame.t - self._asked < _ASK_EVERY:
            return False
        self._asked = frame.t
        self._finder = self._finder or PeopleFinder()
        return bool(self._finder.find_in(frame, self.view.mask))


def _box(area: Mask | None, frame: Frame) -> tuple[float, float, float, float]:
    width, height = frame.size_wh
    if area is None or not area.any():
        return 0.0, 0.0, float(width), float(height)
    rows, columns = np.flatnonzero(area.any(axis=1)), np.flatnonzero(area.any(axis=0))
    across, down = width / area.shape[1], height / area.shape[0]
    x, y = columns[0] * across, rows[0] * down
    return float(x), float(y), float((columns[-1] + 1) * across - x), float((rows[-1] + 1) * down - y)
