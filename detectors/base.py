"""What every detector gets and gives: a frame with its pyramid in, detections out; and what becomes of them over time.

What must not go in: decoding, files, thresholds of one detector.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar, Literal, TypeVar

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Pixels (height, width, 3), BGR, 0..255."""
Grey = NDArray[np.uint8]
"""Grey levels (height, width), 0..255."""
Mask = NDArray[np.bool_]
"""(height, width): True where a detector may look."""
Box = tuple[float, float, float, float]
"""x, y, w, h in pixels of the full frame."""
Point = tuple[float, float]
"""x, y in fractions 0..1 of the picture."""


class Attention(IntEnum):
    """How closely a camera must be looked at now."""

    STILL = 0
    """Nothing moves: its key frames are enough."""
    MOVING = 1
    """Something moves: a few frames a second."""
    BURST = 2
    """A candidate that only the full rate can tell (a flame's flicker), or an alarm that stands."""


@dataclass(frozen=True, slots=True)
class Movement:
    """What moves against the usual picture, on the coarse level (half of ``Frame.small`` in each direction).

    ``mask``: (height, width) of ``Frame.coarse``; ``share``: of the picture, 0..1; ``light``: mean grey level now; ``light_change``: by how
    many grey levels the whole picture became lighter since the last frame (a lamp, a cloud); ``settled``: the usual picture is known."""

    mask: Mask
    share: float
    light: float
    light_change: float
    settled: bool


class Frame:
    """One analysed frame.

    ``small``: the pyramid level that all detectors share (see ``detectors.pyramid``), BGR; ``scale``: pixels of the full
    frame per pixel of ``small``; ``size_wh``: the full frame; ``t``: seconds since the source began; ``n``: its number from 0;
    ``full``: makes the whole picture, where a detector needs more pixels: it costs as much as decoding; ``movement``: set before
    any detector looks."""

    __slots__ = ("_coarse", "_grey", "full", "movement", "n", "scale", "size_wh", "small", "t")

    def __init__(
        self, small: Picture, scale: float, size_wh: tuple[int, int], t: float, n: int, *, full: Callable[[], Picture] | None = None
    ) -> None:
        self.small, self.scale, self.size_wh, self.t, self.n = small, scale, size_wh, t, n
        self.full: Callable[[], Picture] = full or (lambda: small)
        self.movement: Movement | None = None
        self._grey: Grey | None = None
        self._coarse: Grey | None = None

    @property
    def grey(self) -> Grey:
        """Grey levels of ``small``, made once."""
        if self._grey is None:
            self._grey = np.asarray(cv2.cvtColor(self.small, cv2.COLOR_BGR2GRAY), np.uint8)
        return self._grey

    @property
    def coarse(self) -> Grey:
        """Grey levels of half the width and height of ``small``, made once."""
        if self._coarse is None:
            height, width = self.small.shape[:2]
            size = max(1, width // 2), max(1, height // 2)
            self._coarse = np.asarray(cv2.resize(self.grey, size, interpolation=cv2.INTER_AREA), np.uint8)
        return self._coarse


@dataclass(frozen=True, slots=True)
class View:
    """What a detector is told of its camera. ``mask``: where it may look, in the shape of ``Frame.small`` (None: everywhere); ``area``: the
    polygon that it was given, fractions of the picture; ``parameters``: an instance of its ``Parameters``."""

    mask: Mask | None = None
    area: Sequence[Point] | None = None
    parameters: Struct | None = None


_Parameters = TypeVar("_Parameters", bound=Struct)


def parameters_in(view: View, kind: type[_Parameters]) -> _Parameters:
    """The parameters of ``kind`` that ``view`` gives; where it gives none, every one at its default."""
    return view.parameters if isinstance(view.parameters, kind) else kind()


NO_VIEW = View()
"""Looks everywhere, with every parameter at its default."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What one detector sees in one frame. ``score`` 0..1; ``cues``: the measured figures that led to it, for the operator's why;
    ``fired``: names of the cues that decided, the strongest first."""

    kind: str
    score: float
    box: Box
    cues: Mapping[str, float] = field(default_factory=dict)
    fired: Sequence[str] = ()


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
    fired: Sequence[str] = ()


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


class Detector(ABC):
    """A detector of one camera. It keeps what it needs of the past; it is used by one thread at a time.

    ``kinds``: what it can tell; ``timing``: how its detections become a condition; ``Parameters``: what a site file may set, each with its
    default. Frames come in the order of ``t``, at whatever rate the camera is looked at: many a second, or one every two seconds."""

    kinds: ClassVar[Sequence[str]]
    timing: ClassVar[Timing]
    Parameters: ClassVar[type[Struct]] = Struct

    def __init__(self, view: View = NO_VIEW) -> None:
        self.view = view

    @abstractmethod
    def look(self, frame: Frame) -> list[Detection]:
        """What is seen in ``frame``, strongest first."""

    @classmethod
    def kinds_with(cls, parameters: Struct | None) -> Sequence[str]:
        """What it can tell with ``parameters``."""
        return cls.kinds

    def interrupt(self) -> bool:
        """The stream broke or began anew. True: it keeps what it knows (a count, a usual view); False: it is built anew."""
        return False

    @property
    def attention(self) -> Attention:
        """How closely it wants to look for the next two seconds, after the last frame."""
        return Attention.STILL

    @property
    def figures(self) -> Mapping[str, float]:
        """What it counts or measures beside its alarms (people inside, crossings), by metric name; told with the camera's health."""
        return {}
