"""Start a program with its output in a file, wait until it is up, end it by its process id."""

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def start(command: Sequence[str], log: Path, *, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Run ``command`` in a session of its own, so that a signal to the test run does not reach it twice."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        return subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=env, start_new_session=True
        )


def until(condition: Callable[[], bool], what: str, *, seconds: float = 90, every: float = 0.02) -> None:
    """Return as soon as ``condition`` holds; fails with ``what`` when it does not within ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(every)


def end(process: subprocess.Popen[bytes], *, seconds: float = 30) -> int:
    """SIGTERM, and SIGKILL for one that does not go; the exit code."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def tail(log: Path, lines: int = 40) -> str:
    """The end of a log, for the message of a failure."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else f"no {log}"
