"""A running ``bihuan up`` that tests may kill: the whole tree, one child, or the supervisor alone. Only its own processes."""

import contextlib
import signal
import time

import psutil

from benchmarks.client import Client
from benchmarks.system import System
from tests.real.processes import until


class RunningSystem(System):
    """``bihuan up`` with the means to kill its processes. Every process ever seen is gone after ``end``."""

    _seen: dict[int, psutil.Process]

    def supervisor(self) -> psutil.Process:
        """The process that was started."""
        assert self.process is not None
        return psutil.Process(self.process.pid)

    def children(self) -> list[psutil.Process]:
        """All processes below the supervisor, grandchildren too, as they are now."""
        try:
            found = self.supervisor().children(recursive=True)
        except psutil.NoSuchProcess:
            found = []
        self._seen = {**getattr(self, "_seen", {}), **{p.pid: p for p in found}}
        return found

    def kill_tree(self) -> None:
        """SIGKILL to the supervisor and everything below it, as a power cut would."""
        family = [self.supervisor(), *self.children()]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()  # nobody may start a replacement while the others are being killed
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._wait_for_the_end()

    def kill_child(self, victim: psutil.Process) -> None:
        """SIGKILL to one process below the supervisor."""
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.send_signal(signal.SIGKILL)

    def kill_supervisor(self) -> None:
        """SIGKILL to the supervisor alone; returns when its children ended by themselves, fails when one stays."""
        self.children()
        assert self.process is not None
        self.process.kill()
        self._wait_for_the_end()

    def _wait_for_the_end(self) -> None:
        assert self.process is not None
        self.process.wait()
        until(lambda: not self.survivors(), "every child to die with the supervisor")

    def survivors(self) -> list[psutil.Process]:
        """Processes of this system that still run although the supervisor is gone."""
        return [p for p in getattr(self, "_seen", {}).values() if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]

    def client(self, role: str = "administrator", enterprise: str | None = None) -> Client:
        """A client with a token of ``role``; close it (``async with``)."""
        return Client(self.url, self.token(role, enterprise))

    def end(self) -> None:
        """Stop it in order, then kill what should not be there any more."""
        self.children()
        self.stop()
        deadline = time.monotonic() + 30
        while (left := self.survivors()) and time.monotonic() < deadline:
            time.sleep(0.05)
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
