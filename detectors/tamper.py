"""Tamper (摄像机遮挡或移动): the camera is covered, out of focus, turned away, dark or blinded, in day and night.

Each cue is a comparison with the usual view. While one speaks nothing is learned, so the alarm stands until the view is back. Night
falling and fog rising are learned; lamps switched off dim the structure and keep it; a lorry that passes is unsteady and gone in time.
What must not go in: the figures themselves (``detectors.sight``), frozen pictures (``detectors.frozen``).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta, Struct

from detectors.base import NO_VIEW, Attention, Detection, Detector, Frame, Timing, View, parameters_in
from detectors.sight import Sight, UsualSight

UNSTEADY = 0.5
"""What a second counts while the picture itself changes: what passes is over before it counts enough."""
MOVED_SECONDS = 0.6
"""A view that is found again elsewhere needs no more, nor one that went away as a whole and stands still now: what passes does neither."""
FORGIVES = 2.0
"""Seconds of evidence that a second without a cue takes away."""
LOOK_EVERY = 0.2
"""Seconds between two looks, at most: a cover is no hurry of milliseconds."""
_BEYOND = 1.5  # seconds of evidence kept beyond what is needed, so that an alarm does not flutter and clears soon
_SHAKE = 0.03  # of the longer side: a mast in the wind
_LONGEST_STEP = 3.0
CUES = ("black", "overexposed", "covered", "defocused", "moved", "view_lost")


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
        self._parameters = parameters_in(view, Parameters)
        self._usual = UsualSight()
        self._held: dict[str, float] = {}  # seconds of evidence by cue
        self._travel = np.zeros(2)  # by how much the view has gone since it was the usual one, as a share of the longer side
        self._any = 0.0  # seconds of evidence of whatever cue
        self._t: float | None = None
        self._wrong_for = 0.0
        self._seen: list[Detection] = []

    def interrupt(self) -> bool:
        """The usual view stays over a broken stream."""
        self._t = None
        return True

    def look(self, frame: Frame) -> list[Detection]:
        """One detection over the whole picture while a cue has held long enough; between two looks what was seen last."""
        if self._t is not None and 0 < frame.t - self._t < LOOK_EVERY:
            return self._seen
        dt = 0.0 if self._t is None else min(_LONGEST_STEP, max(0.0, frame.t - self._t))
        self._t = frame.t
        sight = self._usual.look(frame, search=not self._parameters.turns)
        self._travel = self._travel * (self._any > 0) + np.array(sight.pace) / max(frame.coarse.shape)
        cues = cues_of(sight, max(frame.coarse.shape), float(np.hypot(*self._travel)), self._parameters)
        self._gather(cues, sight, dt)
        if self._any == 0:
            self._usual.learn(dt)
            self._wrong_for = 0.0
        else:
            self._wrong_for += dt
            if self._wrong_for > self._parameters.accept_after:
                self._usual.forget()
                self._wrong_for, self._any, self._held = 0.0, 0.0, {}
        self._seen = self._detections(sight, cues, frame)
        return self._seen

    @property
    def attention(self) -> Attention:
        """A few frames a second while a cue speaks."""
        return Attention.MOVING if self._any > 0 else Attention.STILL

    def _gather(self, cues: Mapping[str, float], sight: Sight, dt: float) -> None:
        """Add ``dt`` seconds to the evidence of the cues that speak, take it from the others."""
        needed, steady = self._parameters.seconds, sight.steady > 0.6 or sight.structure < 1.0
        count = dt if steady else UNSTEADY * dt
        for name in cues:
            before, most = self._held.get(name, 0.0), (MOVED_SECONDS if name == "moved" else needed) + _BEYOND
            gained = min(dt, 0.35) if name == "moved" else count  # one broken picture is no proof
            self._held[name] = min(most, before + gained) if cues[name] > 0 else max(0.0, before - FORGIVES * dt)
        if any(cues.values()):
            self._any = min(needed + _BEYOND, self._any + max(count, 1e-6))
        else:
            self._any = max(0.0, self._any - FORGIVES * dt)

    def _detections(self, sight: Sight, cues: Mapping[str, float], frame: Frame) -> list[Detection]:
        moved = self._held.get("moved", 0.0) >= MOVED_SECONDS
        if not moved and self._any < self._parameters.seconds:
            return []
        fired = sorted((name for name, seconds in self._held.items() if seconds > 0), key=lambda name: -self._held[name])
        if moved:
            fired = ["moved", *(name for name in fired if name != "moved")]
        figures = {
            "light": sight.light, "dimmed": sight.dimmed, "contrast": sight.contrast, "burnt": sight.burnt, "lines": sight.lines.strength,
            "detail": sight.detail.strength, "sharpness": sight.sharpness, "broad": sight.broad.kept, "shift_x": sight.shift[0],
            "shift_y": sight.shift[1], "shift_kept": sight.shift_kept, "seconds": self._any,
        }  # fmt: skip
        score = max(0.6, *(cues[name] for name in fired)) if fired else 0.6
        box = (0.0, 0.0, float(frame.size_wh[0]), float(frame.size_wh[1]))
        return [Detection("tamper", score, box, {k: round(v, 3) for k, v in figures.items()}, tuple(fired))]


def cues_of(sight: Sight, unit: int, travel: float, parameters: Parameters) -> Mapping[str, float]:
    """How surely each cue speaks, 0 not at all to 1. ``unit``: longer side of the picture in pixels; ``travel``: how far the view was
    seen to go, as a share of it."""
    lines, detail = sight.lines.strength / sight.dimmed, sight.detail.strength / sight.dimmed
    broad = sight.broad.strength / sight.dimmed
    lost = sight.known and sight.lines.kept < 0.45 and ((lines < 0.4 and detail < 0.3) or sight.lost_share > 0.75)
    seen = sight.known and (lines > 0.5 or detail > 0.4)  # however dark, this is the usual view
    black = sight.light < 24 and sight.contrast < 6 and not seen
    if black and parameters.dark_at_night:
        return dict.fromkeys(CUES, 0.0)
    burnt = sight.burnt > 0.8 if not sight.known else sight.burnt > sight.usually_burnt + 0.4 and sight.lines.strength < 0.6
    blank = sight.structure < 0.6 and sight.contrast < 6 and sight.light >= 24 and not seen
    same_broadly = sight.broad.kept > 0.75 and 0.5 < broad < 1.6 and lines > 0.08
    unsharp = sight.known and detail < 0.2 and sight.sharpness < 0.6 and same_broadly
    poor = sight.structure < 0.6 * sight.usual_structure * sight.dimmed
    shift = max(abs(sight.shift[0]), abs(sight.shift[1])) / unit
    found_elsewhere = sight.known and shift > _SHAKE and sight.shift_kept > max(0.55, sight.lines.kept + 0.25)
    went = lost and travel > _SHAKE and sight.steady > 0.6
    moved = (found_elsewhere or went) and not parameters.turns
    gone = 1.0 - max(0.0, min(1.0, lines))
    plain = not black and not burnt
    return {
        "black": 0.9 if black and not burnt else 0.0,
        "overexposed": min(1.0, 0.5 + 0.5 * sight.burnt) if burnt else 0.0,
        "covered": gone if plain and not unsharp and (blank or (lost and poor)) else 0.0,
        "defocused": 1.0 - max(0.0, detail) if plain and unsharp and not blank else 0.0,
        "moved": min(1.0, max(0.7, sight.shift_kept)) if moved else 0.0,
        "view_lost": gone if plain and lost and not poor and not unsharp and not parameters.turns else 0.0,
    }
