"""The video part: the cameras of the site, watched in decoding processes; started anew when the site changes.

What must not go in: decoding, detectors, what an offline camera means.
"""

import asyncio
import contextlib
from functools import partial
from pathlib import Path

import structlog

from bihuan.control import Beat
from bihuan.demo import CLIP_SECONDS, CLIP_SIZE, FLAME, clip_path
from bihuan.parts.camera_evidence import EvidenceKeeping, open_archive
from bihuan.parts.camera_series import measure
from bihuan.parts.notes import keep_notes
from bihuan.parts.part import Part, run
from bihuan.parts.site_watch import SiteWatch
from bihuan.preparation import now_us
from hazards.cameras import CameraStatus
from hazards.errors import StorageUnavailable
from hazards.zones import Device
from ingest.cameras.health import CameraHealth, status_of
from ingest.cameras.process import run_video
from ingest.door import Door
from ingest.telemetry_door import TelemetryDoor
from storage.camera_statuses import note_cameras
from storage.database import Database
from storage.journal import Journal
from storage.site_store import Registry

log = structlog.get_logger()

TELL_SECONDS, MOST_SERIES = 2.0, 50_000


def cameras_of(registry: Registry) -> list[Device]:
    """The cameras that have an address."""
    return [device for device in registry.devices.values() if device.type == "camera" and device.url]


def draw_clip(folder: Path) -> None:
    """Draw what the demonstration's cameras look at, unless it is there: before they look, else they would be offline."""
    path = clip_path(folder)
    if not path.is_file():
        from ingest.cameras.synthetic import write_flame_clip  # OpenCV and PyAV are the decoding processes', but for this

        path.parent.mkdir(exist_ok=True)
        write_flame_clip(path, seconds=CLIP_SECONDS, flame_from=FLAME[0], flame_to=FLAME[1], size=CLIP_SIZE)


async def watch(part: Part) -> None:
    """Watch until told to stop."""
    settings = part.settings
    database = Database(settings.database_url, readers=1)
    journal = await asyncio.to_thread(Journal, settings.journal_path, max_rows=settings.journal_rows)
    registry = SiteWatch(database)
    await registry.first(part.stopping)
    watching = asyncio.create_task(registry.run())
    seen = _Seen(registry)
    archive = await asyncio.to_thread(open_archive, settings, database)
    door = Door(journal, registry, now_us)
    keeping = EvidenceKeeping(settings, database, archive, door)
    part.progress = lambda: Beat(note=seen.figures() | {"evidence_bytes": keeping.latest.kept})
    part.ready()
    if settings.demo:
        await asyncio.to_thread(draw_clip, settings.folder)
    telemetry = TelemetryDoor(journal, registry, now_us, gather=settings.telemetry_pack_ms / 1000, max_unknown=MOST_SERIES)
    works = keeping.run(), seen.tell(database), keep_notes(part, database), measure(telemetry, seen.statuses)
    beside = [asyncio.create_task(work) for work in works]
    try:
        while not part.stopping.is_set():
            cameras, zones, stop = cameras_of(registry()), registry().zones, asyncio.Event()
            log.info("watching", cameras=[c.id for c in cameras])
            looking = asyncio.create_task(run_video(cameras, door, archive, seen.report, stop, memory=settings.cameras_path, zones=zones))
            ending = asyncio.create_task(_until_other_cameras(part, registry, cameras))
            await asyncio.wait((looking, ending), return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)
            await looking
    finally:
        for task in (watching, *beside):
            task.cancel()
        await asyncio.gather(watching, *beside, return_exceptions=True)
        await telemetry.close()
        await asyncio.to_thread(journal.close)
        await asyncio.to_thread(database.close)


class _Seen:
    """How the cameras are, as ``run_video`` reported last."""

    def __init__(self, registry: SiteWatch) -> None:
        self._registry = registry
        self._health: list[CameraHealth] = []

    def report(self, health: list[CameraHealth]) -> None:
        """Take the latest."""
        self._health = health

    def figures(self) -> dict[str, float]:
        """For the supervisor and `/metrics`: how many there are, live, offline, looked at, and the oldest frame that was looked at."""
        found = self._health
        return {
            "cameras": len(found), "live": sum(h.state == "live" for h in found), "offline": sum(h.offline for h in found),
            "analysed_frames": round(sum(h.analysed for h in found), 2), "frame_age": max((h.age for h in found), default=0.0),
            "reconnects": sum(h.reconnects for h in found), "decode_errors": sum(h.decode_errors for h in found),
        }  # fmt: skip

    def statuses(self) -> list[CameraStatus]:
        """Every camera as people are told."""
        now, devices = now_us(), self._registry().devices
        return [status_of(h, devices[h.camera].zone if h.camera in devices else "", now) for h in self._health]

    async def tell(self, database: Database) -> None:
        """Note every camera in SQL, until cancelled; while SQL is away nobody could read it either."""
        while True:
            await asyncio.sleep(TELL_SECONDS)
            statuses, now = self.statuses(), now_us()
            with contextlib.suppress(StorageUnavailable):
                await database.writing(partial(note_cameras, statuses=statuses, now=now))


async def _until_other_cameras(part: Part, registry: SiteWatch, cameras: list[Device]) -> None:
    """Return when the part stops or the site has other cameras, or other settings of one."""
    stopping = asyncio.create_task(part.stopping.wait())
    try:
        while not stopping.done() and cameras_of(registry()) == cameras:
            registry.changed.clear()
            changed = asyncio.create_task(registry.changed.wait())
            await asyncio.wait((stopping, changed), return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
    finally:
        stopping.cancel()


def main() -> None:
    """Be the video part."""
    run(watch)
