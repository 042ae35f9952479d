"""Mosquitto as the container starts it: the same script, configuration and access list, on a loopback port of the test."""

import os
import shutil
from pathlib import Path

from tests.docker.compose import DOCKER
from tests.real.ports import accepts, free_port
from tests.real.processes import end, start, tail, until


class HardenedMosquitto:
    """``.port`` of the broker; ``passwords`` are what the environment gave. It ends with ``stop``."""

    def __init__(self, program: str, folder: Path, passwords: dict[str, str]) -> None:
        self.folder, self.port = folder, free_port()
        self.log = folder / "log"
        (folder / "data").mkdir(parents=True)
        shutil.copy(DOCKER / "mosquitto/acl", folder / "acl")
        text = (DOCKER / "mosquitto/mosquitto.conf").read_text()
        for there, here in {"listener 1883": f"listener {self.port} 127.0.0.1", "/run/mosquitto": str(folder),
                            "/mosquitto/config": str(folder), "/mosquitto/data": str(folder / "data")}.items():  # fmt: skip
            assert there in text
            text = text.replace(there, here)
        (folder / "mosquitto.conf").write_text(text)
        if os.getuid() == 0:  # the container's user owns all of this; here root would become another user that does not
            (folder / "mosquitto.conf").write_text(text + "user root\n")
        programs = f"{Path(program).parent}:{Path(program).parents[1] / 'bin'}:{os.environ['PATH']}"
        given = {"PATH": programs, "RUN": str(folder), "CONFIG": str(folder / "mosquitto.conf"), **passwords}
        self._process = start(["/bin/sh", str(DOCKER / "mosquitto/start.sh")], self.log, env=given)

        def up() -> bool:
            assert self._process.poll() is None, tail(self.log)
            return accepts(f"127.0.0.1:{self.port}")

        until(up, f"Mosquitto: {tail(self.log)}")

    def stop(self) -> None:
        """End it."""
        end(self._process)
