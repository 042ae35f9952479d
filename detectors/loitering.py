"""Loitering (徘徊): somebody who came into an area stays there for longer than is allowed.

The time is that of the area, not of one track: a track that is lost behind a pillar goes on where it was lost. What must not go in: how
things are found and followed (``detectors.intrusion``), things without a person (``detectors.object_left``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from detectors.base import NO_VIEW, Attention, Detection, Detector, Frame, Point, Timing, View, parameters_in
from detectors.blobs import box_of
from detectors.intrusion import MovingThings, Size
from detectors.tracks import Track

LOST_SECONDS = 5.0
"""For so long somebody may be out of sight, behind a pillar or in one region with another, and is still there."""
NEAR = 0.12
"""Of the longer side: how near to where one was lost another must begin to be the same."""


class Parameters(Size, frozen=True, forbid_unknown_fields=True):
    """What a site file may set, beside the size of what is followed. ``stay``: seconds that somebody may stay."""

    stay: Annotated[float, Meta(gt=0)] = 60.0


@dataclass(slots=True)
class _Stay:
    """Somebody's stay: the track that it is now, when it began, last seen where and when."""

    track: int
    since: float
    t: float
    point: Point


class LoiteringDetector(Detector):
    """Who stays in the area of one camera; without an area in the whole picture."""

    kinds: ClassVar[Sequence[str]] = ("loitering",)
    timing: ClassVar[Timing] = Timing(raise_after=0.1, clear_after=6.0)
    Parameters: ClassVar[type[Struct]] = Parameters

    def __init__(self, view: View = NO_VIEW) -> None:
        super().__init__(view)
        self._parameters = parameters_in(view, Parameters)
        self._things = MovingThings(view, self._parameters)
        self._stays: list[_Stay] = []

    def look(self, frame: Frame) -> list[Detection]:
        """One detection for each thing that moved here and has stayed too long, the longest first."""
        tracks = [track for track in self._things.look(frame) if self._things.moved(track)]
        unit = max(frame.coarse.shape)
        self._stays = [stay for stay in self._stays if 0 <= frame.t - stay.t <= LOST_SECONDS]
        found = []
        for track in tracks:
            stay = self._stay(track, frame.t, NEAR * unit)
            seconds = frame.t - stay.since
            if seconds >= self._parameters.stay:
                score = min(1.0, 0.5 + 0.5 * seconds / (2 * self._parameters.stay))
                cues = {"seconds": round(seconds, 1), "area": round(track.blob.area / frame.coarse.size, 4)}
                found.append(Detection("loitering", score, box_of(track.blob, frame), cues, ("stay",)))
        return sorted(found, key=lambda d: -d.cues["seconds"])

    @property
    def attention(self) -> Attention:
        """A few frames a second while somebody is there."""
        return Attention.MOVING if self._stays else Attention.STILL

    def _stay(self, track: Track, t: float, near: float) -> _Stay:
        """The stay of ``track``: its own, the one of somebody lost near by, or a new one."""
        own = next((stay for stay in self._stays if stay.track == track.number), None)
        if own is None:
            lost = (s for s in self._stays if s.t < t and abs(s.point[0] - track.start[0]) + abs(s.point[1] - track.start[1]) <= near)
            own = max(lost, key=lambda s: s.t, default=None)
        if own is None:
            own = _Stay(track.number, track.began, t, track.point)
            self._stays.append(own)
        own.track, own.t, own.point = track.number, t, track.point
        return own
