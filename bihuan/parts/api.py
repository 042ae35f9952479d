"""The API part: HTTP, console, door and relay in one process. What must not go in: routes, roles, the feed's logic.

It takes alarms as soon as journal and site are there; broker and worker may come later.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from api.http_protocol import BoundedHead
from api.problems import Problem, answer
from api.settings import ApiSettings
from bihuan.control import Beat
from bihuan.parts.jobs import kept
from bihuan.parts.notes import keep_notes
from bihuan.parts.part import Part, run
from bihuan.parts.publishing import Publisher
from bihuan.parts.site_watch import SiteWatch
from bihuan.policy_file import parse_policy
from bihuan.preparation import now_us
from bihuan.site_file import parse_site
from bihuan.time_series import SeriesReader, retention_of
from hazards.device_clock import DeviceClocks
from hazards.errors import JournalFull, Unavailable
from hazards.ledger.policy import Policy
from hazards.zones import Site
from ingest.door import Door
from ingest.telemetry_door import TelemetryDoor
from storage.database import Database
from storage.doorbell import open_doorbell
from storage.evidence import EvidenceStore
from storage.journal import Journal
from storage.relay import Relay

log = structlog.get_logger()

INTAKE = frozenset({"/api/v1/alarms", "/api/v1/telemetry"})


class Intake:
    """In front of the application: refuses new alarms once the system stops, while everything else still answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.open = app, True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if not self.open and scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in INTAKE:
            problem = Problem(
                type="urn:bihuan:problem:unavailable", title="Stopping", status=503, detail="the system is stopping", retryable=True
            )
            await answer(problem, {"Retry-After": "5", "Connection": "close"})(scope, receive, send)
            return
        await self.app(scope, receive, send)


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: signals are the part's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def acceptance(journal: Journal, intake: Callable[[], bool]) -> Callable[[], Awaitable[None]]:
    """What `/readyz` asks: whether an alarm would be taken durably now."""

    async def can_accept() -> None:
        if not intake():
            raise Unavailable("the system is stopping")
        standing = await journal.standing()
        if standing.alarms + standing.telemetry >= journal.max_rows or standing.bytes_used >= journal.max_bytes:
            raise JournalFull("the journal is full")
        await journal.check()

    return can_accept


async def serve(part: Part) -> None:
    """Serve until told to stop."""
    settings = part.settings
    database = Database(settings.database_url)
    doorbell = open_doorbell(settings.database_url, part.start.doorbell, part.start.followers)
    journal = await asyncio.to_thread(Journal, settings.journal_path, max_rows=settings.journal_rows)
    registry = SiteWatch(database)
    await registry.first(part.stopping)
    intake: Intake | None = None

    def read_site(data: bytes) -> Site:
        return parse_site(data, file="site", folder=Path(settings.data)).site

    def read_policy(data: bytes, today: date) -> tuple[Policy, list[str]]:
        found = parse_policy(data, file="policy", today=today)
        return found.policy, [str(warning) for warning in found.warnings]

    telemetry_door = TelemetryDoor(journal, registry, now_us, gather=settings.telemetry_pack_ms / 1000)
    series, clocks = SeriesReader(settings, registry), DeviceClocks()
    app = create_app(
        ApiSettings(secure_cookie=settings.secure_cookie or None, session_lifetime=settings.session_hours * 3600),
        database=database,
        door=Door(journal, registry, now_us, clocks=clocks),
        telemetry_door=telemetry_door,
        journal=journal,
        time_series=series,
        retention=retention_of(settings),
        pictures=EvidenceStore(settings.evidence_path),
        registry=registry,
        read_site=read_site,
        read_policy=read_policy,
        can_accept=acceptance(journal, lambda: intake is not None and intake.open),
        reload_site=registry.reload,
        ring=doorbell.ring,
        now=now_us,
        clock_faults=lambda: [*clocks.faults(), *telemetry_door.clocks.faults()],
    )
    intake = Intake(app)
    publisher = Publisher(part.start.broker)
    relay = Relay(database, doorbell, publish=publisher.publish, on_positions=app.state.services.feed.wake)
    part.progress = lambda: Beat(
        broker=publisher.address,
        broker_bytes=publisher.bytes_written,
        note={"published": relay.published, "sections": sorted(name for name, kept in registry().site.settings.items() if kept)},
    )
    jobs = [registry.run(), kept("relay", relay.run), keep_notes(part, database)]
    await _work(part, intake, jobs, publisher, app.state.services.feed.closed)
    await telemetry_door.close()
    await series.close()
    await publisher.stop()
    await doorbell.close()
    await asyncio.to_thread(journal.close)
    await asyncio.to_thread(database.close)


async def _work(part: Part, intake: Intake, jobs: Sequence[Awaitable[None]], publisher: Publisher, feeds_closed: asyncio.Event) -> None:
    config = uvicorn.Config(
        intake,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        backlog=1024,
        http=BoundedHead,
        lifespan="on",
        ws="none",
        h11_max_incomplete_event_size=64_000,
    )
    server = Server(config)

    async def close_intake(_: str) -> None:
        intake.open = False

    part.orders |= {"close_intake": close_intake, "switch_broker": publisher.switch}
    listener = socket.socket(fileno=part.start.listen)
    listener.setblocking(False)
    tasks = [asyncio.ensure_future(job) for job in jobs]
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    tasks.append(asyncio.create_task(_when_started(server, part.ready)))
    stopping = asyncio.create_task(part.stopping.wait())
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    feeds_closed.set()  # endless streams end first: their listeners come back to the next process
    server.should_exit = True
    await serving
    for task in (*tasks, stopping):
        task.cancel()
    await asyncio.gather(*tasks, stopping, return_exceptions=True)


async def _when_started(server: Server, ready: Callable[[], None]) -> None:
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.005)
    ready()


def main() -> None:
    """Be the API part."""
    run(serve, loop=uvloop.new_event_loop)
