"""The processes of ``docker/compose.yaml`` started by hand: the same commands with the same environment, against real programs.

Only addresses and folders differ from the containers, and only as ``places`` says. What must not go in: a setting that the compose
file does not give.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.client import Client
from tests.docker.compose import environment, services
from tests.real.influx import Influx
from tests.real.ports import free_port
from tests.real.processes import end, start, tail, until

PROCESSES = ("api", "ingest", "worker", "store", "push")


def influx_token(server: Influx, *permissions: tuple[str, str]) -> str:
    """A token that may do only that, as ``docker/influxdb/tokens.sh`` makes them: (action, type of resource)."""
    found = server.request("GET", f"/api/v2/orgs?org={server.org}")["orgs"]
    assert isinstance(found, list)
    org = found[0]["id"]
    rights = [
        {"action": action, "resource": {"type": kind, "id": org} if kind == "orgs" else {"type": kind, "orgID": org}}
        for action, kind in permissions
    ]
    return str(server.request("POST", "/api/v2/authorizations", {"orgID": org, "permissions": rights})["token"])


@dataclass
class ByHand:
    """``given``: the variables of docker/.env. ``places``: what stands in the compose file for a container, and where it is here."""

    folder: Path
    given: Mapping[str, str]
    places: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict)  # docker/webhooks.env
    port: int = field(default_factory=free_port)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _tokens: dict[tuple[str, str | None], str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self, name: str) -> dict[str, str]:
        """What the process ``name`` is given: the image's variables, the compose file's, and what any process has."""
        image = {"BIHUAN_DATA": str(self.folder / name), "BIHUAN_HOST": "127.0.0.1", "BIHUAN_PORT": str(self.port)}
        service = environment(services(self.given)[name]) | (dict(self.secrets) if name == "push" else {})
        for there, here in self.places.items():
            service = {key: value.replace(there, here) for key, value in service.items()}
        plain = {k: os.environ[k] for k in ("PATH", "HOME", "LANG", "PYTHONPATH", "TMPDIR") if k in os.environ}
        return plain | image | service

    def start(self) -> None:
        """In the order of the compose file: the API until it is ready, then the others until they are healthy."""
        for name in PROCESSES:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", "bihuan.cli", *services(self.given)[name]["command"]]
            self.running[name] = start(command, self.log(name), env=self.environment(name))
            if name == "api":
                until(self._ready, f"the API: {tail(self.log('api'))}", seconds=90)
        until(lambda: all(map(self.healthy, PROCESSES)), "every process to be healthy", seconds=90, every=0.5)

    def _ready(self) -> bool:
        assert self.running["api"].poll() is None, tail(self.log("api"))
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(json.loads(answer.read())["status"] == "ok")
        except OSError:
            return False

    def healthy(self, name: str) -> bool:
        """What the health check of its container would say."""
        assert self.running[name].poll() is None, f"{name} ended: {tail(self.log(name))}"
        return self._run(name, "healthy").returncode == 0

    def _run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bihuan.cli", *arguments]
        return subprocess.run(command, env=self.environment(name), capture_output=True, text=True, timeout=60, check=False)

    def log(self, name: str) -> Path:
        """What a process has said."""
        return self.folder / f"{name}.log"

    def client(self, role: str, enterprise: str | None = None) -> Client:
        """A client with a token of ``role``, made as ``docker compose exec api bihuan token create`` does."""
        if (role, enterprise) not in self._tokens:
            self._tokens[role, enterprise] = self._made("token", "create", role=role, enterprise=enterprise)
        return Client(self.url, self._tokens[role, enterprise])

    def person(self, name: str, role: str, enterprise: str | None = None) -> str:
        """The password of a new person."""
        return self._made("user", "create", name, role=role, enterprise=enterprise)

    def _made(self, *what: str, role: str, enterprise: str | None) -> str:
        done = self._run("api", *what, "--role", role, *(["--enterprise", enterprise] if enterprise else []))
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def stop(self) -> dict[str, int]:
        """End them in the opposite order; their exit codes."""
        began, codes = time.monotonic(), {}
        for name in reversed(list(self.running)):
            codes[name] = end(self.running.pop(name), seconds=60)
        print(f"stopped in {time.monotonic() - began:.1f} s: {codes}")
        return codes

    def log_tail(self) -> str:
        """The ends of all logs."""
        return "\n".join(f"--- {name}\n{tail(self.log(name))}" for name in PROCESSES)
