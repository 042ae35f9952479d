"""Overcrowding (超员): more people in the area than are allowed.

People are counted about once a second, and only while something moves or stood after moving: those whom OpenCV's people detector sees,
and those it does not see (from above, far away, bent) but who moved there and are of a person's shape. The number is the median of the
last looks. People who hide each other count as fewer. What must not go in: how people are found (``detectors.people``) and followed
(``detectors.intrusion``).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from statistics import median_low
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from detectors.base import NO_VIEW, Attention, Box, Detection, Detector, Frame, Timing, View, parameters_in
from detectors.blobs import box_of
from detectors.intrusion import MovingThings, Size
from detectors.people import PeopleFinder

LOOKS = 5
"""Looks of which the number is the median: one look misses somebody, or sees a coat as a person."""
WIDEST_PERSON = 1.0
"""Width by height of what moves and is one person; wider are several, or a vehicle."""
QUIET_EVERY = 10.0
"""Seconds between looks while nothing moves but people were there: they may still stand."""


class Parameters(Size, frozen=True, forbid_unknown_fields=True):
    """What a site file may set, beside the size of what is followed.

    ``allowed``: people; ``every``: seconds between two counts; ``find_people``: ask OpenCV's people detector, else count what moves only
    (a camera that looks straight down)."""

    allowed: Annotated[int, Meta(ge=0)] = 10
    every: Annotated[float, Meta(gt=0, le=60)] = 1.0
    find_people: bool = True


class OvercrowdingDetector(Detector):
    """How many people are in the area of one camera; without an area in the whole picture."""

    kinds: ClassVar[Sequence[str]] = ("overcrowding",)
    timing: ClassVar[Timing] = Timing(raise_after=1.0, clear_after=5.0)
    Parameters: ClassVar[type[Struct]] = Parameters

    def __init__(self, view: View = NO_VIEW) -> None:
        super().__init__(view)
        self._parameters = parameters_in(view, Parameters)
        self._things = MovingThings(view, self._parameters)
        self._finder = PeopleFinder() if self._parameters.find_people else None
        self._counts: deque[int] = deque(maxlen=LOOKS)
        self._looked = float("-inf")
        self._moved_at = float("-inf")
        self._boxes: list[Box] = []
        self._seen_standing = 0

    @property
    def people(self) -> int:
        """People in the area: the median of the last looks."""
        return median_low(self._counts) if self._counts else 0

    def look(self, frame: Frame) -> list[Detection]:
        """One detection around all people while they are too many."""
        tracks = self._things.look(frame)
        if tracks:
            self._moved_at = frame.t
        if self._due(frame.t):
            self._looked = frame.t
            movers = [k for k in tracks if self._things.moved(k) and k.blob.w <= WIDEST_PERSON * k.blob.h]
            self._boxes = self._count(frame, _whole([box_of(track.blob, frame) for track in movers]))
            self._counts.append(len(self._boxes))
        people = self.people
        if people <= self._parameters.allowed or not self._boxes:
            return []
        score = min(1.0, 0.6 + 0.1 * (people - self._parameters.allowed))
        cues = {"people": float(people), "allowed": float(self._parameters.allowed), "seen_standing": float(self._seen_standing)}
        return [Detection("overcrowding", score, _around(self._boxes), cues, ("people",))]

    @property
    def attention(self) -> Attention:
        """A few frames a second while there are people."""
        return Attention.MOVING if self.people else Attention.STILL

    @property
    def figures(self) -> Mapping[str, float]:
        """People in the area."""
        return {"people": float(self.people)}

    def _due(self, t: float) -> bool:
        """Whether to count at ``t``: often while something moves and just after, seldom while people may still stand there."""
        since = t - self._looked
        if not 0 <= since < QUIET_EVERY:
            return self.people > 0 or t - self._moved_at <= QUIET_EVERY
        return since >= self._parameters.every and 0 <= t - self._moved_at <= LOOKS * self._parameters.every

    def _count(self, frame: Frame, movers: Sequence[Box]) -> list[Box]:
        """Boxes of people: those found, and those who move and were not found."""
        standing = self._found(frame)
        self._seen_standing = len(standing)
        return standing + [box for box in movers if not any(_meet(box, other) for other in standing)]

    def _found(self, frame: Frame) -> list[Box]:
        return self._finder.find_in(frame, self.view.mask) if self._finder else []


def _meet(a: Box, b: Box) -> bool:
    """Whether the middle of one lies in the other: then they are the same person."""
    return any(
        q[0] <= p[0] + p[2] / 2 <= q[0] + q[2] and q[1] <= p[1] + p[3] / 2 <= q[1] + q[3] for p, q in ((a, b), (b, a))
    )  # fmt: skip


def _whole(boxes: Sequence[Box]) -> list[Box]:
    """``boxes`` with those joined that stand over each other, head and legs of one person whose coat is like the wall."""
    whole: list[Box] = []
    for box in sorted(boxes, key=lambda b: b[1]):
        over = next((other for other in whole if _over(other, box)), None)
        if over is not None:
            whole.remove(over)
        whole.append(box if over is None else _around([over, box]))
    return whole


def _over(upper: Box, lower: Box) -> bool:
    """Whether ``lower`` is just below ``upper`` and both together are of a person's shape."""
    shared = min(upper[0] + upper[2], lower[0] + lower[2]) - max(upper[0], lower[0])
    _, _, width, height = _around([upper, lower])
    gap = lower[1] - upper[1] - upper[3]
    return shared > 0.4 * min(upper[2], lower[2]) and gap < 0.5 * height and width < 0.6 * height


def _around(boxes: Sequence[Box]) -> Box:
    left, top = min(b[0] for b in boxes), min(b[1] for b in boxes)
    right, bottom = max(b[0] + b[2] for b in boxes), max(b[1] + b[3] for b in boxes)
    return left, top, right - left, bottom - top
