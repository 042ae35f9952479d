"""One camera's detectors together: frames in, transitions out.

What must not go in: decoding, files, identity, the door.
"""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from detectors import DETECTORS
from detectors.base import Attention, Detection, Detector, Frame, Mask, Point, Transition, View
from detectors.movement import Background
from detectors.pyramid import small_size_wh
from detectors.temporal import Condition
from detectors.zones import fractions_of, mask_of
from hazards.errors import BihuanError

ANALYSED_RATE = 15.0
"""Frames a second that are looked at: a flame's flicker (1 to 7 Hz) shows, twice the work would show little more."""

RETRY_SECONDS = 60.0
"""Seconds after which a detector that failed is tried again: one bad picture must not blind a camera for ever."""


class Watch:
    """Detectors ``names`` over one source. ``areas``: polygon by detector name, fractions of the picture or pixels; ``masks``: polygons
    where none of them looks; ``parameters``: an instance of the detector's ``Parameters`` by its name.

    ``raised``: kinds that were raised before a restart: they are cleared in time unless they are seen again.
    Names that ``DETECTORS`` does not know are skipped; ``unknown`` lists them. A detector that can't be built (a model that is not
    there) or that fails on a frame is left out for RETRY_SECONDS and the others go on; ``problems``: why, by its name."""

    def __init__(
        self, names: Sequence[str], *, areas: Mapping[str, Sequence[Point]] | None = None, masks: Sequence[Sequence[Point]] = (),
        parameters: Mapping[str, Struct] | None = None, raised: Collection[str] = (),
    ) -> None:  # fmt: skip
        self.unknown = [name for name in names if name not in DETECTORS]
        self._names = [name for name in dict.fromkeys(names) if name in DETECTORS]
        self._areas, self._masks, self._parameters = areas or {}, masks, parameters or {}
        self.conditions = {
            kind: Condition(kind, DETECTORS[name].timing, raised=kind in raised)
            for name in self._names
            for kind in DETECTORS[name].kinds_with(self._parameters.get(name))
        }
        self.problems: dict[str, str] = {}
        self._again: dict[str, float] = {}  # when a detector that failed is tried again
        self._detectors: dict[str, Detector] = {}
        self._size_wh = (0, 0)
        self._background = Background()
        self._next = float("-inf")
        self._last = (0.0, 0)
        self.seen: list[Detection] = []
        """What the detectors saw in the last frame."""

    @property
    def raised(self) -> list[str]:
        """Kinds that stand."""
        return [kind for kind, condition in self.conditions.items() if condition.raised]

    def due(self, t: float) -> bool:
        """Whether a frame of ``t`` seconds is looked at; ask once a frame, before converting it."""
        if t < self._next - 0.25 / ANALYSED_RATE and t > self._next - 1.0:
            return False
        step = 1 / ANALYSED_RATE
        self._next = self._next + step if abs(t - self._next) < step else t + step
        return True

    def feed(self, frame: Frame) -> list[Transition]:
        """Look at the next frame."""
        self._last = (frame.t, frame.n)
        self._build(frame.size_wh, frame.t)
        frame.movement = self._background.look(frame)
        self.seen = [found for name in list(self._detectors) for found in self._look(name, frame)]
        told = (condition.feed(self.seen, frame.t, frame.n) for condition in self.conditions.values())
        return [transition for transition in told if transition is not None]

    def end(self) -> list[Transition]:
        """The source ended: everything raised is cleared, at the last frame."""
        told = (condition.end(*self._last) for condition in self.conditions.values())
        return [transition for transition in told if transition is not None]

    def interrupt(self) -> None:
        """The stream broke or began anew: detectors forget the pictures, raised conditions stay raised."""
        self._detectors = {name: detector for name, detector in self._detectors.items() if detector.interrupt()}
        self._background, self._again = Background(), {}
        self._next = float("-inf")
        for condition in self.conditions.values():
            condition.interrupt()

    @property
    def attention(self) -> Attention:
        """The closest look that a detector, or a condition that stands, wants after the last frame."""
        wanted = [detector.attention for detector in self._detectors.values()]
        return Attention.BURST if self.raised else max(wanted, default=Attention.STILL)

    @property
    def figures(self) -> dict[str, float]:
        """What the detectors count or measure beside their alarms, by metric name."""
        return {name: value for detector in self._detectors.values() for name, value in detector.figures.items()}

    def _build(self, size_wh: tuple[int, int], t: float) -> None:
        """Make the detectors that are missing, all of them anew where the picture changed its size: masks are in its shape."""
        if size_wh != self._size_wh:
            self._detectors, self._size_wh = {}, size_wh
        elif len(self._detectors) == len(self._names):
            return
        for name in self._names:
            if name not in self._detectors and t >= self._again.get(name, float("-inf")):
                try:
                    self._detectors[name] = DETECTORS[name](self._view(name, size_wh))
                except Exception as e:
                    self._fail(name, e, t)

    def _look(self, name: str, frame: Frame) -> list[Detection]:
        try:
            seen = self._detectors[name].look(frame)
        except Exception as e:  # a fault in one detector must not blind the others
            del self._detectors[name]
            self._fail(name, e, frame.t)
            return []
        self.problems.pop(name, None)
        return seen

    def _fail(self, name: str, error: Exception, t: float) -> None:
        self.problems[name] = str(error) if isinstance(error, BihuanError) else f"{type(error).__name__}: {error}"
        self._again[name] = t + RETRY_SECONDS

    def _view(self, name: str, size_wh: tuple[int, int]) -> View:
        area = fractions_of(self._areas[name], size_wh) if self._areas.get(name) else None
        return View(self._mask(area, size_wh), area, self._parameters.get(name))

    def _mask(self, area: Sequence[Point] | None, size_wh: tuple[int, int]) -> Mask | None:
        if not area and not self._masks:
            return None
        size = small_size_wh(*size_wh)
        mask = mask_of(area or [(0, 0), (1, 0), (1, 1), (0, 1)], size)
        for hidden in self._masks:
            mask &= ~mask_of(fractions_of(hidden, size_wh), size)
        return mask
