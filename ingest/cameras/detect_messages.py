"""What ``bihuan detect`` and its decoding child say to each other. What must not go in: processes, decoding."""

from msgspec import Struct


class Watched(Struct, frozen=True):
    """What the child is told."""

    source: str
    detectors: list[str]
    zone: str | None = None


class DetectLine(Struct, frozen=True):
    """One line of the output (architecture, section 7). ``t`` in seconds; ``box``: x, y, w, h in pixels of the frame."""

    t: float
    frame: int
    kind: str
    state: str
    score: float
    box: list[float]


class Incomplete(Struct, frozen=True, tag="incomplete", tag_field="type"):
    """A file of which ``lost`` frames could not be looked at, or only damaged; ``where`` as people call it."""

    where: str
    seen: int
    lost: int


class Problem(Struct, frozen=True, tag="problem", tag_field="type"):
    """Why the child could not go on; ``lost``: a stream that may come back."""

    what: str
    where: str
    lost: bool
