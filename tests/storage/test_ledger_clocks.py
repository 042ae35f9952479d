"""Clocks in SQL, on SQLite and PostgreSQL: each point once, on several workers, after being away, across kill -9."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec import structs
from sqlalchemy import func, select, update

from bus.codecs import decode
from hazards.errors import NotFound, NotInState
from hazards.ledger import commands as ask
from hazards.ledger.decision import Decision, Facts
from hazards.ledger.hazard import Actor, Hazard
from hazards.ledger.ticks import on_tick
from hazards.messages import WHOLE_SITE, DutyMessage, HazardMessage
from hazards.scope import EVERYTHING, Scope
from hazards.zones import Enterprise, Grade, Site, Zone
from storage import schema
from storage.database import Database
from storage.duties import finish_duty, get_duty, list_duties, waking_duties
from storage.hazard_queries import broken_at, get_hazard, hazard_events
from storage.hazards import command_hazard, propose_hazard
from storage.ledger_clocks import Keeper, known_zone, next_wake, run_clocks, waking_hazards
from storage.outbox import give_positions, read_feed
from storage.policies import apply_policy
from storage.site_store import apply_site
from tests.hazards.ledger.years import DAY, HOUR
from tests.hazards.signals import NOON, SECOND
from tests.packs import POLICY
from tests.real.processes import until
from tests.storage.rows import as_recorded

ROOT = Path(__file__).parents[2]
SITE = Site(id="park", name="园区", enterprises=[Enterprise("alu", "铝业")], zones=[Zone("smelter", "熔铸车间", Grade.RED, "alu")])
SHANGHAI = ZoneInfo(SITE.time_zone)
DEPARTMENT = Actor("zhao", "department")
TOLD = ("clock_point", "overdue", "summons_due")


class Silence:
    """A doorbell that nobody hears."""

    def ring(self) -> None: ...

    async def wait(self, timeout: float) -> bool:
        await asyncio.sleep(timeout)
        return False

    async def close(self) -> None: ...


@pytest.fixture
def park(database: Database) -> Database:
    with database.write() as connection:
        apply_site(connection, SITE, by="test", now=NOON)
    return database


def put_down(database: Database, number: int = 0, grade: str = "serious") -> Hazard:
    """A confirmed hazard; ten times ``number`` seconds after noon."""
    now = NOON + 10 * number * SECOND
    with database.write() as connection:
        command = ask.Propose(zone="smelter", kind=f"kind_{number}", grade=grade, title="炉前明火")
        hazard, _ = propose_hazard(connection, command, actor=DEPARTMENT, scope=EVERYTHING, command_id=str(number), now=now)
        confirm = ask.Confirm(grade=grade, criterion="demo-5")
        return command_hazard(connection, hazard.id, confirm, actor=DEPARTMENT, scope=EVERYTHING, now=now).hazard


def look(database: Database, now: int) -> Keeper:
    """One round of one worker."""
    keeper = Keeper(database, Silence(), lambda: now)
    asyncio.run(keeper.round(asyncio.Event()))
    return keeper


def read(database: Database, hazard: Hazard) -> Hazard:
    with database.read() as connection:
        return get_hazard(connection, hazard.id, scope=EVERYTHING)


def told(database: Database, hazard: Hazard) -> list[tuple[str, str, str]]:
    """Event, clock and point of what the clocks told, in order; the chain is unbroken."""
    with database.read() as connection:
        assert broken_at(connection, hazard.id) is None and as_recorded(connection, hazard.id)
        rows, _ = hazard_events(connection, hazard.id, scope=EVERYTHING, limit=500)
    told = [row.entry for row in rows if row.entry.event in TOLD]
    return [(e.event, e.details.get("clock", ""), e.details.get("point", "")) for e in told]


def announced(database: Database) -> list[HazardMessage]:
    with database.read() as connection:
        of_hazards = schema.outbox.c.topic == "hazards"  # duties have points and due dates, too
        told = select(schema.outbox.c.payload).where(of_hazards, schema.outbox.c.event.in_(TOLD))
        return [decode(HazardMessage, payload) for payload in connection.scalars(told.order_by(schema.outbox.c.id))]


def expected(hazard: Hazard, *times: int) -> list[tuple[str, str, str]]:
    """What one worker that nothing happens to would tell of ``hazard`` at these times."""
    found: list[Decision] = []
    for now in times:
        made = on_tick(hazard, now, Facts(POLICY, SHANGHAI))
        found += made
        hazard = made[-1].hazard if made else hazard
    return [(d.event.value, d.details.get("clock", ""), d.details.get("point", "")) for d in found]


def test_a_point_is_an_entry_and_a_message_to_its_posts_once(park: Database) -> None:
    hazard = put_down(park)
    look(park, NOON + HOUR - 1)
    assert told(park, hazard) == []
    for _ in range(2):
        look(park, NOON + HOUR)
        assert told(park, hazard) == [("clock_point", "receipt", "half")]
    (message,) = announced(park)
    assert (message.event, message.tells, message.actor, message.basis["rule"]) == ("clock_point", ["enterprise"], "bihuan", "receipt")
    with park.read() as connection:
        assert next_wake(connection) == read(park, hazard).wake_at == NOON + 2 * HOUR + 1


def test_after_a_long_time_away_everything_is_told_in_one_go(park: Database) -> None:
    hazard = put_down(park)
    look(park, NOON + 400 * DAY)
    assert told(park, hazard) == expected(hazard, NOON + 400 * DAY) and told(park, hazard)[0] == ("overdue", "rectify", "+3d")
    with park.read() as connection:
        row = connection.execute(select(schema.hazards.c.overdue_at, schema.hazards.c.wake_at)).one()
        assert waking_hazards(connection, now=NOON + 9999 * DAY) == [] and tuple(row) == (NOON + 400 * DAY, None)


def test_a_wall_clock_that_jumps_back_tells_nothing_twice(park: Database) -> None:
    hazard, times = put_down(park), (NOON + 9 * DAY, NOON + 2 * HOUR, NOON + 8 * DAY, NOON + 12 * DAY)
    for now in times:
        look(park, now)
    assert told(park, hazard) == expected(hazard, *times)


def test_hazards_from_before_there_were_clocks_are_woken_at_the_first_start(park: Database) -> None:
    hazard = put_down(park)
    with park.write() as connection:
        old = structs.replace(hazard, wake_at=None)
        connection.execute(update(schema.hazards).values(wake_at=None, body=msgspec.json.encode(old).decode()))
    look(park, NOON + HOUR)
    assert told(park, hazard) == [("clock_point", "receipt", "half")]


def test_another_time_zone_of_the_site_moves_what_comes_and_repeats_nothing(park: Database) -> None:
    hazard = put_down(park, grade="major")
    look(park, NOON + 2 * DAY)
    before, wake = told(park, hazard), read(park, hazard).wake_at
    with park.write() as connection:
        apply_site(connection, structs.replace(SITE, time_zone="Europe/Berlin"), by="test", now=NOON + 2 * DAY)
    look(park, NOON + 2 * DAY + SECOND)
    moved = read(park, hazard)
    assert told(park, hazard) == before and wake is not None and moved.wake_at == wake + 7 * HOUR
    assert moved.due_at == hazard.due_at and moved.version == len(before) + 2, "nothing happened to the hazard"
    with park.read() as connection:
        assert known_zone(connection).body == b"Europe/Berlin"


def test_what_can_not_be_looked_at_keeps_nobody_else_from_it(park: Database) -> None:
    good, bad = put_down(park, 1), put_down(park, 0)
    with park.write() as connection:
        connection.execute(update(schema.hazards).where(schema.hazards.c.id == bad.id).values(body="{}"))
        known = SITE.time_zone.encode()
        connection.execute(schema.checkpoints.insert().values(agent="clocks", key="time_zone", version=1, body=known, saved_at=NOON))
    assert look(park, NOON + 3 * HOUR).stuck == {bad.id}
    assert told(park, good) == [("clock_point", "receipt", "due")]


def test_several_workers_at_once_tell_each_point_once(park: Database) -> None:
    hazards, now = [put_down(park, number) for number in range(40)], NOON + 20 * DAY
    url = park.engine.url.render_as_string(hide_password=False)
    gate = threading.Barrier(3)

    def work() -> None:
        database, stop = Database(url), asyncio.Event()

        async def until_done() -> None:
            running = asyncio.create_task(run_clocks(database, Silence(), stop, now=lambda: now, poll=0.1))
            while await database.reading(lambda c: waking_hazards(c, now=now)):
                await asyncio.sleep(0.02)
            stop.set()
            await running

        gate.wait()
        asyncio.run(until_done())
        database.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for hazard in hazards:
        assert told(park, hazard) == expected(hazard, now)
    assert len(announced(park)) == sum(len(expected(hazard, now)) for hazard in hazards)


class Workers:
    """Processes that look at clocks, killed and started anew."""

    def __init__(self, database: Database) -> None:
        self.url, self.running = database.engine.url.render_as_string(hide_password=False), list[subprocess.Popen[bytes]]()

    def start(self, now: int) -> None:
        command = [sys.executable, "-m", "tests.storage.clock_process", self.url, str(now)]
        self.running.append(subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL))

    def kill(self, number: int = 0) -> None:
        process = self.running.pop(number)
        process.kill()
        process.wait()


@pytest.fixture
def workers(park: Database) -> Iterator[Workers]:
    made = Workers(park)
    yield made
    while made.running:
        made.kill()


def test_killed_again_and_again_the_workers_tell_each_point_once_and_all(park: Database, workers: Workers) -> None:
    hazards = [put_down(park, number, ("general", "serious", "major")[number % 3]) for number in range(60)]
    times = (NOON + HOUR, NOON + 3 * DAY, NOON + 30 * DAY)

    def left(now: int) -> int:
        with park.read() as connection:
            return len(waking_hazards(connection, now=now, limit=1000))

    for now in times:
        waiting = left(now)
        assert waiting > 10
        workers.start(now)
        workers.start(now)
        for part in (0.9, 0.7, 0.4):
            until(lambda now=now, below=waiting * part: left(now) <= below, "the workers get on", seconds=120, every=0.001)  # type: ignore[misc]
            workers.kill()
            workers.start(now)
        until(lambda now=now: left(now) == 0, "the workers get done", seconds=120)  # type: ignore[misc]
        while workers.running:
            workers.kill()
    for hazard in hazards:
        assert told(park, hazard) == expected(hazard, *times)
    assert len(announced(park)) == sum(len(expected(hazard, *times)) for hazard in hazards)


def test_duties_begin_with_their_period_and_are_told_once(park: Database) -> None:
    look(park, NOON)
    look(park, NOON + SECOND)
    with park.read() as connection:
        duties, _ = list_duties(connection, EVERYTHING)
        posts = ("department", "park_command")
        assert sorted((d.name, d.post) for d in duties) == [(f"{each}_inspection", p) for each in ("monthly", "quarterly") for p in posts]
        first = next(d for d in duties if d.name == "monthly_inspection")
        assert next_wake(connection) == min(d.wake_at for d in duties if d.wake_at is not None)
    for _ in range(2):
        look(park, first.due_at + SECOND)
    with park.read() as connection:
        assert get_duty(connection, first.id, EVERYTHING).fired == [f"{first.id}:-3d", f"{first.id}:due"]
        assert connection.execute(select(func.count()).select_from(schema.duties)).scalar_one() == 6, "two posts, three periods"
        assert waking_duties(connection, now=first.due_at + SECOND) == []


def test_each_point_of_a_duty_that_has_passed_is_on_the_feed_once_for_those_who_see_the_site(park: Database) -> None:
    look(park, NOON)
    with park.read() as connection:
        first = next(d for d in list_duties(connection, EVERYTHING)[0] if d.id.startswith("monthly_inspection:department"))
    for now in (first.due_at - DAY, first.due_at - DAY + SECOND, first.due_at + SECOND, first.due_at + HOUR):
        look(park, now)
    with park.write() as connection:
        give_positions(connection)
        told = [m for row in read_feed(connection, 0) if isinstance(m := row.message, DutyMessage) and m.id == first.id]
        assert [(m.event, m.point, m.tells) for m in told] == [
            ("clock_point", "-3d", ["department"]), ("overdue", "due", ["department", "safety_office"])
        ]  # fmt: skip
        for scope in (Scope(enterprise="alu"), Scope(zones=frozenset({"smelter"}))):
            assert read_feed(connection, 0, scope=scope) == [] and list_duties(connection, scope) == ([], None)
            with pytest.raises(NotFound):
                finish_duty(connection, first.id, scope, by="li", note="", now=NOON)
        assert read_feed(connection, 0, scope=Scope(zones=frozenset({"smelter", WHOLE_SITE})))


def test_a_duty_is_done_once(park: Database) -> None:
    look(park, NOON)
    with park.write() as connection:
        duty = list_duties(connection, EVERYTHING)[0][0]
        done = finish_duty(connection, duty.id, EVERYTHING, by="zhao", note="已检查", now=NOON + HOUR)
        assert (done.done_by, done.note, done.wake_at) == ("zhao", "已检查", None) and get_duty(connection, duty.id, EVERYTHING) == done
        with pytest.raises(NotInState, match="zhao said already"):
            finish_duty(connection, duty.id, EVERYTHING, by="li", note="", now=NOON + HOUR)
        with pytest.raises(NotFound):
            finish_duty(connection, "no:such:duty", EVERYTHING, by="li", note="", now=NOON)


def test_duties_page_and_filter(park: Database) -> None:
    for month in range(6):
        look(park, NOON + month * 31 * DAY)
    with park.read() as connection:
        everything, _ = list_duties(connection, EVERYTHING, limit=100)
        found, cursor = list_duties(connection, EVERYTHING, limit=1)
        while cursor is not None:
            page, cursor = list_duties(connection, EVERYTHING, limit=1, cursor=cursor)
            found += page
        assert found == everything and [d.due_at for d in found] == sorted((d.due_at for d in found), reverse=True)
        posts, _ = list_duties(connection, EVERYTHING, posts=["park_command"], is_open=True, limit=100)
        assert {d.post for d in posts} == {"park_command"} and list_duties(connection, EVERYTHING, is_open=False) == ([], None)


def test_a_duty_follows_the_pack_that_is_in_force(park: Database) -> None:
    """Its rule goes and comes back; and from quarters to months and on: no month is left out, none from before is made up."""

    def ids(now: int) -> set[str]:
        look(park, now)
        with park.read() as connection:
            return {d.id for d in list_duties(connection, EVERYTHING, limit=1000)[0] if d.post == "department"}

    def apply(version: str, **changes: Any) -> None:
        with park.write() as connection:
            apply_policy(connection, structs.replace(POLICY, version=version, **changes), by="test", role="platform", now=NOON)

    before = ids(NOON)
    apply("guangyuan-71", duties=())
    look(park, NOON)
    with park.read() as connection:
        assert all(duty.wake_at is None for duty in list_duties(connection, EVERYTHING)[0])
    apply("guangyuan-72", duties=tuple(structs.replace(rule, period="month") for rule in POLICY.duties))
    ids(NOON)
    after = ids(NOON + 100 * DAY)
    with park.read() as connection:
        assert next_wake(connection) is not None
    months = sorted(each.rpartition(":")[2] for each in after - before if each.startswith("quarterly_inspection"))
    assert months == ["2026-11", "2026-12", "2027-01", "2027-02", "2027-03"]
