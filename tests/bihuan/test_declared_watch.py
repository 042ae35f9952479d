"""What is declared, as a worker sees it: within a second, with what begins in days, from SQL."""

from bihuan.parts.declared_watch import DeclaredWatch
from hazards.declarations import Declared
from hazards.declaring import Declare
from storage.database import Database
from storage.site_store import current_registry
from tests.hazards.signals import NOON, SECOND
from tests.storage.test_declarations import COMMAND, HOUR, PERMIT, end, enter
from tests.storage.test_hazards import park  # noqa: F401


async def test_what_is_entered_and_ended_is_seen_and_nothing_is_read_again_without_need(park: Database) -> None:  # noqa: F811
    with park.read() as connection:
        registry = current_registry(connection)
    now = NOON
    watch = DeclaredWatch(park, lambda: registry, lambda: now)
    await watch.look()
    first = watch()
    await watch.look()
    assert watch() is first, "nothing has changed"
    permit, _ = enter(park, PERMIT)
    later = Declare(kind=Declared.KEY_PERIOD, starts_at=NOON + 100 * HOUR, ends_at=NOON + 120 * HOUR, reason="防汛")
    period, _ = enter(park, later, actor=COMMAND, command_id="2")
    await watch.look()
    assert {d.id for d in watch().found} >= {permit.id, period.id}, "also what begins in some days"
    end(park, permit, now=NOON + SECOND)
    await watch.look()
    assert next(d for d in watch().found if d.id == permit.id).ends_at == NOON + SECOND
    before, now = watch(), NOON + HOUR
    await watch.look()
    assert watch() is not before and watch().revision != before.revision, "once an hour it is read anew: time has passed"
