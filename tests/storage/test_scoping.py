"""A scope in SQL, on SQLite and PostgreSQL: lists, look-ups, feed and commands.

For no zone, one, a few, and more than a statement may have parameters."""

import pytest
from sqlalchemy import select

from hazards.errors import NotFound
from hazards.incidents import Comment
from hazards.scope import NOTHING, Scope
from hazards.zones import Device, Grade, Site, Zone
from storage import schema
from storage.commands import command_incident
from storage.database import Database
from storage.incident_queries import get_incident, incident_alarms, incident_events, list_incidents
from storage.incidents import apply_signals
from storage.outbox import give_positions, read_feed
from storage.scoping import is_one_of
from storage.site_store import apply_site, load_registry
from tests.hazards.signals import NOON, signal

ZONES = ["熔铸", "o'brien", 'a"b', "d,e", "x\\y", "%"]
"""Names that could break out of a parameter, if they were not one."""
SITE = Site(
    id="park", name="园区", district="510802", zones=[Zone(z, z, Grade.RED, district="510803" if z == "%" else "") for z in ZONES],
    devices=[Device(f"D-{n}", z, "camera") for n, z in enumerate(ZONES)],
)  # fmt: skip


@pytest.fixture
def park(database: Database) -> Database:
    with database.write() as connection:
        apply_site(connection, SITE, by="test", now=NOON)
        apply_signals(connection, [signal(f"s-{n}", device=f"D-{n}", zone=z) for n, z in enumerate(ZONES)], now=NOON)
        give_positions(connection)
    return database


SCOPES = {
    "nothing": ([], []),
    "one": (["熔铸"], ["熔铸"]),
    "a few": (["o'brien", 'a"b', "nowhere"], ["o'brien", 'a"b']),
    "all": (ZONES, ZONES),
    "very many": (["x\\y", "%", *(f"zone-{n}" for n in range(70_000))], ["x\\y", "%"]),
}


@pytest.mark.parametrize("name", list(SCOPES))
def test_only_what_happens_in_the_zones_is_listed_found_heard_and_commanded(park: Database, name: str) -> None:
    zones, seen = SCOPES[name]
    scope = Scope(zones=frozenset(zones))
    with park.write() as connection:
        listed, cursor = list_incidents(connection, scope=scope)
        assert {i.zone for i in listed} == set(seen) and cursor is None
        assert {row.zone for row in read_feed(connection, 0, scope=scope)} == set(seen)
        outside = connection.scalars(select(schema.zones.c.id).where(~is_one_of(schema.zones.c.id, zones)))
        assert set(outside) == set(ZONES) - set(seen)
        for identity, zone in connection.execute(select(schema.incidents.c.id, schema.incidents.c.zone)).all():
            asked = (
                lambda i=identity: get_incident(connection, i, scope=scope),
                lambda i=identity: incident_alarms(connection, i, scope=scope),
                lambda i=identity: incident_events(connection, i, scope=scope),
                lambda i=identity: command_incident(connection, i, Comment(text="看"), actor="x", scope=scope, now=NOON),
            )
            for ask in asked:
                if zone in seen:
                    ask()
                else:
                    with pytest.raises(NotFound):
                        ask()


def test_pages_of_a_scope_join_without_gaps(park: Database) -> None:
    scope, found, cursor = Scope(zones=frozenset(ZONES[1:])), list[str](), None
    with park.read() as connection:
        while True:
            page, cursor = list_incidents(connection, scope=scope, limit=2, cursor=cursor)
            found += [i.zone for i in page]
            if cursor is None:
                break
    assert sorted(found) == sorted(ZONES[1:])


def test_both_bounds_hold_at_once_and_nothing_is_nothing(park: Database) -> None:
    with park.read() as connection:
        assert list_incidents(connection, scope=Scope(enterprise="alu", zones=frozenset(ZONES)))[0] == []
        assert list_incidents(connection, scope=NOTHING)[0] == []


def test_a_zone_that_is_gone_is_known_with_its_district(park: Database) -> None:
    with park.write() as connection:
        apply_site(connection, Site(id="park", name="园区", district="510802"), by="test", now=NOON)
        registry = load_registry(connection)
    assert registry.zones == {} and {registry.district_of(z) for z in registry.former.values()} == {"510802", "510803"}
    with park.write() as connection:
        apply_site(connection, SITE, by="test", now=NOON)
        assert load_registry(connection).former == {}
