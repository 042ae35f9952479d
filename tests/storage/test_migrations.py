"""The migrations build exactly the tables of ``storage.schema``, on both databases, and may run twice."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select
from sqlalchemy.exc import DBAPIError

from storage.database import Database
from storage.migrations import configuration, upgrade
from storage.schema import evidence, metadata


def test_the_migrations_build_the_tables(database: Database) -> None:
    upgrade(database)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        for table in metadata.tables.values():  # which Alembic does not compare
            made = inspect(connection).get_pk_constraint(table.name)["constrained_columns"]
            assert made == [column.name for column in table.primary_key], table.name


def test_uploads_of_an_older_build_are_kept_with_their_guard(database_url: str) -> None:
    database = Database(database_url)
    row = {"sha256": "a" * 64, "media_type": "image/png", "size": 1, "device": "d", "zone": "smelter", "taken_at": 1}
    with database.write() as connection:
        command.upgrade(configuration(connection), "0009")
        connection.execute(evidence.insert().values(row))
    upgrade(database)
    with database.write() as connection:
        connection.execute(evidence.insert().values(row | {"zone": "depot"}))
        assert list(connection.execute(select(evidence).order_by(evidence.c.zone)).mappings()) == [row | {"zone": "depot"}, row]
    with pytest.raises(DBAPIError, match="evidence is never deleted"), database.write() as connection:
        connection.execute(evidence.delete())
    database.close()
