"""Real InfluxDB 2 through the program named by BIHUAN_TEST_INFLUXD, in a folder of its own, set up as a first start does."""

import json
import urllib.error
import urllib.request
from pathlib import Path

from tests.real.ports import free_port
from tests.real.processes import end, start, tail, until


class Influx:
    """One influxd process. ``token`` is the operator's: it may do everything in ``org``."""

    org = "bihuan-test"
    token = "only-for-tests-0123456789"

    def __init__(self, tool: str, folder: Path) -> None:
        self._tool, self._folder = tool, folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "influxd.log"
        try:
            self._start()
            self.request("POST", "/api/v2/setup", {"username": "test", "password": "only-for-tests", "org": self.org, "bucket": "first",
                                                   "token": self.token})  # fmt: skip
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        files = {"--bolt-path": "meta.bolt", "--sqlite-path": "meta.sqlite", "--engine-path": "engine"}
        places = [word for option, name in files.items() for word in (option, str(self._folder / name))]
        self._process = start([self._tool, *places, "--http-bind-address", f"127.0.0.1:{self.port}", "--reporting-disabled"], self._log)

        def up() -> bool:
            assert self._process.poll() is None, f"influxd ended: {tail(self._log)}"
            try:
                return bool(self.request("GET", "/health")["status"] == "pass")
            except OSError:
                return False

        until(up, f"influxd on {self.url}: {tail(self._log)}")

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL; what was answered stays on disk."""
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Start it again on the same folder and port; returns when it is up."""
        self._start()

    def stop(self) -> None:
        """End it."""
        if hasattr(self, "_process"):
            end(self._process)

    def request(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """One call of its HTTP interface as the operator; the JSON answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers, method=method), timeout=30) as answer:
            text = answer.read()
        found: dict[str, object] = json.loads(text) if text else {}
        return found

    def query(self, flux: str) -> list[dict[str, str]]:
        """Rows of a Flux query as text, by their columns' names."""
        body = json.dumps({"query": flux, "dialect": {"annotations": [], "header": True}}).encode()
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json", "Accept": "application/csv"}
        request = urllib.request.Request(f"{self.url}/api/v2/query?org={self.org}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as e:
            raise AssertionError(f"{e.code}: {e.read().decode()}") from e
        rows: list[dict[str, str]] = []
        for part in text.replace("\r\n", "\n").split("\n\n"):
            lines = [line.split(",") for line in part.strip("\n").split("\n")]
            rows += [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
        return rows
