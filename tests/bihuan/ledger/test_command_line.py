"""`bihuan ledger …` and backups as a person or a script meets them; and no command deletes anything of the ledger."""

import csv
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typer
from typer.testing import CliRunner

from bihuan.backup import back_up, restore
from bihuan.cli import app
from bihuan.configuration import Settings
from bihuan.ledger.key import PUBLIC, beside, public_pem
from bihuan.policy_file import PACKS
from bihuan.preparation import ensure_packs
from hazards.declarations import Declared
from hazards.declaring import Declare
from hazards.ledger.hazard import Actor
from hazards.scope import EVERYTHING
from storage.anchors import all_anchors
from storage.database import Database, sqlite_url
from storage.declarations import declare
from storage.migrations import upgrade
from tests.api.test_nothing_deleted import recorded
from tests.bihuan.ledger.world import DAY, World, forget
from tests.bihuan.test_cli import EXAMPLE, Up, bihuan
from tests.packs import RECORDED


@pytest.fixture
def data(tmp_path: Path) -> Iterator[World]:
    """A stopped system's data folder with two anchored days of a ledger."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    database = Database(sqlite_url(folder / "ledger.sqlite"))
    upgrade(database)
    ensure_packs(database)
    world = World(database, folder)
    world.hazard(1, comments=2)
    world.claimed_with(2, b"picture")
    world.anchor()
    world.now += DAY
    world.hazard(3)
    world.anchor()
    yield world
    database.close()


def ledger(world: World, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    return bihuan("ledger", *arguments, "--data", world.folder, **more)


def test_verify_says_nothing_and_0_or_a_line_a_finding_and_2(data: World) -> None:
    done = ledger(data, "verify", "--anchors", data.outside)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    counted = f"{8 + RECORDED} events of {3 + RECORDED} hazards, 1 evidence files, 2 anchors in the database, 2 outside; 0 events"
    assert f"nothing is wrong: {counted}" in done.stderr
    lost = data.hazard(3)  # the same again: it has an id
    data.tamper(lambda c: forget(c, lost))
    done = ledger(data, "verify", BIHUAN_ANCHOR_FOLDER=str(data.outside))
    assert done.returncode == 2
    day = data.anchors()[1].day
    assert done.stdout == f"vanished: hazard {lost}: anchored for {day} with 1 events, nothing is left of it\n"
    assert done.stderr.splitlines()[-1].startswith(f"1 findings: {7 + RECORDED} events of {3 + RECORDED} hazards")


@pytest.mark.parametrize("form", ["file", "digits", "PEM"])
def test_verify_takes_a_public_key_in_each_form(data: World, form: str) -> None:
    public = data.key().public
    given = {"file": str(beside(data.key_path, PUBLIC)), "digits": public, "PEM": public_pem(public)}[form]
    data.key_path.rename(data.folder / "away.key")
    assert ledger(data, "verify", "--anchors", data.outside, "--key", given).returncode == 0
    done = ledger(data, "verify", "--key", "0" * 64)
    assert done.returncode == 2 and done.stdout.count("signature: ") == 2
    done = ledger(data, "verify", "--key", "nonsense")
    assert done.returncode == 2 and "is no public key" in done.stderr and len(done.stderr.splitlines()) == 1


def test_verify_without_a_ledger_or_its_folder_says_so(data: World, tmp_path: Path) -> None:
    done = bihuan("ledger", "verify", "--data", tmp_path / "nothing")
    assert done.returncode == 2 and "there is no ledger" in done.stderr and not (tmp_path / "nothing").exists()
    done = ledger(data, "verify", "--anchors", tmp_path / "away")
    assert done.returncode == 2 and "there is no such folder" in done.stderr


def test_verify_changes_no_byte_of_a_backup_and_refuses_one_of_another_build(data: World, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    back_up(Settings(data=str(data.folder)), backup)
    for revision, code, said in ((None, 0, "nothing is wrong"), ("0003", 2, "tables are of version 0003"), ("9999", 2, "of version 9999")):
        if revision is not None:
            with closing(sqlite3.connect(backup / "ledger.sqlite")) as connection, connection:
                connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
        before = {path: path.read_bytes() for path in backup.rglob("*") if path.is_file()}
        done = bihuan("ledger", "verify", "--data", backup, "--anchors", data.outside, "--key", data.key().public)
        assert (done.returncode, done.stdout) == (code, "") and said in done.stderr, done.stderr
        assert {path: path.read_bytes() for path in backup.rglob("*") if path.is_file()} == before


def test_key_prints_the_public_key_and_makes_a_new_one_that_verifies(data: World) -> None:
    public = data.key().public
    assert ledger(data, "key").stdout == f"{public}\n{public_pem(public)}"
    new = ledger(data, "key", "--new").stdout.splitlines()[0]
    assert new != public and data.key().public == new
    data.now += DAY
    data.anchor()
    assert ledger(data, "verify", "--anchors", data.outside, "--key", public).returncode == 0
    data.key_path.unlink()
    done = ledger(data, "key")
    assert done.returncode == 2 and "is gone" in done.stderr and new in done.stderr


def test_export_writes_both_files_whole_or_not_at_all(data: World, tmp_path: Path) -> None:
    done = ledger(data, "export", tmp_path / "ledger.csv")
    assert done.returncode == 0 and done.stdout == f"{tmp_path / 'ledger.csv'}: 3 hazards\n"
    with (tmp_path / "ledger.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["名称 title"] for row in rows] == ["隐患 3", "隐患 2", "隐患 1"]
    assert ledger(data, "export", tmp_path / "ledger.xlsx", "--state", "claimed").returncode == 0
    (_, row) = openpyxl.load_workbook(tmp_path / "ledger.xlsx").worksheets[0].iter_rows(values_only=True)
    assert row[1] == "隐患 2"
    for arguments in (["ledger.pdf"], ["away/ledger.csv"], ["ledger.csv", "--state", "gone"]):
        done = ledger(data, "export", tmp_path / arguments[0], *arguments[1:])
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"data", "ledger.csv", "ledger.xlsx"}


# --- backups ---
@pytest.mark.parametrize("name", ["folder", "packed.tar.gz"])
def test_a_backup_holds_the_anchors_and_not_the_key_unless_asked(data: World, tmp_path: Path, name: str) -> None:
    settings, without, with_key = Settings(data=str(data.folder)), tmp_path / f"a-{name}", tmp_path / f"b-{name}"
    key = data.key_path.read_bytes()
    back_up(settings, without)
    back_up(settings, with_key, with_anchor_key=True)
    for backup, expected in ((without, None), (with_key, key)):
        restored = Settings(data=str(tmp_path / f"of-{backup.name}"), anchor_key=str(tmp_path / f"key-of-{backup.name}"))
        restore(restored, backup)
        path = restored.anchor_key_path
        assert (path.read_bytes() if path.exists() else None) == expected
        if expected:
            assert path.stat().st_mode & 0o777 == 0o600 and beside(path, PUBLIC).exists()
        database = Database(sqlite_url(restored.ledger_path))
        with database.read() as connection:
            assert [row.statement for row in all_anchors(connection)] == [row.statement for row in data.anchors()]
        database.close()


# --- a running system ---
def test_a_running_system_anchors_at_its_first_start(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    up = Up(tmp_path / "data", "--site", str(EXAMPLE), BIHUAN_ANCHOR_FOLDER=str(outside))
    try:
        up.ready()
        deadline = 60.0
        _until(lambda: any(path.suffix == ".json" and not path.name.startswith(".") for path in outside.iterdir()), deadline)
        done = bihuan("ledger", "verify", "--anchors", outside, "--data", tmp_path / "data")
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        up.stop()


def _until(condition: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


# --- nothing is deleted ---
SERVING = {"up", "ingest", "worker", "api", "store", "push", "healthy", "detect", "bench", "config", "cameras discover"}
"""Commands that run until they are stopped, or do not open the ledger at all."""
PACK = str(PACKS / "guangyuan.yaml")
SAMPLES: dict[str, list[str]] = {
    "token create": ["--role", "bureau"], "user create": ["zhang", "--role", "bureau"], "user password": ["zhang"],
    "site check": [str(EXAMPLE)], "site apply": [str(EXAMPLE)], "backup": ["{tmp}/backup"], "restore": ["{tmp}/backup", "--force"],
    "policy check": [PACK], "policy apply": [PACK], "policy show": [],
    "dead-letters list": [], "dead-letters resend": ["--parked"],
    "evidence key": [], "evidence check": [str(EXAMPLE)],  # no camera gave that
    "ledger verify": [], "ledger export": ["{tmp}/all.csv"], "ledger key": ["--new"],
}  # fmt: skip
"""How each other command is given; a new command must be put here to prove that it leaves the ledger whole."""


def commands() -> set[str]:
    """Every command, walked off the application."""
    group = typer.main.get_command(app)
    found = set()
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        found |= {f"{name} {inner}" for inner in command.commands} if hasattr(command, "commands") else {name}
    return found


def test_no_command_deletes_anything_of_the_ledger(data: World, tmp_path: Path) -> None:
    assert commands() == SERVING | set(SAMPLES)
    now = time.time_ns() // 1000
    period = Declare(kind=Declared.KEY_PERIOD, starts_at=now, ends_at=now + DAY, reason="防汛")
    with data.database.write() as connection:
        declare(connection, period, actor=Actor("qian", "park_command"), scope=EVERYTHING, command_id="1", now=now)
    before = recorded(data.database)
    assert all(before.values())
    for name, arguments in SAMPLES.items():
        line = [*name.split(), *(argument.format(tmp=tmp_path) for argument in arguments)]
        line += [] if name in ("site check", "policy check") else ["--data", str(data.folder)]
        done = CliRunner().invoke(app, line)
        assert done.exit_code == (2 if name == "evidence check" else 0), (line, done.output, done.exception)
        database = Database(sqlite_url(data.folder / "ledger.sqlite"))
        after = recorded(database)
        database.close()
        assert [table for table in before if not before[table] <= after[table]] == [], name
    (aside,) = data.folder.glob("replaced-*/ledger.sqlite")
    assert aside.stat().st_size > 0, "what a restore replaced was moved, not deleted"
