"""A decoding process: readers that take in packets, one analyst that decodes and looks (``python -m ingest.cameras.eye``).

It knows no door, no database and no file of ours, so what a hostile stream can reach from here is nothing. It ends with its
parent, threads and all. What must not go in: identity of signals, evidence files, the judgement that a camera is offline.
"""

import os
import queue
import sys
import threading
import time

import cv2
import msgspec

from ingest.cameras.camera import Camera
from ingest.cameras.eye_messages import Begin, EyeMessage, EyeOrder, Left, order_of, pack
from ingest.cameras.schedule import Schedule

REPORT_SECONDS = 1.0
LOOK_SECONDS = 0.05
"""Seconds between two looks at who has something to report."""
NAP = 0.01
"""Seconds the analyst sleeps when nothing is due: readers need not wake it, and a frame waits no longer than that."""


class Mouth:
    """Standard output."""

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


class Analyst:
    """Looks at its cameras in turn, on one thread. ``orders``: what the parent wants, taken between two turns."""

    def __init__(self, mouth: Mouth, orders: "queue.SimpleQueue[EyeOrder]") -> None:
        self._mouth, self._orders = mouth, orders
        self._cameras: dict[str, Camera] = {}
        self._ticked: dict[str, float] = {}
        self._schedule = Schedule()

    def run(self) -> None:
        """Look for ever."""
        looked = float("-inf")
        while True:
            self._obey()
            now = time.monotonic()
            if now - looked >= LOOK_SECONDS:
                looked = now
                self._tick(now)
            line = self._schedule.choose(now)
            if line is None:
                time.sleep(NAP)
                continue
            camera = self._cameras[line.camera]
            try:
                camera.turn(now)
            except Exception as e:  # a fault in a detector must not end the watch of its camera, or of the others
                camera.fault(e)

    def _obey(self) -> None:
        while not self._orders.empty():
            order = self._orders.get()
            if isinstance(order, Begin):
                for one in order.cameras:
                    self._leave(one.id)
                    camera = self._cameras[one.id] = Camera(one, self._mouth.say)
                    self._schedule.lines[one.id] = camera.line
                    self._ticked[one.id] = float("-inf")
                    camera.start()
            else:
                for name in order.cameras:
                    self._leave(name)
                    self._mouth.say(Left(name))

    def _leave(self, name: str) -> None:
        camera = self._cameras.pop(name, None)
        if camera is not None:
            del self._schedule.lines[name], self._ticked[name]
            camera.leave()

    def _tick(self, now: float) -> None:
        """Reports, one camera at a time so that they don't come all at once; a state that changed is said at once."""
        for name, camera in self._cameras.items():
            if now - self._ticked[name] >= REPORT_SECONDS or camera.turned:
                self._ticked[name] = now
                camera.tick(now)


def main() -> None:
    """Obey the orders on standard input until it ends."""
    cv2.setNumThreads(1)
    orders: queue.SimpleQueue[EyeOrder] = queue.SimpleQueue()
    threading.Thread(target=Analyst(Mouth(), orders).run, name="analyst", daemon=True).start()
    for line in sys.stdin.buffer:  # ends with the parent, however that ends
        try:
            orders.put(order_of(line))
        except msgspec.DecodeError as e:
            sys.exit(f"an order that is none: {e}")
    os._exit(0)  # a thread inside a decoder must not hold up the end


if __name__ == "__main__":
    main()
