"""The journal: bounds, order, release, full disks, files that are no journal."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bihuan.parts.api import acceptance
from hazards.errors import JournalFull, Misconfigured, StorageUnavailable
from storage import journal_file
from storage.journal import Journal, JournalRow, Lane


def rows(*ids: str, size: int = 100) -> list[JournalRow]:
    return [JournalRow(i, "tank", b"p" * size) for i in ids]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


async def ids(journal: Journal, lane: Lane = Lane.ALARMS) -> list[str]:
    found: list[str] = []
    after = 0
    while page := await journal.read(lane, after, 1000):
        found += [e.id for e in page]
        after = page[-1].seq
    return found


async def test_rows_come_back_in_the_order_of_commit(journal: Journal) -> None:
    await journal.append(Lane.ALARMS, rows("b", "a"))
    await journal.append(Lane.ALARMS, rows("c"))
    assert await ids(journal) == ["b", "a", "c"]
    first, second, third = await journal.read(Lane.ALARMS, 0, 10)
    assert first.seq < second.seq < third.seq and first.zone == "tank" and first.payload == b"p" * 100
    assert abs(first.appended_at / 1e6 - time.time()) < 10
    assert [e.id for e in await journal.read(Lane.ALARMS, first.seq, 1)] == ["a"]


async def test_an_id_that_waits_already_counts_as_appended_and_stands_once(journal: Journal) -> None:
    await journal.append(Lane.ALARMS, rows("a", "a", "b"))
    await journal.append(Lane.ALARMS, rows("b", "c"))
    assert await ids(journal) == ["a", "b", "c"]
    assert (await journal.standing()).alarms == 3


async def test_lanes_are_apart(journal: Journal) -> None:
    await journal.append(Lane.ALARMS, rows("a"))
    await journal.append(Lane.TELEMETRY, rows("a", "t"))
    assert (await ids(journal), await ids(journal, Lane.TELEMETRY)) == (["a"], ["a", "t"])
    standing = await journal.standing()
    assert (standing.alarms, standing.telemetry) == (1, 2) and standing.oldest_at is not None


async def test_released_rows_are_gone_and_their_numbers_never_come_back(journal: Journal) -> None:
    await journal.append(Lane.ALARMS, rows(*"abc"))
    entries = await journal.read(Lane.ALARMS, 0, 10)
    await journal.release(Lane.ALARMS, [e.seq for e in entries])
    await journal.release(Lane.ALARMS, [e.seq for e in entries])
    standing = await journal.standing()
    assert (standing.alarms, standing.oldest_at) == (0, None)
    await journal.append(Lane.ALARMS, rows("a"))
    assert (await journal.read(Lane.ALARMS, 0, 10))[0].seq > entries[-1].seq


async def test_read_again_gives_only_what_is_still_there(journal: Journal) -> None:
    await journal.append(Lane.ALARMS, rows(*"abcd"))
    seqs = [e.seq for e in await journal.read(Lane.ALARMS, 0, 10)]
    await journal.release(Lane.ALARMS, seqs[:1])
    assert [e.id for e in await journal.read_again(Lane.ALARMS, [seqs[3], seqs[0], seqs[1]])] == ["b", "d"]


async def test_hundreds_of_callers_share_commits(journal: Journal) -> None:
    commits = 0

    def counted() -> None:
        nonlocal commits
        commits += 1

    journal.listen(counted)
    await asyncio.gather(*(journal.append(Lane.ALARMS, rows(f"{i}")) for i in range(500)))
    assert len(await ids(journal)) == 500
    assert 0 < commits < 100


async def test_over_the_bound_telemetry_is_shed_first_and_a_batch_is_never_taken_in_part(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", max_rows=10)
    await journal.append(Lane.TELEMETRY, rows(*"01234567"))
    with pytest.raises(JournalFull) as full:
        await journal.append(Lane.TELEMETRY, rows("8"))
    assert full.value.retryable and "telemetry" in str(full.value)
    await journal.append(Lane.ALARMS, rows("a"))
    with pytest.raises(JournalFull):
        await journal.append(Lane.ALARMS, rows("b", "c"))
    assert await ids(journal) == ["a"]
    await journal.append(Lane.ALARMS, rows("b"))
    await journal.append(Lane.ALARMS, rows("a", "b"))  # both wait already: nothing to refuse
    await journal.release(Lane.TELEMETRY, [e.seq for e in await journal.read(Lane.TELEMETRY, 0, 1)])
    await journal.append(Lane.ALARMS, rows("c"))
    assert await ids(journal) == ["a", "b", "c"]
    journal.close()


async def test_a_batch_over_the_bound_does_not_spoil_the_callers_committed_with_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", max_rows=50)
    batches = [rows(*(f"{n}-{i}" for i in range(100 if n == 3 else 1))) for n in range(20)]
    outcomes = await asyncio.gather(*(journal.append(Lane.ALARMS, b) for b in batches), return_exceptions=True)
    assert [n for n, o in enumerate(outcomes) if o is not None] == [3] and isinstance(outcomes[3], JournalFull)
    assert len(await ids(journal)) == 19
    journal.close()


async def test_bytes_are_bounded_and_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = Journal(path, max_bytes=2_000_000)
    n = 0
    for _ in range(12):  # about 24 MB through a bound of 2 MB
        with pytest.raises(JournalFull):
            while True:
                await journal.append(Lane.ALARMS, rows(*(f"{n}-{i}" for i in range(50)), size=1000))
                n += 1
        standing = await journal.standing()
        assert 1_500_000 < standing.bytes_used <= 2_000_000
        await journal.release(Lane.ALARMS, [e.seq for e in await journal.read(Lane.ALARMS, 0, 10_000)])
        assert (await journal.standing()).alarms == 0
    assert path.stat().st_size < 2_300_000
    assert path.with_name("j-wal").stat().st_size < 12_000_000
    journal.close()


async def test_free_pages_go_back_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.journal.FREE_PAGES", 50)
    path = tmp_path / "j"
    journal = Journal(path)
    await journal.append(Lane.ALARMS, rows(*map(str, range(3000)), size=1000))
    await journal.release(Lane.ALARMS, [e.seq for e in await journal.read(Lane.ALARMS, 0, 10_000)])
    while (await free_pages(path)) > 50:
        await journal.append(Lane.TELEMETRY, rows("t"))
    journal.close()
    assert path.stat().st_size < 400_000


async def free_pages(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        count: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
        return count
    finally:
        connection.close()


async def test_a_full_disk_is_a_state_and_not_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # max_page_count makes SQLite give the very error of a full disk.
    monkeypatch.setattr(journal_file, "PRAGMAS", (*journal_file.PRAGMAS, "max_page_count=100"))
    journal = Journal(tmp_path / "j")
    taken = 0
    with pytest.raises(JournalFull) as full:
        while True:
            await journal.append(Lane.ALARMS, rows(*(f"{taken}-{i}" for i in range(20)), size=1000))
            taken += 1
    assert "disk" in str(full.value)
    ready = acceptance(journal, lambda: True)
    with pytest.raises(JournalFull, match="disk"):
        await ready()
    assert len(await ids(journal)) == taken * 20 == (await journal.standing()).alarms
    await journal.release(Lane.ALARMS, [e.seq for e in await journal.read(Lane.ALARMS, 0, 40)])
    await journal.append(Lane.ALARMS, rows("again"))
    assert (await ids(journal))[-1] == "again"
    await ready()
    journal.close()


async def test_readiness_comes_back_without_an_append_and_is_tried_at_most_once_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.journal.TRIAL_SECONDS", 60.0)
    journal = Journal(tmp_path / "j", max_bytes=200_000)
    ready = acceptance(journal, lambda: True)
    with pytest.raises(JournalFull):
        for n in range(1000):
            await journal.append(Lane.ALARMS, rows(f"{n}", size=1000))
    before = await ids(journal)
    with pytest.raises(JournalFull, match="bound"):
        await ready()
    await journal.release(Lane.ALARMS, [e.seq for e in await journal.read(Lane.ALARMS, 0, 60)])
    with pytest.raises(JournalFull):
        await ready()  # tried just now
    journal._next_trial = 0.0  # the while is over
    await ready()
    assert await ids(journal) == before[60:], "a trial leaves nothing"
    journal.close()


async def test_telemetry_at_its_share_does_not_end_readiness(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", max_rows=10)
    with pytest.raises(JournalFull):
        await journal.append(Lane.TELEMETRY, rows(*"123456789"))
    await acceptance(journal, lambda: True)()
    journal.close()


async def test_more_callers_than_memory_is_meant_for_are_turned_away(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", max_waiting=10)
    holding = sqlite3.connect(tmp_path / "j", isolation_level=None)
    holding.execute("BEGIN IMMEDIATE")  # as a stuck disk would
    callers = [asyncio.ensure_future(journal.append(Lane.ALARMS, rows(f"{n}"))) for n in range(40)]
    done, waiting = await asyncio.wait(callers, return_when=asyncio.FIRST_EXCEPTION)
    assert all(isinstance(c.exception(), JournalFull) for c in done) and waiting
    holding.execute("COMMIT")
    holding.close()
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert len(await ids(journal)) == outcomes.count(None) >= 10
    journal.close()


async def test_a_caller_that_goes_away_harms_nobody(journal: Journal) -> None:
    callers = [asyncio.ensure_future(journal.append(Lane.ALARMS, rows(f"{n}"))) for n in range(50)]
    await asyncio.sleep(0)
    for caller in callers[::2]:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    assert {f"{n}" for n in range(1, 50, 2)} <= set(await ids(journal))


async def test_closing_commits_what_waits_and_then_refuses(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    callers = [asyncio.ensure_future(journal.append(Lane.ALARMS, rows(f"{n}"))) for n in range(50)]
    await asyncio.sleep(0)
    journal.close()
    journal.close()
    await asyncio.gather(*callers)
    with pytest.raises(StorageUnavailable):
        await journal.append(Lane.ALARMS, rows("late"))
    with pytest.raises(StorageUnavailable):
        await journal.read(Lane.ALARMS, 0, 1)
    again = Journal(tmp_path / "j")
    assert again.id == journal.id and len(await ids(again)) == 50
    again.close()


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be looked at" * 50, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_file_that_is_no_journal_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(content)
    with pytest.raises(Misconfigured) as wrong:
        Journal(path)
    assert str(path) in str(wrong.value) and path.read_bytes() == content


def test_a_foreign_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "j"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    with pytest.raises(Misconfigured, match="something else"):
        Journal(path)


def test_a_newer_journal_and_a_damaged_page_are_named(tmp_path: Path) -> None:
    newer, damaged = tmp_path / "newer", tmp_path / "damaged"
    for path in (newer, damaged):
        journal = Journal(path)
        journal.append_sync(Lane.ALARMS, rows(*map(str, range(500)), size=500))
        journal.close()
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(Misconfigured, match="99"):
        Journal(newer)
    content = bytearray(damaged.read_bytes())
    content[4096 * 20 : 4096 * 30] = os.urandom(4096 * 10)
    damaged.write_bytes(content)
    with pytest.raises(Misconfigured, match="journal"):
        Journal(damaged)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="nowhere"):
        Journal(tmp_path / "nowhere" / "j")
