"""Fixtures for the real parts that tests run against, and what happens when a part is not there.

Each part is found by one variable:

- ``BIHUAN_TEST_KAFKA``: path of a program with the verbs ``start DIR PORT NODES``, ``kill DIR NODE``, ``restart DIR NODE``, ``stop DIR``
- ``BIHUAN_TEST_POSTGRES``: URL of a PostgreSQL server as superuser, e.g. ``postgresql://postgres@127.0.0.1:5432/postgres``;
  each test makes and drops a database of its own
- ``BIHUAN_TEST_RTSP``: path of a program ``PORT NAME=FILE …`` that serves H.264 files; needs ffmpeg beside it
- ``BIHUAN_TEST_MEDIA``: folder of real clips with ``index.csv``
- ``BIHUAN_TEST_INFLUXD``: path of a program that takes influxd's arguments (InfluxDB 2)
- ``BIHUAN_TEST_MQTT``: path of the program mosquitto

A test that needs a missing part is left out and named at the end of the run; with ``CI=true`` it fails instead.
The embedded broker and SQLite come with the product, so nothing about them is ever left out.
What must not go in: starting the programs (``tests/real``), helpers of single tests.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from benchmarks.park import write_park
from bihuan.preparation import ensure_packs
from storage.database import Database, sqlite_url
from storage.migrations import upgrade
from tests.real.influx import Influx
from tests.real.kafka import EmbeddedBroker, KafkaCluster
from tests.real.mqtt import Mosquitto
from tests.real.ports import free_port as _free_port
from tests.real.postgres import create_database, drop_database
from tests.real.rtsp import Rtsp
from tests.real.system import RunningSystem

settings.register_profile("bihuan", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no finding
settings.load_profile("bihuan")

ONE_AFTER_ANOTHER = {"benchmarks", "bihuan", "detectors", "ingest", "kill", "streams", "whole"}
"""Folders whose tests run whole systems or judge speed. Several of them at once would judge the machine; beside them the others compute."""
PARTS = ("KAFKA", "POSTGRES", "RTSP", "MEDIA", "INFLUXD", "MQTT")


def part(name: str) -> str:
    """Value of BIHUAN_TEST_``name``. Without it the test is left out, or fails where CI promises every part."""
    variable = f"BIHUAN_TEST_{name}"
    value = os.environ.get(variable, "")
    if not value:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"needs {variable}")
    return value


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Soak tests take minutes to hours: they run only when a marker expression asks for them."""
    if config.getoption("-m"):
        return
    soak = [i for i in items if i.get_closest_marker("soak")]
    if soak:
        config.hook.pytest_deselected(items=soak)
        items[:] = [i for i in items if i not in soak]


class SystemsApart(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """What runs whole systems is one piece of work for one process; of the rest each test is one."""

    def _split_scope(self, nodeid: str) -> str:
        return "systems" if nodeid.split("/")[1] in ONE_AFTER_ANOTHER else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SystemsApart:
    """How ``-n`` shares the tests out."""
    return SystemsApart(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name every test that was left out and the part it needs."""
    lines = []
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        lines.append(f"left out: {report.nodeid}, {reason.removeprefix('Skipped: ')}")
    if lines:
        terminalreporter.section("left out")
        for line in sorted(lines):
            terminalreporter.line(line)


@pytest.fixture
def free_port() -> int:
    """A free loopback port."""
    return _free_port()


@pytest.fixture
def embedded_broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """An embedded broker of this test: ``.address``, ``.pid``, ``.kill()``."""
    broker = EmbeddedBroker(tmp_path)
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def module_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """An embedded broker shared by the tests of a module."""
    broker = EmbeddedBroker(tmp_path_factory.mktemp("broker"))
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of one Apache Kafka broker, shared by the whole run: topics must be of the test's own or made for it."""
    cluster = KafkaCluster(part("KAFKA"), tmp_path_factory.mktemp("kafka"))
    yield cluster.addresses
    cluster.stop()


@pytest.fixture
def fresh_kafka(tmp_path: Path) -> Iterator[KafkaCluster]:
    """One empty Apache Kafka broker of this test."""
    cluster = KafkaCluster(part("KAFKA"), tmp_path / "kafka-1")
    yield cluster
    cluster.stop()


@pytest.fixture
def kafka_cluster(tmp_path: Path) -> Iterator[KafkaCluster]:
    """Three empty Apache Kafka brokers of this test: ``.addresses``, ``.kill(n)``, ``.restart(n)``, ``.stop()``."""
    cluster = KafkaCluster(part("KAFKA"), tmp_path / "kafka-3", nodes=3)
    yield cluster
    cluster.stop()


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """URL of an empty database of this test."""
    server = part("POSTGRES")
    url = create_database(server)
    yield url
    drop_database(server, url)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, once SQLite and once PostgreSQL."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return sqlite_url(tmp_path / "ledger.sqlite")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with the current tables, once on SQLite and once on PostgreSQL."""
    database = Database(database_url)
    upgrade(database)
    ensure_packs(database)
    yield database
    database.close()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """A SQLite database with the current tables, for tests to which the kind of database makes no difference."""
    database = Database(sqlite_url(tmp_path / "ledger.sqlite"))
    upgrade(database)
    ensure_packs(database)
    yield database
    database.close()


@pytest.fixture(scope="session")
def shared_influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    """An InfluxDB shared by the whole run: buckets must be of the test's own."""
    server = Influx(part("INFLUXD"), tmp_path_factory.mktemp("influx"))
    yield server
    server.stop()


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[Influx]:
    """An empty InfluxDB of this test: ``.url``, ``.org``, ``.token``, ``.kill()``, ``.restart()``."""
    server = Influx(part("INFLUXD"), tmp_path / "influx")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def media() -> Path:
    """Folder of real clips; its ``index.csv`` says what is in each."""
    return Path(part("MEDIA"))


@pytest.fixture
def rtsp(tmp_path: Path) -> Iterator[Rtsp]:
    """``rtsp(gate=FILE).url("gate")`` serves files over RTSP until the test ends."""
    folder = tmp_path / "rtsp"
    folder.mkdir()
    server = Rtsp(part("RTSP"), folder)
    yield server
    server.stop()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A Mosquitto of this test: ``.url``, ``.port``, ``.restart()``, ``.stop()``, ``.start()``."""
    broker = Mosquitto(part("MQTT"), tmp_path / "mosquitto")
    yield broker
    broker.stop()


@pytest.fixture
def running_system(tmp_path: Path) -> Iterator[Callable[..., RunningSystem]]:
    """``running_system("embedded")`` or ``running_system("kafka")`` (Apache Kafka and PostgreSQL) starts a real ``bihuan up``.

    Further arguments: ``zones`` of its park, ``cameras`` and ``webhooks`` as in a site file, ``settings`` without BIHUAN_. All of it
    ends with the test, the system before what it stands on.
    """
    with ExitStack() as ending:

        def start(
            flavour: str, *, zones: int = 4, cameras: list[dict[str, Any]] | None = None, webhooks: list[dict[str, Any]] | None = None,
            settings: dict[str, str] | None = None,
        ) -> RunningSystem:  # fmt: skip
            outside = _kafka_and_postgres(ending, tmp_path) if flavour == "kafka" else {}
            site = write_park(tmp_path / "site.yaml", zones, cameras=cameras, webhooks=webhooks)
            system = RunningSystem(tmp_path / "data", site=site, settings=outside | (settings or {}))
            ending.callback(lambda: print(f"--- end of the log of {system.url}\n{system.log_tail()}"))  # shown when the test fails
            ending.callback(system.end)
            system.start()
            return system

        yield start


def _kafka_and_postgres(ending: ExitStack, folder: Path) -> dict[str, str]:
    """Settings that put a system on an empty Kafka and an empty database of its own."""
    server = part("POSTGRES")
    cluster = KafkaCluster(part("KAFKA"), folder / "kafka")
    ending.callback(cluster.stop)
    url = create_database(server)
    ending.callback(drop_database, server, url)
    return {"KAFKA": cluster.addresses, "DATABASE": url}
