"""A camera that misbehaves on purpose: an HTTP server of this test that sends MPEG-TS at the pace of its stamps.

What it serves is told by the path, and what goes wrong by the test: it stops, sends garbage, changes the resolution, goes back in
time, asks for a password.
"""

import io
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

RATE = 12
ANSWER = b"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n"


def scene(n: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A grey scene with a lighter block that moves, frame ``n``."""
    width, height = size
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[height // 3 :] = 60
    x = (n * 6) % (width - 40)
    picture[height // 2 : height // 2 + 40, x : x + 40] = 200
    return picture


@dataclass(frozen=True)
class Part:
    """``data`` that is sent ``at`` seconds after the one before began."""

    data: bytes
    seconds: float


def transport_stream(seconds: float, *, size: tuple[int, int] = (320, 240), start: float = 10.0) -> list[Part]:
    """MPEG-TS of the scene, a part a frame, whose stamps begin at ``start`` seconds."""
    file, parts, done = io.BytesIO(), [], 0
    options = {"mpegts_copyts": "1", "pat_period": "0.4", "flush_packets": "1"}
    with av.open(file, "w", format="mpegts", options=options) as out:
        stream = out.add_stream("libx264", rate=Fraction(RATE), options={"preset": "ultrafast", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.max_b_frames, stream.codec_context.thread_count = RATE, 0, 1
        for n in range(round(seconds * RATE)):
            frame = av.VideoFrame.from_ndarray(scene(n, size), format="bgr24")
            frame.pts, frame.time_base = n, Fraction(1, RATE)
            for packet in stream.encode(frame):
                packet.pts = packet.dts = round((start + n / RATE) * RATE)
                packet.time_base = Fraction(1, RATE)
                out.mux(packet)
            written = file.getvalue()
            parts.append(Part(written[done:], 1 / RATE))
            done = len(written)
    return parts


class MisbehavingCamera:
    """Serves what ``script`` gives, from its beginning for every client; ``script`` may be changed at any time.

    An empty part means silence for its seconds, with the connection open."""

    def __init__(self, script: list[Part], *, answer: bytes = ANSWER) -> None:
        self.script, self.answer = script, answer
        self.clients = 0
        self._stop = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/live.ts"

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self.clients += 1
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            thread.start()
            self._threads = [t for t in self._threads if t.is_alive()] + [thread]

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                client.recv(4096)
                client.sendall(self.answer)
                due = time.monotonic()
                for part in self._parts():
                    if part.data:
                        client.sendall(part.data)
                    due += part.seconds
                    if self._stop.wait(max(0.0, due - time.monotonic())):
                        return
            except OSError:
                return

    def _parts(self) -> Iterator[Part]:
        yield from list(self.script)

    def close(self) -> None:
        """The same as ``stop``."""
        self.stop()

    def stop(self) -> None:
        """End it and its connections."""
        self._stop.set()
        self._server.close()
        for thread in self._threads:
            thread.join(2)
