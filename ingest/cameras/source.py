"""Every frame of a video file or a stream, through PyAV, for ``bihuan detect`` and measurements; cameras go through ``reader``.

Foreign bytes meet C code here: whatever a file or camera sends ends as a frame, SourceLost or SourceUnreadable, or it kills
this process, which its parent then notices. What must not go in: detectors, identity, the door.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import numpy as np

from detectors.base import Picture
from detectors.pyramid import small_size_wh
from hazards.errors import BihuanError, SourceLost
from ingest.cameras.address import OPEN_SECONDS, READ_SECONDS, parse_address
from ingest.cameras.decoder import MOST_PIXELS
from ingest.cameras.opened import ASSUMED_RATE, FASTEST_RATE, FOREIGN, named, unusable

_BAD_PACKETS = 500  # in a row without one frame: this will not become a picture any more


class ShownFrame:
    """A decoded frame: ``t`` seconds since the source began, number ``n``, ``at`` UTC microseconds when it was shown."""

    def __init__(self, decoded: av.VideoFrame, t: float, n: int, at: int) -> None:
        self._decoded, self.t, self.n, self.at = decoded, t, n, at

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._decoded.width, self._decoded.height

    def small(self) -> Picture:
        """The pyramid's level, scaled while the colours are converted: a large frame is never converted whole."""
        width, height = small_size_wh(*self.size_wh)
        return np.asarray(self._decoded.to_ndarray(format="bgr24", width=width, height=height, interpolation="AREA"), np.uint8)

    def full(self) -> Picture:
        """The whole frame, BGR."""
        return np.asarray(self._decoded.to_ndarray(format="bgr24"), np.uint8)


@dataclass(slots=True)
class Damage:
    """What was lost while decoding: packets and frames that were damaged, and the frames that the container declares (0: it does not)."""

    packets: int = 0
    frames: int = 0
    declared: int = 0

    def lost(self, seen: int) -> int:
        """How many frames are lost or damaged when ``seen`` came out; a few that an edit list leaves out don't count."""
        missing = self.declared - seen
        return max(self.packets, missing if missing > max(2, self.declared // 50) else 0) + self.frames


class VideoSource:
    """One video, once, as fast as it comes."""

    def __init__(self, url: str) -> None:
        self.address = parse_address(url)
        self._n = 0
        self.damage = Damage()
        self._began = time.monotonic()
        self._t = 0.0

    def frames(self) -> Iterator[ShownFrame]:
        """Frames until the end of a file. Raises SourceLost (try again) and SourceUnreadable (a file that is none)."""
        try:
            yield from self._play()
        except BihuanError:
            raise
        except FOREIGN as e:
            raise named(e, self.address, anything=self._n > 0) from e
        if not self._n:
            raise unusable("holds no picture that can be decoded", self.address)
        if self.address.live:
            raise SourceLost("the stream ended", where=self.address.shown)

    def _play(self) -> Iterator[ShownFrame]:
        path = Path(self.address.shown)
        if not self.address.live and path.exists() and not path.is_file():
            raise unusable("is not a regular file", self.address)
        options = dict(self.address.options)
        with av.open(self.address.path, options=options, metadata_errors="replace", timeout=(OPEN_SECONDS, READ_SECONDS)) as container:
            if not container.streams.video:
                raise unusable("holds no video", self.address)
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            self.damage.declared = stream.frames
            rate = float(stream.average_rate or stream.guessed_rate or ASSUMED_RATE)
            believed = 0 < rate <= FASTEST_RATE
            step = 1 / (rate if believed else ASSUMED_RATE)
            first: float | None = None
            for decoded in _decoded(container, stream, self.damage):
                if decoded.width * decoded.height > MOST_PIXELS:
                    raise unusable(f"a picture of {decoded.width} x {decoded.height} pixels", self.address)
                if self._n == 0:
                    self._began = time.monotonic()  # connecting does not count
                counted = self._n * step
                stamp = float(decoded.time) if decoded.time is not None and believed else None
                if first is None and stamp is not None:
                    first = stamp - (counted if not self.address.live else self._elapsed())
                self._t = self._time(stamp - first if stamp is not None and first is not None else counted, step)
                if self.address.live and abs(self._t - self._elapsed()) > 5:  # the camera's clock jumped
                    first, self._t = None, max(self._t, self._elapsed())
                yield ShownFrame(decoded, self._t, self._n, time.time_ns() // 1000)
                self._n += 1

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _time(self, proposed: float, step: float) -> float:
        """Time goes forward: a stamp that does not is replaced by one step."""
        return proposed if proposed > self._t or self._n == 0 else self._t + step / 2


def _decoded(container: av.container.InputContainer, stream: av.VideoStream, damage: Damage) -> Iterator[av.VideoFrame]:
    """Frames of ``stream``; damaged packets are passed over, and damage that ends the file ends the frames."""
    bad = frames = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.InvalidDataError:
            if frames:
                damage.packets += 1
                return  # a recording that was cut off
            raise
        try:
            pictures = packet.decode()
        except av.error.EOFError:
            return
        except av.error.InvalidDataError:
            bad, damage.packets = bad + 1, damage.packets + 1
            if bad > _BAD_PACKETS:
                raise
            continue
        for picture in pictures:
            if isinstance(picture, av.VideoFrame):
                bad, frames = 0, frames + 1
                damage.frames += picture.is_corrupt
                yield picture
