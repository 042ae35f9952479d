"""What cameras' alarms leave behind, for the length of the video part: the key that signs it, statements into SQL, the bound of the disk.

What must not go in: cameras, what may be thrown away (``storage/evidence_sweep.py``).
"""

import asyncio
from datetime import UTC, datetime

import structlog

from bihuan.configuration import Settings
from bihuan.ledger.key import load_key, make_key
from bihuan.parts.jobs import kept
from bihuan.preparation import now_us
from hazards.admission import Report
from hazards.errors import Unavailable
from hazards.messages import Action
from ingest.door import Door
from storage.database import Database
from storage.evidence import EvidenceStore
from storage.evidence_archive import EvidenceArchive
from storage.evidence_sweep import Bounds, EvidenceSweep, Swept

log = structlog.get_logger()

NOTE_SECONDS, SWEEP_SECONDS = 1.0, 60.0
SPACE = "evidence_space"
DEVICE = "evidence"
"""In whose name it is told that room was needed; no device of any site, so it is the control room's own affair."""
_WORDS = {
    "short": "证据空间不足，尚缺 {missing} 字节：其余证据均被隐患或封存引用，不能删除，请扩容。"
             " {missing} bytes are missing for evidence and all that is left is referred to by hazards or holds: add room.",
    "crowded": "证据空间不足：最旧的 {removed} 份未被引用的截图和录像已删除。"
               " The oldest {removed} pictures and clips that nothing refers to were removed to make room.",
}  # fmt: skip


def open_archive(settings: Settings, database: Database) -> EvidenceArchive:
    """The archive with this system's key, made at the first start. Blocks. Raises Misconfigured."""
    path = settings.evidence_key_path
    key = load_key(path) or make_key(path)
    store = EvidenceStore(settings.evidence_path)
    return EvidenceArchive(store, database, settings.evidence_waiting_path, sign=key.sign, public_key=key.public)


class EvidenceKeeping:
    """Runs beside the cameras. ``latest``: what the newest sweep did."""

    def __init__(self, settings: Settings, database: Database, archive: EvidenceArchive, door: Door) -> None:
        self._archive, self._door = archive, door
        bounds = Bounds(settings.evidence_days, settings.evidence_bound, settings.evidence_free)
        self._sweep = EvidenceSweep(database, EvidenceStore(settings.evidence_path), bounds)
        self.latest = Swept()

    async def run(self) -> None:
        """Note down and sweep until cancelled."""
        await asyncio.gather(kept("evidence.noting", self._note_down), kept("evidence.sweeping", self._sweep_on))

    async def _note_down(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._archive.note_down, now_us())
            except Unavailable as e:  # SQL is away: the statements wait in their folder
                log.debug("evidence is noted later", error=str(e))
            await asyncio.sleep(NOTE_SECONDS)

    async def _sweep_on(self) -> None:
        while True:
            try:
                self.latest = await asyncio.to_thread(self._sweep.sweep, now_us())
                if self.latest.crowded or self.latest.short:
                    await self._tell(self.latest)
            except Unavailable as e:
                log.warning("evidence could not be swept", error=str(e))
            await asyncio.sleep(SWEEP_SECONDS)

    async def _tell(self, swept: Swept) -> None:
        """Once a day each: that old evidence went for want of room, and that none is left that may go."""
        cause = "short" if swept.short else "crowded"
        log.warning("room for evidence is short", removed=swept.crowded, kept_bytes=swept.kept, missing_bytes=swept.short)
        now = now_us()
        day = datetime.fromtimestamp(now / 1e6, UTC).date().isoformat()
        message = _WORDS[cause].format(removed=swept.crowded, missing=swept.short)
        report = Report(
            source="bihuan/evidence", source_id=f"{cause}/{day}", device=DEVICE, kind=SPACE, action=Action.PULSE, at=now, message=message,
            details={"removed": swept.crowded, "missing": swept.short},
        )  # fmt: skip
        await self._door.accept([report])
