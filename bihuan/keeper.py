"""Keeps one part alive: started again when it ends, killed when it shows no sign of life or no progress. It never gives up.

What must not go in: the parts' names and order (``bihuan.supervisor``), the process itself (``bihuan.child``).
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bihuan.child import PartProcess
from bihuan.control import Beat, Prepared, Start
from hazards.errors import Unavailable

log = structlog.get_logger()

BACK_OFF = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds before the first, second, … restart in a row."""
REFUSED = 2
"""Exit code of a part for which a setting is wrong: starting it again can't help."""
STEADY = 20.0
"""Seconds of work after which an end counts as the first in a row again."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the watchdog waits, in seconds: for the first sign of life (and the first progress), the next one, for progress."""

    first: float = 60.0
    beat: float = 10.0
    stall: float = 15.0
    look: float = 0.5


def verdict(run: PartProcess, patience: Patience, *, now: float, standstill: float) -> str:
    """Why this run must be killed, or "". ``standstill``: seconds since its count of applied alarms last moved."""
    silent = now - run.heard
    if silent > (patience.beat if run.heard != run.started else patience.first):
        return f"no sign of life for {silent:.0f} s"
    stall = patience.stall if run.ready.done() else patience.first
    if run.beat.behind > stall and standstill > stall:
        return f"no progress for {standstill:.0f} s while its work has waited for {run.beat.behind:.0f} s"
    return ""


class Keeper:
    """One run after the other of a part. ``again`` False: it is only watched, and ``lost`` says when somebody must act.

    ``part``: which part it is, where ``name`` (worker-2) tells one of several."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        start: Callable[[], Start],
        patience: Patience,
        *,
        part: str = "",
        keep: Sequence[int] = (),
        again: bool = True,
    ) -> None:
        self.name, self.part, self.command, self.patience = name, part or name, command, patience
        self._start, self._keep, self._again = start, keep, again
        self.lost = False  # it ended by itself and is not started again
        self.refused = False  # it can never work as it is configured
        self.run: PartProcess | None = None
        self.restarts = 0
        self.prepared: asyncio.Future[Prepared] = asyncio.get_running_loop().create_future()
        self._may_begin = asyncio.Event()
        self._ready = asyncio.Event()
        self._stopping = self._worked = False
        self._task: asyncio.Task[None] | None = None

    def launch(self) -> None:
        """Start the process; it imports its packages and waits for ``begin``."""
        self._task = asyncio.create_task(self._keep_alive(), name=f"keep {self.name}")

    def begin(self) -> None:
        """Let it, and every later run, work."""
        self._may_begin.set()

    async def when_ready(self, timeout: float) -> None:
        """Wait until the part works. Raises TimeoutError, or Unavailable as soon as it ended for good."""
        async with asyncio.timeout(timeout):
            ready = asyncio.ensure_future(self._ready.wait())
            ended: list[asyncio.Future[Any]] = [ready] if self._task is None else [ready, self._task]
            try:
                await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
                if not ready.done():
                    raise Unavailable("the part ended for good", where=self.name)
            finally:
                ready.cancel()

    @property
    def beat(self) -> Beat:
        """What the present run said last."""
        return self.run.beat if self.run else Beat()

    @property
    def is_ready(self) -> bool:
        """Whether the present run works."""
        return self._ready.is_set()

    async def order(self, name: str, argument: str = "", *, timeout: float) -> None:
        """Give an order to the present run. Raises what ``PartProcess.order`` raises."""
        if self.run is None:
            raise Unavailable("the part is being started", where=self.name)
        await self.run.order(name, argument, timeout=timeout)

    async def stop(self, timeout: float) -> None:
        """End the part for good, within ``timeout`` seconds and a little."""
        self._stopping = True
        if self.run is not None and not await self.run.stop(timeout):
            log.warning("part killed: it did not end in time", part=self.name, seconds=timeout)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def kill(self) -> None:
        """End the present run at once; it is started again unless the part is being stopped."""
        if self.run is not None:
            self.run.process.kill()

    async def _keep_alive(self) -> None:
        row = 0
        while not self._stopping:
            began = time.monotonic()
            try:
                code: int | None = await self._one_run()
            except OSError as e:  # the machine had no process, memory or descriptor to spare: later it may
                log.error("part not started", part=self.name, error=str(e))  # noqa: TRY400 - a line, not a trace
                code = None
            if self._stopping:
                return
            if code == REFUSED and not self._worked:
                self.refused = True
                return
            if not self._again:
                log.warning("part ended", part=self.name, code=code, after=round(time.monotonic() - began, 1))
                self.lost = True
                return
            self.restarts += 1
            row = 0 if time.monotonic() - began > STEADY else row + 1
            pause = BACK_OFF[min(max(row - 1, 0), len(BACK_OFF) - 1)] * random.uniform(0.8, 1.2)
            log.warning(
                "part ended and is started again",
                part=self.name,
                code=code,
                after=round(time.monotonic() - began, 1),
                pause=round(pause, 1),
            )
            await asyncio.sleep(pause)

    async def _one_run(self) -> int:
        run = await PartProcess.start(self.command, keep=self._keep)
        self.run = run
        watch = asyncio.create_task(self._watch(run))
        try:
            return await run.ended()
        except asyncio.CancelledError:
            run.process.kill()
            await run.ended()
            raise
        finally:
            self.run = None
            self._ready.clear()
            watch.cancel()

    async def _watch(self, run: PartProcess) -> None:
        """Let the run begin, pass on what it says, judge it twice a second."""
        await self._may_begin.wait()
        run.begin(self._start())
        run.heard = run.started = time.monotonic()  # waiting for its turn was not silence
        applied, moved = 0, time.monotonic()
        while True:
            pending = {f for f in (run.prepared, run.ready) if not f.done()}
            await (
                asyncio.wait(pending, timeout=self.patience.look, return_when=asyncio.FIRST_COMPLETED)
                if pending
                else asyncio.sleep(self.patience.look)
            )
            if run.prepared.done() and not self.prepared.done():
                self.prepared.set_result(run.prepared.result())
            if run.ready.done() and not self._ready.is_set():
                self._ready.set()
                self._worked = True
                log.debug("part is ready", part=self.name, after=round(time.monotonic() - run.started, 2))
            now = time.monotonic()
            if run.beat.applied != applied:
                applied, moved = run.beat.applied, now
            if reason := verdict(run, self.patience, now=now, standstill=now - moved):
                log.error("part killed by the watchdog", part=self.name, reason=reason)
                run.process.kill()
                return
