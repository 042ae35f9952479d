"""Line crossing (越线) and the electronic seal (电子封条): who goes over a line, which way, and how many are inside.

A thing crosses when its foot, followed from one side, is seen on the other side of the line's length, by more than it trembles.
"in" is towards the right hand of somebody who walks on the screen from the line's first point to its second: for a line drawn from left
to right, downward. Two people in one region count as one. What must not go in: what is followed
(``detectors.intrusion``).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from detectors.base import NO_VIEW, Attention, Detection, Detector, Frame, Point, Timing, View, parameters_in
from detectors.blobs import box_of
from detectors.intrusion import MovingThings, Size
from detectors.tracks import Track
from hazards.errors import BadInput

HELD_SECONDS = 1.0
"""For so long a crossing is told after it happened, so that the condition of the camera is raised by it."""
_TREMBLE = 0.012  # of the longer side: a foot this near to the line is on no side


class Parameters(Size, frozen=True, forbid_unknown_fields=True):
    """What a site file may set, beside the size of what is followed.

    ``line``: its two points, fractions of the picture; ``forbidden``: the direction that is an alarm; ``inside``: people inside at the
    start."""

    line: tuple[Point, Point] | None = None
    forbidden: Literal["in", "out", "both", "none"] = "both"
    inside: Annotated[int, Meta(ge=0)] = 0


class LineCrossingDetector(Detector):
    """Counts over one line. The counts stay when the stream breaks; ``reset`` begins anew. Raises BadInput without a line."""

    kinds: ClassVar[Sequence[str]] = ("line_crossing",)
    timing: ClassVar[Timing] = Timing(raise_after=0.01, clear_after=3.0)
    Parameters: ClassVar[type[Struct]] = Parameters

    def __init__(self, view: View = NO_VIEW) -> None:
        super().__init__(view)
        self._parameters = parameters_in(view, Parameters)
        if self._parameters.line is None:
            raise BadInput("no line is drawn", where="line_crossing.line", hint="give its two points as [[x, y], [x, y]], fractions 0 to 1")
        self._line = self._parameters.line
        self._things = MovingThings(View(view.mask), self._parameters)
        self._attention = Attention.STILL
        self._told: list[tuple[float, Detection]] = []
        self.reset(self._parameters.inside)

    def reset(self, inside: int = 0) -> None:
        """Begin to count anew with ``inside`` people inside."""
        self._in, self._out, self._inside = 0, 0, inside

    def interrupt(self) -> bool:
        """The counts stay; what was followed is lost."""
        self._things = MovingThings(View(self.view.mask), self._parameters)
        return True

    def look(self, frame: Frame) -> list[Detection]:
        """One detection for each forbidden crossing of the last second."""
        tracks = self._things.look(frame)
        self._attention = Attention.MOVING if any(not track.rests for track in tracks) else Attention.STILL
        crossings = [(track, way) for track in tracks if (way := self._crossed(track, frame))]
        for track, way in crossings:
            self._count(way)
            if self._parameters.forbidden in (way, "both"):
                self._told.append((frame.t, self._detection(track, way, frame)))
        self._told = [(t, found) for t, found in self._told if 0 <= frame.t - t <= HELD_SECONDS]
        return [found for _, found in reversed(self._told)]

    @property
    def attention(self) -> Attention:
        """A few frames a second while something may come to the line."""
        return self._attention

    @property
    def figures(self) -> Mapping[str, float]:
        """Crossings since the start, and people inside."""
        return {"people_in": self._in, "people_out": self._out, "people_inside": self._inside}

    def _count(self, way: str) -> None:
        if way == "in":
            self._in, self._inside = self._in + 1, self._inside + 1
        else:
            self._out, self._inside = self._out + 1, max(0, self._inside - 1)  # somebody was inside before the count began

    def _crossed(self, track: Track, frame: Frame) -> str:
        """The way in which ``track`` has just crossed, or ""."""
        height, width = frame.coarse.shape
        x, y = track.point[0], track.point[1] + track.blob.h / 2
        (ax, ay), (bx, by) = ((px * (width - 1), py * (height - 1)) for px, py in self._line)
        length = math.hypot(bx - ax, by - ay) or 1.0
        along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length
        side = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / length
        within = 0 <= along <= length
        if abs(side) < _TREMBLE * max(width, height) or not within:
            if not within:
                track.marks.pop("side", None)  # it went round the end
            return ""
        before = track.marks.get("side")
        track.marks["side"] = math.copysign(1.0, side)
        if before is None or before == track.marks["side"] or track.seen < 3:
            return ""
        return "in" if side > 0 else "out"

    def _detection(self, track: Track, way: str, frame: Frame) -> Detection:
        cues = {"in": float(way == "in"), "seconds": round(track.age, 2), "inside": float(self._inside)}
        return Detection("line_crossing", 0.8, box_of(track.blob, frame), cues, (f"crossed_{way}",))
