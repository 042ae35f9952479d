"""Flame: light of many temperatures at once, that flickers out of step, at one place, for a while.

Two looks share the decision. *Coloured*: luminous red-to-yellow pixels, with the over-exposed core they surround, that turn
brighter and darker several times a second, each in its own time, and span many brightnesses. *White-hot*: a day camera shows
a large fire as pure white: a large area that swings in and out of saturation and was not white before. Passing things turn
twice, lamps flash in step and in one colour, cloth and paint have one brightness. What must not go in: memory across seconds
beyond the maps (``detectors.temporal`` decides when to raise), pictures, files.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.asking import Asking
from detectors.base import NO_VIEW, Attention, Box, Detection, Detector, Frame, Mask, Picture, Timing, View
from detectors.cue import Cue, weighed
from detectors.flicker import FlickerMap

_T = TypeVar("_T", bound=np.generic)
_NEAR = np.ones((5, 5), np.uint8)
_JOIN = np.ones((3, 3), np.uint8)
_SOLID = np.ones((7, 7), np.uint8)  # a smaller white thing is a window, a line on the road, a lamp
FULL_RATE = 15.0
"""Pictures a second at which the figures of turns were measured."""
SLOWEST_RATE = 5.0
"""Pictures a second below which flicker can't be told from anything that moves: nothing is said then."""
LONGEST_GAP = 0.5
"""Seconds between two pictures beyond which nothing is known of what lies between."""
SLEEPS_AFTER = 3.0
"""Seconds without a candidate after which a look rests."""
LEAST_CANDIDATE = 4
"""Pixels of flame colour in a cell that are worth a closer look."""
_LEAST_REGION = 6  # pixels of the level
_MOST_REGIONS = 4  # the largest only: a frame full of small ones must not cost more time


COLOURED: Mapping[str, Cue] = {
    "area": Cue(6, 18),  # pixels of the level
    "turns": Cue(3.6, 4.8),  # a second, of 15 pictures; see _pace
    "spread": Cue(17, 31),  # grey levels, standard deviation of green: red, orange, yellow and white at once
    "light": Cue(100, 150),  # grey levels, 90th percentile of green
    "in_step": Cue(0.85, 0.35),  # 1: all pixels brighten together, as a lamp
    "lasting": Cue(0.15, 0.45),  # share of the last second in which the same pixels were evidence: it stays, it does not pass
}
WHITE_HOT: Mapping[str, Cue] = {
    "area_share": Cue(0.002, 0.008),  # of the picture
    "turns": Cue(3.6, 4.8),
    "spread": Cue(24, 48),
    "in_step": Cue(0.85, 0.35),
    "lasting": Cue(0.45, 0.7),  # white things that pass, lorries and clouds, are commoner than white fires
}


def _blend(old: NDArray[np.float32], now: Mask, dt: float, memory: float) -> None:
    """``old`` moves towards ``now`` with the time constant ``memory`` (s), in place."""
    keep = math.exp(-dt / memory)
    old *= keep
    old += now * np.float32(1 - keep)


def candidates(small: Picture) -> tuple[NDArray[np.uint8], Mask, Mask]:
    """Green of ``small`` (height, width, 3) BGR; pixels of flame colour, with the over-exposed core that they surround; white pixels."""
    blue, green, red = cv2.split(small)
    reddest = (red >= 140) & (red >= green) & (cv2.subtract(red, blue) >= 60)
    flame = reddest & (cv2.subtract(blue, green) <= 12)
    hot: Mask = flame
    if flame.any():
        halo = cv2.dilate(flame.view(np.uint8), _NEAR).view(np.bool_)
        hot = flame | ((red >= 210) & (green >= 185) & (blue >= 90) & (red >= blue) & halo)
    white: Mask = cv2.min(cv2.min(blue, green), red) >= 240
    return np.asarray(green, np.uint8), hot, white


class _Past:
    """What a look keeps of the past; it sleeps while there is no candidate, and begins anew with the next."""

    def __init__(self) -> None:
        self._until = float("-inf")

    def awake(self, candidates: Mask, least: int, level: NDArray[np.int16], t: float) -> bool:
        """Whether there were at least ``least`` candidates within the last seconds."""
        if np.count_nonzero(candidates) >= least:
            if t > self._until:
                self._begin(level)
                self._since = t
            self._until = t + SLEEPS_AFTER
        return t <= self._until

    def known(self, t: float) -> float:
        """Share of the last second that has been watched: what is remembered of a shorter time reads too low by that."""
        return 1 - math.exp(-max(0.9, t - self._since))

    def _begin(self, level: NDArray[np.int16]) -> None:
        self.flicker = FlickerMap()
        self.flicker.update(level, 0, 0)
        self.share = np.zeros(level.shape, np.float32)  # of the last second in which the pixel was a candidate
        self.lasting = np.zeros(level.shape, np.float32)  # share of the last second in which the pixel was evidence


class FlameDetector(Detector):
    """Flame in one camera's picture."""

    kinds: ClassVar[Sequence[str]] = ("flame",)
    timing: ClassVar[Timing] = Timing(raise_after=0.8, clear_after=4.0)

    def __init__(self, view: View = NO_VIEW) -> None:
        super().__init__(view)
        self._mask = view.mask
        self._asking = Asking()
        self._t: float | None = None
        self._green: NDArray[np.int16] | None = None

    def look(self, frame: Frame) -> list[Detection]:
        """Regions that look like flame, strongest first. Slower than SLOWEST_RATE there are none."""
        level, hot, white = candidates(frame.small)
        green, last, previous = level.astype(np.int16), self._t, self._green
        self._t, self._green = frame.t, green
        if last is None or previous is None or previous.shape != green.shape or frame.t <= last:
            self._usual, self._usual_t = np.zeros(green.shape, np.float32), frame.t
            self._unusual = np.ones(green.shape, np.bool_)
            self._begin()
            return self._ask(hot, white, frame.t, [])
        self._learn(white, frame.t)
        if frame.t - last > LONGEST_GAP:
            self._begin()
            return self._ask(hot, white, frame.t, [])
        dt = frame.t - last
        self._dt += 0.1 * (dt - self._dt)
        if self._dt > 1 / SLOWEST_RATE:
            return self._ask(hot, white, frame.t, [])
        change = green - previous
        self._unrest += 0.2 * (float(np.median(np.abs(change[::3, ::3]))) - self._unrest)
        found = self._see_coloured(frame, hot, green, change, dt) + self._see_white(frame, white, green, change, dt)
        return self._ask(hot, white, frame.t, sorted(found, key=lambda d: -d.score))

    @property
    def attention(self) -> Attention:
        """A burst for what has the colour of flame, or is white and was not, until it was looked at."""
        return Attention.BURST if self._asking.wanted else Attention.STILL

    def _begin(self) -> None:
        """A new scene, or a gap: there is no past that flickers."""
        self._coloured, self._white = _Past(), _Past()
        self._unrest, self._dt = 0.0, 1 / FULL_RATE

    def _learn(self, white: Mask, t: float) -> None:
        """What is white most of the time: windows, lamps, sky. Twice a second is enough."""
        if (dt := t - self._usual_t) >= 0.5:
            _blend(self._usual, white, min(dt, 5.0), 20.0)
            self._unusual, self._usual_t = np.asarray(self._usual < 0.5), t

    def _ask(self, hot: Mask, white: Mask, t: float, found: list[Detection]) -> list[Detection]:
        solid = cv2.erode((white & self._unusual).view(np.uint8), _SOLID).view(np.bool_)
        new = self._masked(hot | solid)
        self._asking.look(new, t, LEAST_CANDIDATE, promising=any(d.score > 0 for d in found))
        return found

    def _see_coloured(self, frame: Frame, hot: Mask, green: NDArray[np.int16], change: NDArray[np.int16], dt: float) -> list[Detection]:
        past = self._coloured
        if not past.awake(hot, _LEAST_REGION, green, frame.t):
            return []
        turns = past.flicker.update(green, dt, self._least_swing(14)) / np.float32(past.known(frame.t))
        _blend(past.share, hot, dt, 1.0)
        evidence = (turns >= 3.0 * self._pace()) & (past.share > 0.15)
        _blend(past.lasting, evidence, dt, 1.0)
        found = []
        for region in _regions(self._masked(evidence)):
            coloured = region.inside(hot) & region.label
            light = region.inside(green)[coloured if coloured.any() else region.evidence]
            figures = {
                "area": float(region.area),
                "spread": float(light.std()) - self._smear(),
                "light": float(np.percentile(light, 90)),
                **self._shared_figures(region, turns, change, past),
            }
            found.append(_detection(frame, region.box, figures, COLOURED))
        return found

    def _see_white(self, frame: Frame, white: Mask, green: NDArray[np.int16], change: NDArray[np.int16], dt: float) -> list[Detection]:
        past = self._white
        if not past.awake(white & self._unusual, round(WHITE_HOT["area_share"].none * white.size), green, frame.t):
            return []
        turns = past.flicker.update(green, dt, self._least_swing(50)) / np.float32(past.known(frame.t))
        _blend(past.share, white, dt, 1.0)
        evidence = (turns >= 3.0 * self._pace()) & (past.share > 0.15) & (past.share < 0.95) & self._unusual
        _blend(past.lasting, evidence, dt, 1.0)
        found = []
        for region in _regions(self._masked(evidence)):
            figures = {
                "area_share": region.area / green.size,
                "spread": float(region.inside(green)[region.label].std()),
                **self._shared_figures(region, turns, change, past),
            }
            figures["lasting"] /= past.known(frame.t)
            found.append(_detection(frame, region.box, figures, WHITE_HOT))
        return found

    def _shared_figures(self, region: "_Region", turns: NDArray[np.float32], change: NDArray[np.int16], past: _Past) -> dict[str, float]:
        return {
            "turns": float(region.inside(turns)[region.evidence].mean()) / self._pace() - self._shake(),
            "in_step": _in_step(region.inside(change)[region.evidence]),
            "lasting": float(region.inside(past.lasting)[region.evidence].mean()),
        }

    def _least_swing(self, least: int) -> int:
        """Grey levels a swing needs: above noise and camera shake, which move the whole picture."""
        return max(least, min(4 * least, round(5 * self._unrest)))

    def _shake(self) -> float:
        """Turns a second that a shaking or panning camera gives to anything with an edge."""
        return min(0.6, 0.25 * max(0.0, self._unrest - 1.0))

    def _smear(self) -> float:
        """Grey levels of spread that a shaking or panning camera gives to anything with an edge."""
        return min(14.0, 10.0 * max(0.0, self._unrest - 1.0))

    def _pace(self) -> float:
        """Share of the turns that are still seen at this frame rate: fewer pictures show fewer of a flame's turns."""
        return float(min(1.0, (1 / (self._dt * FULL_RATE)) ** 0.6))

    def _masked(self, evidence: Mask) -> Mask:
        if self._mask is None or self._mask.shape != evidence.shape:
            return evidence
        masked: Mask = evidence & self._mask
        return masked


@dataclass(frozen=True, slots=True)
class _Region:
    """Pixels that hang together. ``box``: x, y, w, h; ``evidence``: those in the box that speak; ``label``: with the gaps between them."""

    evidence: Mask
    label: Mask
    area: int
    box: tuple[int, int, int, int]

    def inside(self, values: NDArray[_T]) -> NDArray[_T]:
        """The part of ``values`` that lies in the box."""
        x, y, w, h = self.box
        return values[y : y + h, x : x + w]


def _regions(evidence: Mask) -> list[_Region]:
    """The largest connected regions of ``evidence``, largest first."""
    if not evidence.any():
        return []
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(evidence.view(np.uint8), _JOIN))
    areas = np.bincount(labels[evidence], minlength=count)
    largest = [int(i) for i in np.argsort(areas)[::-1][:_MOST_REGIONS] if i != 0 and areas[i] >= _LEAST_REGION]
    regions = []
    for i in largest:
        x, y, w, h = (int(v) for v in stats[i][:4])
        label = labels[y : y + h, x : x + w] == i
        regions.append(_Region(evidence[y : y + h, x : x + w] & label, label, int(areas[i]), (x, y, w, h)))
    return regions


def _in_step(change: NDArray[np.int16]) -> float:
    """1 where all pixels that change brighten, or all darken; 0 where as many do one as the other."""
    up, down = int((change >= 6).sum()), int((change <= -6).sum())
    return abs(up - down) / (up + down) if up + down >= max(4, change.size // 10) else 1.0


def _detection(frame: Frame, box: tuple[int, int, int, int], figures: dict[str, float], cues: Mapping[str, Cue]) -> Detection:
    """A detection whose score is that of its weakest cue."""
    score, fired = weighed(figures, cues)
    x, y, w, h = (v * frame.scale for v in box)
    full: Box = (x, y, min(w, frame.size_wh[0] - x), min(h, frame.size_wh[1] - y))
    return Detection("flame", score, full, {name: round(value, 3) for name, value in figures.items()}, fired)
