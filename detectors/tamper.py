"""Tamper (摄像机遮挡或移动): the camera is covered, out of focus, turned away, dark or blinded, in day and night.

Each cue is a comparison with the usual view that must hold for some seconds; while one holds, nothing is learned, so the alarm
stands until the view is back. Night falling and fog rising are learned; lamps switched off scale the structure and keep it; a lorry
that passes is unsteady and gone in time. What must not go in: the figures themselves (``detectors.sight``), frozen pictures
(``detectors.frozen``).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from detectors.base import NO_VIEW, Attention, Detection, Detector, Frame, Timing, View
from detectors.sight import Sight, UsualSight

UNSTEADY = 0.5
"""What a second counts while the picture itself changes: what passes is over before it counts enough."""
MOVED_SECONDS = 0.8
"""A view that is found again elsewhere needs no more: nothing that passes does that."""
_SHAKE = 0.03  # of the longer side: a mast in the wind
_KEPT, _LOST = 0.55, 0.3  # correlation with the usual structure


class Parameters(Struct, frozen=True, forbid_unknown_fields=True):
    """What a site file may set.

    ``seconds``: for which a cue must hold; ``turns``: the camera is turned on purpose (PTZ), a view that is elsewhere is no alarm;
    ``dark_at_night``: the place is black at night by intention, a black picture is no alarm; ``accept_after``: seconds after which a
    view that stays changed is taken as the usual one."""

    seconds: Annotated[float, Meta(gt=0, le=600)] = 4.5
    turns: bool = False
    dark_at_night: bool = False
    accept_after: Annotated[float, Meta(ge=60)] = 1800.0


class TamperDetector(Detector):
    """One camera's sight. It keeps the usual view when the stream breaks: a camera that was turned meanwhile is seen."""

    kinds: ClassVar[Sequence[str]] = ("tamper",)
    timing: ClassVar[Timing] = Timing(raise_after=0.05, clear_after=2.0)
    Parameters: ClassVar[type[Struct]] = Parameters

    def __init__(self, view: View = NO_VIEW) -> None:
        super().__init__(view)
        given = view.parameters
        self._parameters = given if isinstance(given, Parameters) else Parameters()
        self._usual = UsualSight()
        self._held: dict[str, float] = {}
        self._t: float | None = None
        self._wrong_for = 0.0

    def interrupt(self) -> bool:
        """The usual view stays over a broken stream."""
        self._t, self._held = None, {}
        return True

    def look(self, frame: Frame) -> list[Detection]:
        """One detection over the whole picture while a cue has held long enough."""
        dt = 0.0 if self._t is None else min(3.0, max(0.0, frame.t - self._t))
        self._t = frame.t
        sight = self._usual.look(frame.coarse, search=not self._parameters.turns)
        cues = cues_of(sight, max(frame.coarse.shape), self._parameters)
        count = dt * (1.0 if sight.steady > 0.6 or sight.structure < 1.0 else UNSTEADY)
        step = {"moved": dt}
        held = {name: self._held.get(name, 0.0) + step.get(name, count) if cues[name] > 0 else 0.0 for name in cues}
        self._held = held
        if not any(held.values()) and not any(cues.values()):
            self._usual.learn(frame.coarse, dt)
            self._wrong_for = 0.0
            return []
        self._wrong_for += dt
        if self._wrong_for > self._parameters.accept_after:
            self._usual.forget()
            self._wrong_for = 0.0
        fired = sorted((name for name in cues if held[name] >= self._needed(name)), key=lambda name: -cues[name])
        if not fired:
            return []
        figures = {
            "light": sight.light, "contrast": sight.contrast, "burnt": sight.burnt, "kept": sight.kept, "strength": sight.strength,
            "broad_kept": sight.broad_kept, "broad_strength": sight.broad_strength, "shift_x": sight.shift[0],
            "shift_y": sight.shift[1], "shift_kept": sight.shift_kept, "seconds": held[fired[0]],
        }  # fmt: skip
        box = (0.0, 0.0, float(frame.size_wh[0]), float(frame.size_wh[1]))
        return [Detection("tamper", max(0.6, cues[fired[0]]), box, {k: round(v, 3) for k, v in figures.items()}, tuple(fired))]

    @property
    def attention(self) -> Attention:
        """A few frames a second while a cue holds."""
        return Attention.MOVING if any(self._held.values()) else Attention.STILL

    def _needed(self, cue: str) -> float:
        return MOVED_SECONDS if cue == "moved" else self._parameters.seconds


def cues_of(sight: Sight, unit: int, parameters: Parameters) -> Mapping[str, float]:
    """How surely each cue speaks, 0 not at all to 1. ``unit``: longer side of the picture in pixels."""
    blank = sight.structure < 0.6 and sight.contrast < 6
    lost = sight.known and sight.kept < _LOST and sight.strength < _LOST
    black = sight.light < 24 and sight.contrast < 6 and sight.kept < 0.5 and not parameters.dark_at_night
    burnt = sight.burnt > 0.6 and (sight.kept < 0.5 or not sight.known)
    poor = sight.structure < 0.6 * sight.usual_structure
    shift = max(abs(sight.shift[0]), abs(sight.shift[1])) / unit
    moved = sight.known and shift > _SHAKE and sight.shift_kept > max(_KEPT, sight.kept + 0.25)
    unsharp = sight.known and sight.broad_kept > 0.85 and sight.broad_strength > 0.5 and sight.strength < 0.42 * sight.broad_strength
    covered = (blank and not black and not burnt and sight.light >= 24) or (lost and poor and not unsharp)
    elsewhere = lost and not poor and not parameters.turns
    return {
        "black": 0.9 if black else 0.0,
        "overexposed": min(1.0, sight.burnt) if burnt else 0.0,
        "covered": min(1.0, 1.0 - max(0.0, sight.kept)) if covered and not black and not burnt else 0.0,
        "defocused": min(1.0, 1.0 - sight.strength) if unsharp and not blank and not black and not burnt else 0.0,
        "moved": min(1.0, sight.shift_kept) if moved and not parameters.turns else 0.0,
        "view_lost": min(1.0, 1.0 - max(0.0, sight.kept)) if elsewhere and not burnt and not black else 0.0,
    }
