"""One opened video: its packets, and what is needed to decode or copy them after it is closed.

Runs only in processes that decode. Foreign bytes meet C code here: whatever comes ends as a packet or as one of our errors.
What must not go in: reconnecting, time, pictures.
"""

import io
import stat
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import av.error
import av.logging

from hazards.errors import BihuanError, SourceLost, SourceUnreadable
from ingest.cameras.address import OPEN_SECONDS, READ_SECONDS, Address

av.logging.set_level(av.logging.PANIC)  # what went wrong is said by our errors, in one line

VideoPacket: TypeAlias = "av.Packet[av.VideoStream]"
"""A packet of the picture."""
FASTEST_RATE, ASSUMED_RATE = 120.0, 30.0
"""Frames a second above which a file's own rate is not believed (webcam recordings that claim 1000), and what is taken instead."""
FOREIGN = (av.error.FFmpegError, OSError, ValueError, MemoryError, RuntimeError, ArithmeticError)
"""What PyAV raises when a file or camera sends what it can't use."""


class Codec:
    """How packets of one opened video are decoded and copied. ``rate``: frames a second as it says; ``stamped``: its stamps are believed;
    ``continues``: the next round of a looped file, so the same scene goes on."""

    def __init__(self, stream: av.VideoStream, *, stamped: bool, continues: bool = False) -> None:
        self.continues = continues
        context = stream.codec_context
        self.name = context.codec.name
        self.extradata = context.extradata
        self.width, self.height = context.width, context.height
        self.pix_fmt = context.pix_fmt
        self.codec_tag = context.codec_tag
        self.time_base = stream.time_base or Fraction(1, 90_000)
        rate = float(stream.average_rate or stream.guessed_rate or ASSUMED_RATE)
        self.stamped = stamped and 0 < rate <= FASTEST_RATE
        self.rate = rate if 0 < rate <= FASTEST_RATE else ASSUMED_RATE
        self._holder = av.open(io.BytesIO(), "w", format="matroska")  # never written: it keeps the parameters after the input is closed
        self.template = self._holder.add_stream_from_template(stream, opaque=True)

    def decoder(self) -> av.VideoCodecContext:
        """A new decoder of these packets, on one thread."""
        context = av.CodecContext.create(self.name, "r")
        if not isinstance(context, av.VideoCodecContext):
            raise SourceUnreadable(f"{self.name} is no video codec")
        if self.extradata:
            context.extradata = self.extradata
        if self.width and self.height:
            context.width, context.height = self.width, self.height
        if self.pix_fmt:
            context.pix_fmt = self.pix_fmt
        context.codec_tag = self.codec_tag
        context.thread_count = 1
        return context


class Opened:
    """A video that is open: a context manager that closes it. ``path``: one video of a folder; ``continues``: see ``Codec``."""

    def __init__(self, address: Address, *, path: str = "", continues: bool = False) -> None:
        self.address = address
        self.played = 0
        path = path or address.path
        if not address.live:
            _regular(Path(path.removeprefix("file:")), address)
        try:
            self._container = av.open(
                path, format=address.format or None, options=dict(address.options), metadata_errors="replace",
                timeout=(OPEN_SECONDS, READ_SECONDS),
            )  # fmt: skip
        except FOREIGN as e:
            raise named(e, address) from e
        try:
            if not self._container.streams.video:
                raise unusable("holds no video", address)
            self._stream = self._container.streams.video[0]
            self.codec = Codec(self._stream, stamped=self._container.format.name not in ("mpjpeg", "mjpeg"), continues=continues)
        except BihuanError:
            self._container.close()
            raise
        except FOREIGN as e:
            self._container.close()
            raise named(e, address) from e

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def packets(self) -> Iterator[VideoPacket]:
        """Packets of the picture, in the order of decoding. Raises SourceLost; a recording that is cut off just ends."""
        try:
            for packet in self._container.demux(self._stream):
                if packet.size:
                    self.played += 1
                    yield packet
        except av.error.InvalidDataError as e:
            if not self.address.live and self.played:
                return
            raise named(e, self.address, anything=self.played > 0) from e
        except FOREIGN as e:
            raise named(e, self.address, anything=self.played > 0) from e


def videos_of(address: Address) -> list[str]:
    """What is played of ``address``, in turn: the videos of a folder by name, else the one thing itself. Raises SourceUnreadable."""
    if address.kind != "folder":
        return [address.path]
    try:
        names = sorted(path for path in Path(address.shown).iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as e:
        raise named(e, address) from e
    if not names:
        raise unusable("holds no video", address)
    return [f"file:{path}" for path in names]


def _regular(path: Path, address: Address) -> None:
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # FFmpeg says what is wrong
    if not stat.S_ISREG(mode):
        raise unusable("is not a regular file", address)


def unusable(what: str, address: Address) -> BihuanError:
    """A stream that can't be used may come back; a file can't."""
    return (SourceLost if address.live else SourceUnreadable)(what, where=address.shown)


_WORDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (av.error.HTTPUnauthorizedError, "refused the password"),
    (av.error.HTTPForbiddenError, "does not permit it to this user"),
    (av.error.HTTPNotFoundError, "has no such stream"),
    (av.error.ExitError, "no answer in time"),
    ((av.error.InvalidDataError, av.error.ArgumentError, UnicodeError), "not a video, or damaged"),
)
REFUSED = _WORDS[0][1]


def named(error: BaseException, address: Address, *, anything: bool = False) -> BihuanError:
    """The error of FFmpeg or the system in one sentence of ours; a stream, and a file that was playing, are lost, not unreadable."""
    words = next((words for kinds, words in _WORDS if isinstance(error, kinds)), "")
    if not words:
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        words = " ".join(words.split())[:200].replace(address.path, address.shown)
    return (SourceLost if address.live or anything else SourceUnreadable)(words, where=address.shown)
