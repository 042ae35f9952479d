"""How each camera is, and when one counts as offline. Pure: time is an argument.

What must not go in: processes, the door.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from hazards.cameras import CameraStatus
from ingest.cameras.eye_messages import CameraState, Looked, Watching

OFFLINE_AFTER = 10.0
"""Seconds without a picture after which a camera is an alarm of its own."""


@dataclass(frozen=True, slots=True)
class CameraHealth:
    """One camera as it was last heard of. ``since``: monotonic seconds of the last live moment; for the figures see ``Looked``.

    ``raised``: kinds that stand at it; ``figures``: what its detectors count; ``process``: number of the process that watches it."""

    camera: str
    state: CameraState
    since: float
    frames: int = 0
    rate: float = 0.0
    what: str = ""
    offline: bool = False
    watching: Watching = "still"
    analysed: float = 0.0
    bitrate: float = 0.0
    last_at: int = 0
    age: float = 0.0
    dropped: int = 0
    reconnects: int = 0
    decode_errors: int = 0
    width: int = 0
    height: int = 0
    drift: float = 0.0
    jumps: int = 0
    cost: float = 0.0
    raised: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    process: int = 0

    def heard(self, looked: Looked, now: float) -> "CameraHealth":
        """The camera after ``looked``."""
        well = looked.state in ("live", "ended")  # a recording that ended is not broken
        return replace(
            self, state=looked.state, since=now if well else self.since, frames=looked.frames, rate=looked.rate, what=looked.what,
            watching=looked.watching, analysed=looked.analysed, bitrate=looked.bitrate, last_at=looked.last_at or self.last_at,
            age=looked.age, dropped=looked.dropped, reconnects=looked.reconnects,
            decode_errors=looked.decode_errors, width=looked.width or self.width, height=looked.height or self.height,
            drift=looked.drift, jumps=looked.jumps, cost=looked.cost, raised=tuple(looked.raised), figures=dict(looked.figures),
            problems=dict(looked.problems),
        )  # fmt: skip

    def lost(self, what: str) -> "CameraHealth":
        """The camera after its process died."""
        return replace(self, state="lost", rate=0.0, analysed=0.0, bitrate=0.0, cost=0.0, what=what)

    def judged(self, now: float) -> tuple["CameraHealth", Literal["raised", "cleared"] | None]:
        """The camera with its offline alarm as it must be now, and the change that this is."""
        if self.state in ("live", "ended"):
            return replace(self, offline=False), "cleared" if self.offline else None
        if not self.offline and now - self.since >= OFFLINE_AFTER:
            return replace(self, offline=True), "raised"
        return self, None


def status_of(health: CameraHealth, zone: str, now: int) -> CameraStatus:
    """``health`` as people are told at ``now`` (UTC µs) of a camera of ``zone``."""
    return CameraStatus(
        camera=health.camera, zone=zone, state=health.state, noted_at=now, what=health.what, offline=health.offline,
        watching=health.watching, received_rate=health.rate, analysed_rate=health.analysed, bitrate=health.bitrate,
        last_at=health.last_at, age=health.age, dropped=health.dropped, reconnects=health.reconnects,
        decode_errors=health.decode_errors, width=health.width, height=health.height, drift=health.drift, clock_jumps=health.jumps,
        cost=health.cost, raised=list(health.raised), figures=dict(health.figures), problems=dict(health.problems),
    )  # fmt: skip
