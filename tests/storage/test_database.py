"""The SQL database: what is written is taken over into a SQLite file beside the commits."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection

from storage import database as module
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
