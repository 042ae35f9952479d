"""Packets to frames: a key frame alone, or every packet since one, on the analyst's thread.

What must not go in: which packets (``camera``), detectors.
"""

import time
from collections.abc import Iterator

import av
import av.error
import numpy as np

from detectors.base import Frame, Picture
from detectors.pyramid import small_size_wh
from ingest.cameras.opened import Codec, VideoPacket
from ingest.cameras.ring import Piece

MOST_PIXELS = 64_000_000
VideoPiece = Piece[VideoPacket]


class Shown:
    """A decoded frame: ``t`` seconds of the stream, ``piece`` that it came with."""

    def __init__(self, decoded: av.VideoFrame, t: float, piece: VideoPiece) -> None:
        self._decoded, self.t, self.piece = decoded, t, piece

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._decoded.width, self._decoded.height

    def full(self) -> Picture:
        """The whole frame, BGR."""
        return np.asarray(self._decoded.to_ndarray(format="bgr24"), np.uint8)

    def frame(self) -> Frame:
        """What detectors get: the pyramid's level is scaled while the colours are converted, a large frame is never converted whole."""
        width, height = small_size_wh(*self.size_wh)
        small = np.asarray(self._decoded.to_ndarray(format="bgr24", width=width, height=height, interpolation="AREA"), np.uint8)
        return Frame(small, self.size_wh[0] / width, self.size_wh, self.t, self.piece.n, full=self.full)


class Decoder:
    """Decodes the packets of one codec. ``position``: number of the packet it stands at, None: it needs a key frame."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self._context = codec.decoder()
        self.position: int | None = None
        self.errors = self.frames = 0
        self.failing_since: float | None = None
        """Monotonic seconds since when no packet became a picture; None: the last one did."""

    def key(self, piece: VideoPiece) -> Shown | None:
        """The picture of the key frame ``piece`` alone."""
        self._restart()
        before = self.frames
        shown = list(self._decode(piece))
        self.position = piece.n
        if not shown:  # a decoder that reorders holds it back until it is drained; then it can't go on from here
            shown = list(self._drain(piece))
            self._restart()
        self._note(before)
        return shown[-1] if shown else None

    def go_on(self, pieces: list[VideoPiece]) -> Iterator[Shown]:
        """The pictures of ``pieces``, which begin at a key frame or follow the last one."""
        before = self.frames
        for piece in pieces:
            if piece.key and self.position != piece.n - 1:
                self._restart()
            self.position = piece.n
            yield from self._decode(piece)
        self._note(before)

    def _note(self, before: int) -> None:
        if self.frames == before and self.failing_since is None:
            self.failing_since = time.monotonic()

    def end(self, piece: VideoPiece) -> Iterator[Shown]:
        """The pictures that the decoder still holds, of a video that ended with ``piece``."""
        yield from self._drain(piece)
        self._restart()

    def _restart(self) -> None:
        if self.position is not None:
            self._context.flush_buffers()
            self.position = None

    def _decode(self, piece: VideoPiece) -> Iterator[Shown]:
        try:
            decoded = self._context.decode(piece.packet)
        except (av.error.FFmpegError, ValueError, MemoryError, RuntimeError):
            self.errors += 1
            return
        for frame in decoded:
            self.frames += 1
            self.failing_since = None
            if frame.is_corrupt or not 0 < frame.width * frame.height <= MOST_PIXELS:  # a smeared picture is no evidence of anything
                self.errors += 1
                continue
            yield Shown(frame, self._time(frame, piece), piece)

    def _drain(self, piece: VideoPiece) -> Iterator[Shown]:
        try:
            decoded = self._context.decode(None)
        except (av.error.FFmpegError, ValueError):
            return
        for frame in decoded:
            self.frames += 1
            self.failing_since = None
            if not frame.is_corrupt:
                yield Shown(frame, self._time(frame, piece), piece)

    def _time(self, frame: av.VideoFrame, piece: VideoPiece) -> float:
        """Stream seconds of ``frame``, which reordering may put before or after its packet's place."""
        stamp = piece.packet.dts if piece.packet.dts is not None else piece.packet.pts
        if not self.codec.stamped or frame.pts is None or stamp is None:
            return piece.t
        shift = float((frame.pts - stamp) * self.codec.time_base)
        return piece.t + shift if abs(shift) < 2.0 else piece.t
