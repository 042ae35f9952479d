"""Files of cameras' alarms: kept once, held by what refers to them, the oldest free ones go first, bytes never before their record."""

import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from hazards.camera_evidence import Role, Signed, Statement, statement_bytes
from hazards.errors import NotFound, NotInState, StorageUnavailable
from hazards.scope import EVERYTHING
from storage.camera_evidence import cite, incident_evidence, keep_camera_evidence, kept_bytes, oldest_free
from storage.database import Database, sqlite_url
from storage.evidence import EvidenceStore
from storage.evidence_archive import EvidenceArchive
from storage.evidence_holds import enter_hold, lift_hold, list_holds
from storage.evidence_sweep import Bounds, EvidenceSweep
from storage.migrations import upgrade
from storage.schema import alarms, camera_evidence, hazard_incidents

ROOT = Path(__file__).parents[2]
DAY = 24 * 3600 * 1_000_000
NOW = 1_800_000_000_000_000
WIDE = Bounds(days=10_000, most=10**12, free=0)


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path / "evidence")


def kept(database: Database, store: EvidenceStore, n: int, *, age: float = 0.0, size: int = 1000, zone: str = "depot") -> Statement:
    """One picture of ``size`` bytes, ``age`` days old."""
    at = NOW - round(age * DAY)
    data = n.to_bytes(4, "big").ljust(size, b".")
    sha256 = store.put(data, media_type="image/jpeg", device="CAM-1", zone=zone, taken_at=at)
    made = Statement(
        sha256=sha256, media_type="image/jpeg", size=size, device="CAM-1", zone=zone, kind="flame", onset=at, role=Role.BOXED,
        begins=at, ends=at,
    )  # fmt: skip
    with database.write() as connection:
        keep_camera_evidence(connection, [Signed(statement=made, signature="00", public_key="11")], now=NOW)
    return made


def an_alarm(database: Database, of: Statement, incident: str) -> None:
    with database.write() as connection:
        connection.execute(alarms.insert().values(
            id=f"a-{of.onset}", source="camera/CAM-1", source_id="1", device=of.device, zone=of.zone, kind=of.kind, action="raised",
            at=of.onset, received_at=of.onset, body=b"", incident=incident, reason="opened", explained="{}", applied_at=of.onset,
        ))  # fmt: skip


def there(store: EvidenceStore, *files: Statement) -> list[bool]:
    def one(sha256: str) -> bool:
        try:
            return bool(store.read(sha256))
        except NotFound:
            return False

    return [one(f.sha256) for f in files]


def test_what_is_signed_is_one_text_for_one_statement() -> None:
    made = Statement(
        sha256="ab", media_type="video/mp4", size=1, device="CAM-1", zone="z", kind="flame", onset=3, role=Role.CLIP, begins=1, ends=9
    )
    assert statement_bytes(made) == (
        b"bihuan camera evidence 1\n"
        b'{"begins":1,"device":"CAM-1","ends":9,"kind":"flame","media_type":"video/mp4","onset":3,"role":"clip","sha256":"ab","size":1,'
        b'"zone":"z"}'
    )
    assert statement_bytes(msgspec.structs.replace(made, ends=10)) != statement_bytes(made)


def test_the_same_file_again_is_one_and_an_incident_knows_its_own(database: Database, store: EvidenceStore) -> None:
    ours, other = kept(database, store, 1, age=1), kept(database, store, 2, age=2)
    kept(database, store, 1, age=1)
    an_alarm(database, ours, "i-1")
    an_alarm(database, other, "i-2")
    with database.read() as connection:
        assert kept_bytes(connection) == 2000
        assert [e.signed.statement for e in incident_evidence(connection, "i-1")] == [ours]


def test_what_is_too_old_goes_but_what_is_referred_to_stays(database: Database, store: EvidenceStore) -> None:
    old, cited, linked, held, young = (kept(database, store, n, age=age) for n, age in enumerate((99, 98, 97, 96, 1)))
    an_alarm(database, linked, "i-1")
    with database.write() as connection:
        cite(connection, [cited.sha256])
        connection.execute(hazard_incidents.insert().values(hazard="h-1", incident="i-1", why="origin"))
        span = {"begins": held.begins - 5, "ends": held.ends}
        entered = [enter_hold(connection, "hold-1", zone="depot", **span, reason="事故调查", by="bureau", now=NOW + n) for n in range(2)]
    (hold, new), (same, again) = entered
    assert (new, again, same) == (True, False, hold)
    swept = EvidenceSweep(database, store, replace(WIDE, days=90)).sweep(NOW)
    assert (swept.aged, swept.crowded, swept.kept) == (1, 0, 4000)
    assert there(store, old, cited, linked, held, young) == [False, True, True, True, True]
    with database.write() as connection:
        lift_hold(connection, hold.id, reason="结案", by="bureau", now=NOW)
        with pytest.raises(NotInState):
            lift_hold(connection, hold.id, reason="结案", by="bureau", now=NOW)
        assert [h.lifted_reason for h in list_holds(connection, scope=EVERYTHING, standing=False)[0]] == ["结案"]
    assert EvidenceSweep(database, store, replace(WIDE, days=90)).sweep(NOW).aged == 1
    assert there(store, held) == [False]


def test_when_room_is_needed_the_oldest_free_goes_first_and_what_is_still_wanted_is_said(database: Database, store: EvidenceStore) -> None:
    files = [kept(database, store, n, age=10 - n) for n in range(5)]
    with database.write() as connection:
        cite(connection, [files[0].sha256])
    sweep = EvidenceSweep(database, store, replace(WIDE, most=2500)).sweep(NOW)
    assert (sweep.crowded, sweep.kept, sweep.short) == (3, 2000, 0)
    assert there(store, *files) == [True, False, False, False, True]
    with database.write() as connection:
        cite(connection, [f.sha256 for f in files])
    short = EvidenceSweep(database, store, replace(WIDE, most=1500)).sweep(NOW)
    assert (short.crowded, short.short) == (0, 500)
    full = EvidenceSweep(database, store, replace(WIDE, free=10**18)).sweep(NOW)
    assert full.short > 10**15
    assert there(store, files[0], files[4]) == [True, True]


def test_bytes_that_another_alarm_still_has_stay(database: Database, store: EvidenceStore) -> None:
    old = kept(database, store, 7, age=99)
    young = msgspec.structs.replace(old, onset=NOW, begins=NOW, ends=NOW)
    with database.write() as connection:
        keep_camera_evidence(connection, [Signed(statement=young, signature="00", public_key="11")], now=NOW)
    assert EvidenceSweep(database, store, replace(WIDE, days=90)).sweep(NOW).aged == 1
    assert there(store, old) == [True]
    with database.read() as connection:
        assert oldest_free(connection) == [young]


def test_bytes_that_went_before_a_crash_are_gone_for_good_at_the_next_sweep(database: Database, store: EvidenceStore) -> None:
    old = kept(database, store, 8, age=99)
    store.remove(old.sha256)
    assert EvidenceSweep(database, store, replace(WIDE, days=90)).sweep(NOW).aged == 1
    with database.read() as connection:
        assert connection.scalars(select(camera_evidence.c.removed_for)).all() == ["age"]


def archive(database: Database, tmp_path: Path, store: EvidenceStore) -> EvidenceArchive:
    return EvidenceArchive(store, database, tmp_path / "waiting", sign=lambda data: str(len(data)), public_key="11")


def a_clip(onset: int) -> Statement:
    return Statement(
        sha256="", media_type="video/mp4", size=0, device="CAM-1", zone="depot", kind="flame", onset=onset, role=Role.CLIP,
        begins=onset - 5, ends=onset + 5,
    )  # fmt: skip


def test_what_was_kept_before_a_kill_is_noted_by_the_next_life(database: Database, tmp_path: Path, store: EvidenceStore) -> None:
    first = archive(database, tmp_path, store)
    whole = first.keep(b"packets", a_clip(NOW))
    assert store.read(whole.sha256)[0] == b"packets"
    an_alarm(database, whole, "i-1")
    again = archive(database, tmp_path, store)  # as after a kill
    (tmp_path / "waiting" / "torn.json").write_bytes(b"{")
    assert (again.note_down(NOW), again.note_down(NOW)) == (1, 0)
    with database.read() as connection:
        (found,) = incident_evidence(connection, "i-1")
    assert found.signed.statement == whole
    assert found.signed.signature == str(len(statement_bytes(whole)))


def test_a_database_that_is_away_loses_nothing(
    database: Database, tmp_path: Path, store: EvidenceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_in = archive(database, tmp_path, store)
    whole = kept_in.keep(b"packets", a_clip(NOW))

    def away() -> Any:
        raise StorageUnavailable("away")

    with monkeypatch.context() as context:
        context.setattr(database, "write", away)
        with pytest.raises(StorageUnavailable):
            kept_in.note_down(NOW)
    assert kept_in.note_down(NOW) == 1
    with database.read() as connection:
        assert kept_bytes(connection) == whole.size


def test_a_kill_at_any_moment_loses_no_file_that_was_kept_and_doubles_none(tmp_path: Path) -> None:
    with closing(Database(sqlite_url(tmp_path / "ledger.sqlite"))) as database:
        upgrade(database)
        store, said = EvidenceStore(tmp_path / "evidence"), list[str]()
        for lives in range(4):
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.storage.evidence_process", str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
            )
            assert child.stdout is not None
            said += [child.stdout.readline().strip() for _ in range(3 + 4 * lives)]
            child.kill()
            said += [line.strip() for line in child.stdout if line.endswith("\n")]
            child.wait()
            child.stdout.close()
        archive(database, tmp_path, store).note_down(NOW)
        with database.read() as connection:
            rows = connection.execute(select(camera_evidence.c.onset, camera_evidence.c.sha256)).all()
        assert set(said) <= {row.sha256 for row in rows} and len(rows) == len({row.onset for row in rows})
        assert all(store.trouble(sha256) is None for sha256 in set(said))
        assert not list((tmp_path / "waiting").glob("*.json"))
