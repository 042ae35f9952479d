"""One video looked at in a decoding child: what the child says, as it says it. A video that aborts the decoder ends the child alone.

What must not go in: decoding, words for people, more than one video.
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, cast

import msgspec

from hazards.errors import SourceLost, SourceUnreadable
from ingest.cameras.children import child_environment, death
from ingest.cameras.detect_messages import Incomplete, Problem, Said, Told, Watched, Worked


def run(order: Watched) -> Iterator[Told | Incomplete | Worked]:
    """What the child sees; ``Worked`` is the last. Raises SourceUnreadable and SourceLost; the child is gone when it ends, however."""
    child = _start(order)
    problem: Problem | None = None
    try:
        for line in cast(IO[bytes], child.stdout):
            said = msgspec.json.decode(line, type=Said)
            if isinstance(said, Problem):
                problem = said
            else:
                yield said
        code = child.wait()
    finally:
        child.kill()
        with child:  # closes the pipes and waits
            pass
    if problem is not None:
        raise (SourceLost if problem.lost else SourceUnreadable)(problem.what, where=problem.where)
    if code != 0:
        raise SourceUnreadable(f"its decoder died {death(code)}", where=order.source, hint="the file is damaged or no video")


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
