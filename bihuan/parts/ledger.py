"""The ledger part: the clocks of hazards and duties (时限), and the daily anchors of the record. It needs SQL and no broker.

A process of its own, since anchoring a ledger of a million events works for seconds, and the API must not wait for that. What must not
go in: what a clock or an anchor says.
"""

import asyncio
from contextlib import AsyncExitStack

import structlog

from bihuan.ledger.anchoring import Anchoring
from bihuan.ledger.plan import anchor_plan
from bihuan.parts.jobs import kept
from bihuan.parts.notes import keep_notes
from bihuan.parts.part import Part, run
from bihuan.parts.site_watch import SiteWatch
from bihuan.preparation import now_us
from hazards.errors import BihuanError
from storage.database import Database
from storage.doorbell import open_doorbell
from storage.ledger_clocks import run_clocks

log = structlog.get_logger()


async def keep_ledger(part: Part) -> None:
    """Look after the ledger until told to stop."""
    settings = part.settings
    async with AsyncExitStack() as held:
        database = Database(settings.database_url, readers=2)
        held.push_async_callback(asyncio.to_thread, database.close)
        doorbell = open_doorbell(settings.database_url, part.start.doorbell, part.start.followers)
        held.push_async_callback(doorbell.close)
        registry = SiteWatch(database)
        await registry.first(part.stopping)
        part.ready()
        jobs = [
            registry.run(), kept("clocks", lambda: run_clocks(database, doorbell, part.stopping, now=now_us)),
            _anchor(part, database, registry), keep_notes(part, database),
        ]  # fmt: skip
        tasks = [asyncio.ensure_future(job) for job in jobs]
        await part.stopping.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _anchor(part: Part, database: Database, registry: SiteWatch) -> None:
    """Anchor the ledger day by day; a setting that can't be meant is said and costs no clock."""
    try:
        plan = anchor_plan(part.settings)
    except BihuanError as e:
        log.error("the ledger is not anchored", error=str(e))  # noqa: TRY400 - a line, not a trace
        return
    await Anchoring(database, plan, lambda: registry().site, now_us).run()


def main() -> None:
    """Be the ledger part."""
    run(keep_ledger)
