"""The migrations build exactly the tables of ``storage.schema``, on both databases, and may run twice."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from storage.database import Database
from storage.migrations import upgrade
from storage.schema import metadata


def test_the_migrations_build_the_tables(database: Database) -> None:
    upgrade(database)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
