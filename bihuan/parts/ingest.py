"""The ingest part: the forwarder from the journal to Kafka. What must not go in: what the forwarder does.

Of two forwarders on one data folder (``bihuan api`` beside ``bihuan ingest``) one works and the other waits for its end.
"""

import asyncio

import structlog
import uvloop

from bihuan.control import Beat
from bihuan.data_folder import FolderLock
from bihuan.parts.part import Part, run
from bus.producer import Producer
from ingest.forwarder import Forwarder
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


async def _forward(part: Part) -> None:
    settings = part.settings
    database = Database(settings.database_url, readers=2)
    journal = await asyncio.to_thread(Journal, settings.journal_path, max_rows=settings.journal_rows)
    forwarder = Forwarder(journal, database, Producer, part.start.broker)

    async def switch(address: str) -> None:
        if address != forwarder.progress.broker:
            await forwarder.switch_broker(address)

    def beat() -> Beat:
        progress = forwarder.progress
        return Beat(broker=progress.broker, broker_bytes=progress.bytes_written, unapplied=progress.unapplied)

    part.orders["switch_broker"] = switch
    part.progress = beat
    work = asyncio.create_task(forwarder.run())
    stopping = asyncio.create_task(part.stopping.wait())
    await asyncio.wait((work, stopping), return_when=asyncio.FIRST_COMPLETED)
    for task in (work, stopping):
        task.cancel()
    outcome = (await asyncio.gather(work, return_exceptions=True))[0]
    await asyncio.to_thread(journal.close)
    await asyncio.to_thread(database.close)
    if isinstance(outcome, Exception):
        raise outcome


def main() -> None:
    """Be the ingest part."""
    run(forward, loop=uvloop.new_event_loop)
