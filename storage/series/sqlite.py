"""The time series in a SQLite file of its own: the embedded default. One thread writes, a few read, none on the event loop.

Tables are keyed (series, time) without row ids, so that a series lies together on disk and a query is one range; the names of a
series stand once, in ``series``. What must not go in: decisions on what to store, HTTP.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from hazards.errors import StorageUnavailable
from storage.series.lines import finite_readings, finite_rollups
from storage.series.port import (
    EVENTS,
    RAW,
    RESOLUTIONS,
    EventPoint,
    RawBlock,
    Rejected,
    Retention,
    RollupBlock,
    SeriesQuery,
    SeriesRun,
    SeriesTags,
)
from storage.series.runs import within_limit

T = TypeVar("T")
READERS = 2
STEP = 5_000
"""Rows dropped in one transaction."""
_TAGS = "device, metric, zone, enterprise, unit"
_ROLLUP = "count, minimum, mean, maximum, last"


def _tables() -> Iterable[str]:
    yield (
        "CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, device TEXT NOT NULL, metric TEXT NOT NULL, zone TEXT NOT NULL,"
        f" enterprise TEXT NOT NULL, unit TEXT NOT NULL, UNIQUE ({_TAGS}))"
    )
    for resolution, table in RESOLUTIONS.items():
        columns = "value REAL NOT NULL" if resolution == RAW else (
            "count INTEGER NOT NULL, minimum REAL NOT NULL, mean REAL NOT NULL, maximum REAL NOT NULL, last REAL NOT NULL"
        )  # fmt: skip
        yield f"CREATE TABLE IF NOT EXISTS {table} (series INTEGER, at INTEGER, {columns}, PRIMARY KEY (series, at)) WITHOUT ROWID"
    for table in EVENTS:  # at: ns; tags, fields: JSON
        yield f"CREATE TABLE IF NOT EXISTS {table} (at INTEGER, tags TEXT, fields TEXT NOT NULL, PRIMARY KEY (at, tags)) WITHOUT ROWID"


class SqliteSeries:
    """A TimeSeries in the file ``path``. ``writing`` False: only ``read``, as another process than the store does."""

    def __init__(self, path: Path, *, writing: bool = True) -> None:
        self._path, self._writing = path, writing
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="series-write")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="series-read")
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._ids: dict[SeriesTags, int] = {}

    async def ensure(self) -> None:
        """Make file and tables."""

        def make(connection: sqlite3.Connection) -> None:
            for statement in _tables():
                connection.execute(statement)

        await self._write(make)

    async def write_raw(self, block: RawBlock) -> Sequence[Rejected]:
        """One transaction."""
        block, rejected = finite_readings(block)

        def put(connection: sqlite3.Connection) -> None:
            ids = self._ids_of(connection, block.series)[block.index].tolist()
            rows = zip(ids, block.at.tolist(), block.value.tolist(), strict=True)
            connection.executemany("INSERT OR REPLACE INTO telemetry VALUES (?, ?, ?)", rows)

        await self._write(put)
        return rejected

    async def write_rollups(self, block: RollupBlock) -> Sequence[Rejected]:
        """One transaction."""
        block, rejected = finite_rollups(block)

        def put(connection: sqlite3.Connection) -> None:
            ids = self._ids_of(connection, block.series)[block.index]
            columns = (ids, block.start, block.count, block.minimum, block.mean, block.maximum, block.last)
            rows = zip(*(c.tolist() for c in columns), strict=True)
            connection.executemany(f"INSERT OR REPLACE INTO {RESOLUTIONS[block.resolution]} VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

        await self._write(put)
        return rejected

    async def write_points(self, points: Sequence[EventPoint]) -> Sequence[Rejected]:
        """One transaction."""

        def put(connection: sqlite3.Connection) -> None:
            for measurement in {p.measurement for p in points}:
                rows = [(p.at, _json(p.tags), _json(p.fields)) for p in points if p.measurement == measurement]
                connection.executemany(f"INSERT OR REPLACE INTO {measurement} VALUES (?, ?, ?)", rows)

        await self._write(put)
        return ()

    async def read(self, query: SeriesQuery) -> Sequence[SeriesRun]:
        """The points, a run for each set of tags."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._in, lambda c: _read(c, query))

    async def drop_old(self, retention: Retention, *, now: int) -> None:
        """In transactions of some thousand rows each; writes go between them."""
        for measurement, kept in retention.kept.items():
            if measurement in EVENTS:
                while await self._write(lambda c: _drop_events(c, measurement, (now - kept) * 1000)) == STEP:  # noqa: B023 (awaited here)
                    pass
                continue
            after: int | None = 0
            while after is not None:
                after = await self._write(lambda c: _drop_telemetry(c, measurement, now - kept, after or 0))  # noqa: B023 (awaited here)

    async def close(self) -> None:
        """End the threads after their current work."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        for connection in self._opened:
            connection.close()

    def _ids_of(self, connection: sqlite3.Connection, series: Sequence[SeriesTags]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        for tags in series:
            if tags not in self._ids:
                names = (tags.device, tags.metric, tags.zone, tags.enterprise, tags.unit)
                connection.execute(f"INSERT OR IGNORE INTO series ({_TAGS}) VALUES (?, ?, ?, ?, ?)", names)
                found = connection.execute(f"SELECT id FROM series WHERE ({_TAGS}) = (?, ?, ?, ?, ?)", names).fetchone()
                self._ids[tags] = found[0]
        return np.fromiter((self._ids[t] for t in series), np.int64, len(series))

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def transaction(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            try:
                done = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                self._ids.clear()  # some of them may have been rolled back
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return done

        return await asyncio.get_running_loop().run_in_executor(self._writer, self._in, transaction)

    def _in(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with _foreign_errors(self._path):
            return work(self._connection())

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            mode = "rwc" if self._writing else "ro"
            connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode={mode}", uri=True, timeout=15, isolation_level=None, check_same_thread=False
            )
            if self._writing:
                for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=4000"):
                    connection.execute(f"PRAGMA {pragma}")
            self._own.connection = connection
            self._opened.append(connection)
        return connection


@contextmanager
def _foreign_errors(path: Path) -> Any:
    try:
        yield
    except sqlite3.DatabaseError as e:
        raise StorageUnavailable(f"the time series does not answer: {e}", where=path.name, hint="it is tried again") from e


def _json(values: Any) -> str:
    return msgspec.json.encode(values, order="sorted").decode()


def _read(connection: sqlite3.Connection, query: SeriesQuery) -> list[SeriesRun]:
    which, given = "device = ? AND metric = ?", [query.device, query.metric]
    if query.enterprise is not None:
        which, given = which + " AND enterprise = ?", [*given, query.enterprise]
    if query.zone is not None:
        which, given = which + " AND zone = ?", [*given, query.zone]
    runs = []
    for number, *names in connection.execute(f"SELECT id, {_TAGS} FROM series WHERE {which}", given).fetchall():
        columns = "at, value" if query.resolution == RAW else f"at, {_ROLLUP}"
        rows = connection.execute(
            f"SELECT {columns} FROM {RESOLUTIONS[query.resolution]} WHERE series = ? AND at >= ? AND at < ? ORDER BY at LIMIT ?",
            (number, query.start, query.end, query.limit),
        ).fetchall()
        if rows:
            runs.append(_run(SeriesTags(*names), list(zip(*rows, strict=True))))
    return within_limit(runs, query.limit)


def _run(tags: SeriesTags, columns: Sequence[Sequence[Any]]) -> SeriesRun:
    at = np.array(columns[0], np.int64)
    if len(columns) == 2:
        return SeriesRun(tags, at, np.array(columns[1], float))
    low, mean, high, last = (np.array(c, float) for c in columns[2:])
    return SeriesRun(tags, at, last, np.array(columns[1], np.int64), low, mean, high)


def _drop_events(connection: sqlite3.Connection, table: str, before: int) -> int:
    chosen = f"SELECT at, tags FROM {table} WHERE at < ? ORDER BY at LIMIT {STEP}"
    return connection.execute(f"DELETE FROM {table} WHERE (at, tags) IN ({chosen})", (before,)).rowcount


def _drop_telemetry(connection: sqlite3.Connection, table: str, before: int, after: int) -> int | None:
    """Drop some thousand rows of the series from number ``after`` on; where to go on, None at the end."""
    dropped = 0
    with closing(connection.execute("SELECT id FROM series WHERE id >= ? ORDER BY id LIMIT 500", (after,))) as rows:
        numbers: list[int] = [n for (n,) in rows]
    for number in numbers:
        chosen = f"SELECT at FROM {table} WHERE series = ? AND at < ? ORDER BY at LIMIT {STEP}"
        dropped += connection.execute(
            f"DELETE FROM {table} WHERE series = ? AND at IN ({chosen})", (number, number, before)
        ).rowcount
        if dropped >= STEP:
            return number
    return numbers[-1] + 1 if numbers else None
