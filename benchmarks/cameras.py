"""How many live sub-streams one core watches: with movement in all, and still; beside a plain loop of OpenCV on the same clips.

One eye, pinned to one processor; the server and this process have the others. What must not go in: how a camera is watched.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Literal, cast

from benchmarks import substreams
from benchmarks.figures import Figure, LeftOut, rounded
from detectors import DETECTORS
from ingest.cameras.children import child_environment
from ingest.cameras.eye_messages import HEAD_BYTES, Begin, CameraOrder, EyeMessage, Leave, Looked, body_length, order_line, unpack

Scene = Literal["moving", "still"]
REQUIRED: dict[Scene, int] = {"moving": 30, "still": 120}
LEAST_ANALYSED = 2.0
"""Looks a second of each camera while something moves; a still one is to have all its key frames looked at."""
OLDEST = 1.0
"""Seconds: the age of a frame at its look that no camera may pass."""
SWITCHED_ON = ("flame", "smoke", "intrusion", "tamper")
_CORNER = [(0.0, 0.0), (0.12, 0.0), (0.12, 0.12), (0.0, 0.12)]
"""Where intrusion looks: nobody walks there, so that no alarm stands, which would be watched at the full rate."""
PLAIN = "plain loop of VideoCapture, MOG2 and contours, every frame"
_PLAIN = """
import sys, time, cv2
cv2.setNumThreads(1)
frames, began = 0, time.process_time()
while time.process_time() - began < float(sys.argv[1]):
    for file in sys.argv[2:]:
        video, model = cv2.VideoCapture(file), cv2.createBackgroundSubtractorMOG2()
        while (read := video.read())[0]:
            _, mask = cv2.threshold(model.apply(read[1]), 200, 255, cv2.THRESH_BINARY)
            [cv2.boundingRect(c) for c in cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]]
            frames += 1
print(frames / (time.process_time() - began))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured. ``begin``: cameras to begin with; ``most``: where the search ends; ``settle`` and ``watch``: seconds before and
    of each measurement; ``plain``: processor seconds of the plain loop; ``clips``: how many of the clips."""

    begin: dict[Scene, int] = field(default_factory=lambda: {"moving": 30, "still": 120})
    most: dict[Scene, int] = field(default_factory=lambda: {"moving": 72, "still": 320})
    settle: float = 15.0
    watch: float = 12.0
    plain: float = 12.0
    clips: int = 6


@dataclass(slots=True)
class Heard:
    """What one camera said during a measurement."""

    looks: list[Looked] = field(default_factory=list)

    def keeps_up(self, scene: Scene) -> bool:
        """Whether it does not fall behind."""
        if len(self.looks) < 2 or any(x.state != "live" or x.age > OLDEST for x in self.looks):
            return False
        first, last = self.looks[0], self.looks[-1]
        if scene == "moving":  # a scene pauses now and then: its key frames are enough meanwhile
            awake = [x.analysed for x in self.looks if x.watching != "still"]
            return len(awake) >= len(self.looks) / 4 and sum(awake) / len(awake) >= LEAST_ANALYSED
        return last.dropped == first.dropped and last.looks - first.looks >= last.keys - first.keys - 1 > 0  # one may be on its way


class Eye:
    """A decoding process of the product on one processor."""

    def __init__(self, core: int) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "ingest.cameras.eye"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=child_environment()
        )
        os.sched_setaffinity(self._child.pid, {core})
        self.cameras: list[str] = []
        self._heard: dict[str, Heard] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def watch(self, urls: Sequence[str]) -> None:
        """Watch exactly ``urls``, one camera each; a few are added at a time, as a site would."""
        new = [url for url in urls if url not in self.cameras]
        gone = [url for url in self.cameras if url not in urls]
        if gone:
            self._write(order_line(Leave(gone)))
        names = [name for name in SWITCHED_ON if name in DETECTORS]
        for n in range(0, len(new), 4):
            orders = [CameraOrder(url, url, False, names, {"intrusion": _CORNER}, []) for url in new[n : n + 4]]
            self._write(order_line(Begin(orders)))
            time.sleep(0.2)
        self.cameras = list(urls)

    def measured(self, seconds: float) -> dict[str, Heard]:
        """What every camera says in the next ``seconds``."""
        with self._lock:
            self._heard = {camera: Heard() for camera in self.cameras}
        time.sleep(seconds)
        with self._lock:
            return self._heard

    def processor_seconds(self) -> float:
        """User and system seconds so far."""
        fields = Path(f"/proc/{self._child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """End it."""
        self._child.kill()
        self._thread.join()
        with self._child:  # closes the pipes and waits
            pass

    def _write(self, line: bytes) -> None:
        orders = cast(IO[bytes], self._child.stdin)
        orders.write(line)
        orders.flush()

    def _listen(self) -> None:
        stream = cast(IO[bytes], self._child.stdout)
        while len(head := stream.read(HEAD_BYTES)) == HEAD_BYTES:
            self._take(unpack(stream.read(body_length(head))))

    def _take(self, message: EyeMessage) -> None:
        if isinstance(message, Looked):
            with self._lock:
                if message.camera in self._heard:
                    self._heard[message.camera].looks.append(message)


@contextmanager
def eye_on(core: int) -> Iterator[Eye]:
    """An eye for the length of the block."""
    eye = Eye(core)
    try:
        yield eye
    finally:
        eye.end()


@dataclass(frozen=True, slots=True)
class Found:
    """The largest number that kept up, and what it was like: looks a second, the oldest frame (s), processor seconds a second."""

    cameras: int = 0
    analysed: float = 0.0
    age: float = 0.0
    load: float = 0.0


def run(*, kafka: str = "", database: str = "", sizes: Sizes = Sizes()) -> Iterator[Figure | LeftOut]:
    """``cameras.moving`` and ``cameras.still``, and what each costs a camera."""
    del kafka, database
    media = substreams.folder_of(substreams.MEDIA)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        yield LeftOut("cameras", "needs a processor for the eye and one for the server")
        return
    try:
        os.sched_setaffinity(0, set(cores[1:]))  # this process keeps off the eye's
        scenes: tuple[tuple[Scene, tuple[substreams.Part, ...]], ...] = (("moving", substreams.MOVING), ("still", substreams.STILL))
        for scene, parts in scenes:
            with TemporaryDirectory(prefix="bihuan-bench-cameras-") as folder:
                used = parts[: sizes.clips]
                files = [substreams.encode(media, part, Path(folder) / f"{n}.mp4") for n, part in enumerate(used)]
                yield from _scene(scene, files, cores, sizes)
    finally:
        os.sched_setaffinity(0, set(cores))


def _scene(scene: Scene, files: list[Path], cores: list[int], sizes: Sizes) -> Iterator[Figure]:
    copies = -(-sizes.most[scene] // len(files))
    plain = _plain(files, cores[0], sizes.plain)
    with substreams.served(files, copies, core=cores[1]) as urls, eye_on(cores[0]) as eye:
        found = _largest(eye, scene, urls[: sizes.most[scene]], sizes)
    beside = {"required": float(REQUIRED[scene]), PLAIN: rounded(plain / substreams.RATE)}
    yield Figure(f"cameras.{scene}", found.cameras, "cameras a core", beside)
    yield Figure(f"cameras.{scene}.analysed", rounded(found.analysed), "looks/s of a camera, mean")
    yield Figure(f"cameras.{scene}.age_max", rounded(found.age), "s", {"allowed": OLDEST})
    yield Figure(f"cameras.{scene}.cost", rounded(1000 * found.load / max(1, found.cameras)), "ms of processor time a camera and second")


def _largest(eye: Eye, scene: Scene, urls: Sequence[str], sizes: Sizes) -> Found:
    """The largest number of cameras that all keep up: grown by a fifth until some don't, then halved in between."""
    best, works, fails, n = Found(), 0, len(urls) + 1, min(sizes.begin[scene], len(urls))
    while works < n < fails:
        eye.watch(urls[:n])
        time.sleep(sizes.settle)
        began, spent = time.monotonic(), eye.processor_seconds()
        heard = eye.measured(sizes.watch)
        load = (eye.processor_seconds() - spent) / (time.monotonic() - began)
        behind = sum(not one.keeps_up(scene) for one in heard.values())
        looks = [x for one in heard.values() for x in one.looks]
        mean, oldest = sum(x.analysed for x in looks) / max(1, len(looks)), max((x.age for x in looks), default=0.0)
        awake = sum(x.watching != "still" for x in looks) / max(1, len(looks))
        told = f"{scene}: {n} cameras, {awake:.0%} awake, {behind} behind, {mean:.2f} looks/s, oldest {oldest:.2f} s, load {load:.2f}"
        print(told, file=sys.stderr, flush=True)
        if behind:
            fails = n
        else:
            works, best = n, Found(n, mean, oldest, load)
        step = works + max(1, works // 5) if fails > len(urls) else (works + fails) // 2
        if fails <= len(urls) and fails - works <= max(1, works // 20):
            break
        n = min(step, len(urls))
    return best


def _plain(files: Sequence[Path], core: int, seconds: float) -> float:
    """Frames a second of processor time of a plain loop over ``files``, on the eye's processor, from disk."""
    command = [sys.executable, "-c", _PLAIN, str(seconds), *map(str, files)]
    environment = child_environment() | {"OPENCV_FFMPEG_CAPTURE_OPTIONS": "threads;1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as child:
        os.sched_setaffinity(child.pid, {core})
        out, _ = child.communicate()
    return float(out)
