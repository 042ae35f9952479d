"""The journal under several processes at once, and what stands after kill -9."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from storage.journal import Journal
from tests.storage.test_journal import ids

APPEND_FOR_EVER = """
import sys, pathlib
from storage.journal import Journal, JournalRow, Lane
journal, name, n = Journal(pathlib.Path(sys.argv[1])), sys.argv[2], 0
while n < int(sys.argv[3]):
    batch = [JournalRow(f"{name}-{n}-{i}", "tank", b"x" * 300) for i in range(1 + n % 7)]
    journal.append_sync(Lane.ALARMS, batch)
    print("\\n".join(row.id for row in batch), flush=True)
    n += 1
journal.close()
"""


def test_several_processes_create_and_fill_one_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "j"
    workers = [writer(path, f"w{w}", 40) for w in range(3)]
    printed = {line for w in workers for line in w.communicate()[0].split()}
    assert [w.returncode for w in workers] == [0, 0, 0]
    journal = Journal(path)
    assert set(asyncio.run(ids(journal))) == printed and len(printed) == 3 * sum(1 + n % 7 for n in range(40))
    journal.close()


def test_whatever_was_answered_stands_after_kill_9(tmp_path: Path) -> None:
    path, answered = tmp_path / "j", set[str]()
    chance = random.Random(7)
    for life in range(12):
        writers = [writer(path, f"{life}.{w}", 1_000_000) for w in range(2)]
        with ThreadPoolExecutor(2) as pool:
            readers = [pool.submit(_read_until_end, w) for w in writers]
            _wait_for(path, more_than=len(answered))
            time.sleep(chance.uniform(0, 0.15))  # the moment of the kill is the random input of this test
            for process in writers:
                os.kill(process.pid, signal.SIGKILL)
            for reader in readers:
                answered |= reader.result()
        for process in writers:
            process.wait()
    journal = Journal(path)
    stand = asyncio.run(ids(journal))
    assert len(answered) > 500
    assert answered <= set(stand) and len(stand) == len(set(stand)) == asyncio.run(journal.standing()).alarms
    journal.close()


def writer(path: Path, name: str, batches: int) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", APPEND_FOR_EVER, str(path), name, str(batches)], stdout=subprocess.PIPE, text=True)


def _read_until_end(process: "subprocess.Popen[str]") -> set[str]:
    assert process.stdout is not None
    with process.stdout:
        return {line.strip() for line in process.stdout if line.endswith("\n")}


def _wait_for(path: Path, *, more_than: int) -> None:
    """Until the file holds more rows than were answered so far: the new writers are at work."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if path.exists():
            connection = sqlite3.connect(path)
            try:
                if connection.execute("SELECT entries FROM tally WHERE lane = 0").fetchone()[0] > more_than + 50:
                    return
            except sqlite3.OperationalError:
                pass
            finally:
                connection.close()
        time.sleep(0.01)
    raise TimeoutError("the writers did not start")
