"""The real application over a real SQLite file, a real journal and, where a browser or socket matters, a real server.

The one thing left out is Kafka: ``System.apply`` takes what the door accepted from the journal's file to SQL.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from api.app import create_app, utc_now
from api.gate import COOKIE
from api.http_protocol import BoundedHead
from api.settings import ApiSettings
from bihuan.policy_file import parse_policy
from bihuan.preparation import ensure_packs
from bihuan.site_file import parse_site
from bus.codecs import decode
from hazards.device_clock import DeviceClocks
from hazards.ledger.policy import Policy
from hazards.messages import Signal
from hazards.zones import Device, Enterprise, Grade, Site, Zone
from ingest.door import Door
from ingest.telemetry_door import TelemetryDoor
from storage import accounts, schema
from storage.database import Database, sqlite_url
from storage.evidence import EvidenceStore
from storage.incidents import apply_signals
from storage.journal import Journal, Lane
from storage.outbox import give_positions
from storage.series.sqlite import SqliteSeries
from storage.site_store import Registry, apply_site, load_registry

PASSWORD = "correct horse battery"
SITE = Site(
    id="park", name="示例园区",
    enterprises=[Enterprise(id="alu", name="示例铝业"), Enterprise(id="chem", name="示例化工")],
    zones=[
        Zone(id="smelter", name="熔铸车间", enterprise="alu", grade=Grade.RED, polygon=[(0, 0), (60, 0), (60, 40), (0, 40)]),
        Zone(id="tank", name="储罐区", enterprise="chem", grade=Grade.RED, polygon=[(80, 0), (140, 0), (140, 50), (80, 50)]),
        Zone(id="depot", name="危废库", enterprise="chem", grade=Grade.ORANGE, polygon=[(80, 60), (110, 60), (110, 90), (80, 90)]),
        Zone(id="pipeline", name="城市燃气管线", grade=Grade.YELLOW, line=[(0, 0), (200, 0)]),
    ],
    devices=[
        Device(id="CAM-1", zone="smelter", type="camera", url="rtsp://viewer:hunter2@10.0.0.7/1"),
        Device(
            id="T-101", zone="smelter", type="sensor",
            settings={"metric": "temperature", "unit": "Cel", "range": [-40, 1200], "limits": {"high": 60, "high_high": 80}},
        ),
        Device(id="G-201", zone="tank", type="sensor", settings={"metric": "flammable_gas", "unit": "%LEL"}),
        Device(id="CAM-2", zone="depot", type="camera"),
        Device(id="P-1", zone="pipeline", type="sensor"),
    ],
)  # fmt: skip


def _read_policy(body: bytes, today: date) -> tuple[Policy, list[str]]:
    found = parse_policy(body, file="policy", today=today)
    return found.policy, [str(warning) for warning in found.warnings]


@dataclass
class System:
    """Everything behind the API, and shortcuts that tests need."""

    folder: Path
    settings: ApiSettings = field(default_factory=lambda: ApiSettings(principal_freshness=0.0))
    site: Site = SITE
    database_url: str = ""  # of an empty or a shared database; "": a SQLite file in the folder

    def __post_init__(self) -> None:
        self.database = Database(self.database_url or sqlite_url(self.folder / "ledger.sqlite"), readers=2)
        schema.metadata.create_all(self.database.engine)
        ensure_packs(self.database)
        with self.database.write() as connection:
            apply_site(connection, self.site, by="test", now=1)
        self._load()
        self.journal = Journal(self.folder / "journal.sqlite")
        self.evidence = EvidenceStore(self.folder / "evidence")
        self.clocks = DeviceClocks()
        self.door = Door(self.journal, lambda: self.registry, self.now, clocks=self.clocks)
        self.telemetry_door = TelemetryDoor(self.journal, lambda: self.registry, self.now)
        self.time_series = SqliteSeries(self.folder / "series.sqlite")
        _run(self.time_series.ensure())
        self.applied, self.ahead = 0, 0
        self.app = create_app(
            self.settings, database=self.database, door=self.door, telemetry_door=self.telemetry_door,
            journal=self.journal, pictures=self.evidence,
            registry=lambda: self.registry,
            read_site=lambda body: parse_site(body, file="site", folder=self.folder).site, read_policy=_read_policy,
            can_accept=self.can_accept, reload_site=self.reload_site, time_series=self.time_series, now=self.now,
            clock_faults=lambda: [*self.clocks.faults(), *self.telemetry_door.clocks.faults()],
        )  # fmt: skip
        self.ready: Exception | None = None

    def now(self) -> int:
        """The movable clock of the API, UTC µs."""
        return utc_now() + self.ahead

    def later(self, **time: float) -> None:
        """Move the clock on by days, hours, minutes."""
        self.ahead += timedelta(**time) // timedelta(microseconds=1)

    def _load(self) -> None:
        with self.database.read() as connection:
            self.registry: Registry = load_registry(connection)

    async def reload_site(self) -> None:
        await asyncio.to_thread(self._load)

    async def can_accept(self) -> None:
        if self.ready is not None:
            raise self.ready

    def token(self, role: str, enterprise: str | None = None, district: str | None = None) -> str:
        """A new token's secret."""
        with self.database.write() as connection:
            made = accounts.create_token(connection, role=role, enterprise=enterprise, district=district, label=role, now=utc_now())
            return made[1]

    def person(self, name: str, role: str, enterprise: str | None = None, district: str | None = None) -> dict[str, str]:
        """Headers of a new person with PASSWORD, who has signed in for as long as a test lasts."""
        self.user(name, role, enterprise, district)
        with self.database.write() as connection:
            ends = self.now() + timedelta(days=3650) // timedelta(microseconds=1)
            secret, csrf = accounts.open_session(connection, name, now=self.now(), expires_at=ends)
        return {"Cookie": f"{COOKIE}={secret}", "X-CSRF-Token": csrf}

    def user(self, name: str, role: str, enterprise: str | None = None, district: str | None = None) -> None:
        """A new person with PASSWORD."""
        with self.database.write() as connection:
            hashed = PASSWORD_HASH()
            accounts.create_user(connection, name, name=name, role=role, enterprise=enterprise, district=district, password_hash=hashed,
                                 now=utc_now())  # fmt: skip

    async def apply(self) -> int:
        """Apply what the door accepted since the last call, and give feed positions; how many signals were new."""
        rows = await self.journal.read(Lane.ALARMS, self.applied, 10_000)
        self.applied = rows[-1].seq if rows else self.applied
        signals = [decode(Signal, row.payload) for row in rows]
        done = await self.database.writing(lambda c: apply_signals(c, signals, now=self.now()))
        await self.position()
        return len(done.new)

    async def position(self) -> None:
        """What the relay does after a commit."""
        await self.database.writing(give_positions)
        self.app.state.services.feed.wake()

    def close(self) -> None:
        _run(self.time_series.close())
        self.journal.close()
        self.database.close()


def _run(work: Coroutine[Any, Any, None]) -> None:
    """To its end, on a loop of its own: fixtures are used with and without a running one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


_hash: list[str] = []


def PASSWORD_HASH() -> str:  # noqa: N802 (a constant, made once because it takes 0.1 s)
    if not _hash:
        _hash.append(accounts.hash_password(PASSWORD))
    return _hash[0]


def alarm(event_id: str, device: str = "CAM-1", kind: str = "flame", action: str = "raised", **data: Any) -> dict[str, Any]:
    """A CloudEvent."""
    return {
        "specversion": "1.0", "id": event_id, "source": f"device/{device}", "type": f"bihuan.alarm.{action}", "subject": device,
        "datacontenttype": "application/json", "data": {"kind": kind, **data},
    }  # fmt: skip


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    made = System(tmp_path)
    yield made
    made.close()


@pytest.fixture
async def client(system: System) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody signed in, straight into the application."""
    async with (
        system.app.router.lifespan_context(system.app),
        httpx.AsyncClient(transport=httpx.ASGITransport(system.app), base_url="http://bihuan.test") as made,
    ):
        yield made


@pytest.fixture
async def operator(client: httpx.AsyncClient, system: System) -> AsyncIterator[httpx.AsyncClient]:
    """An operator's token on every request."""
    transport = httpx.ASGITransport(system.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bihuan.test", headers=bearer(system.token("operator"))) as made:
        yield made


@dataclass
class Server:
    """The application behind a real socket, on an event loop of its own thread."""

    system: System
    url: str
    loop: asyncio.AbstractEventLoop

    def run(self, work: Any) -> Any:
        """Run a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def post(self, *events: dict[str, Any], token: str | None = None) -> None:
        """Send alarms over HTTP and apply them."""
        token = token or self.system.token("operator")
        answer = httpx.post(f"{self.url}/api/v1/alarms", json=list(events), headers=bearer(token))
        assert answer.status_code == 202, answer.text
        self.run(self.system.apply())


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self.ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def run_server(system: System) -> Iterator[Server]:
    ready, loop, port = threading.Event(), asyncio.new_event_loop(), socket.create_server(("127.0.0.1", 0), backlog=200)
    uvicorn_server = _Server(uvicorn.Config(
        system.app, log_config=None, access_log=False, http=BoundedHead, timeout_graceful_shutdown=60
    ), ready)

    def work() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(uvicorn_server.serve([port]))

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(60)
    try:
        yield Server(system, f"http://127.0.0.1:{port.getsockname()[1]}", loop)
    finally:
        loop.call_soon_threadsafe(system.app.state.services.feed.closed.set)
        uvicorn_server.should_exit = True
        thread.join(90)
        assert not thread.is_alive()
        port.close()
        loop.close()


@pytest.fixture
def server(system: System) -> Iterator[Server]:
    yield from run_server(system)
