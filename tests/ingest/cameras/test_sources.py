"""Addresses, and sources over HTTP: HLS, MJPEG, and a play list that would open files of ours."""

import functools
import http.server
import io
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import pytest

from hazards.errors import SourceUnreadable
from ingest.cameras.address import parse_address
from ingest.cameras.camera import Camera
from ingest.cameras.eye_messages import CameraOrder, Clip, EyeMessage, Looked, Saw
from tests.ingest.cameras.scenes import clip
from tests.ingest.cameras.streams import RATE, MisbehavingCamera, Part, scene


@pytest.mark.parametrize(
    ("url", "kind", "path", "shown"),
    [
        ("clip.mp4", "file", "file:clip.mp4", "clip.mp4"),
        ("file:///data/a%20b.mp4", "file", "file:/data/a b.mp4", "/data/a b.mp4"),
        ("file:/data/replay/", "folder", "file:/data/replay/", "/data/replay/"),
        ("rtsp://u:p@cam:8554/live?channel=1", "rtsp", "rtsp://u:p@cam:8554/live?channel=1", "rtsp://cam:8554/live"),
        ("rtsp://cam/live?channel=1&transport=udp", "rtsp", "rtsp://cam/live?channel=1", "rtsp://cam/live"),
        ("https://u:p@cam/live.m3u8?token=x", "hls", "https://u:p@cam/live.m3u8?token=x", "https://cam/live.m3u8"),
        ("http://cam/video.mjpg", "http", "http://cam/video.mjpg", "http://cam/video.mjpg"),
        ("usb:0", "usb", "/dev/video0", "usb:0"),
    ],
)
def test_an_address_says_what_kind_of_source_it_is(url: str, kind: str, path: str, shown: str) -> None:
    address = parse_address(url)
    assert (address.kind, address.path, address.shown) == (kind, path, shown)


def test_the_transport_is_a_setting_or_a_part_of_the_address() -> None:
    assert parse_address("rtsp://cam/live").options["rtsp_transport"] == "tcp"
    assert parse_address("rtsp://cam/live", transport="udp").options["rtsp_transport"] == "udp"
    assert parse_address("rtsp://cam/live?transport=UDP").options["rtsp_transport"] == "udp"
    with pytest.raises(SourceUnreadable):
        parse_address("rtsp://cam/live", transport="carrier pigeon")


@pytest.mark.parametrize("url", ["rtsp://", "http:///x", "ftp://cam/x", "concat://a|b", "rtsp://cam:port/x"])
def test_an_address_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SourceUnreadable):
        parse_address(url)
    with pytest.raises(SourceUnreadable) as refused:
        parse_address("ftp://user:hunter22@cam/x")
    assert "hunter22" not in str(refused.value)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """Address of a plain web server over the test's folder."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


class Watched:
    """A camera that is turned by the test, and what it says."""

    def __init__(self, url: str, **settings: bool) -> None:
        self.said: list[EyeMessage] = []
        self.camera = Camera(CameraOrder("c", url, settings.get("loop", False), ["flame"], {}, []), self.said.append)
        self.camera.start()

    def run(self, seconds: float, until: str = "") -> Looked:
        """Turn it for ``seconds``, or until its state is ``until``; its last report."""
        end, ticked = time.monotonic() + seconds, 0.0
        while (now := time.monotonic()) < end and not (until and self.last.state == until):
            if now - ticked > 0.3:
                ticked = now
                self.camera.tick(now)
            if self.camera.line.deadline(now) is not None:
                self.camera.turn(now)
            else:
                time.sleep(0.005)
        return self.last

    @property
    def last(self) -> Looked:
        return next((x for x in reversed(self.said) if isinstance(x, Looked)), Looked("c", "opening", 0, 0.0))

    def end(self) -> None:
        self.camera.leave()
        self.camera.reader.thread.join(10)
        assert not self.camera.reader.thread.is_alive()


def hls(folder: Path, seconds: int) -> Path:
    """A live list with ``seconds`` segments of a second."""
    options = {"hls_time": "1", "hls_list_size": "0", "hls_flags": "omit_endlist"}
    with av.open(str(folder / "live.m3u8"), "w", format="hls", options=options) as out:
        stream = out.add_stream("libx264", rate=Fraction(RATE), options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = RATE, 0
        for n in range(seconds * RATE):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(scene(n, (320, 240)), format="bgr24")))
        out.mux(stream.encode())
    return folder / "live.m3u8"


def test_hls_is_watched_at_the_pace_of_its_stamps(tmp_path: Path, served: str) -> None:
    hls(tmp_path, 8)
    watched = Watched(f"{served}/live.m3u8")
    try:
        watched.run(10, until="live")
        first = watched.run(1.0)
        later = watched.run(2.0)
        assert later.state == "live"
        assert (later.width, later.height) == (320, 240)
        assert 12 <= later.frames - first.frames <= 36, "two seconds at twelve a second, not as fast as the server gives them"
        assert later.age < 1.0
    finally:
        watched.end()


def test_a_play_list_cannot_open_a_file_of_ours(tmp_path: Path, served: str) -> None:
    secret = clip(tmp_path / "secret.mp4", seconds=2)
    list_of_ours = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    (tmp_path / "evil.m3u8").write_text(list_of_ours)
    watched = Watched(f"{served}/evil.m3u8")
    try:
        last = watched.run(10, until="lost")
        assert (last.state, last.frames) == ("lost", 0)
    finally:
        watched.end()


def test_mjpeg_over_http_is_watched_by_the_time_its_pictures_come() -> None:
    parts = []
    for n in range(60):
        _, picture = cv2.imencode(".jpg", scene(n, (320, 240)))
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n".encode()
        parts.append(Part(head + picture.tobytes() + b"\r\n", 1 / RATE))
    server = MisbehavingCamera(parts, answer=b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=frame\r\n\r\n")
    watched = Watched(f"http://127.0.0.1:{server.port}/video.mjpg")
    try:
        watched.run(8, until="live")
        last = watched.run(2.0)
        assert last.state == "live"
        assert (last.width, last.height) == (320, 240)
        assert 8 <= last.rate <= 16
        assert last.age < 1.0
    finally:
        watched.end()
        server.stop()


def test_an_alarm_brings_its_pictures_and_a_clip_from_before_it(tmp_path: Path) -> None:
    watched = Watched(f"file:{clip(tmp_path / 'a.mp4', seconds=9, burning=(4, 9))}")
    try:
        watched.run(20, until="ended")
        raised = next(x for x in watched.said if isinstance(x, Saw))
        assert raised.state == "raised" and raised.picture and raised.plain and raised.picture != raised.plain
        (kept,) = [x for x in watched.said if isinstance(x, Clip)]
        assert (kept.kind, kept.at) == ("flame", raised.at)
        assert 3.5e6 <= raised.at - kept.first <= 7.2e6, "five seconds before, or as many as there were, from a key frame on"
        with av.open(io.BytesIO(kept.video)) as container:
            assert sum(1 for _ in container.decode(video=0)) >= 60
    finally:
        watched.end()


def test_usb_says_what_is_missing() -> None:
    watched = Watched("usb:7")
    try:
        assert watched.run(5, until="lost").what
    finally:
        watched.end()
