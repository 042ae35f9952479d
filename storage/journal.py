"""The journal: what was accepted, on disk before the sender is answered (architecture 3.2).

Several processes may append to one file at once; one process (the forwarder's) reads and releases. In each process one
thread writes and commits what waits together (group commit), so that hundreds of callers share one fsync.
What must not go in: what a payload means, Kafka, SQL of the ledger.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from hazards.errors import BihuanError, JournalFull, StorageUnavailable, Unavailable
from storage import journal_file
from storage.journal_file import SHARE, JournalEntry, JournalRow, Lane, Standing

__all__ = ["Journal", "JournalEntry", "JournalRow", "Lane", "Standing"]

T = TypeVar("T")

GROUP_ROWS = 4000
"""Rows committed together at most, so that no caller waits behind an endless transaction."""
RELEASE_CHUNK = 500
"""Rows released in one step, about 2 ms, so that an append never waits long behind it."""
FREE_PAGES = 2048
"""Pages (8 MiB) kept free for use again; above it the file is given back in small steps while nobody waits."""

TRIAL_SECONDS = 1.0
"""At most so often ``check`` tries whether a journal that refused takes alarms again, and at most twice so long it waits for that."""


@dataclass(slots=True)
class _Job:
    lane: Lane
    trial: Callable[[sqlite3.Connection], None] | None = None
    rows: Sequence[JournalRow] = ()
    released: Sequence[int] = ()
    share: float = 1.0
    done: Future[None] = field(default_factory=Future)


class Journal:
    """One journal file. ``id`` is kept in the file and is the same for every process that opens it.

    ``max_rows`` and ``max_bytes`` bound what waits: telemetry is taken up to 80 % of them, alarms up to all.
    ``max_waiting`` bounds the rows in memory that wait for the disk. Raises Misconfigured for an unusable file."""

    def __init__(self, path: Path, *, max_rows: int = 2_000_000, max_bytes: int = 2 * 2**30, max_waiting: int = 50_000) -> None:
        self.path, self.max_rows, self.max_bytes, self.max_waiting = path, max_rows, max_bytes, max_waiting
        self.id = journal_file.prepare(path)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting_rows, self._closed, self._lock = 0, False, threading.Lock()
        self._refusal: BihuanError | None = None  # of the last append, if alarms were refused
        self._next_trial = 0.0
        self._listeners: list[Callable[[], object]] = []
        self._written: sqlite3.Connection | None = None
        self._read: sqlite3.Connection | None = None
        self._writer = threading.Thread(target=self._write_until_closed, name="journal-write", daemon=True)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="journal-read")
        self._writer.start()

    # --- appending ---

    async def append(self, lane: Lane, rows: Sequence[JournalRow], *, share: float | None = None) -> None:
        """Put ``rows`` on disk, all or none; returns after the fsync. An id that already waits counts as appended.

        ``share``: the part of the bound up to which they are taken, if it is not the lane's.
        Raises JournalFull (over the bound, or the disk is full) and StorageUnavailable; nothing was taken then."""
        if rows:
            await asyncio.wrap_future(self._enqueue(_Job(lane, rows=rows, share=SHARE[lane] if share is None else share)))

    def append_sync(self, lane: Lane, rows: Sequence[JournalRow]) -> None:
        """The same for threads; never call it on an event loop."""
        if rows:
            self._enqueue(_Job(lane, rows=rows, share=SHARE[lane])).result()

    async def check(self) -> None:
        """Raises JournalFull or StorageUnavailable while the last append was refused and a trial on disk is refused too."""
        if (refusal := self._refusal) is None:
            return
        now = time.monotonic()
        if now >= self._next_trial:
            self._next_trial = now + TRIAL_SECONDS
            try:
                async with asyncio.timeout(2 * TRIAL_SECONDS):
                    await self._trial()
                return
            except TimeoutError:
                pass  # as it was: the disk is stuck
            except Unavailable as e:
                refusal = e
        raise type(refusal)(refusal.what, where=refusal.where, hint=refusal.hint)

    async def _trial(self) -> None:
        """Write and take back, each durably: what is freed in its own transaction would never reach the disk."""
        for step in (partial(journal_file.put_trial, max_rows=self.max_rows, max_bytes=self.max_bytes), journal_file.drop_trial):
            await asyncio.wrap_future(self._enqueue(_Job(Lane.ALARMS, trial=step)))

    def listen(self, heard: Callable[[], object]) -> None:
        """Call ``heard`` on the writing thread after every commit of this process that appended."""
        self._listeners.append(heard)

    # --- reading and releasing: one process only ---

    async def read(self, lane: Lane, after_seq: int, limit: int) -> list[JournalEntry]:
        """Unreleased rows after ``after_seq`` in the order of commit, whichever process appended them."""
        return await self._reading(lambda connection: journal_file.select_after(connection, lane, after_seq, limit))

    async def read_again(self, lane: Lane, seqs: Sequence[int]) -> list[JournalEntry]:
        """The rows of these numbers that are not yet released, in order."""
        return await self._reading(lambda connection: journal_file.select_seqs(connection, lane, seqs))

    async def newest(self, lane: Lane) -> int:
        """Number of the newest row, 0 for an empty lane."""
        return await self._reading(lambda connection: journal_file.newest(connection, lane))

    async def waiting(self, lane: Lane, ids: Sequence[str]) -> set[str]:
        """Those of ``ids`` that are not yet released."""
        return await self._reading(lambda connection: journal_file.select_ids(connection, lane, ids))

    async def release(self, lane: Lane, seqs: Sequence[int]) -> None:
        """Delete rows that have had their effect. Raises like ``append``; releasing again is harmless."""
        chunks = [_Job(lane, released=seqs[start : start + RELEASE_CHUNK]) for start in range(0, len(seqs), RELEASE_CHUNK)]
        for job in chunks:
            await asyncio.wrap_future(self._enqueue(job))

    async def standing(self) -> Standing:
        """Rows by lane, bytes used, age of the oldest ones."""
        return await self._reading(journal_file.standing)

    def close(self) -> None:
        """Commit what waits, then end both threads. Appending after it raises StorageUnavailable."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._writer.join()
        self._reader.shutdown(wait=True)
        if self._read is not None:
            self._read.close()

    # --- the reading thread ---

    async def _reading(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise self._closed_error()
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._read_with, work)

    def _read_with(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._read is None:
                self._read = journal_file.connect(self.path)
            return work(self._read)
        except sqlite3.Error as e:
            self._read = None  # a fresh connection next time: the fault may have been this one's
            raise journal_file.explained(e, self.path) from e

    # --- the writing thread ---

    def _enqueue(self, job: _Job) -> Future[None]:
        with self._lock:
            if self._closed:
                raise self._closed_error()
            if job.rows and self._waiting_rows + len(job.rows) > self.max_waiting and self._waiting_rows:
                self._refusal = JournalFull(
                    "more waits for the disk than is held in memory", where=str(self.path), hint="the disk is slow or stuck"
                )
                raise self._refusal
            self._waiting_rows += len(job.rows)
            self._jobs.put(job)
        return job.done

    def _closed_error(self) -> StorageUnavailable:
        return StorageUnavailable("the journal is closed", where=str(self.path), hint="the process is stopping")

    def _write_until_closed(self) -> None:
        while (group := self._collect()) is not None:
            self._commit(group)
            self._tidy()
        if self._written is not None:
            self._written.close()

    def _collect(self) -> list[_Job] | None:
        """Everything that waits, at most GROUP_ROWS rows; None at the end."""
        first = self._jobs.get()
        if first is None:
            return None
        group, size = [first], len(first.rows)
        while size < GROUP_ROWS:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._jobs.put(None)  # stays the last: nothing is enqueued once closed
                break
            group.append(job)
            size += len(job.rows) + len(job.released)
        with self._lock:
            self._waiting_rows -= sum(len(job.rows) for job in group)
        return [job for job in group if job.done.set_running_or_notify_cancel()]

    def _commit(self, group: list[_Job]) -> None:
        if not group:
            return
        outcomes: list[BihuanError | None]
        try:
            outcomes = self._transaction(group)
        except sqlite3.Error as e:
            self._roll_back()
            outcomes = [journal_file.explained(e, self.path) for _ in group]
            self._refusal = outcomes[0]
        except Exception as e:
            self._roll_back()
            outcomes = [StorageUnavailable(f"the journal failed: {e!r}", where=str(self.path)) for _ in group]
            self._refusal = outcomes[0]
        for job, outcome in zip(group, outcomes, strict=True):
            if not job.released and (outcome is None or job.lane is Lane.ALARMS):  # telemetry is refused before alarms are
                self._refusal = outcome
            if outcome is None:
                job.done.set_result(None)
            else:
                job.done.set_exception(outcome)
        if any(job.rows and outcome is None for job, outcome in zip(group, outcomes, strict=True)):
            self._tell_listeners()

    def _tell_listeners(self) -> None:
        for heard in self._listeners:
            try:
                heard()
            except RuntimeError:
                pass  # a listener's event loop has ended: the process is stopping

    def _transaction(self, group: list[_Job]) -> list[BihuanError | None]:
        if self._written is None:
            self._written = journal_file.connect(self.path)
        now = time.time_ns() // 1000
        self._written.execute("BEGIN IMMEDIATE")
        outcomes = [self._apply(self._written, job, now) for job in group]
        self._written.execute("COMMIT")
        return outcomes

    def _apply(self, connection: sqlite3.Connection, job: _Job, now: int) -> BihuanError | None:
        """One job inside the group's transaction; a batch over the bound fails alone."""
        if job.released:
            journal_file.delete(connection, job.lane, job.released)
            return None
        try:
            if job.trial is not None:
                job.trial(connection)
            else:
                bounds = int(self.max_rows * job.share), int(self.max_bytes * job.share)
                journal_file.insert(connection, job.lane, job.rows, now=now, max_rows=bounds[0], max_bytes=bounds[1])
        except JournalFull as e:
            return e
        return None

    def _roll_back(self) -> None:
        """Drop the connection with its transaction: after an error its state is not worth guessing."""
        connection, self._written = self._written, None
        if connection is not None:
            try:
                connection.close()
            except sqlite3.Error:
                pass  # it is gone either way

    def _tidy(self) -> None:
        """Give free pages back in small steps while nobody waits."""
        try:
            while self._written is not None and self._jobs.empty() and journal_file.shrink(self._written, keep_free=FREE_PAGES, pages=256):
                pass
        except sqlite3.Error:
            self._roll_back()
