"""Declarations in SQL, on SQLite and PostgreSQL: entered once, ended once, on the record, read in one query beside stop orders."""

from functools import partial
from typing import Any

import pytest
from alembic import command
from msgspec import structs
from sqlalchemy import delete, event, insert, select, update
from sqlalchemy.exc import DBAPIError

from bihuan.ledger.verify import Verification
from bus.codecs import decode
from hazards.declarations import Declaration, DeclarationMessage, Declared
from hazards.declaring import Declare, Standing, standing
from hazards.errors import BadInput, Conflict, NotFound, NotInState
from hazards.ledger import commands as ask
from hazards.ledger.hazard import Actor, Hazard
from hazards.ledger.policy import KeyPeriod
from hazards.ledger.record import read_entry
from hazards.messages import WHOLE_SITE
from hazards.scope import EVERYTHING, Scope
from storage import schema
from storage.database import Database
from storage.declaration_queries import in_force_by_zone, list_declarations
from storage.declarations import LATE, declarations_in_force, declarations_revision, declare, end_declaration, get_declaration
from storage.evidence import EvidenceStore
from storage.hazard_rows import body_of
from storage.migrations import configuration, upgrade
from storage.policies import apply_policy
from storage.site_store import apply_site
from tests.hazards.signals import NOON, SECOND, signal
from tests.packs import POLICY
from tests.storage.at_once import at_once
from tests.storage.test_hazards import BY_HAND, DEPARTMENT, OFFICER, OPERATOR, SITE, give, park, put_down, take  # noqa: F401

HOUR = 3600 * SECOND
OWN = Scope(enterprise="alu")
COMMAND = Actor("qian", "park_command")
PERMIT = Declare(kind=Declared.PERMIT, zone="smelter", starts_at=NOON, ends_at=NOON + 2 * HOUR, work="hot_work", guardian="王五")
PERIOD = Declare(kind=Declared.KEY_PERIOD, starts_at=NOON, ends_at=NOON + 5 * HOUR, reason="防汛")


@pytest.fixture
def own_park(sqlite_database: Database) -> Database:
    """For tests to which the kind of database makes no difference."""
    with sqlite_database.write() as connection:
        apply_site(connection, SITE, by="test", now=NOON)
    return sqlite_database


def enter(
    database: Database, wanted: Declare = PERMIT, *, actor: Actor = OFFICER, scope: Scope = EVERYTHING, command_id: str = "1",
    now: int = NOON,
) -> tuple[Declaration, bool]:  # fmt: skip
    with database.write() as connection:
        return declare(connection, wanted, actor=actor, scope=scope, command_id=command_id, now=now)


def end(database: Database, declaration: Declaration, *, now: int, actor: Actor = OFFICER, **options: Any) -> Declaration:
    with database.write() as connection:
        return end_declaration(connection, declaration.id, reason="完工", actor=actor, now=now, **({"scope": EVERYTHING} | options))


def in_force(database: Database, *zones: str, now: int, until: int | None = None) -> list[Declaration]:
    with database.read() as connection:
        return [d for d in declarations_in_force(connection, zones, now=now, until=until) if d.holds(now)]


def looked_at(database: Database, *zones: str, now: int, until: int | None = None) -> list[str]:
    with database.read() as connection:
        return [d.id for d in declarations_in_force(connection, zones or None, now=now, until=until)]


def revision(database: Database) -> int:
    with database.read() as connection:
        return declarations_revision(connection)


def test_what_is_entered_holds_until_it_is_ended_and_stays_known_for_late_signals(park: Database) -> None:  # noqa: F811
    permit, new = enter(park)
    assert new and permit.enterprise == "alu" and permit.entered_by == "li"
    assert in_force(park, "smelter", now=NOON) == [permit]
    assert in_force(park, "depot", now=NOON) == []
    after = end(park, permit, now=NOON + HOUR)
    assert (after.ends_at, after.planned_end, after.ended_by, after.ended_why) == (NOON + HOUR, NOON + 2 * HOUR, "li", "完工")
    assert in_force(park, "smelter", now=NOON + HOUR) == []
    assert looked_at(park, "smelter", now=NOON + HOUR + LATE - 1) == [permit.id], "a late signal is judged by its own time"
    assert looked_at(park, "smelter", now=NOON + HOUR + LATE) == []
    with pytest.raises(NotInState, match="ended already"):
        end(park, permit, now=NOON + HOUR + 1)


def test_what_begins_soon_is_looked_at_when_asked_for(own_park: Database) -> None:
    later, _ = enter(own_park, structs.replace(PERMIT, starts_at=NOON + HOUR))
    assert looked_at(own_park, "smelter", now=NOON) == []
    assert looked_at(own_park, "smelter", now=NOON, until=NOON + HOUR) == [later.id]
    withdrawn = end(own_park, later, now=NOON + 1)
    assert standing(withdrawn, NOON + 2 * HOUR) is Standing.WITHDRAWN
    assert looked_at(own_park, now=NOON, until=NOON + 3 * HOUR) == [], "what was withdrawn was never in force"


def test_what_is_of_the_whole_site_is_of_every_zone(own_park: Database) -> None:
    period, _ = enter(own_park, PERIOD, actor=COMMAND)
    permit, _ = enter(own_park)
    assert {d.id for d in in_force(own_park, "smelter", "depot", now=NOON)} == {period.id, permit.id}
    assert in_force(own_park, "depot", now=NOON) == [period]
    assert looked_at(own_park, now=NOON) == sorted([period.id, permit.id])


def test_the_same_request_twice_is_one_declaration_and_another_one_of_that_name_is_refused(park: Database) -> None:  # noqa: F811
    first = enter(park)
    assert enter(park, now=NOON + 1) == (first[0], False)
    with pytest.raises(Conflict, match="used for another"):
        enter(park, structs.replace(PERMIT, guardian="赵六"))
    assert enter(park, command_id="2")[1] is True
    ended = end(park, first[0], now=NOON + 5, command_id="e")
    assert end(park, first[0], now=NOON + 9, command_id="e") == ended


def test_whoever_looked_at_an_older_version_is_refused(own_park: Database) -> None:
    permit, _ = enter(own_park)
    with pytest.raises(Conflict, match="at version 1, you looked at 7"):
        end(own_park, permit, now=NOON + 1, version=7)
    assert end(own_park, permit, now=NOON + 1, version=1).version == 2


def test_of_many_at_once_one_enters_and_one_ends(park: Database) -> None:  # noqa: F811
    entered = at_once(*[partial(enter, park) for _ in range(4)])
    assert sorted(new for _, new in entered if isinstance(new, bool)) == [False, False, False, True]  # type: ignore[misc]
    permit = entered[0][0]  # type: ignore[index]
    ended = at_once(*[partial(end, park, permit, now=NOON + HOUR) for _ in range(4)])
    assert sorted(type(outcome).__name__ for outcome in ended) == ["Declaration", "NotInState", "NotInState", "NotInState"]
    before = revision(park)
    at_once(*[partial(enter, park, command_id=f"n{n}") for n in range(4)])
    assert revision(park) == before + 4, "no change is lost to those who watch"


def test_merging_measures_and_declarations_of_one_zone_never_wait_for_each_other_in_a_ring(park: Database) -> None:  # noqa: F811
    take(park, signal(0))
    hazard = put_down(park)[0]
    for n in range(4):
        outcomes = at_once(
            partial(take, park, signal(10 + n, kind="temperature_high_high", device="T-1"), signal(20 + n)),
            lambda: give(park, hazard, ask.TakeMeasure(kind="stop_production", authority="应急局")) and None,
            lambda n=n: enter(park, command_id=f"p{n}") and None,  # type: ignore[misc]
            lambda n=n: enter(park, PERIOD, actor=COMMAND, command_id=f"k{n}") and None,  # type: ignore[misc]
        )
        assert outcomes == [None] * 4, "each waits for its turn, none is sent away"
    assert len(in_force(park, "smelter", now=NOON)) == 12


def test_each_change_is_on_the_record_and_on_the_feed_and_wakes_its_zone(park: Database, tmp_path: Any) -> None:  # noqa: F811
    take(park, signal(1), signal(2, zone="depot"))
    states, events = schema.zone_states, schema.hazard_events
    with park.write() as connection:
        connection.execute(update(states).values(wake_at=None))
    permit, _ = enter(park)
    with park.read() as connection:
        woken = dict(connection.execute(select(states.c.zone, states.c.wake_at)).all())  # type: ignore[arg-type]
        rows = connection.execute(select(schema.outbox).where(schema.outbox.c.topic == "declarations")).all()
    assert woken == {"smelter": NOON, "depot": None}
    assert [(row.key, row.enterprise, row.subject, row.event) for row in rows] == [("smelter", "alu", permit.id, "entered")]
    assert decode(DeclarationMessage, rows[0].payload).declaration == permit
    enter(park, PERIOD, actor=COMMAND, now=NOON + 7)
    end(park, permit, now=NOON + HOUR)
    with park.read() as connection:
        assert set(connection.scalars(select(states.c.wake_at))) == {NOON, NOON + 7}, "the whole site woke; what was due sooner stays so"
        bodies = connection.scalars(select(events.c.body).where(events.c.hazard == f"declaration:{permit.id}").order_by(events.c.number))
        entries = [read_entry(body) for body in bodies]
    assert [(e.event, e.actor, e.role, e.basis["kind"]) for e in entries] == [
        ("entered", "li", "enterprise", "platform_default"), ("ended", "li", "enterprise", "platform_default")]  # fmt: skip
    assert entries[0].details["guardian"] == "王五" and entries[1].details["ended_why"] == "完工"
    assert list(Verification(park, EvidenceStore(tmp_path / "evidence")).findings()) == []


def test_a_declaration_that_was_changed_beside_the_record_is_found(park: Database, tmp_path: Any) -> None:  # noqa: F811
    permit, _ = enter(park)
    table = schema.declarations
    with park.write() as connection:
        connection.execute(update(table).values(over_at=NOON + 9 * HOUR))
    found = [finding.line() for finding in Verification(park, EvidenceStore(tmp_path / "evidence")).findings()]
    assert len(found) == 1 and found[0].startswith(f"changed: declaration {permit.id}: its column over_at says")
    with pytest.raises(DBAPIError, match="never deleted"), park.write() as connection:
        connection.execute(delete(table))


def test_what_can_not_be_entered_leaves_nothing_behind(own_park: Database) -> None:
    for wanted, actor, scope in (
        (structs.replace(PERMIT, zone="nowhere"), OFFICER, EVERYTHING), (structs.replace(PERMIT, zone="depot"), OFFICER, OWN),
        (structs.replace(PERMIT, guardian=""), OFFICER, OWN), (PERIOD, COMMAND, Scope(zones=frozenset({"smelter"}))),
    ):  # fmt: skip
        with pytest.raises(BadInput):
            enter(own_park, wanted, actor=actor, scope=scope)
    assert revision(own_park) == 0 and looked_at(own_park, now=NOON) == []


# --- what follows from the ledger and from the pack ---
def stopped(database: Database, kind: str = "stop_production", now: int = NOON) -> Hazard:
    hazard = put_down(database, command_id=kind)[0]
    return give(database, hazard, ask.TakeMeasure(kind=kind, authority="应急局", until=now + HOUR), now=now).hazard


def test_a_stop_order_of_a_hazard_is_in_force_until_somebody_ends_it(park: Database) -> None:  # noqa: F811
    take(park, signal(1))
    with park.write() as connection:
        connection.execute(update(schema.zone_states).values(wake_at=None))
    hazard = stopped(park)
    (order,) = in_force(park, "smelter", now=NOON + 9 * HOUR)
    number = hazard.measures[0].number
    assert (order.id, order.kind, order.measure) == (f"hazard:{hazard.id}:measure:{number}", Declared.STOP_ORDER, "stop_production")
    assert (order.zone, order.enterprise, order.reason) == ("smelter", "alu", "应急局")
    assert in_force(park, "depot", now=NOON) == []
    with park.read() as connection:
        assert list(connection.scalars(select(schema.zone_states.c.wake_at))) == [NOON], "the zone looks at it at once"
    before = revision(park)
    give(park, hazard, ask.EndMeasure(measure=number), now=NOON + 3 * HOUR)
    assert in_force(park, "smelter", now=NOON + 3 * HOUR) == [] and revision(park) == before + 1
    (known,) = _all(park, NOON + 3 * HOUR)
    assert known.holds(NOON + 2 * HOUR), "what happened meanwhile was under it, also after it was meant to end"
    assert [standing(known, NOON + n * HOUR) for n in (2, 3)] == [Standing.IN_FORCE, Standing.ENDED]
    with pytest.raises(NotInState, match="measure of its hazard"):
        end(park, order, now=NOON + 4 * HOUR)


def _all(database: Database, now: int) -> list[Declaration]:
    with database.read() as connection:
        return declarations_in_force(connection, None, now=now)


@pytest.mark.parametrize(("kind", "arms"), [("seal", True), ("cut_electricity", True), ("stop_work", True), ("evacuate", False)])
def test_a_measure_that_stops_nothing_is_shown_on_the_zone_and_arms_nothing(own_park: Database, kind: str, arms: bool) -> None:
    stopped(own_park, kind)
    assert bool(in_force(own_park, "smelter", now=NOON)) == arms
    with own_park.read() as connection:
        shown = in_force_by_zone(connection, EVERYTHING, ["smelter", "depot"], now=NOON)
    assert [d.measure for d in shown["smelter"]] == [kind] and shown["depot"] == []


def test_measures_of_before_there_was_this_table_are_taken_over(database_url: str) -> None:
    database = Database(database_url)
    with database.write() as connection:
        command.upgrade(configuration(connection), "0010")
    hazard = _old_hazard()
    with database.write() as connection:
        connection.execute(insert(schema.hazards).values(
            id=hazard.id, zone=hazard.zone, enterprise=hazard.enterprise, kind=hazard.kind, grade=hazard.grade, confirmed=False,
            state=hazard.state.value, title=hazard.title, opened_at=NOON, updated_at=NOON, version=2, synthetic=False,
            body=body_of(hazard).decode()))  # fmt: skip
    upgrade(database)
    assert [d.id for d in in_force(database, "smelter", now=NOON + HOUR)] == ["hazard:h:measure:2"]
    database.close()


def _old_hazard() -> Hazard:
    from hazards.ledger.hazard import Origin
    from hazards.ledger.lifecycle import State
    from hazards.ledger.particulars import Measure

    return Hazard(
        id="h", zone="smelter", enterprise="alu", kind="fire", grade="serious", state=State.PROPOSED, title="t", opened_at=NOON,
        updated_at=NOON, version=2, policy="x", proposed_by="wang", origin=Origin.INSPECTION, proposed_grade="serious",
        measures=[Measure(number=2, kind="seal", authority="应急局", start=NOON)],
    )  # fmt: skip


def test_a_key_period_of_the_pack_is_in_force_on_its_days_by_the_site_s_clock(own_park: Database) -> None:
    spring = KeyPeriod("spring", "春节", "Spring Festival", "2027-02-06", "2027-02-12", "record")
    with own_park.write() as connection:
        pack = structs.replace(POLICY, version="with-period", key_periods=(spring,))
        apply_policy(connection, pack, by="test", role="administrator", now=1)
    first = 1_801_843_200 * SECOND  # 2027-02-06 00:00 +08:00
    assert in_force(own_park, "depot", now=first - 1) == []
    (period,) = in_force(own_park, "depot", now=first)
    assert (period.id, period.zone, period.kind, period.reason) == ("pack:spring", WHOLE_SITE, Declared.KEY_PERIOD, "春节")
    assert [d.id for d in in_force(own_park, "depot", now=first + 7 * 24 * HOUR - 1)] == ["pack:spring"]
    assert in_force(own_park, "depot", now=first + 7 * 24 * HOUR) == []
    with own_park.read() as connection:
        assert get_declaration(connection, "pack:spring", scope=OWN) == period
        assert list_declarations(connection, OWN, now=first)[0] == [period]
    with pytest.raises(NotInState):
        end(own_park, period, now=first)


# --- lists ---
def test_lists_are_narrowed_and_turned_page_by_page_within_the_scope(park: Database) -> None:  # noqa: F811
    soon = enter(park, structs.replace(PERMIT, starts_at=NOON + HOUR), command_id="soon", now=NOON + 1)[0]
    now_on = enter(park, command_id="on", now=NOON + 2)[0]
    other = enter(park, structs.replace(PERMIT, zone="depot"), actor=Actor("chen", "enterprise", "chem"), now=NOON + 3)[0]
    period = enter(park, PERIOD, actor=COMMAND, now=NOON + 4)[0]
    over = end(park, enter(park, command_id="over", now=NOON + 5)[0], now=NOON + 6)

    def ids(scope: Scope = EVERYTHING, **narrowed: Any) -> list[str]:
        with park.read() as connection:
            return [d.id for d in list_declarations(connection, scope, now=NOON + 10, **narrowed)[0]]

    assert ids() == [over.id, period.id, other.id, now_on.id, soon.id]
    assert ids(OWN) == [over.id, period.id, now_on.id, soon.id], "what is of the whole site is for everybody"
    assert ids(Scope(zones=frozenset({"depot"}))) == [period.id, other.id]
    assert ids(zone="depot") == [period.id, other.id]
    assert ids(kinds=["permit"], states=["in_force"]) == [other.id, now_on.id]
    assert ids(states=["entered"]) == [soon.id] and ids(states=["ended"]) == [over.id]
    assert ids(at=NOON + HOUR + 1, kinds=["permit"]) == [other.id, now_on.id, soon.id]
    with park.read() as connection:
        page, following = list_declarations(connection, EVERYTHING, now=NOON + 10, limit=2)
        rest, end_of_it = list_declarations(connection, EVERYTHING, now=NOON + 10, limit=3, cursor=following)
        assert [d.id for d in page + rest] == ids() and end_of_it is None
        with pytest.raises(NotFound):
            get_declaration(connection, other.id, scope=OWN)


@pytest.mark.parametrize(
    ("narrowed", "scope", "index"),
    [
        ({"states": ["in_force"]}, EVERYTHING, "declarations_over"), ({"states": ["entered"]}, OWN, "declarations_by_enterprise"),
        ({"at": NOON}, EVERYTHING, "declarations_over"), ({"states": ["ended"]}, EVERYTHING, "declarations_newest"),
        ({}, OWN, "declarations_by_enterprise"),
    ],
)  # fmt: skip
def test_a_list_never_walks_all_that_was_ever_declared(
    sqlite_database: Database, narrowed: dict[str, Any], scope: Scope, index: str
) -> None:  # fmt: skip
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "FROM declarations" in statement and not statement.startswith("EXPLAIN"):
            asked.append((statement, parameters))

    event.listen(sqlite_database.engine, "before_cursor_execute", note)
    with sqlite_database.read() as connection:
        list_declarations(connection, scope, now=NOON, **narrowed)
        declarations_in_force(connection, ["smelter"], now=NOON)
        plans = [str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {s}", p).all()) for s, p in asked]
    assert f"INDEX {index}" in plans[0], plans[0]
    assert "INDEX declarations_in_force (zone=? AND over_at>?)" in plans[-1], plans[-1]
