"""Starts worker processes and reads what they report. What must not go in: brokers, alarms."""

import os
import sys
from pathlib import Path

import msgspec

from streams.progress import WorkerProgress
from tests.real.processes import end, start, tail, until


class WorkerProcess:
    """One ``tests.streams.worker_process``. Its output goes to ``log``, appended over restarts."""

    def __init__(self, log: Path, broker: str, database: str, *options: str) -> None:
        self.log = log
        self._command = [sys.executable, "-m", "tests.streams.worker_process", broker, database, *options]
        self.start()

    def start(self) -> None:
        """Start it, again if it ended."""
        self._from = self.log.stat().st_size if self.log.exists() else 0
        self._process = start(self._command, self.log, env=dict(os.environ, PYTHONUNBUFFERED="1"))

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def ended(self) -> bool:
        """Whether it ended, by itself or not."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return end(self._process)

    def progress(self) -> WorkerProgress | None:
        """Its latest report since the latest start."""
        with self.log.open("rb") as file:
            file.seek(self._from)
            lines = [line for line in file.read().splitlines() if line.startswith(b'{"applied"') and line.endswith(b"}")]
        return msgspec.json.decode(lines[-1], type=WorkerProgress) if lines else None

    def ready(self) -> bool:
        """Whether it reports that partitions are assigned and flowing."""
        progress = self.progress()
        return progress is not None and progress.ready

    def wait_until_ready(self, seconds: float = 90) -> None:
        """Return when it is ready."""
        until(lambda: self.ready() or self.ended(), f"worker ready: {tail(self.log)}", seconds=seconds)
        assert not self.ended(), tail(self.log)
