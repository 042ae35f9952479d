"""Deletes marks of packs that left the journal: a pack that reached an agent twice is marked again after its release.

What must not go in: releasing (``ingest/flow.py``).
"""

import asyncio

import structlog

from hazards.errors import Unavailable
from storage.database import Database
from storage.journal import Journal, Lane
from storage.telemetry_marks import forget, marked_after

EVERY = 300.0
"""Seconds between two walks through all marks."""
PAGE = 1000

log = structlog.get_logger(__name__)


async def sweep_marks(journal: Journal, database: Database, *, every: float = EVERY) -> None:
    """Walk through all marks at the start and every few minutes, until cancelled."""
    while True:
        try:
            swept = await sweep_once(journal, database)
            if swept:
                log.info("forwarder.marks_swept", packs=swept)
        except Unavailable as e:
            log.debug("forwarder.marks_not_swept", error=str(e))
        await asyncio.sleep(every)


async def sweep_once(journal: Journal, database: Database) -> int:
    """One walk; how many packs had marks and no row. Marks are read before rows, so what is missing is released."""
    after, swept = "", 0
    while page := await database.reading(lambda c: marked_after(c, after, PAGE)):  # noqa: B023 (awaited in this round)
        waiting = await journal.waiting(Lane.TELEMETRY, page)
        stray = [i for i in page if i not in waiting]
        if stray:
            await database.writing(lambda c: forget(c, stray))  # noqa: B023
        after, swept = page[-1], swept + len(stray)
    return swept
