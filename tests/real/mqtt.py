"""A Mosquitto of a test, which keeps its sessions on disk over a restart."""

import subprocess
from pathlib import Path

from tests.real.ports import accepts, free_port
from tests.real.processes import end, start, tail, until


class Mosquitto:
    """``.url``, ``.port``; ``.restart()`` ends it as its operator would and starts it anew, ``.stop()`` ends it."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program, self.folder, self.port = program, folder, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "mosquitto.conf"
        self._file.write_text(
            f"listener {self.port} 127.0.0.1\nuser root\nallow_anonymous true\npersistence true\npersistence_location {folder}/\n"
            "max_queued_messages 100000\nlog_type error\nlog_type warning\n"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Address for the site file."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = self.folder / "log"
        self._process = start([self.program, "-c", str(self._file)], log)
        until(lambda: accepts(f"127.0.0.1:{self.port}"), f"Mosquitto: {tail(log)}")

    def stop(self) -> None:
        """End it; sessions are on disk."""
        if self._process is not None:
            end(self._process)
            self._process = None

    def demand_password(self, user: str, password: str) -> None:
        """Restart it so that only ``user`` is let in."""
        secrets = self.folder / "passwords"
        secrets.write_text(f"{user}:{password}\n")
        subprocess.run([str(Path(self.program).parents[1] / "bin/mosquitto_passwd"), "-U", str(secrets)], check=True)
        self._file.write_text(self._file.read_text().replace("allow_anonymous true", f"allow_anonymous false\npassword_file {secrets}"))
        self.restart()

    def demand_tls(self) -> Path:
        """Restart it with a certificate of its own for 127.0.0.1; the file that a client has to trust."""
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate), "-days", "2"]
        subprocess.run([*command, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        self._file.write_text(self._file.read_text() + f"certfile {certificate}\nkeyfile {key}\n")
        self.restart()
        return certificate

    def restart(self) -> None:
        """End it and start it anew on the same port."""
        self.stop()
        self.start()
