"""The video process on drawn clips: alarms with pictures, ends, deaths of decoders, restarts."""

import asyncio
import hashlib
import os
import signal
import sys
import time
from pathlib import Path

import cv2
import msgspec
import numpy as np
import psutil
import pytest

from hazards.camera_evidence import Role, Signed
from hazards.zones import Grade, Zone
from ingest.cameras.eye_messages import Looked
from ingest.cameras.health import OFFLINE_AFTER, CameraHealth
from ingest.cameras.placing import Move
from tests.ingest.cameras.scenes import MemoryDoor, camera, clip, video


def eyes() -> list[psutil.Process]:
    """The decoding processes of this process that live."""
    return [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE and "ingest.cameras.eye" in p.cmdline()]


async def test_a_flame_is_raised_with_its_picture_and_cleared_when_the_recording_ends(tmp_path: Path) -> None:
    began = time.time() * 1e6
    async with video(tmp_path, camera(clip(tmp_path / "a.mp4", seconds=7, burning=(1, 7)))) as room:
        await room.until(lambda: room.door.said() == ["raised", "cleared"])
        await room.until(lambda: room.state() == "ended")
        raised, cleared = room.door.signals.values()
        assert began + 1e6 < raised.at < cleared.at <= time.time() * 1e6, "the time at which the frame was shown"
        assert (raised.source, raised.device, raised.kind) == ("camera/CAM-1", "CAM-1", "flame")
        assert raised.snapshot is not None and raised.box is not None
        assert cleared.details["cause"] == "source_ended"
        data, media_type, zone = room.evidence.read(raised.snapshot)
        assert (hashlib.sha256(data).hexdigest(), media_type, zone) == (raised.snapshot, "image/jpeg", "smelter")
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None and picture.shape == (288, 352, 3)
    assert not eyes(), "no process is left behind"


async def test_a_flame_that_goes_out_is_cleared_while_the_loop_goes_on_and_comes_back_with_it(tmp_path: Path) -> None:
    async with video(tmp_path, camera(clip(tmp_path / "a.mp4", seconds=9, burning=(0.5, 4)), loop=True)) as room:
        await room.until(lambda: room.door.said() == ["raised", "cleared", "raised"])
        assert len(room.door.signals) == 3, "each has an id of its own"


async def test_a_full_door_is_tried_again_until_it_takes_the_alarm(tmp_path: Path) -> None:
    async with video(tmp_path, camera(clip(tmp_path / "a.mp4", seconds=30, burning=(0, 30))), door=MemoryDoor(refusals=3)) as room:
        await room.until(lambda: room.door.said() == ["raised"])
        assert room.door.calls >= 4


async def test_an_alarm_goes_out_without_its_picture_when_the_picture_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_bytes(b"no folder")
    async with video(tmp_path, camera(clip(tmp_path / "a.mp4", seconds=30, burning=(0, 30)))) as room:
        await room.until(lambda: room.door.said() == ["raised"])
        raised = next(iter(room.door.signals.values()))
        assert raised.snapshot is None
        assert "can't be written" in raised.details["snapshot_problem"]


async def test_a_flame_that_burns_on_after_a_restart_is_not_raised_again_and_one_that_is_gone_is_cleared(tmp_path: Path) -> None:
    burning = clip(tmp_path / "burning.mp4", seconds=30, burning=(0, 30))
    quiet = clip(tmp_path / "quiet.mp4", seconds=30)
    door = MemoryDoor()
    async with video(tmp_path, camera(burning), door=door) as room:
        await room.until(lambda: door.said() == ["raised"])
    async with video(tmp_path, camera(burning), door=door) as room:
        await room.until(lambda: room.state() == "live" and room.health["CAM-1"].frames > 70)
    assert door.said() == ["raised"]
    async with video(tmp_path, camera(quiet), door=door) as room:
        await room.until(lambda: door.said() == ["raised", "cleared"])


async def test_the_whole_process_killed_with_a_standing_flame_still_sends_its_cleared(tmp_path: Path) -> None:
    burning = clip(tmp_path / "burning.mp4", seconds=30, burning=(0, 30))
    quiet = clip(tmp_path / "quiet.mp4", seconds=30)
    program = (
        "import asyncio, sys; from pathlib import Path; from tests.ingest.cameras.scenes import video, camera\n"
        "async def main():\n"
        "    async with video(Path(sys.argv[1]), camera(Path(sys.argv[2]))) as room:\n"
        "        await room.until(lambda: room.door.said() == ['raised'])\n"
        "        print('raised', flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        str(tmp_path),
        str(burning),
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    line = b""
    while line.strip() != b"raised":
        line = await asyncio.wait_for(child.stdout.readline(), 90)
        assert line, "the process ended early"
    left = psutil.Process(child.pid).children()
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    await asyncio.to_thread(psutil.wait_procs, left, timeout=60)
    assert not any(p.is_running() for p in left), "decoding processes end with their parent"
    async with video(tmp_path, camera(quiet)) as room:
        await room.until(lambda: room.door.said() == ["cleared"])


async def test_a_removed_camera_and_a_removed_detector_clear_what_they_had_raised(tmp_path: Path) -> None:
    burning = clip(tmp_path / "burning.mp4", seconds=30, burning=(0, 30))
    door = MemoryDoor()
    async with video(tmp_path, camera(burning, "A"), camera(burning, "B"), door=door) as room:
        await room.until(lambda: door.said() == ["raised", "raised"])
    async with video(tmp_path, camera(burning, "B", detectors=["tamper"]), door=door) as room:
        await room.until(lambda: len(door.signals) == 4)
    causes = {s.device: s.details["cause"] for s in door.signals.values() if s.action == "cleared"}
    assert causes == {"A": "camera_removed", "B": "detector_removed"}


async def test_a_decoder_that_dies_disturbs_its_neighbours_only_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.cameras.health.OFFLINE_AFTER", 60.0)  # on a busy machine two decoders take longer to start than ten seconds
    quiet = clip(tmp_path / "quiet.mp4", seconds=60)
    cameras = [camera(quiet, f"CAM-{n}", loop=True) for n in range(2)]
    async with video(tmp_path, *cameras) as room:
        await room.until(lambda: {room.state("CAM-0"), room.state("CAM-1")} == {"live"})
        (shared,) = eyes()
        shared.send_signal(signal.SIGABRT)
        await room.until(lambda: len(eyes()) == 2 and {room.state("CAM-0"), room.state("CAM-1")} == {"live"})
        assert room.door.said("camera_offline") == [], "back before anybody is called"


async def test_a_camera_that_moves_takes_what_it_had_raised_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.cameras.process.BALANCE_SECONDS", 0.5)
    moves: list[Move] = []
    monkeypatch.setattr("ingest.cameras.process.next_move", lambda *_, **__: moves.pop() if moves else None)
    burning = clip(tmp_path / "burning.mp4", seconds=30, burning=(0, 30))
    async with video(tmp_path, *(camera(burning, name) for name in ("A", "B", "C")), processes=2) as room:
        await room.until(lambda: room.door.said() == ["raised"] * 3)
        processes = {name: room.health[name].process for name in ("A", "B", "C")}
        assert sorted(processes.values()) in ([1, 1, 2], [1, 2, 2])
        alone = next(n for n in (1, 2) if list(processes.values()).count(n) == 1)
        moving = next(name for name, number in processes.items() if number != alone)
        moves.append(Move(moving, 3 - alone, alone))
        await room.until(lambda: room.health[moving].process == alone and room.health[moving].frames < 40 and room.state(moving) == "live")
        seen = room.health[moving].frames
        await room.until(lambda: room.health[moving].frames > seen + 60)
        assert room.door.said() == ["raised"] * 3, "what stands is not told again"
        assert len(eyes()) == 2
        assert room.door.said("camera_offline") == []


async def test_a_file_that_is_no_video_is_an_offline_camera_and_the_other_camera_goes_on(tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(os.urandom(10_000))
    burning = clip(tmp_path / "burning.mp4", seconds=30, burning=(0, 30))
    async with video(tmp_path, camera(tmp_path / "no.mp4", "BAD"), camera(burning, "GOOD")) as room:
        await room.until(lambda: room.door.said("camera_offline") == ["raised"] and room.door.said() == ["raised"])
        offline = next(s for s in room.door.signals.values() if s.kind == "camera_offline")
        assert offline.device == "BAD"
        assert "not a video" in offline.message
        clip(tmp_path / "no.mp4", seconds=30)
        await room.until(lambda: room.door.said("camera_offline") == ["raised", "cleared"])


def test_a_camera_is_offline_after_ten_seconds_without_a_picture_and_not_before() -> None:
    health = CameraHealth("C", "opening", since=100.0).heard(Looked("C", "live", 1, 12.0), 101.0)
    health = health.heard(Looked("C", "lost", 1, 0.0, "no answer in time"), 102.0)
    health, change = health.judged(101.0 + OFFLINE_AFTER - 0.1)
    assert change is None
    health, change = health.judged(101.0 + OFFLINE_AFTER)
    assert change == "raised"
    assert health.judged(200.0)[1] is None, "once"
    back = health.heard(Looked("C", "live", 2, 12.0), 201.0)
    assert back.judged(201.0)[1] == "cleared"


async def test_a_detector_that_can_not_work_is_an_alarm_of_its_own_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    broken = msgspec.structs.replace(
        camera(clip(tmp_path / "a.mp4", seconds=30, burning=(0, 30)), detectors=("flame", "onnx")),
        settings={
            "detector_settings": {
                "onnx": {"model": str(tmp_path / "model.onnx"), "classes": ["bare_head"], "kinds": {"bare_head": "no_helmet"}}
            }
        },
    )
    async with video(tmp_path, broken) as room:
        await room.until(lambda: room.door.said() == ["raised"] and room.door.said("device_fault") == ["raised"])
        (fault,) = (s for s in room.door.signals.values() if s.kind == "device_fault")
        assert "onnx" in fault.message and "model.onnx" in fault.message
    whole = msgspec.structs.replace(broken, detectors=["flame"])
    async with video(tmp_path, whole, door=room.door) as room:
        await room.until(lambda: room.door.said("device_fault") == ["raised", "cleared"])


async def test_a_zone_is_blind_once_its_last_camera_is_offline_and_sees_again(tmp_path: Path) -> None:
    there, late = clip(tmp_path / "a.mp4", seconds=60), tmp_path / "late.mp4"
    zones = {"smelter": Zone(id="smelter", name="熔铸车间", grade=Grade.RED)}
    door = MemoryDoor()
    async with video(tmp_path, camera(late), door=door, zones=zones) as room:
        await room.until(lambda: door.said("blind_zone") == ["raised"])
        assert door.said("camera_offline") == ["raised"]
        (blind,) = (s for s in door.signals.values() if s.kind == "blind_zone")
        assert blind.device == "CAM-1" and "CAM-1" in blind.message
        there.rename(late)
        await room.until(lambda: door.said("blind_zone") == ["raised", "cleared"])


async def test_an_alarm_s_picture_without_the_box_and_its_clip_follow_and_the_camera_s_newest_picture(tmp_path: Path) -> None:
    async with video(tmp_path, camera(clip(tmp_path / "a.mp4", seconds=40, burning=(6, 40)))) as room:
        await room.until(lambda: len(list((tmp_path / "waiting").glob("*.json"))) == 3)
        signed = [msgspec.json.decode(f.read_bytes(), type=Signed).statement for f in (tmp_path / "waiting").glob("*.json")]
        said = {s.role: s for s in signed}
        assert set(said) == set(Role) and len({s.onset for s in signed}) == 1
        film = said[Role.CLIP]
        assert film.begins <= film.onset - 4_000_000 and film.ends >= film.onset + 7_000_000
        assert room.evidence.read(film.sha256)[0][4:8] == b"ftyp"
        assert room.evidence.read(said[Role.PLAIN].sha256)[0] != room.evidence.read(said[Role.BOXED].sha256)[0]
        assert room.evidence.latest("CAM-1")[0][:2] == b"\xff\xd8"
