"""Packs in SQL: every version stays, a change is on the record, a hazard keeps the one under which it was opened."""

import pytest
from msgspec import structs
from sqlalchemy import select

from hazards.errors import Conflict
from hazards.ledger.record import first_broken, read_entry
from hazards.zones import Site
from storage import schema
from storage.database import Database
from storage.policies import apply_policy, versions
from storage.site_store import apply_site, current_registry
from tests.packs import POLICY

NEXT = structs.replace(POLICY, version="guangyuan-next", zh="新版")


def test_a_new_version_is_in_force_at_once_and_the_old_one_stays(database: Database) -> None:
    with database.write() as connection:
        assert not apply_policy(connection, POLICY, by="somebody", role="administrator", now=5), "the same again changes nothing"
        assert apply_policy(connection, NEXT, by="somebody", role="administrator", now=6)
    with database.read() as connection:
        registry = current_registry(connection)
        assert registry.policy == NEXT
        assert registry.policy_under(POLICY.version) == POLICY and registry.policy_under("nothing") is registry.policy
        assert [v.version for v in versions(connection) if v.id == "guangyuan"] == [NEXT.version, POLICY.version]


def test_a_version_says_one_thing_for_ever(database: Database) -> None:
    with pytest.raises(Conflict, match="is taken by other contents"), database.write() as connection:
        apply_policy(connection, structs.replace(NEXT, version=POLICY.version), by="x", role="administrator", now=5)


def test_the_site_says_which_pack_holds_and_the_default_holds_where_it_names_none(database: Database) -> None:
    for wanted, holds in (("shanxi", "shanxi"), ("", "guangyuan"), ("nowhere", "guangyuan")):
        with database.write() as connection:
            apply_site(connection, Site(id="park", name="Park", policy=wanted), by="x", now=1)
        with database.read() as connection:
            policy = current_registry(connection).policy
            assert policy is not None and policy.id == holds


def test_a_change_of_pack_is_an_entry_of_the_record(database: Database) -> None:
    with database.write() as connection:
        apply_policy(connection, NEXT, by="wang", role="administrator", now=7)
    table = schema.hazard_events
    with database.read() as connection:
        rows = list(connection.execute(select(table).where(table.c.hazard == "policy:guangyuan").order_by(table.c.number)))
    assert [read_entry(row.body).event for row in rows] == ["policy_applied"] * 2
    entry = read_entry(rows[1].body)
    assert (entry.actor, entry.details["before"], entry.details["version"]) == ("wang", POLICY.version, NEXT.version)
    assert first_broken((row.number, row.body, row.digest) for row in rows) is None
