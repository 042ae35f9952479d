"""How cameras are, as readings in the time series: one series a figure, by the way of all telemetry, so rules may judge them too.

What must not go in: how the figures come about.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from bihuan.preparation import now_us
from hazards.cameras import CameraStatus
from hazards.errors import BihuanError
from hazards.telemetry import series_name
from ingest.measurements import Measurements
from ingest.telemetry_door import TelemetryDoor

log = structlog.get_logger()

EVERY = 10.0
"""Seconds between two readings of a series."""
FIGURES: dict[str, tuple[str, Callable[[CameraStatus], float]]] = {
    "camera_live": ("1", lambda s: float(s.state == "live")),
    "camera_sees": ("1", lambda s: float(s.sees)),
    "frame_rate": ("1/s", lambda s: s.received_rate),
    "analysed_rate": ("1/s", lambda s: s.analysed_rate),
    "bitrate": ("bit/s", lambda s: s.bitrate),
    "frame_age": ("s", lambda s: s.age),
    "reconnects": ("count", lambda s: float(s.reconnects)),
    "decode_errors": ("count", lambda s: float(s.decode_errors)),
    "clock_drift": ("s", lambda s: s.drift),
    "decoding_cost": ("1", lambda s: s.cost),
}  # fmt: skip
"""Metric, SenML unit, value. Beside them each detector's own figures (people, people_inside, …), counted."""


def measurements_of(statuses: Sequence[CameraStatus], at: int) -> Measurements:
    """The readings of ``statuses`` at ``at`` (UTC µs)."""
    found = Measurements()
    for number, status in enumerate(statuses):
        for metric, (unit, value) in FIGURES.items():
            found.add(number, series_name(status.camera, metric), unit, at, value(status))
        for metric, counted in status.figures.items():
            found.add(number, series_name(status.camera, metric), "count", at, counted)
    return found


async def measure(door: TelemetryDoor, statuses: Callable[[], Sequence[CameraStatus]]) -> None:
    """Put a reading of each figure on its way every few seconds, until cancelled. One that the door does not take is passed over."""
    while True:
        await asyncio.sleep(EVERY)
        found = measurements_of(statuses(), now_us())
        if len(found):
            try:
                await door.accept(found)
            except BihuanError as e:
                log.warning("the cameras' figures were not taken", error=str(e))
