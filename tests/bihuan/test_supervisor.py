"""The supervisor with real, tiny child programs (``tiny.py``) and the real embedded broker binary."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from bihuan import leash
from bihuan.child import Process, leashed
from bihuan.configuration import Settings
from bihuan.supervisor import Supervisor
from hazards.errors import Misconfigured

TINY = Path(__file__).with_name("tiny.py")


def tiny(_part: str) -> list[str]:
    """Every part is the tiny program."""
    return [sys.executable, str(TINY)]


class Running:
    """A supervisor in this process and the folder its children write to."""

    def __init__(self, folder: Path, supervisor: Supervisor) -> None:
        self.folder, self.supervisor = folder, supervisor

    def log(self) -> list[str]:
        """What the children noted."""
        file = self.folder / "log"
        return file.read_text().splitlines() if file.exists() else []

    def pid(self, name: str) -> int:
        """Process id of the present run."""
        return int((self.folder / f"{name}.pid").read_text())

    async def until(self, true: Callable[[], bool], seconds: float = 90.0) -> None:
        """Wait until ``true``, looking often; fail after ``seconds``."""
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(folder: Path, parts: tuple[str, ...], **changes: object) -> AsyncIterator[Running]:
    """A started supervisor over tiny children; stopped at the end."""
    settings = msgspec.structs.replace(Settings(data=str(folder)), **changes)
    supervisor = Supervisor(settings, parts, command=tiny, say=lambda _: None, prepares=False)
    await supervisor.start()
    try:
        names = [*supervisor.keepers.values(), *supervisor.lane.readers]
        await asyncio.gather(*(k.when_ready(90) for k in names))
        yield Running(folder, supervisor)
    finally:
        await supervisor.stop()


def alive(pid: int) -> bool:
    """Whether a process of this id runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_parts_stop_in_order_and_the_broker_last(tmp_path: Path) -> None:
    async with running(tmp_path, ("api", "ingest", "worker", "video")) as system:
        broker = system.supervisor.lane.broker
        assert broker is not None
        pid = broker.pid
        assert alive(pid)
    said = [line for line in Running(tmp_path, system.supervisor).log() if "stopped" in line or "closed" in line]
    assert said == ["api closed intake", "video stopped", "ingest stopped", "worker stopped", "api stopped"]
    assert not alive(pid)


async def test_a_killed_part_is_back_at_once_and_nothing_else_stops(tmp_path: Path) -> None:
    async with running(tmp_path, ("api", "ingest", "worker")) as system:
        before = {n: system.pid(n) for n in ("api", "ingest", "worker")}
        began = time.monotonic()
        os.kill(before["ingest"], signal.SIGKILL)
        await system.until(lambda: system.pid("ingest") != before["ingest"])
        assert time.monotonic() - began < 30
        assert {n: system.pid(n) for n in ("api", "worker")} == {n: before[n] for n in ("api", "worker")}


async def test_a_part_whose_loop_hangs_is_killed_and_started_again(tmp_path: Path) -> None:
    async with running(tmp_path, ("worker",), beat_timeout=4.0) as system:
        before = system.pid("worker")
        (tmp_path / "worker.hang").touch()
        await system.until(lambda: system.pid("worker") != before)
        assert not alive(before)


async def test_a_stopped_process_is_killed_and_started_again(tmp_path: Path) -> None:
    async with running(tmp_path, ("worker",), beat_timeout=4.0) as system:
        before = system.pid("worker")
        os.kill(before, signal.SIGSTOP)
        await system.until(lambda: system.pid("worker") != before)
        assert not alive(before)


async def test_a_worker_without_progress_while_alarms_wait_is_replaced(tmp_path: Path) -> None:
    async with running(tmp_path, ("worker",), stall_timeout=2.0) as system:
        before = system.pid("worker")
        (tmp_path / "worker.stall").touch()
        await system.until(lambda: not alive(before))
        (tmp_path / "worker.stall").unlink()
        await system.until(lambda: system.pid("worker") != before)


async def test_a_broker_near_its_bound_is_replaced_with_the_worker_first(tmp_path: Path) -> None:
    async with running(tmp_path, ("api", "ingest", "worker"), broker_bound=2_000_000) as system:
        old = system.supervisor.lane
        assert old.broker is not None
        old_worker = system.pid("worker")
        (tmp_path / "ingest.write").touch()
        await system.until(lambda: system.supervisor.care.change is not None and system.supervisor.care.change.count > 0)
        (tmp_path / "ingest.write").unlink()
        new = system.supervisor.lane
        assert new.generation > old.generation
        assert not alive(old.broker.pid)
        assert not alive(old_worker)
        order = [line.split(" on ")[0] for line in system.log()]
        started = [n for n, line in enumerate(order) if line == "worker started"]
        steps = ("ingest switched", "api switched", "worker stopped", "worker in charge", "ingest switched telemetry")
        assert started[1] < order.index(steps[0]) and [order.index(step) for step in steps] == sorted(order.index(step) for step in steps)


async def test_a_refused_change_leaves_the_old_pair_working(tmp_path: Path) -> None:
    async with running(tmp_path, ("api", "ingest", "worker"), broker_bound=2_000_000) as system:
        old, worker = system.supervisor.lane, system.pid("worker")
        (tmp_path / "api.refuse").touch()
        (tmp_path / "ingest.write").touch()
        await system.until(lambda: system.log().count("ingest switched") >= 2)
        assert system.supervisor.lane is old
        assert old.broker is not None and alive(old.broker.pid) and alive(worker)
        (tmp_path / "api.refuse").unlink()
        await system.until(lambda: system.supervisor.lane is not old)
        (tmp_path / "ingest.write").unlink()


async def test_a_killed_broker_is_replaced(tmp_path: Path) -> None:
    async with running(tmp_path, ("api", "ingest", "worker")) as system:
        old = system.supervisor.lane
        assert old.broker is not None
        os.kill(old.broker.pid, signal.SIGKILL)
        await system.until(lambda: system.supervisor.lane is not old and {"ingest switched", "api switched"} <= set(system.log()))


async def test_what_nobody_waits_for_starts_after_the_api_and_what_no_section_asks_for_not_at_all(tmp_path: Path) -> None:
    async with running(tmp_path, ("api", "ingest", "worker", "store", "push", "mqtt")) as system:
        await system.until(lambda: any(line.startswith("store started") for line in system.log()))
        store = system.pid("store")
        (tmp_path / "webhooks").touch()
        await system.until(lambda: any(line.startswith("push started") for line in system.log()))
        assert not any(line.startswith("mqtt") for line in system.log())
        old, worker = system.supervisor.lane, system.pid("worker")
        os.kill(store, signal.SIGKILL)  # no alarm is to feel that: neither broker nor worker is replaced
        await system.until(lambda: system.pid("store") != store)
        os.kill(worker, signal.SIGKILL)
        await system.until(lambda: system.supervisor.lane is not old and not alive(worker))
        await system.until(lambda: [reader.part for reader in system.supervisor.lane.readers] == ["worker", "store"])
    stopped = [line for line in system.log() if line.endswith("stopped")][-5:]
    assert stopped == ["ingest stopped", "worker stopped", "store stopped", "push stopped", "api stopped"]


async def test_a_part_that_can_never_work_stops_the_start(tmp_path: Path) -> None:
    supervisor = Supervisor(Settings(data=str(tmp_path / "no" / "folder")), ["worker"], say=lambda _: None)
    try:
        with pytest.raises(Misconfigured, match=r"ledger\.sqlite"):
            await supervisor.start()
    finally:
        await supervisor.stop()


async def test_a_leashed_program_dies_with_its_parent(tmp_path: Path) -> None:
    """A supervisor of its own is killed with SIGKILL; the foreign program it leashed must follow."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import subprocess, sys, time\nfrom bihuan.child import leashed\n"
        "child = subprocess.Popen(leashed(['sleep', '600']), start_new_session=True)\nprint(child.pid, flush=True)\ntime.sleep(600)\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, str(script), stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    system = Running(tmp_path, None)  # type: ignore[arg-type]
    await system.until(lambda: "sleep" in Path(f"/proc/{child}/cmdline").read_text())
    parent.kill()
    await parent.wait()
    await system.until(lambda: not alive(child))


async def test_a_leashed_program_whose_parent_is_gone_does_not_start() -> None:
    process = Process.start([*leashed(["sleep", "600"])[:4], "1", "sleep", "600"])
    assert await process.wait(60)
    assert process.ended.result() == 1
    assert leash.hold is not None
