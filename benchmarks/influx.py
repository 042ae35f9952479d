"""An InfluxDB 2 of a bench's own: started by the program that BIHUAN_TEST_INFLUXD names, with an organisation and a token.

What must not go in: schema, measuring.
"""

import json
import os
import secrets
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.system import free_port
from hazards.errors import Misconfigured, Unavailable

TOOL = "BIHUAN_TEST_INFLUXD"


@dataclass(frozen=True, slots=True)
class Influx:
    """Where it listens and who may do everything there."""

    url: str
    org: str
    token: str

    def request(self, method: str, path: str, body: Any = None, *, accept: str = "application/json") -> bytes:
        """The body of an answer. Raises Unavailable for any that is not a success."""
        headers = {"Content-Type": "application/json", "Accept": accept, "Authorization": f"Token {self.token}"}
        data = None if body is None else json.dumps(body).encode()
        asking = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310 - loopback, our own
        try:
            with urllib.request.urlopen(asking, timeout=60) as answer:  # noqa: S310
                return bytes(answer.read())
        except urllib.error.HTTPError as e:
            raise Unavailable(f"{e.code} {e.read().decode(errors='replace')}", where=path) from e
        except OSError as e:
            raise Unavailable(str(e), where=path) from e

    def count(self, bucket: str, measurement: str, field: str) -> int:
        """Points of ``measurement`` that have ``field``, all of time."""
        flux = (
            f'from(bucket: "{bucket}") |> range(start: 0, stop: 2100-01-01T00:00:00Z) '
            f'|> filter(fn: (r) => r._measurement == "{measurement}" and r._field == "{field}") |> group() |> count()'
        )
        text = self.request("POST", f"/api/v2/query?org={self.org}", {"query": flux, "type": "flux"}, accept="application/csv").decode()
        rows = [line.split(",") for line in text.splitlines() if line.strip()]
        return int(rows[1][rows[0].index("_value")]) if len(rows) > 1 else 0


@contextmanager
def real_influx() -> Iterator[Influx]:
    """A fresh InfluxDB for the length of the block. Raises Misconfigured when nothing says how to start one."""
    tool = os.environ.get(TOOL, "")
    if not tool:
        raise Misconfigured("there is no InfluxDB to measure", hint=f"{TOOL} names a program that takes influxd's arguments")
    with TemporaryDirectory(prefix="bihuan-bench-influx-") as folder:
        port = free_port()
        with (Path(folder) / "log").open("ab") as log:
            process = subprocess.Popen(
                _command(tool, Path(folder), port), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield _set_up(f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _command(tool: str, folder: Path, port: int) -> list[str]:
    files = {"bolt-path": "influxd.bolt", "engine-path": "engine", "sqlite-path": "influxd.sqlite"}
    return [
        tool, "--reporting-disabled", f"--http-bind-address=127.0.0.1:{port}",
        *(f"--{option}={folder / name}" for option, name in files.items()),
    ]  # fmt: skip


def _set_up(url: str, process: subprocess.Popen[bytes], seconds: float = 60) -> Influx:
    influx, limit = Influx(url, "bench", secrets.token_urlsafe(32)), time.monotonic() + seconds
    wanted = {"username": "bench", "password": secrets.token_urlsafe(16), "org": influx.org, "bucket": "unused", "token": influx.token}
    while True:
        try:
            influx.request("POST", "/api/v2/setup", wanted)
            return influx
        except Unavailable:
            if process.poll() is not None or time.monotonic() > limit:
                raise
            time.sleep(0.1)
