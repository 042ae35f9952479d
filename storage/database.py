"""One SQL database, SQLite or PostgreSQL, behind threads: no driver call ever runs on an event loop.

``write`` gives one transaction (SQLite: BEGIN IMMEDIATE on the process's single writing thread); ``read`` a snapshot.
What must not go in: queries.
"""

import asyncio
import fcntl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from hazards.errors import StorageUnavailable

T = TypeVar("T")

CHECKPOINT_EVERY = 1.0
"""Seconds: how often a SQLite file takes over what was written, in a thread of its own, so that no commit waits for it."""
MOST_WAL_PAGES = 20_000
"""Pages of the write-ahead log after which a commit takes them over itself: for programs that end soon."""


def sqlite_url(path: Path) -> str:
    """URL of a SQLite file."""
    return f"sqlite:///{path}"


def _sqlite_connect(connection: Any, _record: Any) -> None:
    _sqlite_connect_to_read(connection, _record)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"wal_autocheckpoint={MOST_WAL_PAGES}"):
        connection.execute(f"PRAGMA {pragma}").close()


def _sqlite_connect_to_read(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by us, see _begin
    connection.execute("PRAGMA busy_timeout=15000").close()


def _only_to_read(url: URL) -> URL:
    """SQLite then writes nothing to the file, not even how its journal is kept; a new URL, since the path becomes one itself."""
    return URL.create(url.drivername, database=Path(url.database or "").absolute().as_uri(), query={"mode": "ro", "uri": "true"})


class Database:
    """Engine, threads and the two kinds of transaction. Close it with ``close``."""

    def __init__(self, url: str, *, readers: int = 4, read_only: bool = False) -> None:
        """``read_only``: the database itself refuses every change."""
        self.is_sqlite = url.startswith("sqlite")
        options: dict[str, Any] = {} if self.is_sqlite else {"pool_pre_ping": True, "execution_options": {"postgresql_readonly": read_only}}
        at = _only_to_read(make_url(url)) if self.is_sqlite and read_only else make_url(url)
        self.engine: Engine = create_engine(at, pool_size=readers + 2, max_overflow=4, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _sqlite_connect_to_read if read_only else _sqlite_connect)
        self._turn = _Turn(at.database if self.is_sqlite and not read_only else None)
        self._writer = ThreadPoolExecutor(1 if self.is_sqlite else readers, thread_name_prefix="sql-write")
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="sql-read")
        self._checkpoints = ThreadPoolExecutor(1, thread_name_prefix="sql-checkpoint")
        self._checkpointed = time.monotonic()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One read-write transaction: committed at the end of the block, rolled back on an error.

        Raises StorageUnavailable when the database is away, full or locked for too long."""
        with self._turn:
            yield from self._transaction("BEGIN IMMEDIATE")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One read-only snapshot."""
        yield from self._transaction("BEGIN")

    def _transaction(self, begin: str) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection:
                if self.is_sqlite:
                    connection.exec_driver_sql(begin)
                with connection.begin() if not connection.in_transaction() else connection.get_transaction():  # type: ignore[union-attr]
                    yield connection
        except (OperationalError, InterfaceError) as e:
            raise StorageUnavailable(str(e.orig), where="sql", hint="it is tried again") from e
        except DBAPIError as e:
            if e.connection_invalidated:
                raise StorageUnavailable(str(e.orig), where="sql", hint="it is tried again") from e
            raise

    async def writing(self, work: Callable[[Connection], T]) -> T:
        """``work`` in one write transaction, on a writing thread."""
        done = await asyncio.get_running_loop().run_in_executor(self._writer, self._in, self.write, work)
        if self.is_sqlite and time.monotonic() - self._checkpointed >= CHECKPOINT_EVERY:
            self._checkpointed = time.monotonic()
            with suppress(RuntimeError):  # it is being closed
                self._checkpoints.submit(self._checkpoint)
        return done

    async def reading(self, work: Callable[[Connection], T]) -> T:
        """``work`` in one snapshot, on a reading thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._in, self.read, work)

    @staticmethod
    def _in(transaction: Callable[[], Any], work: Callable[[Connection], T]) -> T:
        with transaction() as connection:
            return work(connection)

    def _checkpoint(self) -> None:
        """Take over into the file what no reader needs in the log any more; writers and readers go on meanwhile."""
        with suppress(DBAPIError), self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """End the threads after their current work, then the connections."""
        self._writer.shutdown(wait=True)
        self._checkpoints.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self.engine.dispose()
        self._turn.close()


class _Turn:
    """Whose turn it is to write to a SQLite file. SQLite's own waiting sleeps up to 100 ms between looks; a file lock wakes at once.

    A lock file that can't be made (a read-only folder) leaves SQLite's own waiting."""

    def __init__(self, database: str | None) -> None:
        self._file: IO[bytes] | None = None
        if database and database != ":memory:":
            with suppress(OSError):
                self._file = Path(f"{database}.turn").open("ab")  # noqa: SIM115 (held for the life of the database)

    def __enter__(self) -> None:
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
