"""A whole ``bihuan up`` as a process of its own, for benches and tests. What must not go in: killing parts (``tests/real``)."""

import os
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType

from hazards.errors import Unavailable

START_SECONDS = 120.0


def free_port() -> int:
    """A free loopback port below the range of outgoing connections, which could otherwise take it meanwhile."""
    for port in range(15000 + os.getpid() % 8000, 31000):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Unavailable("no free loopback port")


class System:
    """``bihuan up`` on ``folder``. ``settings`` are BIHUAN_* variables without the prefix, e.g. ``{"KAFKA": …, "DATABASE": …}``."""

    def __init__(self, folder: Path, *, site: Path | None = None, settings: dict[str, str] | None = None, port: int | None = None) -> None:
        self.folder, self.site = folder, site
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder.parent / f"{folder.name}.log"
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("BIHUAN_")}
        self.environment = {**inherited, **{f"BIHUAN_{k}": v for k, v in (settings or {}).items()}}
        self.process: subprocess.Popen[bytes] | None = None
        self._tokens: dict[tuple[str, str | None], str] = {}

    @staticmethod
    def command(*arguments: str) -> list[str]:
        """The ``bihuan`` command of this environment."""
        return [sys.executable, "-m", "bihuan.cli", *arguments]

    def start(self) -> None:
        """Start it and return when it accepts durably (``/readyz``)."""
        arguments = ["up", "--data", str(self.folder), "--port", str(self.port)]
        if self.site is not None:
            arguments += ["--site", str(self.site)]
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command(*arguments), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                env=self.environment, start_new_session=True,
            )  # fmt: skip
        self.wait_until_ready()

    def is_ready(self) -> bool:
        """Whether ``/readyz`` says that it can accept durably now."""
        asking = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            asking.request("GET", "/readyz")
            return asking.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            asking.close()

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Return when it is ready; Unavailable with the end of its log when it ended or takes too long."""
        limit = time.monotonic() + seconds
        while not self.is_ready():
            if self.process is not None and self.process.poll() is not None:
                raise Unavailable(f"bihuan ended with {self.process.returncode}: {self.log_tail()}")
            if time.monotonic() > limit:
                raise Unavailable(f"bihuan was not ready within {seconds:g} s: {self.log_tail()}")
            time.sleep(0.05)

    def log_tail(self, lines: int = 60) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def token(self, role: str = "administrator", enterprise: str | None = None) -> str:
        """A bearer token of ``role``, made once per system with ``bihuan token create``."""
        if (role, enterprise) not in self._tokens:
            self._tokens[role, enterprise] = self._made("token", "create", role=role, enterprise=enterprise)
        return self._tokens[role, enterprise]

    def person(self, name: str, role: str, enterprise: str | None = None) -> str:
        """The password of a new person."""
        return self._made("user", "create", name, role=role, enterprise=enterprise)

    def _made(self, *what: str, role: str, enterprise: str | None) -> str:
        """The secret that ``bihuan`` prints."""
        arguments = [*what, "--role", role, "--data", str(self.folder), *(["--enterprise", enterprise] if enterprise else [])]
        done = subprocess.run(self.command(*arguments), env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode or len(done.stdout.split()) != 1:
            raise Unavailable(f"bihuan {' '.join(what)}: {done.returncode} {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def stop(self, seconds: float = 30) -> int:
        """SIGTERM and wait; SIGKILL for one that does not go. The exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def __enter__(self) -> "System":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
