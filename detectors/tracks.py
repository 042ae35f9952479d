"""Regions followed from frame to frame, at any frame rate: how long, how far, how straight.

A region belongs to the nearest track that it can have come from at a walking or driving speed; the largest choose first. What must
not go in: masks, what a region is, decisions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from detectors.base import Point
from detectors.blobs import Blob

SPEED = 0.35
"""Longer sides of the picture a second that a track may move at most beyond its own size."""
TREMBLE, RESTS_AFTER = 1.5, 5.0
"""Pixels within which a thing is at one place, and seconds after which it rests there."""
FORGETS, LONGEST_GAP = 1.5, 6.0
"""Seconds a track is kept without being seen; a slow camera may miss it in one frame, but not for longer than the second figure."""


@dataclass(slots=True)
class Track:
    """One moving thing. Points are centres in pixels of the coarse level; ``began`` and ``t``: first and last seen, seconds;
    ``path``: length of the way in pixels; ``furthest``: the greatest distance from where it began;
    ``place``, ``rests_since``: where it is but for trembling, and since when; ``marks``: what its detector notes of it."""

    number: int
    began: float
    t: float
    start: Point
    point: Point
    blob: Blob
    seen: int = 1
    missed: int = 0
    path: float = 0.0
    furthest: float = 0.0
    place: Point = (0.0, 0.0)
    rests_since: float = 0.0
    marks: dict[str, float] = field(default_factory=dict)

    @property
    def age(self) -> float:
        """Seconds from first to last sight."""
        return self.t - self.began

    @property
    def rests(self) -> bool:
        """Whether it has stayed at one place for some seconds: a closer look would show nothing new."""
        return self.t - self.rests_since > RESTS_AFTER

    @property
    def straightness(self) -> float:
        """Greatest distance from the start by length of the way: 1 straight, near 0 swaying on the spot."""
        return self.furthest / self.path if self.path > 0 else 0.0

    def move(self, blob: Blob, t: float) -> None:
        """It was seen again. Steps are of the centre smoothed, since the edge of a region flickers."""
        x, y = blob.centre
        keep = math.exp(-(t - self.t) / 0.25)
        point = self.point[0] * keep + x * (1 - keep), self.point[1] * keep + y * (1 - keep)
        self.path += math.dist(point, self.point)
        self.point, self.blob, self.t = point, blob, t
        self.furthest = max(self.furthest, math.dist(point, self.start))
        self.seen, self.missed = self.seen + 1, 0
        if math.dist(point, self.place) > TREMBLE:
            self.place, self.rests_since = point, t


class Tracks:
    """The moving things of one picture."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.all: list[Track] = []

    def follow(self, blobs: Sequence[Blob], t: float, unit: float) -> list[Track]:
        """Take the blobs of the frame at ``t``; the tracks that were seen in it. ``unit``: longer side of the picture in pixels."""
        self.all = [track for track in self.all if track.t <= t]  # none of before the clock went back
        pairs = sorted(
            (cost, i, j)
            for i, track in enumerate(self.all)
            for j, blob in enumerate(blobs)
            if (cost := _distance(track, blob, t, unit)) is not None
        )
        tracks, taken = set[int](), set[int]()
        seen = []
        for _, i, j in pairs:
            if i not in tracks and j not in taken:
                tracks.add(i)
                taken.add(j)
                self.all[i].move(blobs[j], t)
                seen.append(self.all[i])
        for j, blob in enumerate(blobs):
            if j not in taken:
                track = Track(next(self._numbers), t, t, blob.centre, blob.centre, blob, place=blob.centre, rests_since=t)
                self.all.append(track)
                seen.append(track)
        for i, track in enumerate(self.all):
            track.missed += i not in tracks and track.t < t
        self.all = [k for k in self.all if k.t >= t - FORGETS or (k.missed < 2 and k.t >= t - LONGEST_GAP)]
        return seen


def _distance(track: Track, blob: Blob, t: float, unit: float) -> float | None:
    """How far ``blob`` is from ``track``, in its own sizes; None where it can't be the same thing."""
    gap = max(0.0, t - track.t)
    away = math.dist(track.blob.centre, blob.centre)
    size = 0.5 * math.hypot(track.blob.w, track.blob.h)
    if away > size + SPEED * unit * gap:
        return None
    ratio = blob.area / track.blob.area
    if not 0.1 < ratio < 10:
        return None
    return away / (size + 1.0) + 0.3 * abs(math.log(ratio))
