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
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.base import NO_VIEW, Attention, Box, Detection, Detector, Frame, Mask, Timing, View
from detectors.flicker import FlickerMap

_NEAR = np.ones((5, 5), np.uint8)
_JOIN = np.ones((3, 3), np.uint8)
FULL_RATE = 15.0
"""Pictures a second at which the figures of turns were measured."""
SLOWEST_RATE = 5.0
"""Pictures a second below which flicker can't be told from anything that moves: nothing is said then."""
_MOST_REGIONS = 4  # the largest only: a frame full of small ones must not cost more time


@dataclass(frozen=True, slots=True)
class Cue:
    """One figure and where it starts (0) and stops (1) to speak for flame; ``full`` below ``none``: less is more."""

    none: float
    full: float

    def of(self, value: float) -> float:
        """How far ``value`` speaks for flame, 0..1."""
        return min(1.0, max(0.0, (value - self.none) / (self.full - self.none)))


COLOURED: Mapping[str, Cue] = {
    "area": Cue(6, 18),  # pixels of the level
    "turns": Cue(3.6, 4.8),  # a second, of 15 pictures; see _pace
    "spread": Cue(20, 36),  # grey levels, standard deviation of green: red, orange, yellow and white at once
    "light": Cue(130, 190),  # grey levels, 90th percentile of green
    "in_step": Cue(0.85, 0.35),  # 1: all pixels brighten together, as a lamp
    "lasting": Cue(0.15, 0.45),  # share of the last second in which the same pixels were evidence: it stays, it does not pass
}
WHITE_HOT: Mapping[str, Cue] = {
    "area_share": Cue(0.002, 0.008),  # of the picture
    "turns": Cue(3.6, 4.8),
    "spread": Cue(24, 48),
    "in_step": Cue(0.85, 0.35),
    "lasting": Cue(0.4, 0.65),  # white things that pass, lorries and clouds, are commoner than white fires
}


def _blend(old: NDArray[np.float32], now: Mask, dt: float, memory: float) -> None:
    """``old`` moves towards ``now`` with the time constant ``memory`` (s), in place."""
    keep = math.exp(-dt / memory)
    old *= keep
    old += now * np.float32(1 - keep)


class _Past:
    """What a look keeps of the past, for pictures of one shape."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.flicker = FlickerMap()
        self.share = np.zeros(shape, np.float32)  # of the last second in which the pixel was a candidate
        self.usual = np.zeros(shape, np.float32)  # the same over the last half minute
        self.lasting = np.zeros(shape, np.float32)  # share of the last second in which the pixel was evidence


class FlameDetector(Detector):
    """Flame in one camera's picture."""

    kinds: ClassVar[Sequence[str]] = ("flame",)
    timing: ClassVar[Timing] = Timing(raise_after=0.7, clear_after=4.0)

    def __init__(self, view: View = NO_VIEW) -> None:
        super().__init__(view)
        self._mask = view.mask
        self._t: float | None = None
        self._green: NDArray[np.int16] | None = None
        self._candidate = False
        self._coloured: _Past
        self._white: _Past

    def look(self, frame: Frame) -> list[Detection]:
        """Regions that look like flame, strongest first. Slower than SLOWEST_RATE there are none."""
        blue, green, red = (frame.small[:, :, c].astype(np.int16) for c in range(3))
        last, previous = self._t, self._green
        self._candidate = int(self._hot(blue, green, red).sum()) >= 6
        self._t, self._green = frame.t, green
        if last is None or previous is None or previous.shape != green.shape or not 0 < frame.t - last < 2:
            self._coloured, self._white = _Past(green.shape), _Past(green.shape)  # a new scene, or a gap: no past
            self._coloured.flicker.update(green, 0, 0)
            self._white.flicker.update(green, 0, 0)
            self._unrest, self._dt = 0.0, 1 / FULL_RATE
            return []
        dt = frame.t - last
        self._dt += 0.1 * (dt - self._dt)
        if self._dt > 1 / SLOWEST_RATE:
            return []
        change = green - previous
        self._unrest += 0.2 * (float(np.median(np.abs(change[::3, ::3]))) - self._unrest)
        hot = self._hot(blue, green, red)
        found = self._see_coloured(frame, hot, green, change, dt) + self._see_white(frame, green, change, dt)
        return sorted(found, key=lambda d: -d.score)

    @property
    def attention(self) -> Attention:
        """A burst while anything has the colour of flame."""
        return Attention.BURST if self._candidate else Attention.STILL

    @staticmethod
    def _hot(blue: NDArray[np.int16], green: NDArray[np.int16], red: NDArray[np.int16]) -> Mask:
        """Pixels of flame colour, with the over-exposed core that they surround."""
        flame = (red >= 170) & (red >= green) & (green >= blue - 12) & (red - blue >= 60)
        halo = cv2.dilate(flame.view(np.uint8), _NEAR).view(np.bool_)
        core = (red >= 235) & (green >= 205) & (blue >= 100) & (red >= blue) & halo
        hot: Mask = flame | core
        return hot

    def _see_coloured(self, frame: Frame, hot: Mask, green: NDArray[np.int16], change: NDArray[np.int16], dt: float) -> list[Detection]:
        past = self._coloured
        turns = past.flicker.update(green, dt, self._least_swing(14)) / self._pace()
        _blend(past.share, hot, dt, 1.0)
        evidence = (turns >= 3.0) & (past.share > 0.15)
        _blend(past.lasting, evidence, dt, 1.0)
        found = []
        for region in _regions(self._masked(evidence)):
            light = green[region.label & hot] if (region.label & hot).any() else green[region.evidence]
            figures = {
                "area": float(region.area),
                "turns": float(turns[region.evidence].mean()) - self._shake(),
                "spread": float(light.std()),
                "light": float(np.percentile(light, 90)),
                "in_step": _in_step(change[region.evidence]),
                "lasting": float(past.lasting[region.evidence].mean()),
            }
            found.append(_detection(frame, region.box, figures, COLOURED))
        return found

    def _see_white(self, frame: Frame, green: NDArray[np.int16], change: NDArray[np.int16], dt: float) -> list[Detection]:
        past = self._white
        turns = past.flicker.update(green, dt, self._least_swing(50)) / self._pace()
        white: Mask = frame.small.min(axis=2) >= 240
        _blend(past.share, white, dt, 1.0)
        _blend(past.usual, white, dt, 20.0)
        evidence = (turns >= 3.0) & (past.share > 0.15) & (past.share < 0.95) & (past.usual < 0.5)
        _blend(past.lasting, evidence, dt, 1.0)
        found = []
        for region in _regions(self._masked(evidence)):
            light = green[region.label]
            figures = {
                "area_share": region.area / green.size,
                "turns": float(turns[region.evidence].mean()) - self._shake(),
                "spread": float(light.std()),
                "in_step": _in_step(change[region.evidence]),
                "lasting": float(past.lasting[region.evidence].mean()),
            }
            found.append(_detection(frame, region.box, figures, WHITE_HOT))
        return found

    def _least_swing(self, least: int) -> int:
        """Grey levels a swing needs: above noise and camera shake, which move the whole picture."""
        return max(least, min(4 * least, round(5 * self._unrest)))

    def _shake(self) -> float:
        """Turns a second that a shaking or panning camera gives to anything with an edge."""
        return min(0.6, 0.25 * max(0.0, self._unrest - 1.0))

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
    """Pixels that hang together: ``evidence`` those that speak, ``label`` with the gaps between them; ``box`` x, y, w, h."""

    evidence: Mask
    label: Mask
    area: int
    box: tuple[int, int, int, int]


def _regions(evidence: Mask) -> list[_Region]:
    """The largest connected regions of ``evidence``, largest first."""
    if not evidence.any():
        return []
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(evidence.view(np.uint8), _JOIN))
    areas = np.bincount(labels[evidence], minlength=count)
    largest = [int(i) for i in np.argsort(areas)[::-1][:_MOST_REGIONS] if i != 0 and areas[i] >= 6]
    regions = []
    for i in largest:
        label = labels == i
        x, y, w, h = (int(v) for v in stats[i][:4])
        regions.append(_Region(evidence & label, label, int(areas[i]), (x, y, w, h)))
    return regions


def _in_step(change: NDArray[np.int16]) -> float:
    """1 where all pixels that change brighten, or all darken; 0 where as many do one as the other."""
    up, down = int((change >= 6).sum()), int((change <= -6).sum())
    return abs(up - down) / (up + down) if up + down >= max(4, change.size // 10) else 1.0


def _detection(frame: Frame, box: tuple[int, int, int, int], figures: dict[str, float], cues: Mapping[str, Cue]) -> Detection:
    """A detection whose score is that of its weakest cue."""
    spoken = {name: cue.of(figures[name]) for name, cue in cues.items()}
    score, fired = min(spoken.values()), [name for name in sorted(spoken, key=spoken.__getitem__, reverse=True) if spoken[name] >= 0.5]
    x, y, w, h = (v * frame.scale for v in box)
    full: Box = (x, y, min(w, frame.size_wh[0] - x), min(h, frame.size_wh[1] - y))
    return Detection("flame", score, full, {name: round(value, 3) for name, value in figures.items()}, fired)
