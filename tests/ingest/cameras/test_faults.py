"""A day of faults: each shows in the camera's health within ten seconds, and the camera beside it in the same process goes on."""

import asyncio
import contextlib
import ctypes
import gc
import os
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from ingest.cameras.camera import Camera
from ingest.cameras.eye_messages import CameraOrder, EyeMessage
from ingest.cameras.health import CameraHealth
from tests.ingest.cameras.scenes import Room, camera, clip, video
from tests.ingest.cameras.streams import ANSWER, MisbehavingCamera, Part, transport_stream
from tests.real.ports import free_port
from tests.real.rtsp import Rtsp, RtspServer

SEEN_WITHIN = 10.0
"""Seconds."""
GARBAGE = os.urandom(1300)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip(tmp_path_factory.mktemp("faults") / "quiet.mp4", seconds=10)


@dataclass
class Patient:
    """One camera among others in a room; ``seen`` waits for its health."""

    room: Room
    name: str

    async def seen(self, what: Callable[[CameraHealth], bool]) -> CameraHealth:
        """Its health as soon as ``what`` is true of it, within ten seconds."""
        began = time.monotonic()
        try:
            await self.room.until(lambda: self.name in self.room.health and what(self.room.health[self.name]), seconds=SEEN_WITHIN)
        except TimeoutError:
            raise AssertionError(f"{self.name}: not seen within {SEEN_WITHIN} s: {self.room.health.get(self.name)}") from None
        print(f"{self.name}: seen after {time.monotonic() - began:.1f} s")
        return self.room.health[self.name]


async def stops(patient: Patient, server: MisbehavingCamera) -> None:
    live = await patient.seen(lambda h: h.state == "live" and h.bitrate > 0 and h.rate > 8)
    assert (live.width, live.height) == (320, 240)
    assert abs(live.last_at / 1e6 - time.time()) < 3
    await asyncio.sleep(2)
    lost = await patient.seen(lambda h: h.state == "lost")
    assert "no answer in time" in lost.what or "timed out" in lost.what
    server.script = transport_stream(60)
    back = await patient.seen(lambda h: h.state == "live")
    assert back.reconnects >= 1


async def is_lost(patient: Patient, _: MisbehavingCamera) -> None:
    lost = await patient.seen(lambda h: h.state == "lost")
    assert lost.what


async def is_live_then_lost(patient: Patient, _: MisbehavingCamera) -> None:
    await patient.seen(lambda h: h.state == "live")
    await patient.seen(lambda h: h.state == "lost")


async def changes_resolution(patient: Patient, _: MisbehavingCamera) -> None:
    await patient.seen(lambda h: h.width == 320)
    changed = await patient.seen(lambda h: h.width == 640 and h.height == 480)
    assert changed.state == "live"


async def goes_back_in_time(patient: Patient, _: MisbehavingCamera) -> None:
    await patient.seen(lambda h: h.state == "live" and h.frames > 12)
    back = await patient.seen(lambda h: h.jumps == 1)
    assert back.state == "live"
    assert back.drift == pytest.approx(-3603, abs=5)


async def refuses(patient: Patient, server: MisbehavingCamera) -> None:
    refused = await patient.seen(lambda h: h.what == "refused the password")
    assert refused.state == "lost"
    assert "hunter22" not in repr(refused)
    knocked = server.clients
    await asyncio.sleep(4)
    assert server.clients == knocked, "it does not keep knocking: cameras lock a user out"


UNAUTHORIZED = b"%s 401 Unauthorized\r\nCSeq: %d\r\nWWW-Authenticate: Basic realm=camera\r\nContent-Length: 0\r\n\r\n"
NOISE = [Part(GARBAGE, 0.02)] * 3000
Fault = tuple[str, list[Part], bytes, Callable[[Patient, MisbehavingCamera], Awaitable[None]]]


def faults() -> dict[str, Fault]:
    """By name: the address (port to be filled in), what the camera sends, how it answers, and what must be seen."""
    good = transport_stream(3)
    noisy = [Part(os.urandom(len(part.data)), part.seconds) for part in good]
    ts, rtsp = "http://127.0.0.1:{}/live.ts", "rtsp://127.0.0.1:{}/live"
    return {
        "STOPS": (ts, [*transport_stream(4), Part(b"", 60)], ANSWER, stops),
        "GARBAGE": (ts, NOISE, ANSWER, is_lost),
        "GARBAGE-LATER": (ts, [*good, *noisy * 20], ANSWER, is_live_then_lost),
        "NO-RTSP": (rtsp, NOISE, GARBAGE, is_lost),
        "SILENT": (rtsp, [Part(b"", 60)], b"", is_lost),
        "RESOLUTION": (ts, [*good, *transport_stream(60, size=(640, 480), start=13.0)], ANSWER, changes_resolution),
        "BACK-IN-TIME": (ts, [*transport_stream(3, start=5000.0), *transport_stream(60, start=1400.0)], ANSWER, goes_back_in_time),
        "PASSWORD": (ts.replace("//", "//admin:hunter22@"), [], UNAUTHORIZED % (b"HTTP/1.0", 1), refuses),
        "RTSP-PASSWORD": (
            rtsp.replace("//", "//admin:hunter22@"), [Part(UNAUTHORIZED % (b"RTSP/1.0", 2), 0.1)], UNAUTHORIZED % (b"RTSP/1.0", 1), refuses
        ),
    }  # fmt: skip


async def is_restarted(patient: Patient, rtsp: Rtsp, server: RtspServer, quiet: Path) -> None:
    await patient.seen(lambda h: h.state == "live" and h.analysed > 0)
    await asyncio.to_thread(server.stop)
    await patient.seen(lambda h: h.state == "lost")
    await asyncio.to_thread(rtsp, port=server.port, gate=quiet)
    back = await patient.seen(lambda h: h.state == "live")
    assert back.reconnects >= 1


async def is_absent(patient: Patient) -> None:
    lost = await patient.seen(lambda h: h.state == "lost")
    assert lost.what == "Connection refused"


async def test_every_fault_is_seen_in_time_and_the_camera_beside_them_goes_on(tmp_path: Path, quiet: Path, rtsp: Rtsp) -> None:
    """All at once, in one process."""
    told = faults()
    with contextlib.ExitStack() as ending:
        servers = {name: MisbehavingCamera(script, answer=answer) for name, (_, script, answer, _) in told.items()}
        for misbehaving in servers.values():
            ending.callback(misbehaving.stop)
        gates = {"RESTARTED": rtsp(gate=quiet), "UDP": rtsp(gate=quiet)}
        addresses = {name: fault[0].format(servers[name].port) for name, fault in told.items()}
        addresses |= {name: gate.url("gate") for name, gate in gates.items()}
        addresses |= {"UDP": f"{gates['UDP'].url('gate')}?transport=udp", "ABSENT": f"rtsp://127.0.0.1:{free_port()}/gate"}
        cameras = [camera(url, name) for name, url in addresses.items()]
        async with video(tmp_path, camera(quiet, "GOOD", loop=True), *cameras) as room:
            await room.until(lambda: room.state("GOOD") == "live")
            process, before = room.health["GOOD"].process, room.health["GOOD"].frames
            patients = {name: Patient(room, name) for name in addresses}
            checks = [fault[3](patients[name], servers[name]) for name, fault in told.items()]
            checks += [is_restarted(patients[name], rtsp, gate, quiet) for name, gate in gates.items()]
            results = await asyncio.gather(*checks, is_absent(patients["ABSENT"]), return_exceptions=True)
            assert [str(r) for r in results if r is not None] == []
            good = room.health["GOOD"]
            assert (good.state, good.process, good.reconnects) == ("live", process, 0), "it and its process lived through all of it"
            assert good.frames > before + 100
            assert good.age < 1.0


def test_many_reconnects_leave_no_thread_no_memory_and_no_file_behind() -> None:
    reconnects_leave_nothing(300)


@pytest.mark.soak
def test_ten_thousand_reconnects_leave_memory_flat() -> None:
    reconnects_leave_nothing(10_000)


def reconnects_leave_nothing(count: int) -> None:
    """Connects so many times to a camera that hangs up after half a second of video, and as often again: the second time costs nothing."""
    own = psutil.Process()
    server = MisbehavingCamera([Part(part.data, 0.0) for part in transport_stream(0.5)])
    with contextlib.closing(server):
        connect(server, count)
        before, threads, files = settled(own), threading.active_count(), own.num_fds()
        connect(server, count)
        grown = settled(own) - before
        print(f"{count} connections: {grown:+.1f} MiB")
        assert threading.active_count() <= threads
        assert own.num_fds() <= files + 2
        assert grown < 8.0, "MiB: what the allocator keeps differs by some"


def settled(process: psutil.Process) -> float:
    """MiB of memory, after what is free has gone back to the system."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return float(process.memory_info().rss / 2**20)


def connect(server: MisbehavingCamera, count: int) -> None:
    """A camera watched until it has connected so many times, without pauses in between."""
    told: list[EyeMessage] = []
    watched = Camera(CameraOrder("c", server.url, False, ["flame"], {}, []), told.append, patience=0.0)
    watched.start()
    while watched.reader.counters.connects < count:
        now = time.monotonic()
        if watched.line.deadline(now) is not None:
            watched.turn(now)
        else:
            time.sleep(0.002)
    watched.leave()
    watched.reader.thread.join(10)
    assert not watched.reader.thread.is_alive()
