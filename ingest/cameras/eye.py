"""A decoding process: one thread a camera, video in, messages out (``python -m ingest.cameras.eye``).

It knows no door, no database and no file of ours, so what a hostile stream can reach from here is nothing. It ends with its
parent, threads and all. What must not go in: identity of signals, evidence files, the judgement that a camera is offline.
"""

import os
import random
import sys
import threading
import time

import cv2
import msgspec

from detectors.base import Frame, Transition
from detectors.watch import Watch
from hazards.errors import BihuanError, SourceUnreadable
from ingest.cameras.eye_messages import CameraOrder, CameraState, EyeMessage, Looked, Saw, pack
from ingest.cameras.snapshot import snapshot
from ingest.cameras.source import LATEST, ShownFrame, VideoSource

FIRST_PAUSE, LONGEST_PAUSE, LONGEST_FILE_PAUSE = 0.5, 30.0, 5.0
REPORT_SECONDS = 1.0


class Mouth:
    """Standard output, shared by the threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._out = sys.stdout.buffer

    def say(self, message: EyeMessage) -> None:
        """Send ``message`` whole; a parent that is gone ends this process."""
        data = pack(message)
        try:
            with self._lock:
                self._out.write(data)
                self._out.flush()
        except (BrokenPipeError, ValueError):
            os._exit(1)


class CameraThread:
    """Watches one camera until the process ends: reconnects with back-off and jitter, and says what is seen."""

    def __init__(self, order: CameraOrder, mouth: Mouth, stop: threading.Event) -> None:
        self._order, self._mouth, self._stop = order, mouth, stop
        self._watch = Watch(order.detectors, areas=order.areas, raised=order.raised)
        self._state: CameraState = "opening"
        self._what = ""
        self._frames, self._lag = 0, 0.0
        self._reported = (time.monotonic(), 0)
        self._pause = FIRST_PAUSE
        self.thread = threading.Thread(target=self._run, name=f"camera-{order.id}", daemon=True)

    def report(self) -> None:
        """Say how the camera is; called about every second."""
        now, frames = time.monotonic(), self._frames
        before, counted = self._reported
        rate = (frames - counted) / max(1e-3, now - before)
        self._reported = (now, frames)
        self._mouth.say(Looked(self._order.id, self._state, frames, round(rate, 2), round(self._lag, 3), self._what))

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._show()
                if not self._stop.is_set():
                    self._tell(self._watch.end(), None)
                    self._turn("ended")
                return
            except BihuanError as e:
                self._turn("unreadable" if isinstance(e, SourceUnreadable) else "lost", e.what)
            except Exception as e:  # a fault in a detector must not end the watch for ever
                self._turn("lost", f"{type(e).__name__}: {e}")
            self._watch.interrupt()
            longest = LONGEST_PAUSE if self._order.url.lower().startswith("rtsp") else LONGEST_FILE_PAUSE
            self._stop.wait(self._pause * random.uniform(0.7, 1.3))  # jitter: cameras of one switch must not come back in step
            self._pause = min(longest, self._pause * 2)

    def _show(self) -> None:
        source = VideoSource(self._order.url, paced=True, loop=self._order.loop, stop=self._stop)
        for frame in source.frames():
            self._frames += 1
            self._lag = source.lag(frame)
            if self._state != "live":
                self._turn("live")
                self._pause = FIRST_PAUSE
            if self._lag <= LATEST and self._watch.due(frame.t):
                small = frame.small()
                seen = Frame(small, frame.size_wh[0] / small.shape[1], frame.size_wh, frame.t, frame.n)
                self._tell(self._watch.feed(seen), frame)

    def _turn(self, state: CameraState, what: str = "") -> None:
        self._state, self._what = state, what
        self.report()

    def _tell(self, transitions: list[Transition], frame: ShownFrame | None) -> None:
        at = frame.at if frame else time.time_ns() // 1000
        for x in transitions:
            picture = snapshot(frame.full(), x.box) if frame and x.state == "raised" else None
            self._mouth.say(Saw(self._order.id, x.kind, x.state, x.score, x.box, at, x.t, x.n, x.cause, dict(x.cues), picture))


def main() -> None:
    """Watch the cameras that the first line of standard input names, until standard input ends."""
    cv2.setNumThreads(1)
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=list[CameraOrder])
    mouth, stop = Mouth(), threading.Event()
    threads = [CameraThread(order, mouth, stop) for order in orders]
    for camera in threads:
        camera.thread.start()

    def report() -> None:
        while not stop.wait(REPORT_SECONDS):
            for camera in threads:
                camera.report()

    threading.Thread(target=report, daemon=True).start()
    sys.stdin.buffer.read()  # ends with the parent, however that ends
    stop.set()
    os._exit(0)  # a thread inside a decoder must not hold up the end


if __name__ == "__main__":
    main()
