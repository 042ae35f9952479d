"""The database itself refuses to change or delete the record and the anchors, on SQLite and PostgreSQL."""

import pytest
from msgspec.structs import replace
from sqlalchemy import Table, select, text
from sqlalchemy.exc import DBAPIError

from hazards.ledger.anchors import Head
from storage import schema
from storage.anchors import clear_unsealed, keep_heads
from storage.database import Database
from storage.site_store import apply_site
from storage.uploads import keep_upload
from tests.hazards.signals import NOON
from tests.rules import rule
from tests.storage.test_hazards import SITE, put_down

EVENTS, ANCHORS, HEADS = schema.hazard_events, schema.anchors, schema.anchor_heads
SEALED = {"number": 1, "day": "2026-01-01", "body": b"{}", "digest": "d", "signature": "s", "handovers": "[]", "created_at": 1}


@pytest.fixture
def kept(database: Database) -> Database:
    """A hazard with a record, a file, an anchor with a head."""
    with database.write() as connection:
        apply_site(connection, replace(SITE, rules=[rule()]), by="test", now=NOON)
    put_down(database)
    with database.write() as connection:
        keep_upload(connection, "a" * 64, media_type="image/png", size=1, device="d", zone="smelter", taken_at=1)
        keep_heads(connection, 1, 0, [Head("h", 1, "d")])
        connection.execute(ANCHORS.insert().values(**SEALED))
    return database


def refused(database: Database, statement: str) -> str:
    with pytest.raises(DBAPIError) as caught, database.write() as connection:
        connection.execute(text(statement))
    return str(caught.value.orig)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE hazard_events SET digest = 'x'", "the record is never changed"),
        ("UPDATE hazard_events SET actor = 'x' WHERE number = 1", "the record is never changed"),
        ("DELETE FROM hazard_events", "the record is never deleted"),
        ("DELETE FROM hazards", "a hazard is never deleted"),
        ("DELETE FROM evidence", "evidence is never deleted"),
        ("UPDATE anchors SET signature = 'x'", "an anchor is never changed"),
        ("UPDATE anchors SET body = 'x'", "an anchor is never changed"),
        ("DELETE FROM anchors", "an anchor is never deleted"),
        ("UPDATE anchor_heads SET digest = 'x'", "an anchor is never changed"),
        ("DELETE FROM anchor_heads", "an anchor is never changed"),
        ("INSERT INTO anchor_heads VALUES (1, 1, 'i', 1, 'd')", "an anchor is never changed"),
        ("UPDATE policies SET body = '{}'", "a policy pack is never changed"),
        ("DELETE FROM policies", "a policy pack is never deleted"),
        ("UPDATE alarm_rules SET withdrawn = true", "a version of an alarm rule is never changed"),
        ("DELETE FROM alarm_rules", "a version of an alarm rule is never deleted"),
    ],
)
def test_what_is_recorded_can_not_be_changed_or_deleted(kept: Database, statement: str, reason: str) -> None:
    assert reason in refused(kept, statement)


def test_what_is_recorded_can_not_be_replaced_either(kept: Database) -> None:
    def rows(table: Table) -> list[object]:
        with kept.read() as connection:
            return list(connection.execute(select(table)))

    before = rows(EVENTS), rows(ANCHORS)
    if kept.is_sqlite:
        columns = "0, 'x', event, body, digest, command_id FROM hazard_events"
        refused(kept, f"INSERT OR REPLACE INTO hazard_events SELECT hazard, number, {columns}")
        refused(kept, f"INSERT OR REPLACE INTO hazard_events SELECT hazard, 9, {columns}")
        refused(kept, "INSERT OR REPLACE INTO anchors SELECT number, day, 'x', digest, signature, handovers, created_at FROM anchors")
        refused(kept, "INSERT OR REPLACE INTO anchors SELECT 2, day, 'x', digest, signature, handovers, created_at FROM anchors")
    else:
        for table in ("hazard_events", "hazards", "evidence", "anchors", "anchor_heads"):
            assert "never deleted" in refused(kept, f"TRUNCATE {table}")
        refused(kept, "INSERT INTO hazard_events SELECT * FROM hazard_events ON CONFLICT (hazard, number) DO UPDATE SET actor = 'x'")
    assert (rows(EVENTS), rows(ANCHORS)) == before


def test_heads_of_an_attempt_that_was_never_sealed_can_be_cleared(kept: Database) -> None:
    with kept.write() as connection:
        keep_heads(connection, 2, 0, [Head("i", 1, "d"), Head("j", 1, "d")])
        assert clear_unsealed(connection, 2) is False
        assert connection.scalars(select(HEADS.c.anchor)).all() == [1]


def test_an_update_of_the_hazards_own_row_goes_on(kept: Database) -> None:
    with kept.write() as connection:
        connection.execute(schema.hazards.update().values(updated_at=NOON + 1))
