"""What every detector gets and gives: a frame with its pyramid in, detections out; and what becomes of them over time.

What must not go in: decoding, files, thresholds of one detector.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Pixels (height, width, 3), BGR, 0..255."""
Mask = NDArray[np.bool_]
"""(height, width): True where a detector may look."""
Box = tuple[float, float, float, float]
"""x, y, w, h in pixels of the full frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One analysed frame.

    ``small``: the pyramid level that all detectors share (see ``detectors.pyramid``), BGR; ``scale``: pixels of the full
    frame per pixel of ``small``; ``size_wh``: the full frame; ``t``: seconds since the source began; ``n``: its number from 0.
    """

    small: Picture
    scale: float
    size_wh: tuple[int, int]
    t: float
    n: int


@dataclass(frozen=True, slots=True)
class Detection:
    """What one detector sees in one frame. ``score`` 0..1; ``cues``: the measured figures that led to it, for the operator's why."""

    kind: str
    score: float
    box: Box
    cues: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Transition:
    """A condition that began or ended. ``cause``: evidence, no_evidence or source_ended."""

    kind: str
    state: Literal["raised", "cleared"]
    score: float
    box: Box
    t: float
    n: int
    cause: str = "evidence"
    cues: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timing:
    """How detections over time become a condition, in seconds.

    ``raise_after``: evidence that must gather within the last seconds; ``clear_after``: quiet that must pass;
    ``leak``: share of a quiet second that is taken from the gathered evidence; ``threshold``: a score that counts as evidence;
    ``keep``: a lower score that keeps a raised condition up (hysteresis)."""

    raise_after: float
    clear_after: float
    leak: float = 0.5
    threshold: float = 0.5
    keep: float = 0.3


class Detector(Protocol):
    """A detector of one camera. It keeps what it needs of the past; it is used by one thread at a time."""

    kinds: ClassVar[Sequence[str]]
    timing: ClassVar[Timing]

    def __init__(self, mask: Mask | None = None) -> None:
        """``mask`` has the shape of ``Frame.small``; None: look everywhere."""

    def look(self, frame: Frame) -> list[Detection]:
        """What is seen in ``frame``, strongest first; frames come in the order of ``t``."""
