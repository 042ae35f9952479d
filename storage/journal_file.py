"""The journal's SQLite file: its tables, its checks, and the statements that append, read and release. Blocking.

It is raw ``sqlite3`` and a file of its own, so that accepting an alarm never waits for the ledger's writer.
What must not go in: threads, queues, the meaning of a payload. Those are in ``storage/journal.py`` and above.
"""

import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from enum import IntEnum
from pathlib import Path
from uuid import uuid4

from msgspec import Struct, structs

from hazards.errors import JournalFull, Misconfigured, StorageUnavailable, Unavailable
from storage.durable import sync_folder

APPLICATION_ID = 0x62686A6C  # "bhjl": tells our file from any other SQLite file
VERSION = 1
PRAGMAS = ("busy_timeout=10000", "synchronous=FULL", "wal_autocheckpoint=1000", "journal_size_limit=67108864", "temp_store=MEMORY")
CHECKED_WHOLE_BELOW = 64 * 2**20
"""Files up to this many bytes are checked page by page when opened (about 0.1 s); larger ones only in their head."""
READ_BYTES = 4 * 2**20
"""Payload bytes read at once: a reader's memory stays flat whatever the size of the rows."""

TRIAL_BYTES = 64 * 2**10
"""What a trial writes: the room of some alarms."""


class Lane(IntEnum):
    """Rows of one lane never wait behind rows of another."""

    ALARMS = 0
    TELEMETRY = 1


SHARE = {Lane.ALARMS: 1.0, Lane.TELEMETRY: 0.8}
"""The part of the bound up to which a lane is taken: telemetry is shed before alarms (architecture 3.2)."""


class JournalRow(Struct, frozen=True):
    """What is appended. ``id`` is the deduplication key within its lane, ``zone`` the key of order."""

    id: str
    zone: str
    payload: bytes


class JournalEntry(Struct, frozen=True):
    """A row as it stands in the file. ``seq`` grows in the order of commit; ``appended_at`` is UTC microseconds."""

    seq: int
    id: str
    zone: str
    appended_at: int
    payload: bytes


class Standing(Struct, frozen=True):
    """What waits in the file: rows by lane, bytes used, and the oldest alarm's ``appended_at`` and zone (None: no alarm waits).

    ``oldest_telemetry_at``: the same of the oldest row of telemetry."""

    alarms: int
    telemetry: int
    bytes_used: int
    oldest_at: int | None
    oldest_zone: str | None
    oldest_telemetry_at: int | None = None

    def of(self, lane: Lane) -> tuple[int, int | None]:
        """Rows of ``lane``, and when the oldest of them was appended."""
        return (self.alarms, self.oldest_at) if lane is Lane.ALARMS else (self.telemetry, self.oldest_telemetry_at)


class _Statements(Struct, frozen=True):
    """The statements of one lane's table; LANE stands for its name."""

    # AUTOINCREMENT: a released number never comes back, so a reader's cursor stays valid.
    create: str = """CREATE TABLE LANE (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, zone TEXT NOT NULL,
                     appended_at INTEGER NOT NULL, payload BLOB NOT NULL)"""
    insert: str = "INSERT OR IGNORE INTO LANE (id, zone, appended_at, payload) VALUES (?, ?, ?, ?)"
    delete: str = "DELETE FROM LANE WHERE seq = ?"
    after: str = "SELECT seq, id, zone, appended_at, payload FROM LANE WHERE seq > ? ORDER BY seq LIMIT ?"
    again: str = "SELECT seq, id, zone, appended_at, payload FROM LANE WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq"
    oldest: str = "SELECT appended_at, zone FROM LANE ORDER BY seq LIMIT 1"
    present: str = "SELECT id FROM LANE WHERE id IN (SELECT value FROM json_each(?))"
    newest: str = "SELECT max(seq) FROM LANE"


def _statements(table: str) -> _Statements:
    return _Statements(*(sql.replace("LANE", table) for sql in structs.astuple(_Statements())))


_SQL = {Lane.ALARMS: _statements("alarms"), Lane.TELEMETRY: _statements("telemetry")}


def explained(error: sqlite3.Error, path: Path) -> Unavailable:
    """The error of our tree for one of SQLite's while the journal is in use."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
        return JournalFull("the disk under the journal is full", where=str(path), hint="free space; what was refused must be sent again")
    return StorageUnavailable(f"the journal can't be used: {error}", where=str(path), hint="look at the disk and at the file's permissions")


def connect(path: Path) -> sqlite3.Connection:
    """A connection with our settings. Raises ``sqlite3.Error``."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def prepare(path: Path) -> str:
    """Create the file or check the one that is there; its id (a UUID kept in it).

    Raises Misconfigured for a file that is damaged, foreign, newer than this build, or can't be written."""
    try:
        connection = connect(path)
        try:
            _switch_to_wal(connection)
            connection.execute("BEGIN IMMEDIATE")
            if _is_empty(connection):
                _create(connection)
            _check(connection, path)
            identity: str = connection.execute("SELECT value FROM meta WHERE name = 'id'").fetchone()[0]
            connection.execute("COMMIT")
        finally:
            connection.close()
        sync_folder(path.parent)
    except sqlite3.DatabaseError as e:
        raise Misconfigured(f"this is not a usable journal: {e}", where=str(path), hint="move the file away, or name another place") from e
    except OSError as e:
        raise Misconfigured(f"the journal's folder can't be used: {e}", where=str(path.parent), hint="check its permissions") from e
    return identity


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # only takes effect while the file is empty
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as e:
            # SQLite does not call its busy handler for this switch, and several processes may open the file at once.
            if e.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,) and _pragma(connection, "application_id") == 0


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
    connection.execute("CREATE TABLE tally (lane INTEGER PRIMARY KEY, entries INTEGER NOT NULL)")
    for statements in _SQL.values():
        connection.execute(statements.create)
    connection.executemany("INSERT INTO tally VALUES (?, 0)", [(int(lane),) for lane in Lane])
    connection.execute("INSERT INTO meta VALUES ('id', ?)", (str(uuid4()),))
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={VERSION}")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise Misconfigured("this SQLite file belongs to something else", where=str(path), hint="name another place for the journal")
    version = _pragma(connection, "user_version")
    if version != VERSION:
        raise Misconfigured(f"journal version {version} is not known here, {VERSION} is", where=str(path), hint="start the newer bihuan")
    if path.stat().st_size <= CHECKED_WHOLE_BELOW:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise Misconfigured(f"the journal is damaged: {found}", where=str(path), hint="move it away; sqlite3 can read its rows")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def bytes_used(connection: sqlite3.Connection) -> int:
    """Bytes of the pages that hold something; freed pages are used again before the file grows."""
    return (_pragma(connection, "page_count") - _pragma(connection, "freelist_count")) * _pragma(connection, "page_size")


def insert(connection: sqlite3.Connection, lane: Lane, rows: Sequence[JournalRow], *, now: int, max_rows: int, max_bytes: int) -> None:
    """Append ``rows`` inside the open transaction, all or none; ids that already wait are passed over.

    Raises JournalFull when all lanes together would pass the bounds, and ``sqlite3.Error``."""
    connection.execute("SAVEPOINT batch")
    inserted = connection.executemany(_SQL[lane].insert, [(row.id, row.zone, now, row.payload) for row in rows]).rowcount
    if inserted > 0:
        connection.execute("UPDATE tally SET entries = entries + ? WHERE lane = ?", (inserted, int(lane)))
        (entries,) = connection.execute("SELECT sum(entries) FROM tally").fetchone()
        if entries > max_rows or bytes_used(connection) > max_bytes:
            connection.execute("ROLLBACK TO batch")
            connection.execute("RELEASE batch")
            raise JournalFull(
                f"the journal is at its bound for {lane.name.lower()}", hint="send it again; a worker or the broker is behind"
            )
    connection.execute("RELEASE batch")


def put_trial(connection: sqlite3.Connection, *, max_rows: int, max_bytes: int) -> None:
    """Take the room of some alarms inside the open transaction, no row that anybody reads.

    Raises JournalFull when alarms would pass the bound, and ``sqlite3.Error``."""
    (entries,) = connection.execute("SELECT sum(entries) FROM tally").fetchone()
    if entries >= max_rows or bytes_used(connection) + TRIAL_BYTES > max_bytes:
        raise JournalFull("the journal is at its bound for alarms", hint="send it again; a worker or the broker is behind")
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('trial', ?)", ("x" * TRIAL_BYTES,))


def drop_trial(connection: sqlite3.Connection) -> None:
    """Give the room of ``put_trial`` back inside the open transaction."""
    connection.execute("DELETE FROM meta WHERE name = 'trial'")


def delete(connection: sqlite3.Connection, lane: Lane, seqs: Sequence[int]) -> None:
    """Release the rows of these numbers inside the open transaction; numbers that are gone are passed over."""
    gone = connection.executemany(_SQL[lane].delete, [(seq,) for seq in seqs]).rowcount
    if gone > 0:
        connection.execute("UPDATE tally SET entries = entries - ? WHERE lane = ?", (gone, int(lane)))


def shrink(connection: sqlite3.Connection, *, keep_free: int, pages: int) -> bool:
    """Give up to ``pages`` free pages back to the file system if more than ``keep_free`` are free; whether it did."""
    if _pragma(connection, "freelist_count") <= keep_free:
        return False
    connection.execute(f"PRAGMA incremental_vacuum({pages})").fetchall()
    return True


def select_after(connection: sqlite3.Connection, lane: Lane, after_seq: int, limit: int) -> list[JournalEntry]:
    """Rows after ``after_seq`` in the order of commit, at most ``limit`` and at most one more than READ_BYTES hold."""
    entries: list[JournalEntry] = []
    size = 0
    with closing(connection.execute(_SQL[lane].after, (after_seq, limit))) as rows:  # a cursor left open would hold the snapshot
        for row in rows:
            entries.append(JournalEntry(*row))
            size += len(entries[-1].payload)
            if size >= READ_BYTES:
                break
    return entries


def select_seqs(connection: sqlite3.Connection, lane: Lane, seqs: Sequence[int]) -> list[JournalEntry]:
    """The rows of these numbers that are still there, in order."""
    return [JournalEntry(*row) for row in connection.execute(_SQL[lane].again, (json.dumps(list(seqs)),))]


def select_ids(connection: sqlite3.Connection, lane: Lane, ids: Sequence[str]) -> set[str]:
    """Those of ``ids`` that are still there."""
    return {row[0] for row in connection.execute(_SQL[lane].present, (json.dumps(list(ids)),))}


def newest(connection: sqlite3.Connection, lane: Lane) -> int:
    """Number of the newest row, 0 for an empty lane."""
    return int(connection.execute(_SQL[lane].newest).fetchone()[0] or 0)


def standing(connection: sqlite3.Connection) -> Standing:
    """What waits in the file now."""
    entries = dict(connection.execute("SELECT lane, entries FROM tally"))
    oldest = connection.execute(_SQL[Lane.ALARMS].oldest).fetchone()
    oldest_at, oldest_zone = oldest or (None, None)
    reading_at, _ = connection.execute(_SQL[Lane.TELEMETRY].oldest).fetchone() or (None, None)
    return Standing(entries[Lane.ALARMS], entries[Lane.TELEMETRY], bytes_used(connection), oldest_at, oldest_zone, reading_at)
