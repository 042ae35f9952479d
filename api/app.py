"""The application: its parts put together, nothing built at import. What must not go in: routes, decisions."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import date
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp
from structlog import get_logger

from api import problems
from api.envelope import Envelope
from api.feed import FeedTail
from api.metrics import Metrics
from api.passwords import Passwords, Throttle
from api.present import Presenter
from api.present_declarations import DeclarationPresenter
from api.present_duties import DutyPresenter
from api.present_hazards import HazardPresenter
from api.principals import Principals
from api.roles import ROUTES
from api.routes import (
    accounts,
    alarm_rules,
    alarms,
    cameras,
    console,
    dead_letters,
    declarations,
    deliveries,
    duties,
    evidence,
    evidence_holds,
    feed,
    hazards,
    health,
    incidents,
    ledger,
    patrols,
    policy,
    quality,
    series,
    sessions,
    site,
    telemetry,
)
from api.scopes import Scopes
from api.services import AcceptingDoor, AcceptingTelemetryDoor, Pictures, Services
from api.settings import ApiSettings
from api.words import Words
from hazards.declarations import DeclarationMessage
from hazards.device_clock import ClockFault
from hazards.errors import BihuanError
from hazards.ledger.policy import Policy
from hazards.messages import DutyMessage, HazardMessage
from hazards.zones import Site
from storage.database import Database
from storage.hazard_facts import policy_of
from storage.journal import Journal
from storage.outbox import FeedRow
from storage.series.port import Retention, TimeSeriesReader
from storage.site_store import Registry

log = get_logger(__name__)

ROUTERS = (
    alarms, alarm_rules, cameras, patrols, telemetry, series, incidents, quality, ledger, hazards, duties, declarations, policy, feed,
    evidence, evidence_holds, site, sessions, accounts, deliveries, dead_letters, health, console,
)  # fmt: skip
"""Every route module: a new one is one name here and its rows in ``api/roles.py``. `/hazards/export` (ledger) is before `/hazards/{id}`."""


def utc_now() -> int:
    """UTC microseconds."""
    return time.time_ns() // 1000


async def nothing() -> None:
    """The default of hooks that a small set-up does not need."""


def create_app(
    settings: ApiSettings,
    *,
    database: Database,
    door: AcceptingDoor,
    telemetry_door: AcceptingTelemetryDoor,
    journal: Journal,
    pictures: Pictures,
    registry: Callable[[], Registry],
    read_site: Callable[[bytes], Site],
    read_policy: Callable[[bytes, date], tuple[Policy, list[str]]],
    can_accept: Callable[[], Awaitable[None]],
    time_series: TimeSeriesReader | None = None,
    retention: Retention | None = None,
    reload_site: Callable[[], Awaitable[None]] = nothing,
    ring: Callable[[], None] = lambda: None,
    now: Callable[[], int] = utc_now,
    clock_faults: Callable[[], Sequence[ClockFault]] = tuple,
) -> FastAPI:
    """The ASGI application. ``app.state.services.feed.wake`` belongs to ``Relay.on_positions``.

    ``journal``: where messages that were put aside are sent again from. ``can_accept`` raises Unavailable when alarms can't be taken
    durably. ``ring`` wakes the relay after a command.
    ``reload_site`` makes ``registry`` see a site that was just applied. ``time_series`` None: `/series` answers 503;
    ``retention``: which resolutions it may look for. ``clock_faults``: of the devices that the doors hear."""
    words, metrics = Words.load(), Metrics()

    def render(row: FeedRow) -> bytes:
        presenter = Presenter(registry(), words, now=now())
        if isinstance(row.message, DeclarationMessage):
            return DeclarationPresenter(presenter).notice(row.message).model_dump_json().encode()
        if isinstance(row.message, DutyMessage):
            return DutyPresenter(presenter, policy_of(presenter.registry)).notice(row.message).model_dump_json().encode()
        if isinstance(row.message, HazardMessage):
            return HazardPresenter(presenter, policy_of(presenter.registry)).message(row.message).model_dump_json().encode()
        return presenter.incident(row.message).model_dump_json().encode()

    services = Services(
        settings=settings, database=database, door=door, telemetry=telemetry_door, journal=journal, pictures=pictures, registry=registry,
        time_series=time_series, retention=retention or Retention(), reload_site=reload_site,
        read_site=read_site, read_policy=read_policy, can_accept=can_accept, ring=ring, now=now, clock_faults=clock_faults,
        words=words, metrics=metrics,
        principals=Principals(database, now=now, freshness=settings.principal_freshness, outage=settings.principal_outage),
        scopes=Scopes(registry),
        passwords=Passwords(threads=settings.hash_threads, waiting=settings.hash_waiting),
        throttle=Throttle(
            failures=settings.login_failures, failures_of_address=settings.login_failures_of_address, window=settings.login_window
        ),
        feed=FeedTail(
            database, render, kept=settings.feed_kept, poll=settings.feed_poll, behind_after=settings.behind_after, now=now
        ),
    )  # fmt: skip
    return _assembled(services)


def _assembled(services: Services) -> FastAPI:
    app = _Application(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_lifespan, redirect_slashes=False)
    app.state.services = services
    app.add_exception_handler(BihuanError, problems.handle_ours)
    app.add_exception_handler(RequestValidationError, problems.handle_validation)
    app.add_exception_handler(HTTPException, problems.handle_http)
    app.add_exception_handler(Exception, problems.handle_accident)
    for module in ROUTERS:
        app.include_router(module.router)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    following = asyncio.create_task(_keep_following(services.feed))
    try:
        yield
    finally:
        services.feed.closed.set()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        services.passwords.close()


async def _keep_following(tail: FeedTail) -> None:
    while True:
        try:
            await tail.run()
        except Exception:
            log.exception("the feed's tail failed and begins again")
            await asyncio.sleep(1)


class _Application(FastAPI):
    """FastAPI with the envelope outermost, around its own error handling, and an OpenAPI that knows problems and sign-in."""

    def build_middleware_stack(self) -> ASGIApp:
        """Starlette's stack in the envelope."""
        return Envelope(super().build_middleware_stack(), self.state.services.metrics)

    def openapi(self) -> dict[str, Any]:
        """OpenAPI 3.1, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _describe(self)
        return self.openapi_schema


def _describe(app: FastAPI) -> dict[str, Any]:
    described = get_openapi(
        title="bihuan 闭环", version="1", routes=app.routes,
        description="Work-safety alarms, incidents and the closed hazard loop. Errors are RFC 9457 problem details.",
    )  # fmt: skip
    parts = described.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    model = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(model.pop("$defs", {}))
    schemas["Problem"] = model
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "bihuan_session"},
    }
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            if ROUTES[method.upper(), path].roles is not None:
                operation["security"] = [{"token": []}, {"session": []}]
    return described

