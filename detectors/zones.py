"""Areas of a picture as masks: rasterised once, then one look-up a frame.

What must not go in: zones of the park plan (``hazards.zones``).
"""

from collections.abc import Sequence

import cv2
import numpy as np

from detectors.base import Mask, Point
from hazards.errors import BadInput


def mask_of(polygon_fractions: Sequence[Point], size_wh: tuple[int, int]) -> Mask:
    """Mask (height, width) that is True inside the polygon, whose corners are fractions 0..1 of the picture."""
    width, height = size_wh
    corners = np.array([(x * (width - 1), y * (height - 1)) for x, y in polygon_fractions], np.float64)
    raster = np.zeros((height, width), np.uint8)
    cv2.fillPoly(raster, [np.rint(corners).astype(np.int32)], (1,))
    mask: Mask = raster.astype(np.bool_)
    return mask


def fractions_of(polygon: Sequence[Point], size_wh: tuple[int, int]) -> list[Point]:
    """``polygon`` in fractions of the picture: as it is where no coordinate is over 1, else taken as pixels of the frame."""
    if all(0 <= v <= 1 for point in polygon for v in point):
        return list(polygon)
    width, height = size_wh
    return [(x / max(1, width - 1), y / max(1, height - 1)) for x, y in polygon]


def parse_polygon(text: str) -> list[Point]:
    """The corners in "x,y x,y x,y". Raises BadInput where it is no polygon of at least three corners."""
    try:
        corners = [(float(x), float(y)) for x, y in (pair.split(",") for pair in text.split())]
    except ValueError as e:
        raise BadInput(f"{text!r} is no polygon", where="zone", hint='write "x,y x,y x,y"') from e
    if len(corners) < 3:
        raise BadInput(f"a polygon needs three corners, {len(corners)} given", where="zone", hint='write "x,y x,y x,y"')
    if any(not 0 <= v < 1e6 for corner in corners for v in corner):
        raise BadInput("coordinates are fractions from 0 to 1, or pixels", where="zone")
    return corners
