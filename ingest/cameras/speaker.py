"""From what a camera saw to the door: evidence file, report, and the memory of what stands. One report after another.

An alarm is never lost for its picture: where the picture can't be kept the alarm goes without it, and says so. What is not part of the
alarm itself, the picture without the box and the clip, never keeps one waiting.
What must not go in: processes, decoding, the judgement of pictures, keys.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential_jitter

from hazards.admission import Report
from hazards.camera_evidence import Role, Statement
from hazards.errors import BihuanError, StorageUnavailable, Unavailable
from hazards.messages import Action, Signal
from hazards.zones import Device
from ingest.cameras.eye_messages import Clip, Glimpse, Saw
from ingest.cameras.standing import Standing

log = structlog.get_logger()

_REAL_FIGURES = 3
MOST_WAITING = 200
"""Pictures and clips that wait for the disk, beyond which small pictures are passed over."""
_OWN = frozenset({"camera_offline", "blind_zone", "device_fault"})
"""Kinds that are judged of the camera itself, by no detector."""


class AcceptingDoor(Protocol):
    """The one way in (``ingest.door.Door``)."""

    async def accept(self, reports: Sequence[Report]) -> list[Signal]:
        """Durably take all, or raise and take none."""


class Archive(Protocol):
    """Where pictures and clips are kept and signed (``storage.evidence_archive.EvidenceArchive``)."""

    def keep(self, data: bytes, statement: Statement) -> Statement:
        """The completed statement of what is on disk. Blocks. Raises StorageUnavailable."""

    def show(self, camera: str, picture: bytes) -> None:
        """The newest small picture of ``camera``, in place of the one before. Blocks. Raises StorageUnavailable."""


def source_of(camera: str) -> str:
    """The source of a camera's signals; source and onset make their ids."""
    return f"camera/{camera}"


class Speaker:
    """Speaks for the cameras, in order. ``run`` works until it is cancelled; ``drain`` waits until all is said."""

    def __init__(self, cameras: Mapping[str, Device], door: AcceptingDoor, archive: Archive, standing: Standing) -> None:
        self._cameras, self._door, self._archive, self._standing = cameras, door, archive, standing
        self._waiting: asyncio.Queue[Saw | Report] = asyncio.Queue()
        self._more: asyncio.Queue[tuple[bytes, Statement] | Glimpse] = asyncio.Queue()

    def say(self, said: Saw) -> None:
        """Queue what was seen."""
        self._waiting.put_nowait(said)

    def clip(self, clip: Clip) -> None:
        """Queue the clip that belongs to something seen before."""
        self._more.put_nowait((clip.video, self._statement(clip, Role.CLIP, "video/mp4", clip.first, clip.last)))

    def glimpse(self, glimpse: Glimpse) -> None:
        """Queue what a camera shows now and then; on a full disk the clips of alarms come first."""
        if self._more.qsize() < MOST_WAITING:
            self._more.put_nowait(glimpse)

    async def run_archive(self) -> None:
        """Keep pictures without their box, clips, and the newest picture of each camera, until cancelled."""
        while True:
            item = await self._more.get()
            try:
                if isinstance(item, Glimpse):
                    await asyncio.to_thread(self._archive.show, item.camera, item.picture)
                else:
                    await asyncio.to_thread(self._archive.keep, *item)
            except StorageUnavailable as e:
                camera = item.camera if isinstance(item, Glimpse) else item[1].device
                log.warning("a picture could not be kept", camera=camera, error=str(e))
            self._more.task_done()

    async def run(self) -> None:
        """Send what an earlier process left unsent, clear what has no camera any more, then what is said."""
        for report in self._standing.unsent():
            await self._send_or_drop(report)
        for camera in sorted(self._standing.devices() - set(self._cameras)):
            for kind in self._standing.raised(camera):
                self._waiting.put_nowait(_ended(camera, kind, "camera_removed"))
        for camera, device in self._cameras.items():
            for kind in set(self._standing.raised(camera)) - _known_kinds(device):
                self._waiting.put_nowait(_ended(camera, kind, "detector_removed"))
        while True:
            said = await self._waiting.get()
            await self._tell(said)
            self._waiting.task_done()

    async def drain(self) -> None:
        """Wait until everything queued is with the door, and kept."""
        await self._waiting.join()
        await self._more.join()

    async def _tell(self, said: Saw | Report) -> None:
        if isinstance(said, Saw):
            if said.plain is not None:
                self._more.put_nowait((said.plain, self._statement(said, Role.PLAIN, "image/jpeg", said.at, said.at)))
            said = await self._report(said)
        await asyncio.to_thread(self._standing.keep, said)
        await self._send_or_drop(said)

    async def _send_or_drop(self, report: Report) -> None:
        """Send it; what the door will never take is dropped, or it would stand before every later alarm for ever."""
        try:
            await self._send(report)
        except BihuanError as e:
            log.exception("an alarm of a camera was refused", camera=report.device, kind=report.kind, error=e.what)
            await asyncio.to_thread(self._standing.accepted, report)

    async def _send(self, report: Report) -> None:
        waiting = wait_exponential_jitter(multiplier=0.2, max=5)
        async for attempt in AsyncRetrying(retry=retry_if_exception_type(Unavailable), wait=waiting):
            with attempt:
                await self._door.accept([report])
        await asyncio.to_thread(self._standing.accepted, report)
        log.info("camera", camera=report.device, kind=report.kind, action=str(report.action), **report.details.get("seen", {}))

    async def _report(self, saw: Saw) -> Report:
        details: dict[str, object] = {
            "cause": saw.cause, "seen": {"t": round(saw.t, _REAL_FIGURES), "frame": saw.frame},
            "cues": {name: round(value, _REAL_FIGURES) for name, value in saw.cues.items()}, "fired": saw.fired,
        }
        sha256 = None
        if saw.picture is not None:
            try:
                statement = self._statement(saw, Role.BOXED, "image/jpeg", saw.at, saw.at)
                sha256 = (await asyncio.to_thread(self._archive.keep, saw.picture, statement)).sha256
            except StorageUnavailable as e:
                log.warning("a snapshot could not be kept", camera=saw.camera, error=str(e))
                details["snapshot_problem"] = e.what
        raised = saw.state == "raised"
        return Report(
            source=source_of(saw.camera), source_id=None, device=saw.camera, kind=saw.kind, action=Action(saw.state), at=saw.at,
            score=round(saw.score, _REAL_FIGURES) if raised and saw.kind not in _OWN else None,
            box=saw.box if raised and any(saw.box) else None, message=saw.cause if saw.kind in _OWN and raised else "",
            snapshot=sha256, sequence=self._standing.next_sequence(), details=details,
        )

    def _statement(self, said: Saw | Clip, role: Role, media_type: str, begins: int, ends: int) -> Statement:
        return Statement(
            sha256="", media_type=media_type, size=0, device=said.camera, zone=self._cameras[said.camera].zone, kind=said.kind,
            onset=said.at, role=role, begins=begins, ends=ends,
        )  # fmt: skip


def _known_kinds(device: Device) -> set[str]:
    """Kinds that may still be told of ``device``: others stand there for ever unless they are cleared."""
    models = device.settings.get("detector_settings", {}).get("onnx", {}).get("kinds", {}) if "onnx" in device.detectors else {}
    return {*_OWN, *device.detectors, *models.values()}


def _ended(camera: str, kind: str, cause: str) -> Saw:
    return changed(camera, kind, "cleared", cause)


def changed(camera: str, kind: str, state: str, cause: str) -> Saw:
    """A condition that began or ended without a picture: a camera that was lost, came back or was removed."""
    now = time.time_ns() // 1000
    return Saw(camera, kind, "raised" if state == "raised" else "cleared", 0.0, (0.0, 0.0, 0.0, 0.0), now, 0.0, 0, cause, {})
