"""The video part: the cameras of the site, watched in decoding processes; started anew when the site changes.

What must not go in: decoding, detectors, what an offline camera means.
"""

import asyncio
from pathlib import Path

import structlog

from bihuan.control import Beat
from bihuan.demo import CLIP_SECONDS, CLIP_SIZE, FLAME, clip_path
from bihuan.parts.part import Part, run
from bihuan.parts.site_watch import SiteWatch
from bihuan.preparation import now_us
from hazards.zones import Device
from ingest.cameras.health import CameraHealth
from ingest.cameras.process import run_video
from ingest.door import Door
from storage.database import Database
from storage.evidence import EvidenceStore
from storage.journal import Journal
from storage.site_store import Registry

log = structlog.get_logger()


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
    health: list[CameraHealth] = []

    def report(seen: list[CameraHealth]) -> None:
        health[:] = seen

    part.progress = lambda: Beat(note={"cameras": len(health), "live": sum(h.state == "live" for h in health)})
    part.ready()
    if settings.demo:
        await asyncio.to_thread(draw_clip, settings.folder)
    door, evidence = Door(journal, registry, now_us), EvidenceStore(settings.evidence_path)
    try:
        while not part.stopping.is_set():
            cameras, stop = cameras_of(registry()), asyncio.Event()
            log.info("watching", cameras=[c.id for c in cameras])
            looking = asyncio.create_task(run_video(cameras, door, evidence, report, stop, memory=settings.cameras_path))
            ending = asyncio.create_task(_until_other_cameras(part, registry, cameras))
            await asyncio.wait((looking, ending), return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)
            await looking
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await asyncio.to_thread(journal.close)
        await asyncio.to_thread(database.close)


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
