"""Real clips as the sub-streams that cameras send, served live over RTSP by the program that BIHUAN_TEST_RTSP names.

704x576, 12 frames/s, H.264 without B-frames, a key frame every two seconds. They live in a temporary folder only. What must not go in:
eyes, figures.
"""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import PictureType

from benchmarks.system import free_port
from hazards.errors import Misconfigured, Unavailable
from ingest.cameras.opened import ASSUMED_RATE, FASTEST_RATE

SERVER, MEDIA = "BIHUAN_TEST_RTSP", "BIHUAN_TEST_MEDIA"
SIZE_WH, RATE, KEY_EVERY = (704, 576), 12, 24


@dataclass(frozen=True, slots=True)
class Part:
    """Seconds ``begin`` to ``end`` of a clip. ``there_and_back``: played forwards, then backwards, so that it goes on without a cut."""

    file: str
    begin: float
    end: float
    there_and_back: bool = False


MOVING = (
    Part("negative/01_lot_overhead_red_car.mp4", 0, 30), Part("negative/03_bottles.mp4", 4, 34),
    Part("negative/08_road_overhead.avi", 0, 12),
    Part("negative/09_motorway_cam.avi", 0, 29), Part("negative/10_highway_trees.avi", 0, 28),
    Part("people/01_one_by_one.mp4", 7, 37),
)  # fmt: skip
"""Scenes in which something moves, by day and by night, and nothing burns."""
STILL = (
    Part("people/01_one_by_one.mp4", 0.5, 5.5, there_and_back=True), Part("people/01_one_by_one.mp4", 45.5, 50, there_and_back=True),
    Part("negative/17_window_blinds.mp4", 1, 10, there_and_back=True),
)  # fmt: skip
"""Real scenes in which nothing moves, with the noise of their cameras."""


def folder_of(variable: str) -> Path:
    """The path that ``variable`` names. Raises Misconfigured without one."""
    value = os.environ.get(variable, "")
    if not value:
        raise Misconfigured("this bench needs real clips and an RTSP server", hint=f"set {MEDIA} and {SERVER}")
    return Path(value)


def encode(media: Path, part: Part, out: Path) -> Path:
    """``part`` as a sub-stream in ``out``."""
    pictures = list(_pictures(media / part.file, part))
    if part.there_and_back:
        pictures += pictures[-2:0:-1]
    with av.open(str(out), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(RATE), options={"preset": "veryfast", "crf": "25", "sc_threshold": "0"})
        stream.width, stream.height, stream.pix_fmt = *SIZE_WH, "yuv420p"
        context = stream.codec_context
        context.gop_size, context.max_b_frames, context.thread_count = KEY_EVERY, 0, 1
        for n, picture in enumerate(pictures):
            picture.pts, picture.time_base = n, Fraction(1, RATE)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return out


def _pictures(file: Path, part: Part) -> Iterator[av.VideoFrame]:
    """The frames of ``part``, RATE a second and of one size."""
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        rate, due = float(stream.average_rate or ASSUMED_RATE), part.begin
        rate = rate if rate <= FASTEST_RATE else ASSUMED_RATE  # one claims a thousand frames a second
        for n, frame in enumerate(container.decode(stream)):
            at = n / rate
            if at >= part.end:
                return
            if at + 1e-6 >= due:
                due += 1 / RATE
                picture = frame.reformat(width=SIZE_WH[0], height=SIZE_WH[1], format="yuv420p")
                picture.pict_type = PictureType.NONE  # else the encoder makes a key frame where the clip had one
                yield picture


@contextmanager
def served(files: Sequence[Path], copies: int, *, core: int) -> Iterator[list[str]]:
    """Addresses of ``copies`` streams of each file, in turn over the files, served on processor ``core`` for the length of the block."""
    port = free_port()
    command = [str(folder_of(SERVER)), str(port), *(f"c{n}={file}" for n, file in enumerate(files)), "--copies", str(copies)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        try:
            os.sched_setaffinity(server.pid, {core})
            _until_it_listens(port, server)
            names = [f"c{n}" if copies == 1 else f"c{n}-{copy}" for copy in range(1, copies + 1) for n in range(len(files))]
            yield [f"rtsp://127.0.0.1:{port}/{name}" for name in names]
        finally:
            server.kill()  # leaving the block closes its pipe and waits for it


def _until_it_listens(port: int, server: "subprocess.Popen[bytes]", seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise Unavailable("the RTSP server does not listen")
