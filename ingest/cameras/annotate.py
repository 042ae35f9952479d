"""Writes a video again with what the detectors saw drawn on it, to be looked at while tuning.

What must not go in: evidence (that is copied as it came, never encoded again), decisions.
"""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.error
import cv2
import numpy as np

from detectors.base import Detection, Picture
from hazards.errors import BadInput

LONGEST_SIDE = 1280
_ALARM, _SEEN, _WEAK, _DARK, _TEXT = (79, 77, 255), (60, 190, 255), (190, 190, 190), (20, 20, 20), (240, 240, 240)  # BGR
_TICKS = 1000


class AnnotatedVideo:
    """An MP4 that gets one picture a frame looked at, each at its own time. Use it in ``with``: it is whole when that ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: av.VideoStream | None = None
        self._last = -1
        try:
            self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        except (OSError, av.error.FFmpegError) as e:
            raise BadInput(getattr(e, "strerror", None) or "can't be written", where=str(path)) from e

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._stream is None:
            with contextlib.suppress(OSError, ValueError, av.error.FFmpegError):  # nothing was seen: no video
                self._container.close()
            self._path.unlink(missing_ok=True)
            return
        for packet in self._stream.encode():
            self._container.mux(packet)
        self._container.close()

    def add(self, picture: Picture, t: float, seen: Sequence[Detection], raised: Collection[str]) -> None:
        """Write ``picture`` (height, width, 3) BGR of ``t`` seconds with ``seen``, and the kinds that stand as alarms."""
        drawn = annotated(picture, t, seen, raised)
        if self._stream is None:
            self._stream = self._started(drawn)
        size = self._stream.width, self._stream.height
        if drawn.shape[1::-1] != size:  # the source changed its size
            drawn = np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA), np.uint8)
        frame = av.VideoFrame.from_ndarray(drawn, format="bgr24")
        self._last = max(self._last + 1, round(t * _TICKS))
        frame.pts, frame.time_base = self._last, Fraction(1, _TICKS)
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def _started(self, drawn: Picture) -> av.VideoStream:
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        stream = self._container.add_stream(codec, rate=Fraction(15))
        if not isinstance(stream, av.VideoStream):
            raise BadInput(f"{codec} is no video codec", where=str(self._path))
        stream.height, stream.width = drawn.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        stream.codec_context.thread_count = 1
        stream.codec_context.max_b_frames = 0
        if codec == "libx264":
            stream.options = {"preset": "veryfast", "crf": "24"}
        else:
            stream.bit_rate = 2_000_000
        return stream


def annotated(picture: Picture, t: float, seen: Sequence[Detection], raised: Collection[str]) -> Picture:
    """A copy of ``picture``, no larger than LONGEST_SIDE and of even size, with boxes, kinds, scores and the cues that fired."""
    height, width = picture.shape[:2]
    ratio = min(1.0, LONGEST_SIDE / max(height, width))
    size = max(2, round(width * ratio) // 2 * 2), max(2, round(height * ratio) // 2 * 2)
    drawn = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    for found in sorted(seen, key=lambda d: d.score):
        if found.score > 0:
            _draw(drawn, found, ratio, standing=found.kind in raised)
    _write(drawn, f"{t:.2f} s  {' '.join(sorted(raised))}", (6, 6), _ALARM if raised else _TEXT)
    if raised:
        cv2.rectangle(drawn, (0, 0), (size[0] - 1, size[1] - 1), _ALARM, 3)
    return drawn


def _draw(drawn: Picture, found: Detection, ratio: float, *, standing: bool) -> None:
    x, y, w, h = (round(v * ratio) for v in found.box)
    colour = _ALARM if standing else _SEEN if found.score >= 0.5 else _WEAK
    cv2.rectangle(drawn, (x - 2, y - 2), (x + w + 2, y + h + 2), _DARK, 3)
    cv2.rectangle(drawn, (x - 2, y - 2), (x + w + 2, y + h + 2), colour, 1)
    lines = [f"{found.kind} {found.score:.2f}", *_cues(found.fired, found.cues)]
    top = y - 4 - 14 * len(lines)
    for n, line in enumerate(lines):
        _write(drawn, line, (x, (top if top > 0 else y + h + 4) + 14 * n), colour)


def _cues(fired: Sequence[str], cues: Mapping[str, float]) -> list[str]:
    return [f"{name} {cues[name]:.2f}" if name in cues else name for name in fired[:3]]


def _write(drawn: Picture, text: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """``text`` with its upper left corner at ``at``, kept inside the picture, on a dark rim that shows on any ground."""
    height, width = drawn.shape[:2]
    (across, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.4, 1)
    place = max(0, min(at[0], width - across)), min(max(at[1] + 10, 10), height - 3)
    for shade, thick in ((_DARK, 3), (colour, 1)):
        cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, shade, thick, cv2.LINE_AA)
