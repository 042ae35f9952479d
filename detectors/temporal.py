"""Detections over time to conditions: raised only after evidence has gathered, cleared only after quiet (hysteresis).

Time is an input. What must not go in: pictures, thresholds of one detector (they are its ``Timing``).
"""

from collections.abc import Sequence

from detectors.base import Detection, Timing, Transition

LONGEST_STEP = 0.5
"""Seconds one frame may count for: after a gap in the stream there is no evidence for the gap."""


class Condition:
    """One kind of condition at one camera. ``raised`` is its state; it can start raised after a restart."""

    def __init__(self, kind: str, timing: Timing, *, raised: bool = False) -> None:
        self.kind = kind
        self.raised = raised
        self._timing = timing
        self._gathered = 0.0
        self._quiet = 0.0
        self._t: float | None = None
        self._best: Detection | None = None

    def feed(self, seen: Sequence[Detection], t: float, n: int) -> Transition | None:
        """Take what was seen in the frame ``n`` at ``t`` seconds; the transition that follows from it, if any."""
        dt = 0.0 if self._t is None else min(LONGEST_STEP, max(0.0, t - self._t))
        self._t = t
        strongest = max((d for d in seen if d.kind == self.kind), key=lambda d: d.score, default=None)
        score = strongest.score if strongest else 0.0
        if score >= self._timing.threshold:
            self._gathered = min(2 * self._timing.raise_after, self._gathered + dt)
            self._best = strongest
        else:
            self._gathered = max(0.0, self._gathered - dt * self._timing.leak)
        self._quiet = 0.0 if score >= self._timing.keep else self._quiet + dt
        if not self.raised and self._gathered >= self._timing.raise_after and self._best is not None:
            self.raised = True
            best = self._best
            return Transition(self.kind, "raised", best.score, best.box, t, n, "evidence", best.cues, best.fired)
        if self.raised and self._quiet >= self._timing.clear_after:
            return self._clear(t, n, "no_evidence")
        return None

    def end(self, t: float, n: int) -> Transition | None:
        """The source ended at ``t``: what is raised is cleared, since there is no picture to stand for it."""
        return self._clear(t, n, "source_ended") if self.raised else None

    def interrupt(self) -> None:
        """The stream broke. No evidence is not good evidence: a raised condition stays, what had gathered is dropped."""
        self._t, self._gathered, self._quiet = None, 0.0, 0.0

    def _clear(self, t: float, n: int, cause: str) -> Transition:
        box = self._best.box if self._best else (0.0, 0.0, 0.0, 0.0)
        self.raised, self._gathered, self._quiet, self._best = False, 0.0, 0.0, None
        return Transition(self.kind, "cleared", 0.0, box, t, n, cause)
