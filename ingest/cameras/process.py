"""The cameras of this machine: decoding processes, what they see to the door, and who is offline.

Cameras share a few processes, about one a core, and move when one of them has too much to do. A decoder that dies takes its process
with it: the cameras of that process come back in two new ones, half and half, so after a few deaths the one that kills is alone and
disturbs nobody, and comes back with growing pauses. What must not go in: decoding, detectors, evidence files.
"""

import asyncio
import contextlib
import itertools
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from detectors import DETECTORS
from hazards.cameras import CameraStatus, blind_zones
from hazards.zones import Device, Zone
from ingest.cameras.eye_messages import CameraOrder, Clip, EyeMessage, Glimpse, Looked, Saw
from ingest.cameras.health import CameraHealth, status_of
from ingest.cameras.host import Host
from ingest.cameras.placing import UNKNOWN_COST, next_move, spread
from ingest.cameras.speaker import AcceptingDoor, Archive, Speaker, changed
from ingest.cameras.standing import Standing

log = structlog.get_logger()

OFFLINE, BLIND, FAULT = "camera_offline", "blind_zone", "device_fault"
LOOK_SECONDS = 0.5
BALANCE_SECONDS = 10.0
"""Seconds between two moves of a camera: a move must show in the costs before the next."""
SUSPECT_SECONDS = 600.0
"""Seconds that a process must have lived after a death before its cameras may share a process with others again."""
OLD = 1.0
"""Age of a frame in seconds from which its process counts as overloaded."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
MOST_WORDS = 500
"""Characters that are said of why a zone is blind or a detector fails."""


class Eyes:
    """The decoding processes of ``cameras``."""

    def __init__(self, cameras: Sequence[Device], zones: Mapping[str, Zone], speaker: Speaker, standing: Standing) -> None:
        self._cameras, self._zones = {device.id: device for device in cameras}, zones
        self._speaker, self._standing = speaker, standing
        self._raised = {device.id: set(standing.raised(device.id)) - {OFFLINE, BLIND, FAULT} for device in cameras}
        self._costs = dict.fromkeys(self._cameras, UNKNOWN_COST)
        self._hosts: dict[int, Host] = {}
        self._suspects: set[int] = set()
        self._numbers = itertools.count(1)
        self._faulty = {d.id for d in cameras if FAULT in standing.raised(d.id)}
        self._blind = {d.zone: d.id for d in cameras if BLIND in standing.raised(d.id)}
        now = time.monotonic()
        self.health = {d.id: CameraHealth(d.id, "opening", now, offline=OFFLINE in standing.raised(d.id)) for d in cameras}

    async def run(self, processes: int) -> None:
        """Keep all cameras watched by ``processes`` processes, more where some die, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for cameras in spread(self._costs, processes):
                group.create_task(self.host(cameras))
            group.create_task(self._balance(group))

    async def host(self, cameras: Sequence[str], *, suspect: bool = False) -> None:
        """Keep ``cameras``, and those that are moved to them, watched until cancelled or until none is left."""
        host = Host(next(self._numbers), list(cameras), self._order, self._hear)
        self._hosts[host.number] = host
        if suspect:
            self._suspects.add(host.number)
        pause = FIRST_PAUSE
        try:
            while host.cameras:
                began = time.monotonic()
                died = await host.life()
                if not host.cameras:
                    return
                for camera in host.cameras:
                    self.health[camera] = self.health[camera].lost(f"its decoder died {died}")
                log.error("a decoding process died", cameras=list(host.cameras), died=died)
                self._suspects.add(host.number)
                if len(host.cameras) > 1:
                    middle = len(host.cameras) // 2
                    halves = host.cameras[:middle], host.cameras[middle:]
                    host.cameras.clear()  # nothing is moved to it any more
                    del self._hosts[host.number]
                    await asyncio.gather(*(self.host(half, suspect=True) for half in halves))
                    return
                pause = FIRST_PAUSE if time.monotonic() - began > LONGEST_PAUSE else min(LONGEST_PAUSE, pause * 2)
                await asyncio.sleep(pause * random.uniform(0.7, 1.3))
        finally:
            self._hosts.pop(host.number, None)
            self._suspects.discard(host.number)

    def judge(self) -> None:
        """Raise and clear the alarms of cameras that are offline or whose detectors fail, and of zones that no camera shows."""
        now = time.monotonic()
        for camera, health in self.health.items():
            self.health[camera], change = health.judged(now)
            if change is not None:
                self._speaker.say(changed(camera, OFFLINE, change, health.what if change == "raised" else "back"))
            fails = bool(health.problems)
            if fails != (camera in self._faulty) and (fails or health.analysed):
                self._faulty ^= {camera}
                why = "; ".join(f"{name}: {what}" for name, what in health.problems.items())[:MOST_WORDS]
                self._speaker.say(changed(camera, FAULT, "raised" if why else "cleared", why or "its detectors work"))
        blind = blind_zones(self._zones, self._cameras.values(), self.statuses())
        for zone in set(self._blind) - set(blind):
            self._speaker.say(changed(self._blind.pop(zone), BLIND, "cleared", "seen"))
        for zone in set(blind) - set(self._blind):
            self._blind[zone] = blind[zone]
            self._speaker.say(changed(blind[zone], BLIND, "raised", self._why_blind(zone)))

    def statuses(self) -> dict[str, CameraStatus]:
        """Every camera as people are told."""
        now = time.time_ns() // 1000
        return {camera: status_of(health, self._cameras[camera].zone, now) for camera, health in self.health.items()}

    def _why_blind(self, zone: str) -> str:
        own = (h for c, h in self.health.items() if self._cameras[c].zone == zone)
        return "; ".join(f"{h.camera}: {h.what or ', '.join(h.raised) or h.state}" for h in own)[:MOST_WORDS]

    async def _balance(self, group: asyncio.TaskGroup) -> None:
        """Move one camera at a time away from a process that has too much to do."""
        while True:
            await asyncio.sleep(BALANCE_SECONDS)
            now = time.monotonic()
            self._suspects -= {n for n in self._suspects if n not in self._hosts or now - self._hosts[n].began > SUSPECT_SECONDS}
            able = {n: host for n, host in self._hosts.items() if n not in self._suspects}
            late = [n for n, host in able.items() if any(self.health[c].age > OLD for c in host.cameras)]
            move = next_move({n: {c: self._costs[c] for c in host.cameras} for n, host in able.items()}, late=late)
            if move is not None:
                log.info("a camera moves to another process", camera=move.camera, cost=round(self._costs[move.camera], 3))
                await able[move.origin].leave(move.camera)
                await self._settle(move.camera, able[move.target], group)

    async def _settle(self, camera: str, host: Host, group: asyncio.TaskGroup) -> None:
        """``camera`` has no process: it goes to ``host``, or where that died meanwhile, to one of its own."""
        if host.number in self._hosts:
            await host.take(camera)
        else:
            group.create_task(self.host([camera]))

    def _hear(self, message: EyeMessage) -> None:
        if isinstance(message, Saw):
            standing = self._raised[message.camera]
            (standing.add if message.state == "raised" else standing.discard)(message.kind)
            self._speaker.say(message)
        elif isinstance(message, Clip):
            self._speaker.clip(message)
        elif isinstance(message, Glimpse):
            self._speaker.glimpse(message)
        elif isinstance(message, Looked):
            self._costs[message.camera] += 0.2 * (message.cost - self._costs[message.camera])
            self.health[message.camera] = replace(
                self.health[message.camera].heard(message, time.monotonic()), process=self._process_of(message.camera)
            )

    def _process_of(self, camera: str) -> int:
        return next((n for n, host in self._hosts.items() if camera in host.cameras), 0)

    def _order(self, camera: str) -> CameraOrder:
        return order_of(self._cameras[camera], sorted(self._raised[camera]))


def order_of(device: Device, raised: Sequence[str]) -> CameraOrder:
    """What an eye is told of ``device``, at which the kinds ``raised`` stand."""
    names = [name for name in device.detectors if name in DETECTORS]
    settings: Mapping[str, Any] = device.settings
    return CameraOrder(
        device.id, device.url, device.loop, names, device.areas, list(raised),
        masks=settings.get("masks", []), parameters=settings.get("detector_settings", {}), transport=str(settings.get("transport", "tcp")),
    )  # fmt: skip


async def run_video(
    cameras: Sequence[Device], door: AcceptingDoor, archive: Archive, report: Callable[[list[CameraHealth]], None],
    stop: asyncio.Event, *, memory: Path, zones: Mapping[str, Zone] | None = None, processes: int | None = None,
) -> None:  # fmt: skip
    """Watch ``cameras`` until ``stop``; nothing of it is left behind afterwards. ``report`` hears of every camera twice a second.
    ``zones``: of the site, by id; of the red and orange ones it is told when no camera shows them.

    ``memory``: the file that knows across restarts what the cameras have raised. ``processes``: decoding processes to start
    with, None: one a core. A detector name that is not known here is a warning: it is not built yet."""
    for device in cameras:
        for name in device.detectors:
            if name not in DETECTORS:
                log.warning("no such detector", camera=device.id, detector=name, there_are=sorted(DETECTORS))
    standing = await asyncio.to_thread(Standing, memory)
    speaker = Speaker({device.id: device for device in cameras}, door, archive, standing)
    eyes = Eyes(cameras, zones or {}, speaker, standing)
    async with asyncio.TaskGroup() as group:
        speaking = [group.create_task(work()) for work in (speaker.run, speaker.run_archive)]
        watching = group.create_task(eyes.run(processes or os.cpu_count() or 1))
        while not stop.is_set():
            eyes.judge()
            report(list(eyes.health.values()))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await stop.wait()
        watching.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await speaker.drain()  # what is left is in the memory and goes out at the next start
        for task in speaking:
            task.cancel()
