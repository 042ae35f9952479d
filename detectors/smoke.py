"""Smoke: a soft, colourless veil that keeps changing at one place.

Each picture is compared with one half a second older (``detectors.veil``). Smoke changes the windows that it drifts through softly and all
the time; people, cars and their shadows change them briefly, replace what lies behind, and bring sharp edges with them. A camera that
moves is followed, and believed less. What must not go in: raising and clearing (``detectors.temporal``), pictures, files.
"""

import math
from collections import deque
from collections.abc import Sequence
from typing import ClassVar

import cv2
import numpy as np

from detectors.asking import Asking
from detectors.base import NO_VIEW, Attention, Box, Detection, Detector, Frame, Grey, Mask, Timing, View
from detectors.smoke_score import SMOKE, judged
from detectors.veil import Affine, Change, Levels, camera_motion, compared, moved_onto, unrest

COMPARED = 0.5
"""Seconds between the two pictures that are compared, where the rate allows it: slow smoke needs time to show."""
STEP = 0.075
"""Seconds between two pictures that are looked at: smoke is slow."""
SLOWEST = 0.7
"""Seconds between two pictures beyond which nothing is said, only asked for more."""
LONGEST_GAP = 4.0
"""Seconds between two pictures beyond which they are not compared."""
MEMORY = 1.5
"""Seconds over which changes are remembered."""
LEAST_CANDIDATE = 12
"""Softly changed pixels in a cell of the coarse level that are worth a closer look."""
_MOST_REGIONS = 3
_JOIN = np.ones((3, 3), np.uint8)


class _Past:
    """What is remembered of pictures of one shape; each map (height, width) of the coarse level."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.pictures: deque[tuple[float, Levels]] = deque()
        self.soft, self.sharp, self.busy, self.size, self.square = (np.zeros(shape, np.float32) for _ in range(5))

    def take(self, change: Change, dt: float) -> None:
        """Remember ``change``, ``dt`` seconds after the last."""
        size = np.abs(change.shift)
        for held, now, memory in (
            (self.soft, change.soft, MEMORY), (self.sharp, change.sharp, MEMORY), (self.size, size, MEMORY),
            (self.square, size * size, MEMORY), (self.busy, size > 2.5, 2.0),
        ):  # fmt: skip
            share = np.float32(1 - math.exp(-dt / memory))
            np.add(held, share * (now - held), out=held)


class SmokeDetector(Detector):
    """Smoke in one camera's picture."""

    kinds: ClassVar[Sequence[str]] = ("smoke",)
    timing: ClassVar[Timing] = Timing(raise_after=1.5, clear_after=8.0)

    def __init__(self, view: View = NO_VIEW) -> None:
        super().__init__(view)
        self._asking = Asking()
        self._past: _Past | None = None
        self._found: list[Detection] = []
        self._dt, self._moved, self._still_until = 0.0, 0.0, float("-inf")

    def look(self, frame: Frame) -> list[Detection]:
        """Regions that look like smoke, strongest first. With more than SLOWEST seconds between pictures there are none."""
        past = self._past
        if past is not None and 0 < frame.t - past.pictures[-1][0] < STEP:
            return self._found
        now = frame.coarse.astype(np.float32)
        if past is None or past.soft.shape != now.shape or not 0 < frame.t - past.pictures[-1][0] <= LONGEST_GAP:
            past = self._past = _Past(now.shape)
            past.pictures.append((frame.t, now))
            self._found, self._dt = [], COMPARED
            return []
        dt, before = frame.t - past.pictures[-1][0], self._before(past, frame.t)
        past.pictures.append((frame.t, now))
        change = self._compared(now, before, frame.t)
        past.take(change, dt)
        self._dt += 0.3 * (dt - self._dt)
        self._found = self._regions(frame, past, change) if self._dt <= SLOWEST else []
        self._asking.look(self._masked(change.soft), frame.t, LEAST_CANDIDATE, promising=any(d.score > 0 for d in self._found))
        return self._found

    @property
    def attention(self) -> Attention:
        """A few frames a second where something changed softly, until it was looked at."""
        return Attention.MOVING if self._asking.wanted else Attention.STILL

    @staticmethod
    def _before(past: _Past, t: float) -> Levels:
        pictures = past.pictures
        while len(pictures) > 1 and t - pictures[1][0] >= COMPARED - 0.02:
            pictures.popleft()
        return pictures[0][1]

    def _compared(self, now: Levels, before: Levels, t: float) -> Change:
        """``now`` against ``before`` as the camera, if it moved, shows it now. A camera that stands is asked again after half a second."""
        motion: Affine | None = None
        if t >= self._still_until and unrest(before, now) > 1.0:
            motion = camera_motion(before, now)
            self._still_until = t + 0.5 if motion is None else float("-inf")
        onto = moved_onto(before, now, motion) if motion is not None else None
        self._moved *= math.exp(-self._dt / MEMORY)
        if onto is None or motion is None:
            return compared(now, before)
        self._moved = max(self._moved, math.hypot(motion[0, 2], motion[1, 2]))
        return compared(now, *onto)

    def _masked(self, evidence: Mask) -> Mask:
        if self.view.mask is None:
            return evidence
        height, width = evidence.shape
        mask = cv2.resize(self.view.mask.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        masked: Mask = evidence & mask.view(np.bool_)
        return masked

    def _regions(self, frame: Frame, past: _Past, change: Change) -> list[Detection]:
        evidence = self._masked(past.soft > 0.2)
        least = SMOKE["area_share"].none * evidence.size
        if np.count_nonzero(evidence) < least:
            return []
        _, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(evidence.view(np.uint8), _JOIN))
        largest = [int(i) for i in np.argsort(stats[1:, cv2.CC_STAT_AREA])[::-1][:_MOST_REGIONS] + 1]
        colour = _colour(frame, evidence.shape)
        found = []
        for i in largest:
            if stats[i, cv2.CC_STAT_AREA] < least:
                continue
            x, y, w, h = (int(v) for v in stats[i][:4])
            place = np.s_[y : y + h, x : x + w]
            label = labels[place] == i
            figures = self._figures(past, change, colour, evidence[place] & label, label, place)
            if figures is not None:
                found.append(_detection(frame, (x, y, w, h), figures))
        return sorted(found, key=lambda d: -d.score)

    def _figures(
        self, past: _Past, change: Change, colour: Grey, inside: Mask, label: Mask, place: tuple[slice, slice]
    ) -> dict[str, float] | None:
        """The cues of one region; ``inside`` and ``label``: its pixels, and those with the gaps, in the box ``place``."""
        if not inside.any():
            return None
        soft, size = float(past.soft[place][inside].mean()), past.size[place][inside]
        bursts = float((np.sqrt(past.square[place][inside]) / (size + 0.1)).mean())
        contrast = change.contrast[place][inside & change.soft[place]]
        known = contrast[np.isfinite(contrast)]
        paled = float(np.abs(known).mean()) if known.size > 10 else 0.3  # 0.3: not known, speaks neither for nor against
        turbulent = float(change.left[place][inside].mean())
        return {
            "area_share": float(np.count_nonzero(inside) / change.soft.size),
            "lasting": soft,
            "soft": soft / (soft + float(past.sharp[place][label].mean()) + 1e-6),
            "grey": float((colour[place][inside] < 50).mean()),
            "unbroken": float(past.busy[place][inside].mean()) / bursts,
            "uneven": turbulent / (float(size.mean()) + 1),
            "turbulent": turbulent,
            "paled": paled,
            "replaced": paled,
            "plain": 1 - known.size / contrast.size if contrast.size else 1.0,
            "dragged": _rigid(change, inside, place) * min(1.0, self._moved / 6) if self._moved > 0.1 else 0.0,
            "beyond_motion": float(size.mean()) / (1 + self._moved),
        }


def _colour(frame: Frame, shape: tuple[int, ...]) -> Grey:
    """Largest less smallest of the three colours, of the coarse level."""
    blue, green, red = cv2.split(cv2.resize(frame.small, (shape[1], shape[0]), interpolation=cv2.INTER_AREA))
    most, least = cv2.max(cv2.max(blue, green), red), cv2.min(cv2.min(blue, green), red)
    return np.asarray(cv2.subtract(most, least), np.uint8)


def _rigid(change: Change, inside: Mask, place: tuple[slice, slice]) -> float:
    """0..1: how much of the region's change one shift of all its pixels explains (Lucas and Kanade, 1981)."""
    mean, shift = change.mean[place], change.shift[place][inside].astype(np.float64)
    across = cv2.Sobel(mean, cv2.CV_32F, 1, 0, scale=0.125)[inside].astype(np.float64)
    down = cv2.Sobel(mean, cv2.CV_32F, 0, 1, scale=0.125)[inside].astype(np.float64)
    a, b, d = float(across @ across) + 1, float(across @ down), float(down @ down) + 1
    p, q = -float(across @ shift), -float(down @ shift)
    vx, vy = (d * p - b * q) / (a * d - b * b), (a * q - b * p) / (a * d - b * b)
    left = shift + vx * across + vy * down
    return max(0.0, 1 - float(left @ left) / (float(shift @ shift) + 1e-6))


def _detection(frame: Frame, box: tuple[int, int, int, int], figures: dict[str, float]) -> Detection:
    """``box``: of the coarse level, half of the shared one in each direction."""
    score, fired = judged(figures)
    x, y, w, h = (v * 2 * frame.scale for v in box)
    full: Box = (x, y, min(w, frame.size_wh[0] - x), min(h, frame.size_wh[1] - y))
    return Detection("smoke", score, full, {name: round(value, 3) for name, value in figures.items()}, fired)
