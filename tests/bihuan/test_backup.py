"""What a backup holds beside the databases, without a running system."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from bihuan.backup import back_up, restore
from bihuan.configuration import Settings
from storage.series.port import RawBlock, SeriesQuery, SeriesTags
from storage.series.sqlite import SqliteSeries


@pytest.mark.parametrize("name", ["folder", "packed.tar.gz"])
async def test_the_time_series_file_is_kept_and_restored(tmp_path: Path, name: str) -> None:
    settings = Settings(data=str(tmp_path / "data"))
    settings.folder.mkdir()
    with closing(sqlite3.connect(settings.ledger_path)) as ledger:
        ledger.execute("CREATE TABLE alarms (id TEXT)")
    series = SqliteSeries(settings.series_path)
    await series.ensure()
    tags = SeriesTags(device="T-1", metric="temperature", zone="hall", unit="Cel")
    await series.write_raw(RawBlock([tags], np.zeros(3, np.int64), np.arange(3), np.array([1.0, 2.0, 3.0])))
    back_up(settings, tmp_path / name)  # while it is open and being written
    await series.close()
    restored = Settings(data=str(tmp_path / "restored"))
    restore(restored, tmp_path / name)
    again = SqliteSeries(restored.series_path, writing=False)
    (run,) = await again.read(SeriesQuery(device="T-1", metric="temperature", start=0, end=10))
    await again.close()
    assert run.last.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("name", ["folder", "packed.tar.gz"])
def test_what_cameras_have_raised_and_the_time_series_are_kept_with_the_ledger(tmp_path: Path, name: str) -> None:
    settings = Settings(data=str(tmp_path / "data"))
    settings.folder.mkdir()
    with closing(sqlite3.connect(settings.ledger_path)) as ledger:
        ledger.execute("CREATE TABLE alarms (id TEXT)")
    with closing(sqlite3.connect(settings.series_path)) as series:
        series.executescript("CREATE TABLE telemetry (value REAL); INSERT INTO telemetry VALUES (20.5)")
    settings.cameras_path.write_bytes(b"before")
    back_up(settings, tmp_path / name)
    settings.cameras_path.write_bytes(b"after")
    restore(settings, tmp_path / name, force=True)
    assert settings.cameras_path.read_bytes() == b"before"
    with closing(sqlite3.connect(settings.series_path)) as series:
        assert series.execute("SELECT value FROM telemetry").fetchall() == [(20.5,)]
    (aside,) = settings.folder.glob("replaced-*/cameras.json")
    assert aside.read_bytes() == b"after"
