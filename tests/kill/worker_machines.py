"""``bihuan worker`` on machines of their own (a data folder each): real supervisors with their watchdogs, killed and started again.

What must not go in: brokers, what the workers are given, judging.
"""

import contextlib
import os
import subprocess
from collections import Counter
from pathlib import Path

import psutil

from benchmarks.system import System
from tests.real.processes import end, start, tail, until


class WorkerMachine:
    """One supervisor with one worker. ``settings`` are BIHUAN_* variables without the prefix; its log stays over restarts."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.folder, self.log = folder, folder.parent / f"{folder.name}.log"
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("BIHUAN_")}
        self._environment = {**inherited, **{f"BIHUAN_{k}": v for k, v in settings.items()}}
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        """Start the supervisor, which starts its worker and starts it anew whenever it ends."""
        command = System.command("worker", "--data", str(self.folder))
        self._process: subprocess.Popen[bytes] = start(command, self.log, env=self._environment)

    def worker(self) -> psutil.Process | None:
        """The worker's process, None while there is none."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self._process.pid).children():
                if child.cmdline()[-1:] == ["worker"]:
                    return child
        return None

    def kill_worker(self) -> bool:
        """SIGKILL to the worker: starting it anew is its supervisor's matter. Whether there was one."""
        victim = self.worker()
        if victim is None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
        return True

    def kill_machine(self) -> None:
        """SIGKILL to the supervisor, with which its worker dies."""
        victim = self.worker()
        self._process.kill()
        self._process.wait()
        if victim is not None:
            until(lambda: not victim.is_running() or victim.status() == psutil.STATUS_ZOMBIE, "the worker to die with its supervisor")

    def ended(self) -> bool:
        """Whether the supervisor ended, which it never does by itself."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """SIGTERM."""
        end(self._process)

    def restarts(self) -> Counter[str]:
        """What its supervisors told of ends: by the watchdog (``stuck``), and of all (``ended``), killed ones too."""
        said = self.log.read_text(errors="replace")
        return Counter({"stuck": said.count("part killed by the watchdog"), "ended": said.count("part ended")})

    def last_words(self) -> str:
        """The end of its log."""
        return tail(self.log, 12)
