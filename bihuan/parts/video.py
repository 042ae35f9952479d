"""The video part: the cameras of the site through their detectors to the door; begun anew when the cameras of the site change.

What must not go in: decoding (children of ``ingest.cameras.process``), detectors.
"""

import asyncio
from collections.abc import Sequence

import structlog

from bihuan.control import Beat
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
    """The cameras of the site that have somewhere to look, by id."""
    return sorted((d for d in registry.devices.values() if d.type == "camera" and d.url), key=lambda d: d.id)


async def watch(part: Part) -> None:
    """Watch the cameras until told to stop."""
    settings = part.settings
    database = Database(settings.database_url, readers=1)
    journal = await asyncio.to_thread(Journal, settings.journal_path, max_rows=settings.journal_rows)
    registry = SiteWatch(database)
    await registry.first(part.stopping)
    watching = asyncio.create_task(registry.run())
    door, evidence = Door(journal, registry, now_us), EvidenceStore(settings.evidence_path)
    latest: list[CameraHealth] = []

    def report(health: list[CameraHealth]) -> None:
        latest[:] = health

    part.progress = lambda: Beat(note={"cameras": {h.camera: h.state for h in latest}})
    part.ready()
    try:
        while not part.stopping.is_set():
            registry.changed.clear()
            cameras, stop = cameras_of(registry()), asyncio.Event()
            latest.clear()
            seeing = asyncio.create_task(run_video(cameras, door, evidence, report, stop, memory=settings.folder / "cameras.json"))
            await _until_other(part.stopping, registry, cameras, seeing)
            stop.set()
            await seeing
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await asyncio.to_thread(journal.close)
        await asyncio.to_thread(database.close)


async def _until_other(stopping: asyncio.Event, registry: SiteWatch, cameras: Sequence[Device], seeing: "asyncio.Task[None]") -> None:
    """Until the part stops, its cameras are others, or the watch itself fails."""
    end = asyncio.create_task(stopping.wait())
    try:
        while True:
            change = asyncio.create_task(registry.changed.wait())
            done, _ = await asyncio.wait({end, change, seeing}, return_when=asyncio.FIRST_COMPLETED)
            change.cancel()
            if end in done or seeing in done or cameras_of(registry()) != cameras:
                return
            registry.changed.clear()
    finally:
        end.cancel()


def main() -> None:
    """Be the video part."""
    run(watch)
