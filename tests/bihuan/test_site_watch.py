"""What a part sees of the site follows SQL: an alarm rule that somebody changed is there within a second or so."""

import asyncio
import contextlib

from bihuan.parts.site_watch import SiteWatch
from storage.alarm_rules import Author, Files, put_rule
from storage.database import Database
from tests.rules import rule


async def test_a_changed_alarm_rule_is_seen_by_itself(sqlite_database: Database) -> None:
    watch = SiteWatch(sqlite_database)
    await watch.first(asyncio.Event())
    looking = asyncio.create_task(watch.run())
    try:
        for version, limit in enumerate((80.0, 70.0)):
            watch.changed.clear()
            author = Author("wang", "bureau", 1)
            await sqlite_database.writing(
                lambda c, n=version, to=limit, by=author: put_rule(c, rule(limit=to), version=n, reason="r", author=by, files=Files())
            )
            async with asyncio.timeout(10):
                await watch.changed.wait()
            assert watch().rules["melt_hot"].limit == limit
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
