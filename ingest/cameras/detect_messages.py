"""What ``bihuan detect`` and its decoding child say to each other. What must not go in: processes, decoding."""

from msgspec import Struct


class Watched(Struct, frozen=True):
    """What the child is told. ``annotate``: the file that gets the video with what was seen drawn on it."""

    source: str
    detectors: list[str]
    zone: str | None = None
    annotate: str | None = None


class DetectLine(Struct, frozen=True):
    """One line of the output (architecture, section 7). ``t`` in seconds; ``box``: x, y, w, h in pixels of the frame."""

    t: float
    frame: int
    kind: str
    state: str
    score: float
    box: list[float]


class FileLine(DetectLine, frozen=True):
    """The same of one file of a folder."""

    file: str = ""


class Told(Struct, frozen=True, tag="told", tag_field="type"):
    """A transition, with the cues that decided (the strongest first) and the measured figures."""

    line: DetectLine
    fired: list[str]
    cues: dict[str, float]


class Worked(Struct, frozen=True, tag="worked", tag_field="type"):
    """The end of the video, and what it took: ``decoded`` and ``looked`` frames, ``watched`` seconds of video in ``took`` seconds, of which
    the detectors used ``thought`` seconds of processor time."""

    decoded: int
    looked: int
    watched: float
    took: float
    thought: float

    def shown(self) -> str:
        """For people."""
        pace = f", {self.watched / self.took:.1f} times as fast as shown" if self.took > 0 else ""
        each = f", {1000 * self.thought / self.looked:.2f} ms a frame" if self.looked else ""
        return f"{self.watched:.1f} s of video in {self.took:.1f} s{pace}; {self.looked} of {self.decoded} frames looked at{each}"


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


Said = Told | Worked | Incomplete | Problem
"""What the child says, one JSON object a line."""
