"""Frozen (画面冻结): the stream goes on, the picture does not. A live camera's picture is never the same twice: its sensor has noise.

Two ways to tell: the picture is exactly that of some seconds ago (a recorder that repeats its last frame), or almost, and much more so than
is usual for this camera (the repeated frame was encoded anew). What must not go in: a stream that stopped (the camera's health tells that).
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta, Struct

from detectors.base import NO_VIEW, Detection, Detector, Frame, Grey, Timing, View, parameters_in

EXACT_MEAN, EXACT_MOST = 0.004, 2
"""Mean difference in grey levels, and that of 999 pixels in 1000, up to which two pictures are the same."""
ALMOST_MEAN, ALMOST_MOST = 0.5, 4
"""The same for a picture that was encoded anew: measured up to 0.47 and 5 where it was encoded well, 0.7 and more for live pictures."""
USUAL_EVERY, USUAL_SAMPLES = 2.0, 10
"""Seconds between two pictures whose difference is the usual one, and how many of them must be known."""
LEAST_USUAL, LESS_THAN_USUAL = 0.6, 0.4
"""The usual difference in grey levels from which the second way may speak, and the share of it that is almost nothing."""
_LONGEST_STEP = 3.0  # seconds between two frames over which nothing is said: the stream itself stood still


class Parameters(Struct, frozen=True, forbid_unknown_fields=True):
    """What a site file may set.

    ``seconds``: for which the picture must be exactly the same; ``almost_seconds``: for which it must be almost the same;
    ``least_contrast``: grey levels, a picture with less (a dark room) has nothing that could stand still."""

    seconds: Annotated[float, Meta(gt=0, le=3600)] = 6.0
    almost_seconds: Annotated[float, Meta(gt=0, le=3600)] = 9.0
    least_contrast: Annotated[float, Meta(ge=0)] = 2.0


class FrozenDetector(Detector):
    """Whether one camera's picture stands still."""

    kinds: ClassVar[Sequence[str]] = ("frozen",)
    timing: ClassVar[Timing] = Timing(raise_after=0.05, clear_after=1.0)
    Parameters: ClassVar[type[Struct]] = Parameters

    def __init__(self, view: View = NO_VIEW) -> None:
        super().__init__(view)
        self._parameters = parameters_in(view, Parameters)
        self._exact = _Anchor(EXACT_MEAN, EXACT_MOST)
        self._almost = _Anchor(ALMOST_MEAN, ALMOST_MOST)
        self._t = float("-inf")
        self._sampled: Grey | None = None
        self._sampled_t, self._samples, self._usual = 0.0, 0, 0.0

    def look(self, frame: Frame) -> list[Detection]:
        """One detection over the whole picture while it stands."""
        grey = frame.grey
        if not 0 <= frame.t - self._t <= _LONGEST_STEP:
            self._exact.set(grey, frame.t)
            self._almost.set(grey, frame.t)
        self._t = frame.t
        exact, almost = self._exact.same_for(grey, frame.t), self._almost.same_for(grey, frame.t)
        self._learn(grey, frame.t, almost)
        if almost < min(self._parameters.almost_seconds, self._parameters.seconds):
            return []
        if float(grey[::4, ::4].std()) < self._parameters.least_contrast:
            return []
        box = (0.0, 0.0, float(frame.size_wh[0]), float(frame.size_wh[1]))
        cues = {"same_for": round(exact, 2), "almost_same_for": round(almost, 2), "difference": round(self._almost.difference, 4)}
        cues["usual_difference"] = round(self._usual, 3)
        if exact >= self._parameters.seconds:
            return [Detection("frozen", 0.95, box, cues, ("same_picture",))]
        usual = self._usual if self._samples >= USUAL_SAMPLES else 0.0
        if almost >= self._parameters.almost_seconds and usual >= max(LEAST_USUAL, self._almost.difference / LESS_THAN_USUAL):
            return [Detection("frozen", 0.7, box, cues, ("almost_same_picture",))]
        return []

    def _learn(self, grey: Grey, t: float, almost: float) -> None:
        """The usual difference of two pictures two seconds apart, while the picture lives."""
        if self._sampled is not None and self._sampled.shape == grey.shape and 0 <= t - self._sampled_t < USUAL_EVERY:
            return
        if self._sampled is not None and self._sampled.shape == grey.shape and (almost < 2 * USUAL_EVERY or self._samples < USUAL_SAMPLES):
            difference = float(np.abs(grey[::2, ::2].astype(np.int16) - self._sampled[::2, ::2]).mean())
            self._samples += 1
            self._usual += (difference - self._usual) / min(30, self._samples)
        self._sampled, self._sampled_t = grey, t


class _Anchor:
    """A picture that the following ones are compared with until one differs."""

    def __init__(self, mean: float, most: int) -> None:
        self._mean, self._most = mean, most
        self._grey: Grey | None = None
        self._since = 0.0
        self.difference = 0.0

    def set(self, grey: Grey, t: float) -> None:
        self._grey, self._since, self.difference = grey, t, 0.0

    def same_for(self, grey: Grey, t: float) -> float:
        """Seconds for which the pictures have been the same until ``grey`` at ``t``."""
        if self._grey is None or self._grey.shape != grey.shape:
            self.set(grey, t)
            return 0.0
        apart = np.abs(grey[::2, ::2].astype(np.int16) - self._grey[::2, ::2])
        self.difference = float(apart.mean())
        if self.difference > self._mean or np.count_nonzero(apart > self._most) > 0.001 * apart.size:
            self.set(grey, t)
            return 0.0
        return t - self._since
