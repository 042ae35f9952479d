"""The demonstration part: plays invented alarms through the door in real time.

What must not go in: what is invented (``bihuan.demo``), the cameras' clip (the video part draws it).
"""

import asyncio
import time

import structlog

from bihuan.demo import plot
from bihuan.parts.part import Part, run
from bihuan.parts.site_watch import SiteWatch
from bihuan.preparation import now_us
from hazards.errors import Unavailable
from ingest.door import Door
from storage.database import Database
from storage.journal import Journal

log = structlog.get_logger()


async def play(part: Part) -> None:
    """Play until told to stop; an alarm that the door refuses is tried again, as a good sender would."""
    database = Database(part.settings.database_url, readers=1)
    journal = await asyncio.to_thread(Journal, part.settings.journal_path, max_rows=part.settings.journal_rows)
    registry = SiteWatch(database)
    await registry.first(part.stopping)
    watching = asyncio.create_task(registry.run())
    door = Door(journal, registry, now_us)
    part.ready()
    try:
        for report in plot(time.time_ns(), now_us()):
            wait = (report.at or 0) / 1e6 - time.time()
            if await part.stops_within(max(0.0, wait)):
                break
            while not part.stopping.is_set():
                try:
                    await door.accept([report])
                    break
                except Unavailable as e:
                    log.warning("a demonstration alarm waits", error=str(e))
                    await part.stops_within(1.0)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await asyncio.to_thread(journal.close)
        await asyncio.to_thread(database.close)


def main() -> None:
    """Be the demonstration part."""
    run(play)
