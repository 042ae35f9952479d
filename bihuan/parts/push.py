"""The push part: signed webhooks from the outbox, by ``push.run``. It needs SQL and no broker. What must not go in: what is pushed."""

import asyncio

import structlog

from bihuan.control import Beat
from bihuan.parts.notes import keep_notes
from bihuan.parts.part import Part, run
from bihuan.webhook_data import as_the_api_shows
from push.run import PushProgress, PushSettings, run_push
from storage.database import Database
from storage.doorbell import open_followers_bell

log = structlog.get_logger()


async def push(part: Part) -> None:
    """Push until told to stop."""
    settings = part.settings
    database = Database(settings.database_url, readers=2)
    bell = open_followers_bell(settings.database_url, part.start.bell)
    latest = PushProgress(leading=False)

    def report(progress: PushProgress) -> None:
        nonlocal latest
        latest = progress

    part.progress = lambda: Beat(note={"leading": latest.leading, "delivered": latest.delivered, "trouble": latest.trouble})
    part.ready()
    noting = asyncio.create_task(keep_notes(part, database))
    try:
        await run_push(database, bell, PushSettings(public_url=settings.public_url), report, part.stopping, present=as_the_api_shows())
    finally:
        noting.cancel()
        await asyncio.gather(noting, return_exceptions=True)
        await bell.close()
        await asyncio.to_thread(database.close)


def main() -> None:
    """Be the push part."""
    run(push)
