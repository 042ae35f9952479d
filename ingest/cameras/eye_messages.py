"""What the video part and its decoding processes (``eye``) say to each other: typed, over the child's standard streams.

Down goes one JSON line; up come frames of a 4-byte length and msgpack. What must not go in: processes, pictures' meaning.
"""

import struct
from typing import Literal

import msgspec
from msgspec import Struct

CameraState = Literal["opening", "live", "lost", "unreadable", "ended"]
LONGEST = 32 * 1024 * 1024
"""Bytes of one message: a snapshot has a fraction of it; more means that the child's memory is damaged."""


class CameraOrder(Struct, frozen=True):
    """One camera to watch. ``raised``: kinds that stand from before; ``areas``: polygon by detector, fractions of the picture."""

    id: str
    url: str
    loop: bool
    detectors: list[str]
    areas: dict[str, list[tuple[float, float]]]
    raised: list[str]


class Saw(Struct, frozen=True, tag="saw"):
    """A condition began or ended at ``at`` (UTC µs). ``picture``: JPEG with the box drawn, of a beginning."""

    camera: str
    kind: str
    state: Literal["raised", "cleared"]
    score: float
    box: tuple[float, float, float, float]
    at: int
    t: float
    frame: int
    cause: str
    cues: dict[str, float]
    picture: bytes | None = None


class Looked(Struct, frozen=True, tag="looked"):
    """How one camera is, at least once a second. ``frames`` counts from the start of the process; ``what``: why it is not live."""

    camera: str
    state: CameraState
    frames: int
    rate: float
    lag: float
    what: str = ""


EyeMessage = Saw | Looked
_HEAD = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[EyeMessage] = msgspec.msgpack.Decoder(Saw | Looked)
HEAD_BYTES = _HEAD.size


def pack(message: EyeMessage) -> bytes:
    """``message`` with its length before it."""
    body = _encoder.encode(message)
    return _HEAD.pack(len(body)) + body


def body_length(head: bytes) -> int:
    """Bytes that follow ``head``. Raises ValueError for a length that nobody sends."""
    length: int = _HEAD.unpack(head)[0]
    if length > LONGEST:
        raise ValueError(f"a message of {length} bytes")
    return length


def unpack(body: bytes) -> EyeMessage:
    """The message in ``body``. Raises msgspec.DecodeError."""
    return _decoder.decode(body)
