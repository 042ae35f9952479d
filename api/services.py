"""What the routes work with, put together once by ``create_app``. What must not go in: logic, routes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from fastapi import Request

from api.feed import FeedTail
from api.metrics import Metrics
from api.passwords import Passwords, Throttle
from api.present import Presenter
from api.principals import Principals
from api.scopes import Scopes
from api.settings import ApiSettings
from api.words import Words
from hazards.admission import Report
from hazards.device_clock import ClockFault
from hazards.ledger.policy import Policy
from hazards.messages import Signal
from hazards.scope import EVERYTHING, Scope
from hazards.zones import Site
from ingest.measurements import Measurements
from ingest.telemetry_door import Taken
from storage.database import Database
from storage.journal import Journal
from storage.series.port import Retention, TimeSeriesReader
from storage.site_store import Registry


class AcceptingDoor(Protocol):
    """The one way in (``ingest.door.Door``)."""

    async def accept(self, reports: Sequence[Report]) -> list[Signal]:
        """Durably take all, or raise and take none."""


class AcceptingTelemetryDoor(Protocol):
    """The one way in for readings (``ingest.telemetry_door.TelemetryDoor``)."""

    async def accept(self, found: Measurements, *, scope: Scope = EVERYTHING) -> Taken:
        """Durably take all, or raise. ``scope``: whose devices the sender speaks for."""


class Pictures(Protocol):
    """Where evidence files are (``storage.evidence.EvidenceStore``). Called in threads."""

    def zones(self, sha256: str) -> list[str]:
        """The zones in which these bytes were taken. Raises NotFound."""

    def read(self, sha256: str) -> tuple[bytes, str, str]:
        """(bytes, media type, zone it was first taken in). Raises NotFound."""

    def put(self, data: bytes, *, media_type: str, device: str, zone: str, taken_at: int) -> str:
        """Keep the bytes; their SHA-256. Raises StorageUnavailable."""

    def latest(self, camera: str) -> tuple[bytes, int]:
        """What ``camera`` showed last (JPEG), and when, UTC µs. Raises NotFound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """All parts that routes use. ``now`` gives UTC microseconds; ``read_site`` and
    ``read_policy`` parse files (raise InvalidFile); the latter gives warnings, too."""

    settings: ApiSettings
    database: Database
    door: AcceptingDoor
    telemetry: AcceptingTelemetryDoor
    journal: Journal
    pictures: Pictures
    registry: Callable[[], Registry]
    time_series: TimeSeriesReader | None
    retention: Retention
    reload_site: Callable[[], Awaitable[None]]
    read_site: Callable[[bytes], Site]
    read_policy: Callable[[bytes, date], tuple[Policy, list[str]]]
    can_accept: Callable[[], Awaitable[None]]
    ring: Callable[[], None]
    now: Callable[[], int]
    clock_faults: Callable[[], Sequence[ClockFault]]
    words: Words
    principals: Principals
    scopes: Scopes
    passwords: Passwords
    throttle: Throttle
    feed: FeedTail
    metrics: Metrics = field(default_factory=Metrics)
    exports: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))  # workbooks made at once
    counting: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))  # alarm-quality figures made at once

    def presenter(self) -> Presenter:
        """For one answer: the present registry and time."""
        return Presenter(self.registry(), self.words, now=self.now())


async def services_of(request: Request) -> Services:
    """FastAPI dependency."""
    services: Services = request.app.state.services
    return services
