"""The decoding child of ``bihuan detect`` (``python -m ingest.cameras.detect_child``): one video in, lines out.

What must not go in: arguments of the command line, the words for people.
"""

import os
import sys
import threading
from collections.abc import Sequence

import cv2
import msgspec
from msgspec import Struct

from detectors.base import Frame, Transition
from detectors.watch import Watch
from detectors.zones import parse_polygon
from hazards.errors import BihuanError, SourceLost
from ingest.cameras.detect_messages import DetectLine, Incomplete, Problem, Watched
from ingest.cameras.source import VideoSource


def watch(order: Watched) -> None:
    """Say every transition of the video, those at its end too. Raises SourceUnreadable, SourceLost."""
    area = parse_polygon(order.zone) if order.zone else []
    watch = Watch(order.detectors, areas=dict.fromkeys(order.detectors, area) if area else {})
    source, seen, broken = VideoSource(order.source), 0, 0
    try:
        for seen, frame in enumerate(source.frames(), 1):  # noqa: B007 (used after the loop)
            if watch.due(frame.t):
                small = frame.small()
                _say(_lines(watch.feed(Frame(small, frame.size_wh[0] / small.shape[1], frame.size_wh, frame.t, frame.n))))
    except SourceLost:
        if source.address.live:
            raise
        broken = 1  # a file that ended in damage: what was seen counts
    _say(_lines(watch.end()))
    lost = max(broken, source.damage.lost(seen))
    if lost and not source.address.live:
        _say([Incomplete(source.address.shown, seen, lost)])


def _lines(told: Sequence[Transition]) -> list[DetectLine]:
    return [DetectLine(round(x.t, 3), x.n, x.kind, x.state, round(x.score, 3), [round(v, 1) for v in x.box]) for x in told]


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
        watch(order)
    except BihuanError as e:
        _say([Problem(e.what, e.where, isinstance(e, SourceLost))])
    os._exit(0)  # the thread on standard input must not hold up the end


if __name__ == "__main__":
    main()
