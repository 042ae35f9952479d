"""How each camera is, and when one counts as offline. Pure: time is an argument.

What must not go in: processes, the door.
"""

from dataclasses import dataclass, replace
from typing import Literal

from ingest.cameras.eye_messages import CameraState, Looked

OFFLINE_AFTER = 10.0
"""Seconds without a picture after which a camera is an alarm of its own."""


@dataclass(frozen=True, slots=True)
class CameraHealth:
    """One camera as it was last heard of. ``since``: monotonic seconds of the last live moment; ``rate``: frames a second shown."""

    camera: str
    state: CameraState
    since: float
    frames: int = 0
    rate: float = 0.0
    lag: float = 0.0
    what: str = ""
    offline: bool = False

    def heard(self, looked: Looked, now: float) -> "CameraHealth":
        """The camera after ``looked``."""
        well = looked.state in ("live", "ended")  # a recording that ended is not broken
        since = now if well else self.since
        figures = replace(self, frames=looked.frames, rate=looked.rate, lag=looked.lag)
        return replace(figures, state=looked.state, since=since, what=looked.what)

    def lost(self, what: str) -> "CameraHealth":
        """The camera after its process died."""
        return replace(self, state="lost", rate=0.0, what=what)

    def judged(self, now: float) -> tuple["CameraHealth", Literal["raised", "cleared"] | None]:
        """The camera with its offline alarm as it must be now, and the change that this is."""
        if self.state in ("live", "ended"):
            return replace(self, offline=False), "cleared" if self.offline else None
        if not self.offline and now - self.since >= OFFLINE_AFTER:
            return replace(self, offline=True), "raised"
        return self, None
