"""Intrusion (区域入侵): something of the size of a person or a vehicle comes into an area, or moves in it.

A thing counts when it was followed for half a second and went somewhere: leaves sway on the spot, lamps and shadows have no solid
region, rain has no track. Once it has moved it counts while it is seen, standing or not. It tells vehicles as well as people.
What must not go in: how the background is learned (``detectors.movement``), how long somebody may stay (``detectors.loitering``).
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from detectors.base import NO_VIEW, Attention, Detection, Detector, Frame, Mask, Timing, View, parameters_in
from detectors.blobs import Blob, blobs_of, box_of, coarse_mask, inside
from detectors.tracks import Track, Tracks

STRAIGHTEST_SWAY = 0.35
"""Share of the way by which what sways on the spot, leaves or water, gets away from where it was."""
_MOST_OF_PICTURE = 0.9  # a region larger than that is the picture, not a thing in it


class Size(Struct, frozen=True, forbid_unknown_fields=True):
    """What is followed as a moving thing.

    ``least_height``: of a thing, as a share of the picture's height; ``least_area``: of what moves of it, as a share of the picture;
    ``seconds``: for which it must be followed; ``travel``: how far it must go, as a share of the longer side; ``least_fullness``: share
    of its box that moves."""

    least_height: Annotated[float, Meta(gt=0, le=1)] = 0.05
    least_area: Annotated[float, Meta(gt=0, le=1)] = 0.0008
    seconds: Annotated[float, Meta(ge=0, le=60)] = 0.4
    travel: Annotated[float, Meta(ge=0, le=1)] = 0.025
    least_fullness: Annotated[float, Meta(ge=0, le=1)] = 0.25


class Parameters(Size, frozen=True, forbid_unknown_fields=True):
    """What a site file may set: the size of what is followed."""


class MovingThings:
    """People and vehicles in the area of one camera, followed. Shared by intrusion, loitering and what counts people."""

    def __init__(self, view: View, size: Size) -> None:
        self._view, self._size = view, size
        self._tracks = Tracks()
        self._area: Mask | None = None
        self._shape: tuple[int, ...] = ()

    def look(self, frame: Frame) -> list[Track]:
        """Tracks seen in ``frame`` that are in the area, moved or not."""
        if frame.movement is None:
            return []
        mask = frame.movement.mask
        if mask.shape != self._shape:
            self._shape, self._area, self._tracks = mask.shape, coarse_mask(self._view.mask, mask.shape), Tracks()
        area, whole = self._area, mask if self._view.area is not None or self._area is None else mask & self._area
        blobs = [b for b in blobs_of(whole, self._least(mask)) if self._solid(b, mask)]
        seen = self._tracks.follow(blobs, frame.t, max(mask.shape))
        return seen if area is None else [track for track in seen if inside(track.blob, mask, area)]

    def moved(self, track: Track) -> bool:
        """Whether ``track`` went somewhere, now or before."""
        p, unit = self._size, max(self._shape)
        if "moved" not in track.marks:
            far = track.furthest >= max(p.travel * unit, 0.15 * min(track.blob.w, track.blob.h))
            if track.seen >= 3 and track.age >= p.seconds and far and track.straightness > STRAIGHTEST_SWAY:
                track.marks["moved"] = track.t
        return "moved" in track.marks

    def _least(self, mask: Mask) -> float:
        return max(6.0, self._size.least_area * mask.size)

    def _solid(self, blob: Blob, mask: Mask) -> bool:
        height, width = mask.shape
        if blob.h < self._size.least_height * height or blob.fullness < self._size.least_fullness:
            return False
        return bool(blob.w * blob.h < _MOST_OF_PICTURE * height * width)


class IntrusionDetector(Detector):
    """Somebody or a vehicle in the area; without an area in the whole picture."""

    kinds: ClassVar[Sequence[str]] = ("intrusion",)
    timing: ClassVar[Timing] = Timing(raise_after=0.1, clear_after=4.0)
    Parameters: ClassVar[type[Struct]] = Parameters

    def __init__(self, view: View = NO_VIEW) -> None:
        super().__init__(view)
        self._things = MovingThings(view, parameters_in(view, Parameters))
        self._attention = Attention.STILL
        self._inside = 0

    def look(self, frame: Frame) -> list[Detection]:
        """One detection for each thing that moved and is in the area, the largest first."""
        tracks = self._things.look(frame)
        self._attention = Attention.MOVING if any(not track.rests for track in tracks) else Attention.STILL
        intruders = sorted((k for k in tracks if self._things.moved(k)), key=lambda k: -k.blob.area)
        self._inside = len(intruders)
        return [_detection(track, frame) for track in intruders]

    @property
    def attention(self) -> Attention:
        """A few frames a second while something may be coming."""
        return self._attention


def _detection(track: Track, frame: Frame) -> Detection:
    unit = max(frame.coarse.shape)
    cues = {
        "area": track.blob.area / frame.coarse.size, "height": track.blob.h / frame.coarse.shape[0], "seconds": track.age,
        "travel": track.furthest / unit, "straightness": track.straightness, "fullness": track.blob.fullness,
    }  # fmt: skip
    score = min(1.0, 0.6 + 0.4 * track.straightness)
    return Detection("intrusion", score, box_of(track.blob, frame), {k: round(v, 4) for k, v in cues.items()}, ("travel", "size"))
