"""People in a whole picture by OpenCV's own detector: gradients of a standing body (Dalal and Triggs, 2005), as trained in OpenCV.

It sees whole people who stand or walk, from the front, back or side, at least 90 pixels high in the picture it works on; not from above,
not seated. A picture costs 40 to 150 ms: ask seldom. What must not go in: what the number means.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from detectors.base import Box, Frame, Mask, Picture

WORKS_ON = 640
"""Pixels of the longer side of the picture that is searched."""
SURE = 0.5
"""Distance from the classifier's boundary from which somebody counts."""
_OVERLAP = 0.35


class PeopleFinder:
    """Finds people; holds the classifier's weights."""

    def __init__(self) -> None:
        self._hog = cv2.HOGDescriptor()
        self._hog.setSVMDetector(np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector(), np.float32))

    def find(self, picture: Picture) -> list[tuple[Box, float]]:
        """Boxes in pixels of ``picture`` (height, width, 3), BGR, and how sure (0.5 and up), the surest first."""
        height, width = picture.shape[:2]
        ratio = WORKS_ON / max(height, width)
        size = max(64, round(width * ratio)), max(128, round(height * ratio))
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR)
        boxes, weights = self._hog.detectMultiScale(small, winStride=(8, 8), padding=(16, 16), scale=1.08, groupThreshold=1)
        found = zip(np.asarray(boxes).reshape(-1, 4).tolist(), np.ravel(np.asarray(weights)).tolist(), strict=True)
        sure = [(box, w) for box, w in found if w >= SURE]
        kept = _apart(sure)
        across, down = width / size[0], height / size[1]
        return [(_body(box, across, down), weight) for box, weight in kept]

    def find_in(self, frame: Frame, area: Mask | None) -> list[Box]:
        """Boxes in pixels of the full frame of the people who stand in ``area`` (of any level; None: everywhere)."""
        picture = frame.full()
        across, down = frame.size_wh[0] / picture.shape[1], frame.size_wh[1] / picture.shape[0]
        found = [(x * across, y * down, w * across, h * down) for (x, y, w, h), _ in self.find(picture)]
        return [box for box in found if stands_in(box, area, frame.size_wh)]


def stands_in(box: Box, area: Mask | None, size_wh: tuple[int, int]) -> bool:
    """Whether the middle of the box's lower edge, or of the box, is in ``area`` (of any level)."""
    if area is None:
        return True
    height, width = area.shape
    column = min(width - 1, max(0, int((box[0] + box[2] / 2) / size_wh[0] * width)))
    rows = (min(height - 1, max(0, int(y / size_wh[1] * height))) for y in (box[1] + box[3], box[1] + box[3] / 2))
    return any(bool(area[row, column]) for row in rows)


def _body(box: Sequence[float], across: float, down: float) -> Box:
    """The body in the window: the training pictures have a margin of an eighth above and below and a quarter beside."""
    x, y, w, h = (float(v) for v in box)
    return (x + 0.2 * w) * across, (y + 0.08 * h) * down, 0.6 * w * across, 0.84 * h * down


def _apart(found: Sequence[tuple[Sequence[float], float]]) -> list[tuple[Sequence[float], float]]:
    """Without windows that lie mostly in a surer one."""
    kept: list[tuple[Sequence[float], float]] = []
    for box, weight in sorted(found, key=lambda f: -f[1]):
        if all(_shared(box, other) < _OVERLAP for other, _ in kept):
            kept.append((box, weight))
    return kept


def _shared(a: Sequence[float], b: Sequence[float]) -> float:
    """Share of the smaller box that lies in the other."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return float(w * h / min(a[2] * a[3], b[2] * b[3])) if w > 0 and h > 0 else 0.0
