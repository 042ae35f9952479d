"""The parts as commands of their own, as in production: one Kafka, one database, three supervisors; backup of PostgreSQL."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from bus.admin import ensure_topics
from tests.bihuan.test_cli import ALARM, EXAMPLE, bihuan, environment, free_port
from tests.real.influx import Influx
from tests.real.kafka import EmbeddedBroker


@contextlib.contextmanager
def part(name: str, folder: Path, variables: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """``bihuan NAME`` until the end of the block; it must stop cleanly."""
    folder.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "bihuan.cli", name, "--data", str(folder)]
    with (folder.parent / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment(**variables), stdout=log, stderr=log, start_new_session=True)
        try:
            yield process
        finally:
            process.terminate()
            try:
                assert process.wait(60) == 0, (folder.parent / f"{name}.log").read_text()
            finally:
                process.kill()


def wait_for_incidents(client: httpx.Client, seconds: float = 90) -> list[dict[str, object]]:
    """Incidents, as soon as there are any."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(httpx.HTTPError):
            answer = client.get("/api/v1/incidents")
            if answer.status_code == 200 and (items := answer.json()["items"]):
                return list(items)
        time.sleep(0.1)
    return []


def test_api_worker_and_ingest_run_alone(tmp_path: Path, database_url: str, embedded_broker: EmbeddedBroker) -> None:
    folder = tmp_path / "data"
    url = database_url if database_url.startswith("postgresql") else ""
    variables = {
        "BIHUAN_KAFKA": embedded_broker.address,
        "BIHUAN_DATABASE": url,
        "BIHUAN_PORT": str(free_port()),
        "BIHUAN_SITE": str(EXAMPLE),
    }
    token = bihuan("token", "create", "--role", "operator", "--data", folder, **variables)
    assert token.returncode == 0, token.stderr
    headers = {"Authorization": f"Bearer {token.stdout.strip()}"}
    address = f"http://127.0.0.1:{variables['BIHUAN_PORT']}"
    with contextlib.ExitStack() as running, httpx.Client(base_url=address, headers=headers, trust_env=False) as client:
        running.enter_context(part("api", folder, variables))
        posted = 0
        until = time.monotonic() + 60
        while posted != 202 and time.monotonic() < until:
            with contextlib.suppress(httpx.HTTPError):
                posted = client.post("/api/v1/alarms", json=ALARM).status_code
            time.sleep(0.1)
        assert posted == 202, "accepted although nobody works on it yet"
        second = bihuan("api", "--data", folder, **(variables | {"BIHUAN_PORT": str(free_port())}))
        assert (second.returncode, len(second.stderr.splitlines())) == (2, 1)
        assert "another bihuan runs" in second.stderr
        running.enter_context(part("ingest", folder, variables))
        running.enter_context(part("worker", folder, variables))
        assert [i["zone"] for i in wait_for_incidents(client)] == ["depot"]


def until(what: str, found: Callable[[], object], seconds: float = 90) -> None:
    """Return as soon as ``found`` gives something; an answer that does not come counts as nothing."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(httpx.HTTPError):
            if found():
                return
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:g} s: {what}")


def test_each_part_runs_by_its_environment_on_a_machine_of_its_own(
    tmp_path: Path, postgres_url: str, embedded_broker: EmbeddedBroker, influx: Influx
) -> None:
    """A folder of its own stands for a machine; what they share are Kafka, PostgreSQL and InfluxDB."""
    variables = {
        "BIHUAN_KAFKA": embedded_broker.address, "BIHUAN_DATABASE": postgres_url, "BIHUAN_PORT": str(free_port()),
        "BIHUAN_SITE": str(EXAMPLE), "BIHUAN_INFLUX_URL": influx.url, "BIHUAN_INFLUX_ORG": influx.org, "BIHUAN_INFLUX_TOKEN": influx.token,
    }  # fmt: skip
    token = bihuan("token", "create", "--role", "operator", "--data", tmp_path / "front", **variables)
    headers = {"Authorization": f"Bearer {token.stdout.strip()}"}
    address = f"http://127.0.0.1:{variables['BIHUAN_PORT']}"
    with contextlib.ExitStack() as running, httpx.Client(base_url=address, headers=headers, trust_env=False) as client:
        running.enter_context(part("api", tmp_path / "front", variables))
        running.enter_context(part("ingest", tmp_path / "front", variables))
        for name in ("worker", "store", "push"):
            running.enter_context(part(name, tmp_path / f"machine-{name}" / "data", variables))
        record = [{"n": "T-101/temperature", "u": "Cel", "v": 75}]
        until("a reading to be accepted", lambda: client.post("/api/v1/telemetry", json=record).status_code == 202)
        until("its rule to alarm", lambda: any(i["zone"] == "smelter" for i in client.get("/api/v1/incidents").json()["items"]))
        series = "/api/v1/series?device=T-101&metric=temperature&resolution=raw"
        until("the API to read it from InfluxDB", lambda: client.get(series).json().get("points"))
        parts = [f'bihuan_parts{{part="{name}"}} 1' for name in ("api", "ingest", "ledger", "worker", "store", "push")]
        until("every part to be noted", lambda: all(line in client.get("/metrics").text for line in parts))
        assert bihuan("healthy", "push", "--data", tmp_path / "machine-push" / "data").returncode == 0


async def test_another_partition_count_stops_the_start_with_one_line(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    await ensure_topics(embedded_broker.address, 8, 1)
    variables = {"BIHUAN_KAFKA": embedded_broker.address, "BIHUAN_PARTITIONS": "3", "BIHUAN_LOG": "error"}
    done = bihuan("worker", "--data", tmp_path / "data", **variables)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "has 8 partitions, 3 are configured" in done.stderr


def test_a_backup_of_postgresql_restores_into_an_empty_database(tmp_path: Path, postgres_url: str) -> None:
    from tests.conftest import create_database, drop_database
    from tests.conftest import part as real_part

    variables = {"BIHUAN_DATABASE": postgres_url}
    assert bihuan("site", "apply", EXAMPLE, "--data", tmp_path / "d", **variables).returncode == 0
    assert bihuan("user", "create", "zhang", "--role", "operator", "--data", tmp_path / "d", **variables).returncode == 0
    done = bihuan("backup", tmp_path / "b.tar", "--data", tmp_path / "d", **variables)
    assert done.returncode == 0, done.stderr
    refused = bihuan("restore", tmp_path / "b.tar", "--data", tmp_path / "e", **variables)
    assert refused.returncode == 2
    assert "not empty" in refused.stderr
    assert bihuan("restore", tmp_path / "b.tar", "--data", tmp_path / "e").returncode == 2, "this system is on SQLite"
    server = real_part("POSTGRES")
    empty = create_database(server)
    try:
        done = bihuan("restore", tmp_path / "b.tar", "--data", tmp_path / "e", BIHUAN_DATABASE=empty)
        assert done.returncode == 0, done.stderr
        again = bihuan("user", "create", "zhang", "--role", "operator", "--data", tmp_path / "e", BIHUAN_DATABASE=empty)
        assert "taken" in again.stderr
    finally:
        drop_database(server, empty)
