"""What a camera's alarm leaves behind (证据): pictures and a clip, and what is signed of each. Pure.

The statement ties the content's hash to the camera, the zone, the kind and the times, so that a file copied out of the system can
still be held against what was signed when it was taken. What must not go in: files, keys, SQL.
"""

from enum import StrEnum

import msgspec
from msgspec import Struct


class Role(StrEnum):
    """What a file is to its alarm."""

    BOXED = "boxed"
    """The picture with the box drawn (带框截图)."""
    PLAIN = "plain"
    """The same picture as the camera gave it (原始截图)."""
    CLIP = "clip"
    """The camera's own packets from some seconds before to some seconds after (报警录像)."""


class Statement(Struct, frozen=True, kw_only=True):
    """What one file is. ``onset``: when the alarm began; ``begins`` to ``ends``: what the file shows; all UTC µs."""

    sha256: str
    media_type: str
    size: int
    device: str
    zone: str
    kind: str
    onset: int
    role: Role
    begins: int
    ends: int


class Signed(Struct, frozen=True, kw_only=True):
    """A statement with the signature over ``statement_bytes`` (Ed25519) and the public key that checks it; both hexadecimal."""

    statement: Statement
    signature: str
    public_key: str


_HEAD = b"bihuan camera evidence 1\n"
_encoder = msgspec.json.Encoder(order="sorted")


def statement_bytes(statement: Statement) -> bytes:
    """What is signed: a first line that no other document of this system begins with, then JSON with sorted keys."""
    return _HEAD + _encoder.encode(statement)
