"""A door that keeps what it took, clips drawn for a test, and a video process of this test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hazards.admission import Report, admit
from hazards.errors import JournalFull
from hazards.messages import Signal
from hazards.zones import Device, Zone
from ingest.cameras.health import CameraHealth
from ingest.cameras.process import run_video
from ingest.cameras.synthetic import write_flame_clip
from storage.database import Database, sqlite_url
from storage.evidence import EvidenceStore
from storage.evidence_archive import EvidenceArchive


@dataclass
class MemoryDoor:
    """Takes reports as the real door does, by id; ``refusals`` is how many calls it refuses first."""

    refusals: int = 0
    signals: dict[str, Signal] = field(default_factory=dict)
    calls: int = 0

    async def accept(self, reports: Sequence[Report]) -> list[Signal]:
        self.calls += 1
        if self.refusals > 0:
            self.refusals -= 1
            raise JournalFull("full")
        taken = [admit(r, zone="smelter", synthetic=False, received_at=r.at or 0) for r in reports]
        for signal in taken:
            self.signals.setdefault(signal.id, signal)
        return taken

    def said(self, kind: str = "flame") -> list[str]:
        """Actions of ``kind`` in the order of acceptance."""
        return [str(s.action) for s in self.signals.values() if s.kind == kind]


@dataclass
class Room:
    """A running video process over ``cameras``."""

    door: MemoryDoor
    evidence: EvidenceStore
    health: dict[str, CameraHealth] = field(default_factory=dict)

    async def until(self, wanted: Callable[[], bool], seconds: float = 90) -> None:
        """Wait for ``wanted``; fails after ``seconds``."""
        async with asyncio.timeout(seconds):
            while not wanted():
                await asyncio.sleep(0.05)

    def state(self, camera: str = "CAM-1") -> str:
        return self.health[camera].state if camera in self.health else ""


@contextlib.asynccontextmanager
async def video(
    tmp_path: Path, *cameras: Device, door: MemoryDoor | None = None, processes: int = 1, zones: Mapping[str, Zone] | None = None
) -> AsyncIterator[Room]:  # fmt: skip
    """``run_video`` over ``cameras`` with files under ``tmp_path``; it ends with the block."""
    room = Room(door or MemoryDoor(), EvidenceStore(tmp_path / "evidence"))
    stop, database = asyncio.Event(), Database(sqlite_url(tmp_path / "ledger.sqlite"))
    archive = EvidenceArchive(room.evidence, database, tmp_path / "waiting", sign=lambda data: data.hex()[:8], public_key="00")

    def report(health: list[CameraHealth]) -> None:
        room.health = {h.camera: h for h in health}

    running = asyncio.create_task(
        run_video(cameras, room.door, archive, report, stop, memory=tmp_path / "cameras.json", zones=zones, processes=processes)
    )
    try:
        yield room
    finally:
        stop.set()
        await running
        database.close()


def camera(url: Path | str, camera_id: str = "CAM-1", *, loop: bool = False, detectors: Sequence[str] = ("flame",)) -> Device:
    """A camera device as a site file gives it."""
    address = url if isinstance(url, str) else f"file:{url}"
    return Device(id=camera_id, zone="smelter", type="camera", url=address, loop=loop, detectors=list(detectors))


def clip(path: Path, *, seconds: float, burning: tuple[float, float] = (0, 0)) -> Path:
    """A small drawn clip; the flame burns in ``burning`` seconds."""
    write_flame_clip(path, seconds=seconds, flame_from=burning[0], flame_to=burning[1], size=(352, 288))
    return path
