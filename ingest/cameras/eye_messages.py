"""What the video part and its decoding processes (``eye``) say to each other: typed, over the child's standard streams.

Down go JSON lines; up come frames of a 4-byte length and msgpack. What must not go in: processes, pictures' meaning.
"""

import struct
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

CameraState = Literal["opening", "live", "lost", "unreadable", "ended"]
Watching = Literal["still", "moving", "burst"]
"""How closely a camera is looked at: key frames only, a few frames a second, every frame."""
LONGEST = 32 * 1024 * 1024
"""Bytes of one message: a clip has a fraction of it; more means that the child's memory is damaged."""


class CameraOrder(Struct, frozen=True):
    """One camera to watch. ``raised``: kinds that stand from before; ``areas``: polygon by detector, ``masks``: polygons where nobody
    looks, fractions of the picture; ``parameters``: settings by detector; ``transport``: tcp or udp, for RTSP."""

    id: str
    url: str
    loop: bool
    detectors: list[str]
    areas: dict[str, list[tuple[float, float]]]
    raised: list[str]
    masks: list[list[tuple[float, float]]] = field(default_factory=list)
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    transport: str = "tcp"


class Begin(Struct, frozen=True, tag="begin"):
    """Watch these cameras too."""

    cameras: list[CameraOrder]


class Leave(Struct, frozen=True, tag="leave"):
    """Watch these cameras no more; the eye answers with ``Left`` when it says nothing of them any more."""

    cameras: list[str]


EyeOrder = Begin | Leave


class Saw(Struct, frozen=True, tag="saw"):
    """A condition began or ended at ``at`` (UTC µs). ``picture``: JPEG with the box drawn, ``plain``: without it, of a beginning;
    ``fired``: the cues that decided, the strongest first."""

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
    plain: bytes | None = None
    fired: list[str] = field(default_factory=list)


class Clip(Struct, frozen=True, tag="clip"):
    """The compressed stream around the beginning of ``kind`` at ``at`` (the same UTC µs as its ``Saw``), as the camera sent it.

    ``video``: a fragmented MP4; ``first`` and ``last``: UTC µs of its packets."""

    camera: str
    kind: str
    at: int
    first: int
    last: int
    video: bytes


class Glimpse(Struct, frozen=True, tag="glimpse"):
    """What ``camera`` shows, now and then: a small JPEG of a frame of ``at`` (UTC µs), kept only until the next."""

    camera: str
    at: int
    picture: bytes


class Looked(Struct, frozen=True, tag="looked"):
    """How one camera is, once a second.

    ``frames`` and ``keys``: frames and key frames received since the eye watches it, ``looks``: how many were looked at; ``rate`` and
    ``analysed``: frames a second received and looked at; ``bitrate``: bits a second; ``last_at``: UTC µs of the last packet, 0: none yet;
    ``age``: seconds from the arrival of a frame to its look, the longest of the last second; ``dropped``:
    frames passed over because they were too old; ``drift``: seconds the camera's clock gained on ours since it connected, with ``jumps``;
    ``cost``: processor seconds a second; ``what``: why it is not live; ``problems``: why a detector does not work, by its name."""

    camera: str
    state: CameraState
    frames: int
    rate: float
    what: str = ""
    watching: Watching = "still"
    analysed: float = 0.0
    keys: int = 0
    looks: int = 0
    bitrate: float = 0.0
    last_at: int = 0
    age: float = 0.0
    dropped: int = 0
    reconnects: int = 0
    decode_errors: int = 0
    width: int = 0
    height: int = 0
    drift: float = 0.0
    jumps: int = 0
    cost: float = 0.0
    raised: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


class Left(Struct, frozen=True, tag="left"):
    """The last word about ``camera`` from this eye."""

    camera: str


EyeMessage = Saw | Looked | Clip | Glimpse | Left
_HEAD = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[EyeMessage] = msgspec.msgpack.Decoder(Saw | Looked | Clip | Glimpse | Left)
_orders: msgspec.json.Decoder[EyeOrder] = msgspec.json.Decoder(Begin | Leave)
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


def order_line(order: EyeOrder) -> bytes:
    """``order`` as a line for an eye's standard input."""
    return msgspec.json.encode(order) + b"\n"


def order_of(line: bytes) -> EyeOrder:
    """The order in ``line``. Raises msgspec.DecodeError."""
    return _orders.decode(line)
