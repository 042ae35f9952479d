"""The ingest part: the forwarders from the journal to Kafka, one a lane. What must not go in: what a forwarder does.

Of two of these on one data folder (``bihuan api`` beside ``bihuan ingest``) one works and the other waits for its end.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
import uvloop

from bihuan.configuration import Settings
from bihuan.control import Beat
from bihuan.data_folder import FolderLock
from bihuan.parts.notes import keep_notes
from bihuan.parts.part import Part, run
from bus.producer import Producer
from ingest.forwarder import Forwarder
from ingest.mark_sweep import sweep_marks
from ingest.routes import alarm_routes, telemetry_routes
from storage.database import Database
from storage.journal import Journal

log = structlog.get_logger()

TURN_SECONDS = 0.5


async def forward(part: Part) -> None:
    """Forward until told to stop."""
    settings = part.settings
    lock = FolderLock()
    part.ready()  # what follows waits for others; nothing that is accepted meanwhile is lost
    try:
        while not lock.take(settings.folder / "lock.forwarder"):
            if await part.stops_within(TURN_SECONDS):
                return
        await _forward(part)
    finally:
        lock.release()


class Forwarders:
    """The forwarders of both lanes: alarms have a producer of their own, so that they never wait behind telemetry."""

    def __init__(self, journal: Journal, database: Database, broker: str, settings: Settings) -> None:
        telemetry = telemetry_routes(durable=bool(settings.kafka), broker_bound=settings.broker_bound, store=settings.store)
        self.alarms, self.telemetry = (
            Forwarder(journal, database, Producer, broker, routes=routes, partitions=settings.partitions)
            for routes in (alarm_routes(), telemetry)
        )

    async def switch_alarms(self, address: str) -> None:
        """Alarms go to another broker. Raises BrokerUnavailable."""
        await _switch(self.alarms, address)

    async def switch_telemetry(self, address: str) -> None:
        """Telemetry goes to another broker. Raises BrokerUnavailable."""
        await _switch(self.telemetry, address)

    def beat(self) -> Beat:
        """How far both are. The broker is that of telemetry, the last to change."""
        alarms, telemetry = self.alarms.progress, self.telemetry.progress
        return Beat(
            broker=telemetry.broker,
            broker_bytes=telemetry.bytes_written + (alarms.bytes_written if alarms.broker == telemetry.broker else 0),
            unapplied=alarms.unapplied,
            note={
                "alarms_waiting": alarms.unapplied, "telemetry_waiting": telemetry.unapplied,
                "telemetry_oldest_at": telemetry.oldest_at or 0,
            },
        )  # fmt: skip


async def _switch(forwarder: Forwarder, address: str) -> None:
    if address != forwarder.progress.broker:
        await forwarder.switch_broker(address)


async def _forward(part: Part) -> None:
    settings = part.settings
    database = Database(settings.database_url, readers=4)
    journal = await asyncio.to_thread(Journal, settings.journal_path, max_rows=settings.journal_rows)
    forwarders = Forwarders(journal, database, part.start.broker, settings)
    part.orders |= {"switch_broker": forwarders.switch_alarms, "switch_telemetry": forwarders.switch_telemetry}
    part.progress = forwarders.beat
    jobs: list[Callable[[], Awaitable[None]]] = [
        forwarders.alarms.run, forwarders.telemetry.run, lambda: keep_notes(part, database),
    ]  # fmt: skip
    if not settings.kafka:
        jobs.append(lambda: sweep_marks(journal, database))
    try:
        await _work(part, jobs)
    finally:
        await asyncio.to_thread(journal.close)
        await asyncio.to_thread(database.close)


async def _work(part: Part, jobs: list[Callable[[], Awaitable[None]]]) -> None:
    """All ``jobs`` until told to stop; what one of them fails with ends the part."""
    tasks = [asyncio.ensure_future(job()) for job in jobs]
    stopping = asyncio.ensure_future(part.stopping.wait())
    await asyncio.wait((*tasks, stopping), return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, stopping):
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


def main() -> None:
    """Be the ingest part."""
    run(forward, loop=uvloop.new_event_loop)
