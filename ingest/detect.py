"""``bihuan detect``: run detectors on one video and print what they raise and clear, one JSON object a line.

The video is decoded in a child process: one that aborts the decoder ends the child, and the command says so in one line.
What must not go in: the door, evidence files, decoding.
"""

import contextlib
import subprocess
import sys
from collections.abc import Sequence
from typing import IO, cast

import msgspec

from detectors import DETECTORS
from detectors.zones import parse_polygon
from hazards.errors import BadInput, SourceLost, SourceUnreadable
from ingest.cameras.children import child_environment, death
from ingest.cameras.detect_messages import DetectLine, Incomplete, Problem, Watched


def detect(source: str, *, detectors: Sequence[str] = (), zone: str | None = None, json_lines: bool = False) -> None:
    """Print every transition that ``detectors`` (none: all) find in ``source``, a file or an RTSP address.

    ``zone``: "x,y x,y x,y", fractions of the picture where no number is over 1, else pixels of the frame.
    A file of which frames were lost gets one line of warning on standard error. Raises BadInput, SourceUnreadable and SourceLost."""
    unknown = [name for name in detectors if name not in DETECTORS]
    if unknown:
        raise BadInput(f"no detector {unknown[0]!r}", where="--detector", hint=f"there are: {', '.join(DETECTORS)}")
    if zone is not None:
        parse_polygon(zone)
    child = _start(Watched(source, list(detectors) or list(DETECTORS), zone))
    try:
        problem = _print_lines(cast(IO[bytes], child.stdout), json_lines=json_lines)
        code = child.wait()
    except KeyboardInterrupt:
        return
    finally:
        child.kill()
        with child:  # closes the pipes and waits
            pass
    if problem is not None:
        raise (SourceLost if problem.lost else SourceUnreadable)(problem.what, where=problem.where)
    if code != 0:
        raise SourceUnreadable(f"its decoder died {death(code)}", where=source, hint="the file is damaged or no video")


def _start(order: Watched) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "ingest.cameras.detect_child"]
    child = subprocess.Popen(  # noqa: S603 (our own program)
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=child_environment()
    )
    orders = cast(IO[bytes], child.stdin)
    try:
        orders.write(msgspec.json.encode(order) + b"\n")
        orders.flush()  # it stays open: its end tells the child that this process is gone
    except BrokenPipeError:  # the exit code says why
        with contextlib.suppress(BrokenPipeError):
            orders.close()  # what it still holds would be written, and fail, once more
    return child


def _print_lines(lines: IO[bytes], *, json_lines: bool) -> Problem | None:
    for line in lines:
        if line.startswith(b'{"type":"problem"'):
            return msgspec.json.decode(line, type=Problem)
        if line.startswith(b'{"type":"incomplete"'):
            print(_warning(msgspec.json.decode(line, type=Incomplete)), file=sys.stderr)  # noqa: T201
            continue
        sys.stdout.write(line.decode() if json_lines else _for_people(msgspec.json.decode(line, type=DetectLine)))
        sys.stdout.flush()
    return None


def _warning(found: Incomplete) -> str:
    what = f"{found.where}: the video is damaged: {found.seen} frames seen, {found.lost} lost or damaged"
    return f"bihuan: warning: {' '.join(what.split())} (what they showed may have been missed)"


def _for_people(found: DetectLine) -> str:
    box = " ".join(f"{v:.0f}" for v in found.box)
    return f"{found.t:8.2f} s  frame {found.frame:6d}  {found.kind} {found.state}  score {found.score:.2f}  box {box}\n"
