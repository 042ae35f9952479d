"""A site with webhooks, incidents that happen in it, and the push process' work inside the test."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import select

from bihuan.webhook_data import as_the_api_shows
from hazards.messages import Signal
from hazards.zones import Device, Enterprise, Grade, Site, Zone
from push.deliverer import DeliverySettings
from push.run import PushProgress, PushSettings, run_push
from storage import schema
from storage.database import Database
from storage.doorbell import LoopbackDoorbell
from storage.incidents import apply_signals
from storage.outbox import give_positions
from storage.site_store import apply_site
from tests.push.receiver import SECRET
from tests.real.ports import free_port

HALLS = 8
"""Zones for tests in which much happens: in one zone it would be a flood, and one incident."""
ENVIRONMENT = {"ALU_SECRET": SECRET, "CITY_SECRET": SECRET}
SITE = Site(
    id="park", name="园区", enterprises=[Enterprise("alu", "示例铝业"), Enterprise("chem", "示例化工")],
    zones=[Zone("smelter", "熔铸车间", Grade.RED, "alu"), Zone("tank", "储罐区", Grade.RED, "chem"), Zone("pipe", "管线", Grade.YELLOW),
           *(Zone(f"hall-{n}", f"{n}号车间", Grade.RED, "alu") for n in range(HALLS))],
    devices=[Device("CAM-1", "smelter", "camera"), Device("G-1", "tank", "sensor")],
)  # fmt: skip


def now() -> int:
    return time.time_ns() // 1000


def hook(url: str, enterprise: str | None = "alu", secret: str = "ALU_SECRET", *, allow_private: bool = True) -> dict[str, Any]:
    row: dict[str, Any] = {"url": url, "secret_env": secret, "allow_private": allow_private}
    return row | ({"enterprise": enterprise} if enterprise else {})


@dataclass
class World:
    """A database, its site, and what happens."""

    database: Database
    bell: LoopbackDoorbell = field(default_factory=lambda: LoopbackDoorbell(free_port()))
    progress: list[PushProgress] = field(default_factory=list)

    def apply(self, *hooks: dict[str, Any]) -> "World":
        """Make ``hooks`` the site's webhooks."""
        with self.database.write() as connection:
            apply_site(connection, msgspec.structs.replace(SITE, settings={"webhooks": list(hooks)}), by="test", now=now())
        return self

    def happens(self, *signals: Signal) -> None:
        """Apply signals, give positions as the relay does, and ring."""
        with self.database.write() as connection:
            apply_signals(connection, signals, now=now())
        with self.database.write() as connection:
            give_positions(connection)
        self.bell.ring()

    def rows(self, table: str) -> list[Any]:
        with self.database.read() as connection:
            return list(connection.execute(select(schema.metadata.tables[table])))

    def deliveries(self) -> list[Any]:
        return sorted(self.rows("deliveries"), key=lambda r: (r.position, r.endpoint))

    @contextlib.asynccontextmanager
    async def pushing(
        self, *, environment: dict[str, str] = ENVIRONMENT, poll: float = 0.2, **delivery: Any
    ) -> AsyncIterator[asyncio.Task[None]]:
        """The push process' work, until the end of the block."""
        stop = asyncio.Event()
        settings = PushSettings(
            public_url="https://park.example", delivery=DeliverySettings(**{"timeout": 10.0, "stop_timeout": 0.2, **delivery}), poll=poll,
            report_interval=0.05,
        )  # fmt: skip
        work = run_push(
            self.database, self.bell, settings, self.progress.append, stop, present=as_the_api_shows(), environment=environment
        )  # fmt: skip
        task = asyncio.create_task(work)
        try:
            yield task
        finally:
            stop.set()
            await task


async def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def steady(reading: Callable[[], Any], seconds: float = 0.5) -> Any:
    """The value of ``reading`` after it had ``seconds`` to change."""
    await asyncio.sleep(seconds)
    return reading()


Work = Callable[[], Awaitable[None]]
