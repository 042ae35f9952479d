"""Object left (物品遗留) and exit blocked (消防通道占用): a thing that was not there stands in the area for too long.

Both watch the same way and differ in what the place is. A person who stands there is none: people move a little, and OpenCV's people
detector is asked before a thing is told. It stays told until the place is free again, for hours if need be. What must not go in: how
the free place is known (``detectors.standing``).
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from detectors.base import NO_VIEW, Attention, Box, Detection, Detector, Frame, Mask, Timing, View
from detectors.blobs import Blob, box_of, coarse_mask
from detectors.people import PeopleFinder
from detectors.standing import StandingThings

LOOK_EVERY = 0.25
"""Seconds between two looks, at most: what stands is in no hurry."""
UPRIGHT = 0.6
"""Width by height up to which a thing may be somebody who stands."""
_ASK_EVERY = 10.0  # seconds between two questions whether it is a person: one costs as much as a hundred looks


class StandingParameters(Struct, frozen=True, forbid_unknown_fields=True):
    """What a site file may set.

    ``seconds``: that a thing may stand; ``least_area``: of it, as a share of the picture; ``ask_people``: leave out what OpenCV's people
    detector takes for a person."""

    seconds: Annotated[float, Meta(ge=3)] = 60.0
    least_area: Annotated[float, Meta(gt=0, le=1)] = 0.002
    ask_people: bool = True


class ExitParameters(StandingParameters, frozen=True, forbid_unknown_fields=True):
    """The same for an exit, which must be free sooner."""

    seconds: Annotated[float, Meta(ge=3)] = 30.0


class ObjectLeftDetector(Detector):
    """Things that stand in the area of one camera. What is known stays when the stream breaks."""

    kinds: ClassVar[Sequence[str]] = ("object_left",)
    timing: ClassVar[Timing] = Timing(raise_after=0.1, clear_after=3.0)
    Parameters: ClassVar[type[Struct]] = StandingParameters
    usual: ClassVar[StandingParameters] = StandingParameters()

    def __init__(self, view: View = NO_VIEW) -> None:
        super().__init__(view)
        given = view.parameters if isinstance(view.parameters, StandingParameters) else self.usual
        self._seconds, self._least_area, self._ask_people = given.seconds, given.least_area, given.ask_people
        self._standing = StandingThings()
        self._t, self._seen = float("-inf"), list[Detection]()
        self._people: PeopleFinder | None = None
        self._found_people: list[Box] = []
        self._asked = float("-inf")

    def interrupt(self) -> bool:
        """The free place is known still."""
        self._standing.pause()
        self._asked = float("-inf")
        return True

    def look(self, frame: Frame) -> list[Detection]:
        """One detection for each thing that has stood too long, the largest first."""
        if 0 < frame.t - self._t < LOOK_EVERY:
            return self._seen
        self._t = frame.t
        self._seen = self._look(frame)
        return self._seen

    def _look(self, frame: Frame) -> list[Detection]:
        self._standing.look(frame)
        area: Mask | None = coarse_mask(self.view.mask, frame.coarse.shape)
        things = self._standing.things(self._seconds, max(6.0, self._least_area * frame.coarse.size), area)
        if not things:
            return []
        people = self._ask(frame) if self._ask_people else []
        return [self._detection(blob, stood, frame) for blob, stood in things if not _is_one_of(box_of(blob, frame), people)]

    @property
    def attention(self) -> Attention:
        """Key frames are enough: nothing that stands is in a hurry."""
        return Attention.STILL

    def _ask(self, frame: Frame) -> list[Box]:
        """Where people are, asked seldom."""
        if not 0 <= frame.t - self._asked < _ASK_EVERY:
            self._people = self._people or PeopleFinder()
            self._found_people = self._people.find_in(frame, None)
            self._asked = frame.t
        return self._found_people

    def _detection(self, blob: Blob, stood: float, frame: Frame) -> Detection:
        cues = {"stood": round(stood, 1), "area": round(blob.area / frame.coarse.size, 4)}
        return Detection(self.kinds[0], min(1.0, 0.6 + 0.1 * stood / self._seconds), box_of(blob, frame), cues, ("stands",))


class ExitBlockedDetector(ObjectLeftDetector):
    """Things that stand in an exit or a fire lane."""

    kinds: ClassVar[Sequence[str]] = ("exit_blocked",)
    Parameters: ClassVar[type[Struct]] = ExitParameters
    usual: ClassVar[StandingParameters] = ExitParameters()


def _is_one_of(thing: Box, people: Sequence[Box]) -> bool:
    """Whether most of ``thing`` lies on one of ``people`` and it is not much smaller (a box beside somebody's feet is a box), or it is
    upright and somebody is seen in it (the detector often takes a large body for a smaller one)."""
    x, y, w, h = thing
    for px, py, pw, ph in people:
        across, down = min(x + w, px + pw) - max(x, px), min(y + h, py + ph) - max(y, py)
        shared = across * down if across > 0 < down else 0.0
        if (shared > 0.5 * w * h and h > 0.4 * ph) or (w < UPRIGHT * h and shared > 0.7 * pw * ph):
            return True
    return False
