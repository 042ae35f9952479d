"""The video process on a real RTSP server: raised over the network, lost, and back."""

import time
from pathlib import Path

from tests.ingest.cameras.scenes import camera, clip, video
from tests.real.rtsp import Rtsp, encode_for_rtsp


async def test_a_real_fire_over_rtsp_is_raised_within_seconds(tmp_path: Path, rtsp: Rtsp, media: Path) -> None:
    served = encode_for_rtsp(tmp_path / "fire.mp4", (media / "fire/05_bbq_grill.mp4", 0, 18), width=704, height=576)
    server = rtsp(gate=served)
    async with video(tmp_path, camera(server.url("gate"))) as room:
        await room.until(lambda: room.state() == "live")
        live = time.time()
        await room.until(lambda: room.door.said() == ["raised"])
        (raised,) = room.door.signals.values()
        print(f"raised {time.time() - live:.2f} s after the first frame")
        assert raised.snapshot is not None
        assert raised.at / 1e6 - live < 10


async def test_a_lost_stream_keeps_the_flame_raised_and_comes_back_by_itself(tmp_path: Path, rtsp: Rtsp) -> None:
    server = rtsp(gate=clip(tmp_path / "burning.mp4", seconds=30, burning=(0, 30)))
    quiet = clip(tmp_path / "quiet.mp4", seconds=30)
    async with video(tmp_path, camera(server.url("gate"))) as room:
        await room.until(lambda: room.door.said() == ["raised"])
        server.stop()
        await room.until(lambda: room.door.said("camera_offline") == ["raised"])
        assert room.state() == "lost"
        assert room.door.said() == ["raised"], "no picture is no evidence that the fire is out"
        rtsp(port=server.port, gate=quiet)
        await room.until(lambda: room.door.said("camera_offline") == ["raised", "cleared"])
        await room.until(lambda: room.door.said() == ["raised", "cleared"])
