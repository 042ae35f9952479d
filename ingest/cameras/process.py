"""The cameras of this machine: decoding processes, what they see to the door, and who is offline.

Cameras share a few processes. A decoder that dies takes its process with it: the cameras of that process come back in two new
ones, half and half, so after a few deaths the one that kills is alone and disturbs nobody, and comes back with growing pauses.
What must not go in: decoding, detectors, evidence files.
"""

import asyncio
import contextlib
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import structlog

from detectors import DETECTORS
from hazards.zones import Device
from ingest.cameras.children import child_environment, death
from ingest.cameras.eye_messages import HEAD_BYTES, CameraOrder, EyeMessage, Saw, body_length, unpack
from ingest.cameras.health import CameraHealth
from ingest.cameras.speaker import AcceptingDoor, Speaker, changed
from ingest.cameras.standing import Standing
from storage.evidence import EvidenceStore

log = structlog.get_logger()

OFFLINE = "camera_offline"
LOOK_SECONDS = 0.5
SILENT_SECONDS = 15.0
"""Without a message for so long a decoding process hangs; it says something every second."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0


class Eyes:
    """The decoding processes of ``cameras``."""

    def __init__(self, cameras: Sequence[Device], speaker: Speaker, standing: Standing) -> None:
        self._cameras = {device.id: device for device in cameras}
        self._speaker, self._standing = speaker, standing
        self._raised = {device.id: set(standing.raised(device.id)) - {OFFLINE} for device in cameras}
        now = time.monotonic()
        self.health = {d.id: CameraHealth(d.id, "opening", now, offline=OFFLINE in standing.raised(d.id)) for d in cameras}

    async def host(self, cameras: Sequence[str]) -> None:
        """Keep ``cameras`` watched until cancelled."""
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            died = await self._life(cameras)
            for camera in cameras:
                self.health[camera] = self.health[camera].lost(f"its decoder died {died}")
            log.error("a decoding process died", cameras=list(cameras), died=died)
            if len(cameras) > 1:
                middle = len(cameras) // 2
                await asyncio.gather(self.host(cameras[:middle]), self.host(cameras[middle:]))
            pause = FIRST_PAUSE if time.monotonic() - began > LONGEST_PAUSE else min(LONGEST_PAUSE, pause * 2)
            await asyncio.sleep(pause * random.uniform(0.7, 1.3))

    def judge(self) -> None:
        """Raise and clear the offline alarms."""
        now = time.monotonic()
        for camera, health in self.health.items():
            self.health[camera], change = health.judged(now)
            if change is not None:
                self._speaker.say(changed(camera, OFFLINE, change, health.what if change == "raised" else "back"))

    async def _life(self, cameras: Sequence[str]) -> str:
        """One process from its start to its death; how it died."""
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ingest.cameras.eye", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env=child_environment(),
        )
        try:
            if child.stdin is not None and child.stdout is not None:
                with contextlib.suppress(ConnectionError):
                    child.stdin.write(msgspec.json.encode([self._order(c) for c in cameras]) + b"\n")
                    await child.stdin.drain()
                await self._listen(child.stdout)
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await asyncio.shield(child.communicate())  # to the end of its output: a pipe that is not empty would stay open
        return death(await child.wait())

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        """Take messages until the process ends, hangs or talks nonsense."""
        try:
            while True:
                async with asyncio.timeout(SILENT_SECONDS):  # not wait_for: on Python 3.11 it can swallow a cancellation
                    head = await stream.readexactly(HEAD_BYTES)
                    body = await stream.readexactly(body_length(head))
                self._take(unpack(body))
        except (asyncio.IncompleteReadError, TimeoutError, ValueError, msgspec.DecodeError) as e:
            log.info("a decoding process fell silent", error=type(e).__name__)

    def _take(self, message: EyeMessage) -> None:
        if isinstance(message, Saw):
            standing = self._raised[message.camera]
            (standing.add if message.state == "raised" else standing.discard)(message.kind)
            self._speaker.say(message)
        else:
            self.health[message.camera] = self.health[message.camera].heard(message, time.monotonic())

    def _order(self, camera: str) -> CameraOrder:
        device = self._cameras[camera]
        names = [name for name in device.detectors if name in DETECTORS]
        return CameraOrder(device.id, device.url, device.loop, names, device.areas, sorted(self._raised[camera]))


def groups(cameras: Sequence[str], processes: int) -> list[list[str]]:
    """``cameras`` over at most ``processes`` processes, in turn."""
    return [list(cameras[n::processes]) for n in range(min(processes, len(cameras)))]


async def run_video(
    cameras: Sequence[Device], door: AcceptingDoor, evidence: EvidenceStore, report: Callable[[list[CameraHealth]], None],
    stop: asyncio.Event, *, memory: Path, processes: int | None = None,
) -> None:
    """Watch ``cameras`` until ``stop``; nothing of it is left behind afterwards. ``report`` hears of every camera twice a second.

    ``memory``: the file that knows across restarts what the cameras have raised. ``processes``: decoding processes to start
    with, None: one a core. A detector name that is not known here is a warning: it is not built yet."""
    for device in cameras:
        for name in device.detectors:
            if name not in DETECTORS:
                log.warning("no such detector", camera=device.id, detector=name, there_are=sorted(DETECTORS))
    standing = await asyncio.to_thread(Standing, memory)
    speaker = Speaker({device.id: device for device in cameras}, door, evidence, standing)
    eyes = Eyes(cameras, speaker, standing)
    hosts = groups([device.id for device in cameras], processes or os.cpu_count() or 1)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(speaker.run())] + [group.create_task(eyes.host(cameras)) for cameras in hosts]
        while not stop.is_set():
            eyes.judge()
            report(list(eyes.health.values()))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await stop.wait()
        for task in tasks[1:]:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await speaker.drain()  # what is left is in the memory and goes out at the next start
        tasks[0].cancel()
