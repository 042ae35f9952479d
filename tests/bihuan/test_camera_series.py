"""Figures of cameras as readings: what goes into the time series, and that a full door does not stop the cameras."""

import asyncio

import pytest

from bihuan.parts import camera_series
from bihuan.parts.camera_series import FIGURES, measure, measurements_of
from hazards.cameras import CameraStatus
from hazards.errors import JournalFull
from ingest.measurements import Measurements
from ingest.telemetry_door import Taken

LIVE = CameraStatus(camera="CAM-1", zone="depot", state="live", noted_at=0, received_rate=12.0, figures={"people_inside": 3.0})
COVERED = CameraStatus(camera="CAM-2", zone="depot", state="live", noted_at=0, raised=["tamper"])


def test_each_figure_is_a_series_of_its_camera() -> None:
    found = measurements_of([LIVE, COVERED], 7)
    rows = dict(zip(found.name, zip(found.unit, found.value, found.at, strict=True), strict=True))
    assert len(rows) == len(found) == 2 * len(FIGURES) + 1
    assert rows["CAM-1/frame_rate"] == ("1/s", 12.0, 7)
    assert rows["CAM-1/people_inside"] == ("count", 3.0, 7)
    assert (rows["CAM-1/camera_sees"][1], rows["CAM-2/camera_sees"][1], rows["CAM-2/camera_live"][1]) == (1.0, 0.0, 1.0)


async def test_a_door_that_is_full_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Door:
        taken = 0
        refused = 0

        async def accept(self, found: Measurements) -> Taken:
            if not self.refused:
                self.refused += 1
                raise JournalFull("full")
            self.taken += len(found)
            return Taken(len(found), [])

    door = Door()
    monkeypatch.setattr(camera_series, "EVERY", 0.01)
    running = asyncio.create_task(measure(door, lambda: [LIVE]))  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        while not door.taken:
            await asyncio.sleep(0.01)
    running.cancel()
    assert door.refused == 1
