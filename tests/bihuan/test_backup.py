"""What a backup holds beside the databases, without a running system."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bihuan.backup import back_up, restore
from bihuan.configuration import Settings


@pytest.mark.parametrize("name", ["folder", "packed.tar.gz"])
def test_what_cameras_have_raised_is_kept_with_the_ledger(tmp_path: Path, name: str) -> None:
    settings = Settings(data=str(tmp_path / "data"))
    settings.folder.mkdir()
    with closing(sqlite3.connect(settings.ledger_path)) as ledger:
        ledger.execute("CREATE TABLE alarms (id TEXT)")
    settings.cameras_path.write_bytes(b"before")
    back_up(settings, tmp_path / name)
    settings.cameras_path.write_bytes(b"after")
    restore(settings, tmp_path / name, force=True)
    assert settings.cameras_path.read_bytes() == b"before"
    (aside,) = settings.folder.glob("replaced-*/cameras.json")
    assert aside.read_bytes() == b"after"
