"""The command line as a person or a script meets it: real processes, exit codes, one line an error."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

EXAMPLE = Path(__file__).with_name("example_site.yaml")
ALARM = {
    "specversion": "1.0", "id": "a-1", "source": "test", "type": "bihuan.alarm.raised", "subject": "CAM-2", "data": {"kind": "intrusion"},
}  # fmt: skip


def environment(**more: str) -> dict[str, str]:
    """A clean environment: no settings of whoever runs the tests."""
    return {k: v for k, v in os.environ.items() if not k.startswith("BIHUAN_")} | more


def bihuan(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    command = [sys.executable, "-m", "bihuan.cli", *map(str, arguments)]
    return subprocess.run(command, env=environment(**more), capture_output=True, text=True, timeout=150, check=False)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Up:
    """A running ``bihuan up``."""

    def __init__(self, folder: Path, *arguments: str, **more: str) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "bihuan.cli", "up", "--data", str(folder), "--port", str(self.port), *arguments]
        self.process = subprocess.Popen(
            command, env=environment(**more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def ready(self) -> "Up":
        """Wait until alarms are accepted."""
        until = time.monotonic() + 90
        while time.monotonic() < until:
            assert self.process.poll() is None, self.process.communicate()
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code == 200:
                    return self
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
        raise AssertionError("not ready within 90 s")

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Exit code, standard output and error after a signal."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=90)
        return self.process.returncode, out, err


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """A ready system on an empty folder with the example's site."""
    system = Up(tmp_path / "data", "--site", str(EXAMPLE))
    try:
        yield system.ready()
    finally:
        if system.process.poll() is None:
            system.process.kill()
        system.process.communicate()


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (("up", "--site", "/nowhere.yaml"), {}, "can't be read"),
        (("up",), {"BIHUAN_PORT": "x"}, "BIHUAN_PORT"),
        (("worker",), {}, "BIHUAN_KAFKA"),
        (("token", "create", "--role", "king"), {}, "no role 'king'"),
        (("token", "create", "--role", "enterprise", "--enterprise", "nobody"), {}, "nobody"),
        (("token", "create", "--role", "bureau", "--district", "5108"), {}, "'5108' is no district"),
        (("user", "create", "li", "--role", "administrator", "--district", "510802"), {}, "takes no district"),
        (("user", "password", "nobody"), {}, "no user"),
        (("bench", "nothing"), {}, "nothing"),
        (("backup", "{tmp}/never-written.tar"), {}, "nothing to back up"),
        (("restore", "/nowhere.tar"), {}, "no such backup"),
        (("site", "check", "/nowhere.yaml"), {}, "can't be read"),
    ],
)
def test_an_error_is_one_line_and_exit_code_2(tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str], said: str) -> None:
    done = bihuan(*(a.format(tmp=tmp_path) for a in arguments), BIHUAN_DATA=str(tmp_path / "data"), **variables)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stderr.startswith("bihuan: ")
    assert said in done.stderr


def test_a_site_file_with_three_mistakes_gets_three_lines(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(
        EXAMPLE.read_text()
        .replace("grade: red,", "grade: purple,", 1)
        .replace("zone: depot", "zone: attic")
        .replace("id: T-101", "id: G-201")
        .replace("[flame, tamper]", "[flame, x_ray]", 1)
    )
    done = bihuan("site", "check", file)
    assert done.returncode == 2
    mistakes = [line for line in done.stderr.splitlines() if "warning" not in line]
    assert [int(n) for n in re.findall(r"line (\d+), ", "\n".join(mistakes))] == [8, 14, 17]
    assert "warning: line 16, device CAM-1.detectors: there is no detector 'x_ray'" in done.stderr
    assert bihuan("up", "--site", file, "--data", tmp_path / "d").stderr == done.stderr


def test_the_example_site_is_checked_and_applied(tmp_path: Path) -> None:
    checked = bihuan("site", "check", EXAMPLE)
    assert checked.returncode == 0
    assert "2 enterprises, 4 zones, 5 devices" in checked.stdout
    applied = bihuan("site", "apply", EXAMPLE, "--data", tmp_path / "d")
    assert applied.returncode == 0, applied.stderr
    assert "version 1" in applied.stdout
    assert bihuan("token", "create", "--role", "enterprise", "--enterprise", "alu", "--data", tmp_path / "d").returncode == 0


def test_config_lists_every_key() -> None:
    done = bihuan("config", BIHUAN_DATABASE="postgresql+psycopg://me:hidden@db/x")
    assert "BIHUAN_BROKER_BOUND" in done.stdout
    assert "hidden" not in done.stdout


def test_from_nothing_to_an_incident_and_a_clean_end(tmp_path: Path) -> None:
    token = bihuan("token", "create", "--role", "operator", "--data", tmp_path / "data")
    assert re.fullmatch(r"\S+\n", token.stdout), "only the token, on a folder that was never started"
    system = Up(tmp_path / "data", "--site", str(EXAMPLE)).ready()
    with httpx.Client(base_url=system.url, headers={"Authorization": f"Bearer {token.stdout.strip()}"}, trust_env=False) as client:
        assert client.post("/api/v1/alarms", json=ALARM).json() == {"accepted": 1, "ids": ["a-1"]}
        until = time.monotonic() + 60
        while not (items := client.get("/api/v1/incidents").json()["items"]) and time.monotonic() < until:
            time.sleep(0.05)
        assert [i["zone"] for i in items] == ["depot"]
        second = bihuan("up", "--data", tmp_path / "data", "--port", str(free_port()))
        assert (second.returncode, len(second.stderr.splitlines())) == (2, 1)
        assert "another bihuan runs" in second.stderr
        taken = bihuan("up", "--data", tmp_path / "other", "--port", str(system.port))
        assert (taken.returncode, len(taken.stderr.splitlines())) == (2, 1)
        assert str(system.port) in taken.stderr
    began = time.monotonic()
    code, out, _ = system.stop(signal.SIGINT)
    assert code == 0
    assert time.monotonic() - began < 30
    assert re.search(r"^password: \S{12,}$", out, re.MULTILINE)
    assert system.url in out
    secrets = [p for p in (tmp_path / "data" / "secrets").iterdir() if p.stat().st_mode & 0o077]
    assert not secrets
    again = Up(tmp_path / "data").ready()
    assert "password" not in again.stop()[1], "only the first start prints it"


def test_a_backup_of_a_running_system_restores_every_accepted_alarm(up: Up, tmp_path: Path) -> None:
    token = bihuan("token", "create", "--role", "operator", "--data", up.folder).stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    evidence = up.folder / "evidence" / "aa" / "bb"
    evidence.mkdir(parents=True)
    (evidence / "picture").write_bytes(b"x" * 1000)
    with httpx.Client(base_url=up.url, headers=headers, trust_env=False) as client:
        for n in range(20):
            assert client.post("/api/v1/alarms", json=[ALARM | {"id": f"{n}-{k}"} for k in range(20)]).status_code == 202
    for target in (tmp_path / "one.tar.gz", tmp_path / "folder"):
        done = bihuan("backup", target, "--data", up.folder)
        assert done.returncode == 0, done.stderr
    assert bihuan("backup", tmp_path / "folder", "--data", up.folder).returncode == 2, "never over another backup"
    running = bihuan("restore", tmp_path / "one.tar.gz", "--data", up.folder, "--force")
    assert running.returncode == 2
    assert "another bihuan runs" in running.stderr
    for source in ("one.tar.gz", "folder"):
        restored = tmp_path / f"restored-{source}"
        assert bihuan("restore", tmp_path / source, "--data", restored).returncode == 0
        assert bihuan("restore", tmp_path / source, "--data", restored).returncode == 2, "not empty any more"
        assert (restored / "evidence" / "aa" / "bb" / "picture").read_bytes() == b"x" * 1000
    assert bihuan("restore", tmp_path / "folder", "--data", restored, "--force").returncode == 0
    assert list(restored.glob("replaced-*")), "what was there is moved aside"
    up.stop()
    system = Up(tmp_path / "restored-one.tar.gz").ready()
    with httpx.Client(base_url=system.url, headers=headers, trust_env=False) as client:
        wanted, found = {f"{n}-{k}" for n in range(20) for k in range(20)}, set[str]()
        until = time.monotonic() + 60
        while found != wanted and time.monotonic() < until:
            found = set()
            for incident in client.get("/api/v1/incidents").json()["items"]:
                cursor = ""
                while cursor is not None:
                    page = client.get(
                        f"/api/v1/incidents/{incident['id']}/alarms", params={"limit": 200} | ({"cursor": cursor} if cursor else {})
                    ).json()
                    found |= {a["id"] for a in page["items"]}
                    cursor = page["next"]
        assert found == wanted
    system.stop()


def test_a_damaged_backup_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    assert bihuan("token", "create", "--role", "operator", "--data", tmp_path / "d").returncode == 0
    assert bihuan("backup", tmp_path / "b", "--data", tmp_path / "d").returncode == 0
    ledger = tmp_path / "b" / "ledger.sqlite"
    ledger.write_bytes(ledger.read_bytes()[:-1000])
    done = bihuan("restore", tmp_path / "b", "--data", tmp_path / "e")
    assert done.returncode == 2
    assert "damaged" in done.stderr
    assert not (tmp_path / "e" / "ledger.sqlite").exists()


def test_children_die_with_a_killed_supervisor_and_the_folder_is_free_at_once(up: Up, tmp_path: Path) -> None:
    import psutil

    children = psutil.Process(up.process.pid).children(recursive=True)
    assert len(children) >= 4
    up.process.kill()
    up.process.wait()
    _, left = psutil.wait_procs(children, timeout=60)
    assert not left
    again = Up(up.folder).ready()
    assert again.stop()[0] == 0


def test_dead_letters_are_listed_and_the_parked_ones_sent_again(tmp_path: Path) -> None:
    from bihuan.accounts import ledger
    from bihuan.configuration import load
    from bus.codecs import SignalPack, encode
    from storage.dead_letters import dead_letter, keep_dead_letters
    from tests.streams.signals import alarm

    pack = encode(SignalPack("z", [alarm(1, "z")]))
    with ledger(load(data=str(tmp_path))) as database, database.write() as connection:
        letters = [
            dead_letter("alarms", pack, "UnknownSchema: version signals/1 is not known"),
            dead_letter("alarms", b"x", "MalformedMessage: x"),
            dead_letter("alarms", pack.replace(b"signals/1", b"signals/9"), "UnknownSchema: version signals/9 is not known"),
        ]  # fmt: skip
        keep_dead_letters(connection, letters, now=1_790_000_000_000_000)
    listed = bihuan("dead-letters", "list", "--data", tmp_path).stdout.splitlines()
    assert len(listed) == 3 and sum("parked" in line for line in listed) == 2
    sent = bihuan("dead-letters", "resend", "--parked", "--data", tmp_path)
    assert sent.returncode == 0 and f"{letters[0].id}  sent again to alarms" in sent.stdout and f"{letters[2].id}  not sent" in sent.stdout
    refused = bihuan("dead-letters", "resend", letters[1].id, "--data", tmp_path)
    assert refused.returncode == 2 and "can't be read" in refused.stderr and len(refused.stderr.splitlines()) == 1
    assert len(bihuan("dead-letters", "list", "--data", tmp_path).stdout.splitlines()) == 2
