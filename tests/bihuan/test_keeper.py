"""The keeper where the machine or the part itself fails: it goes on, and says at once what can't be waited for."""

import asyncio
import errno
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from bihuan.broker_change import BrokerChange, Lane
from bihuan.child import PartProcess
from bihuan.configuration import Settings
from bihuan.control import Start
from bihuan.keeper import Keeper, Patience
from bihuan.supervisor import Supervisor

TINY = Path(__file__).with_name("tiny.py")


def keeper(folder: Path, command: Sequence[str], *, again: bool = True, patience: Patience = Patience()) -> Keeper:  # noqa: B008
    """A launched keeper whose part may begin."""
    made = Keeper("worker", command, lambda: Start(name="worker", settings=Settings(data=str(folder))), patience, again=again)
    made.launch()
    made.begin()
    return made


async def test_a_machine_without_room_for_a_process_is_waited_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failures = PartProcess.start, [errno.EAGAIN, errno.ENOMEM, errno.EMFILE]

    async def start(command: Sequence[str], *, keep: Sequence[int] = ()) -> PartProcess:
        if failures:
            raise OSError(failures.pop(), "no room")
        return await real(command, keep=keep)

    monkeypatch.setattr(PartProcess, "start", start)
    kept = keeper(tmp_path, [sys.executable, str(TINY)])
    try:
        await kept.when_ready(90)
        assert kept.restarts == 3
    finally:
        await kept.stop(2)


async def test_a_part_that_never_gets_ready_while_work_waits_is_started_anew(tmp_path: Path) -> None:
    (tmp_path / "worker.never").touch()
    (tmp_path / "worker.stall").touch()
    kept = keeper(tmp_path, [sys.executable, str(TINY)], patience=Patience(first=8.0, beat=60.0, stall=600.0))
    try:
        async with asyncio.timeout(90):
            while not kept.restarts:
                await asyncio.sleep(0.05)
        (tmp_path / "worker.never").unlink()
        (tmp_path / "worker.stall").unlink()
        await kept.when_ready(90)
    finally:
        await kept.stop(2)


async def test_a_change_gives_up_at_once_when_the_new_worker_has_died(tmp_path: Path) -> None:
    old, present = Lane(0, "old"), list[str]()

    async def make(generation: int) -> Lane:
        return Lane(generation, "new", readers=[keeper(tmp_path, [sys.executable, "-c", ""], again=False)])

    began = time.monotonic()
    assert await BrokerChange(make, lambda lane: present.append(lane.address), list).run(old, reason="test") is old
    assert time.monotonic() - began < 15
    assert present == ["old"]


async def test_a_look_that_fails_is_not_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor = Supervisor(Settings(data=str(tmp_path)), [], prepares=False)
    looks = asyncio.Queue[None]()

    async def look() -> None:
        looks.put_nowait(None)
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(supervisor.care, "look", look)
    task = asyncio.create_task(supervisor._look_after())
    async with asyncio.timeout(60):
        await looks.get()
        await looks.get()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
