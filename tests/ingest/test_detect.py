"""``bihuan detect``: lines as the architecture prescribes, one clear error for what is no video."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from hazards.errors import BadInput, SourceLost, SourceUnreadable
from ingest.detect import detect
from tests.ingest.cameras.scenes import clip


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_flame_is_one_raised_and_one_cleared_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    detect(str(clip(tmp_path / "a.mp4", seconds=14, burning=(2, 7))), detectors=["flame"], json_lines=True)
    raised, cleared = lines(capsys)
    assert list(raised) == ["t", "frame", "kind", "state", "score", "box"]
    assert (raised["kind"], raised["state"], cleared["state"]) == ("flame", "raised", "cleared")
    assert 2 < float(str(raised["t"])) < 5.5 < 7 < float(str(cleared["t"])) < 13
    x, y, w, h = (float(v) for v in raised["box"])  # type: ignore[attr-defined]
    assert 150 < x < x + w <= 352
    assert 50 < y < y + h <= 288


def test_people_get_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    detect(f"file:{clip(tmp_path / 'a.mp4', seconds=5, burning=(0, 5))}")
    assert "flame raised" in capsys.readouterr().out


@pytest.mark.parametrize("zone", ["0,0 0.4,0 0.4,1 0,1", "0,0 140,0 140,287 0,287"])
def test_outside_the_zone_nothing_is_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str], zone: str) -> None:
    detect(str(clip(tmp_path / "a.mp4", seconds=5, burning=(0, 5))), zone=zone, json_lines=True)
    assert lines(capsys) == []


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def without_video(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    "case", ["empty", "random", "text", "play list", "folder", "nothing", "half an mp4", "sound only", "no address"]
)
def test_what_is_no_video_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    source: Path | str
    match case:
        case "empty":
            source = written(tmp_path / "a.mp4", b"")
        case "random":
            source = written(tmp_path / "a.mp4", os.urandom(100_000))
        case "text":
            source = written(tmp_path / "a.txt", b"no video\n" * 5000)
        case "play list":
            source = written(tmp_path / "a.m3u8", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")
        case "folder":
            source = tmp_path
        case "nothing":
            source = tmp_path / "nothing.mp4"
        case "half an mp4":
            whole = clip(tmp_path / "whole.mp4", seconds=3).read_bytes()
            source = written(tmp_path / "a.mp4", whole[len(whole) // 2 :])
        case "sound only":
            source = without_video(tmp_path / "a.mp4")
        case _:
            source = "gopher://example.org/a"
    with pytest.raises(SourceUnreadable) as caught:
        detect(str(source), json_lines=True)
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().out == ""


def test_a_cut_off_recording_is_watched_as_far_as_it_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = clip(tmp_path / "whole.mp4", seconds=10, burning=(0, 10)).read_bytes()
    detect(str(written(tmp_path / "a.mp4", whole[: len(whole) * 2 // 3])), detectors=["flame"], json_lines=True)
    assert [line["state"] for line in lines(capsys)] == ["raised", "cleared"]


def test_a_tiny_raw_avi_that_ended_other_readers_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "raw.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("rawvideo", rate=10, options={})
        stream.width, stream.height, stream.pix_fmt = 48, 48, "bgr24"
        for n in range(20):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 48, 3), n, np.uint8), format="bgr24")))
    detect(str(path), json_lines=True)
    assert lines(capsys) == []


def test_a_decoder_that_aborts_is_one_clear_error(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", seconds=30)

    def abort() -> None:
        limit = time.monotonic() + 90
        while time.monotonic() < limit:
            for child in psutil.Process().children():
                if "ingest.cameras.detect_child" in child.cmdline():
                    child.send_signal(signal.SIGABRT)
                    return
            time.sleep(0.005)

    thread = threading.Thread(target=abort)
    thread.start()
    with pytest.raises(SourceUnreadable, match="decoder died by SIGABRT"):
        detect(str(source))
    thread.join()


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.avi")
    with pytest.raises(SourceUnreadable, match="not a regular file"):
        detect(str(tmp_path / "a.avi"))


@pytest.mark.parametrize("case", ["cut off", "overwritten", "a hole", "whole"])
def test_lost_frames_are_one_line_of_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    data, chance = bytearray(clip(tmp_path / "whole.mp4", seconds=6).read_bytes()), random.Random(1)
    middle = range(len(data) // 4, len(data) * 3 // 4)
    if case == "cut off":
        del data[middle.stop :]
    elif case == "overwritten":
        for _ in range(200):
            data[chance.choice(middle)] = chance.randrange(256)
    elif case == "a hole":
        data[middle.start : middle.stop] = chance.randbytes(len(middle))
    detect(str(written(tmp_path / "a.mp4", bytes(data))), json_lines=True)
    said = capsys.readouterr().err
    assert said.count("\n") == (case != "whole") and ("lost or damaged" in said) == (case != "whole")


def test_a_stream_that_does_not_answer_is_lost(free_port: int) -> None:
    with pytest.raises(SourceLost, match="refused"):
        detect(f"rtsp://admin:secret@127.0.0.1:{free_port}/gate")


@pytest.mark.parametrize("zone", ["", "1,2", "1,2 3,4", "a,b c,d e,f", "0,0 1,0 -1,1", "nan,0 1,0 1,1"])
def test_a_zone_that_is_no_polygon_is_named(zone: str) -> None:
    with pytest.raises(BadInput, match="zone"):
        detect("any.mp4", zone=zone)


def test_an_unknown_detector_is_named_with_those_there_are() -> None:
    with pytest.raises(BadInput, match=r"no detector 'fire'.*flame"):
        detect("any.mp4", detectors=["fire"])


def test_the_command_ends_with_2_and_one_line(tmp_path: Path) -> None:
    written(tmp_path / "a.mp4", os.urandom(50_000))
    command = [sys.executable, "-m", "bihuan.cli", "detect", str(tmp_path / "a.mp4"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "not a video" in done.stderr
