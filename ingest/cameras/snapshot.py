"""The picture that goes with an alarm: the frame with the box drawn, and without, as JPEG. What must not go in: where it is kept."""

import cv2

from detectors.base import Box, Picture

LONGEST_SIDE, GLIMPSE_SIDE = 1920, 640
QUALITY, GLIMPSE_QUALITY = 85, 75
_INNER, _OUTER = (79, 77, 255), (20, 20, 20)  # BGR: the alarm red of severity 1, on a dark rim that shows on any ground


def snapshot(picture: Picture, box: Box | None) -> bytes:
    """JPEG of ``picture`` (height, width, 3) BGR with ``box`` (x, y, w, h in its pixels) drawn on it; ``picture`` is not changed.

    Without a box, or with one of no size, the picture as it is."""
    height, width = picture.shape[:2]
    ratio = min(1.0, LONGEST_SIDE / max(height, width))
    drawn = picture.copy() if ratio == 1.0 else cv2.resize(picture, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    if box is not None and box[2] > 0 and box[3] > 0:
        x, y, w, h = (round(v * ratio) for v in box)
        line = max(2, round(max(drawn.shape[:2]) / 320))
        margin = 2 * line
        corners = (x - margin, y - margin), (x + w + margin, y + h + margin)
        cv2.rectangle(drawn, *corners, _OUTER, line * 2)
        cv2.rectangle(drawn, *corners, _INNER, line)
    _, encoded = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return encoded.tobytes()


def glimpse(picture: Picture) -> bytes:
    """A small JPEG of ``picture``, for who looks at all cameras."""
    ratio = min(1.0, GLIMPSE_SIDE / max(picture.shape[:2]))
    small = picture if ratio == 1.0 else cv2.resize(picture, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, GLIMPSE_QUALITY])
    return encoded.tobytes()
