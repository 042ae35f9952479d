"""One child process: started, watched, ended. A part of ours speaks over the control channel; the broker does not.

What must not go in: which parts there are, in what order they stop, when the broker is replaced (``bihuan.supervisor``).
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from bihuan.configuration import PREFIX, keys
from bihuan.control import VARIABLE, Beat, Channel, Done, Order, Prepared, Ready, Start
from hazards.errors import BihuanError, Unavailable

log = structlog.get_logger()

TREE = Path(__file__).resolve().parent.parent
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
_ONE_THREAD = dict.fromkeys(_THREADS, "1")


class ChildFailed(BihuanError):
    """A child did not carry out an order."""


def environment() -> dict[str, str]:
    """Environment of every child: ours, one thread for each numeric library, our packages before anything of the same name.

    Without our settings, which they get decoded; a secret that a site file names may be called BIHUAN_… too, and stays."""
    ours = {PREFIX + "CONFIG"} | {name for key in keys() for name in (key.variable, key.variable + "_FILE")}
    inherited = {k: v for k, v in os.environ.items() if k not in ours}
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)  # compiling everything again costs each start seconds
    path = os.pathsep.join(p for p in (str(TREE), os.environ.get("PYTHONPATH", "")) if p)
    return inherited | _ONE_THREAD | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


class Process:
    """A running program in its own session (so that Ctrl-C reaches only the supervisor), swept with its descendants."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self.popen = popen
        self.pid = popen.pid
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        try:
            self._watch = os.pidfd_open(popen.pid)
        except OSError:  # out of descriptors: nobody would see this process end
            popen.kill()
            popen.wait()
            raise
        asyncio.get_running_loop().add_reader(self._watch, self._end)

    @classmethod
    def start(
        cls, command: Sequence[str], *, keep: Sequence[int] = (), extra: dict[str, str] | None = None, quiet: bool = False
    ) -> "Process":
        """Start ``command``; ``keep`` are descriptors it inherits. Must be called on the main thread (see leash)."""
        output = subprocess.DEVNULL if quiet else None
        return cls(
            subprocess.Popen(  # noqa: S603 - our own commands
                command,
                env=environment() | (extra or {}),
                pass_fds=keep,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        )

    def _end(self) -> None:
        code = self.popen.poll()
        if code is None:
            return
        asyncio.get_running_loop().remove_reader(self._watch)
        os.close(self._watch)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)  # its own children (decoders) must not outlive it
        if not self.ended.done():
            self.ended.set_result(code)

    def kill(self) -> None:
        """SIGKILL to the whole group; ``ended`` follows."""
        if not self.ended.done():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    async def wait(self, timeout: float) -> bool:
        """Wait for its end at most ``timeout`` seconds; whether it ended."""
        await asyncio.wait([self.ended], timeout=timeout)  # not wait_for: before Python 3.12 that may swallow a cancellation
        return self.ended.done()


def leashed(command: Sequence[str]) -> list[str]:
    """``command`` under the leash, for a program that is not ours."""
    return [sys.executable, "-I", "-S", str(TREE / "bihuan" / "leash.py"), str(os.getpid()), *command]


def part_command(part: str) -> list[str]:
    """Command of a part of ours. -P: a folder that happens to be named like a package of ours must not shadow it."""
    return [sys.executable, "-P", "-m", "bihuan.parts", part]


class PartProcess:
    """One run of one part: process, channel, what it said. It is not restarted here, see ``bihuan.keeper``."""

    def __init__(self, process: Process, channel: Channel) -> None:
        self.process, self.channel = process, channel
        self.started = self.heard = time.monotonic()
        self.beat = Beat()
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.prepared: asyncio.Future[Prepared] = asyncio.get_running_loop().create_future()
        self._orders: dict[int, asyncio.Future[None]] = {}
        self._numbers = 0
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, command: Sequence[str], *, keep: Sequence[int] = ()) -> "PartProcess":
        """Start ``command`` with a control channel. It imports at once and then waits for ``Start``."""
        ours, theirs = socket.socketpair()
        try:
            process = Process.start(
                command,
                keep=[theirs.fileno(), *keep],
                extra={VARIABLE: f"{theirs.fileno()}:{os.getpid()}"},
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        try:
            return cls(process, await Channel.over(ours))
        except BaseException:
            process.kill()
            await process.ended
            raise

    async def _listen(self) -> None:
        while True:
            try:
                message = await self.channel.news()
            except msgspec.DecodeError as e:
                log.warning("a part said what nobody understands", pid=self.process.pid, error=str(e))
                continue
            if message is None:
                break
            self.heard = time.monotonic()
            self._take(message)
        gone = Unavailable("the part ended", where=str(self.process.pid))
        for order in self._orders.values():
            if not order.done():
                order.set_exception(gone)

    def _take(self, message: Prepared | Ready | Beat | Done) -> None:
        match message:
            case Beat():
                self.beat = message
            case Ready() if not self.ready.done():
                self.ready.set_result(None)
            case Prepared() if not self.prepared.done():
                self.prepared.set_result(message)
            case Done() if (order := self._orders.pop(message.number, None)) and not order.done():
                if message.error:
                    order.set_exception(ChildFailed(message.error))
                else:
                    order.set_result(None)

    def begin(self, start: Start) -> None:
        """Send its settings: it begins to work."""
        self.channel.send(start)

    async def order(self, name: str, argument: str = "", *, timeout: float) -> None:
        """Have an order carried out. Raises ChildFailed (it says why), Unavailable (it ended) or TimeoutError."""
        self._numbers += 1
        done = self._orders[self._numbers] = asyncio.get_running_loop().create_future()
        if self._listening.done():
            raise Unavailable("the part ended", where=str(self.process.pid))
        self.channel.send(Order(self._numbers, name, argument))
        async with asyncio.timeout(timeout):
            await done

    async def ended(self) -> int:
        """Wait for the end of the process: its exit code, negative for a signal."""
        code = await asyncio.shield(self.process.ended)
        self.channel.close()
        await asyncio.gather(self._listening, return_exceptions=True)
        return code

    async def stop(self, timeout: float) -> bool:
        """Ask it to end, wait, kill. Whether it ended by itself."""
        self.channel.send(Order(0, "stop"))
        willingly = await self.process.wait(timeout)
        if not willingly:
            self.process.kill()
        await self.ended()
        return willingly
