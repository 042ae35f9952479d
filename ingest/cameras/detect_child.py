"""The decoding child of ``bihuan detect`` (``python -m ingest.cameras.detect_child``): one video in, lines out.

What must not go in: arguments of the command line, the words for people.
"""

import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import cv2
import msgspec
from msgspec import Struct

from detectors.base import Frame, Transition
from detectors.watch import Watch
from detectors.zones import parse_polygon
from hazards.errors import BihuanError, SourceLost
from ingest.cameras.annotate import AnnotatedVideo
from ingest.cameras.detect_messages import DetectLine, Incomplete, Problem, Told, Watched, Worked
from ingest.cameras.source import ShownFrame, VideoSource


class Looking:
    """The detectors of one order over the frames of one video, with the time that they take."""

    def __init__(self, order: Watched, annotate: AnnotatedVideo | None) -> None:
        area = parse_polygon(order.zone) if order.zone else []
        self.watch = Watch(order.detectors, areas=dict.fromkeys(order.detectors, area) if area else {})
        self.decoded, self.looked, self.until, self.thought = 0, 0, 0.0, 0.0
        self._annotate = annotate

    def take(self, frame: ShownFrame) -> None:
        """Look at ``frame`` if it is due, and say what follows from it."""
        self.decoded, self.until = self.decoded + 1, frame.t
        if not self.watch.due(frame.t):
            return
        small = frame.small()
        seen = Frame(small, frame.size_wh[0] / small.shape[1], frame.size_wh, frame.t, frame.n, full=frame.full)
        began = time.thread_time()
        told = self.watch.feed(seen)
        self.thought, self.looked = self.thought + time.thread_time() - began, self.looked + 1
        _say(_told(told))
        if self._annotate is not None:
            self._annotate.add(frame.full(), frame.t, self.watch.seen, self.watch.raised)


def look(order: Watched) -> None:
    """Say every transition of the video, those at its end too. Raises BadInput, SourceUnreadable, SourceLost."""
    source, broken, began = VideoSource(order.source), 0, time.monotonic()
    with ExitStack() as stack:
        looking = Looking(order, stack.enter_context(AnnotatedVideo(Path(order.annotate))) if order.annotate else None)
        try:
            for frame in source.frames():
                looking.take(frame)
        except SourceLost:
            if source.address.live:
                raise
            broken = 1  # a file that ended in damage: what was seen counts
        _say(_told(looking.watch.end()))
    lost = max(broken, source.damage.lost(looking.decoded))
    if lost and not source.address.live:
        _say([Incomplete(source.address.shown, looking.decoded, lost)])
    took = time.monotonic() - began
    _say([Worked(looking.decoded, looking.looked, round(looking.until, 3), round(took, 3), round(looking.thought, 4))])


def _told(transitions: Sequence[Transition]) -> list[Told]:
    return [
        Told(
            DetectLine(round(x.t, 3), x.n, x.kind, x.state, round(x.score, 3), [round(v, 1) for v in x.box]), list(x.fired), dict(x.cues)
        )
        for x in transitions
    ]


def _say(lines: Sequence[Struct]) -> None:
    for line in lines:
        sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def main() -> None:
    """Do what the first line of standard input says; end with the parent."""
    cv2.setNumThreads(1)
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Watched)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        look(order)
    except BihuanError as e:
        _say([Problem(e.what, e.where, isinstance(e, SourceLost))])
    os._exit(0)  # the thread on standard input must not hold up the end


if __name__ == "__main__":
    main()
