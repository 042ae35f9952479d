"""The SQL database: what is written is taken over into a SQLite file beside the commits."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from hazards.errors import StorageUnavailable
from storage import database as module
from storage import schema
from storage.database import Database, sqlite_url


async def test_a_sqlite_file_takes_over_its_log_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECKPOINT_EVERY", 0.0)
    database, file = Database(sqlite_url(tmp_path / "a.sqlite")), tmp_path / "a.sqlite"

    def grow(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS t (x BLOB)")
        connection.exec_driver_sql("INSERT INTO t VALUES (zeroblob(100000))")

    async with asyncio.timeout(60):
        while not file.exists() or file.stat().st_size < 2_000_000:
            await database.writing(grow)
    assert (tmp_path / "a.sqlite-wal").stat().st_size < module.MOST_WAL_PAGES * 4096, "long before a commit would do it itself"
    database.close()


def test_a_database_that_is_opened_to_read_refuses_every_change(database: Database, database_url: str) -> None:
    reader = Database(database_url, read_only=True)
    with pytest.raises((DBAPIError, StorageUnavailable), match=r"read-?only"), reader.write() as connection:
        connection.execute(schema.followers.insert().values(name="x", position=1, updated_at=1))
    with database.write() as connection:
        connection.execute(schema.followers.insert().values(name="y", position=1, updated_at=1))
    with reader.read() as connection:
        assert connection.scalars(select(schema.followers.c.name)).all() == ["y"]
    reader.close()
