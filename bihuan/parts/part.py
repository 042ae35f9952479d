"""What every part does alike: leash, channel, sign of life, orders, the end. What must not go in: anything one part does.

A part's module imports its packages at the top (while other parts start), then calls ``run``.
"""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from bihuan import leash, logs
from bihuan.control import Beat, Channel, Done, Order, Prepared, Ready, Start, inherited
from hazards.errors import BihuanError, Misconfigured, Unavailable

log = structlog.get_logger()

BEAT_SECONDS = 1.0
GARBAGE_THRESHOLDS = (20_000, 20, 20)
"""New containers before the youngest, and rounds before the two older generations are looked through for cycles."""
Handler = Callable[[str], Awaitable[None]]


class Part:
    """This process as the supervisor sees it."""

    def __init__(self, channel: Channel, start: Start) -> None:
        self.start, self.settings = start, start.settings
        self.stopping = asyncio.Event()
        self.orders: dict[str, Handler] = {}
        self.progress: Callable[[], Beat] = Beat
        self._channel = channel
        self._running: set[asyncio.Task[None]] = set()
        self._settled = False

    def ready(self) -> None:
        """Say that the work goes on."""
        if not self._settled:
            self._settled = True
            _leave_what_is_loaded()
        self._channel.send(Ready())

    def prepared(self, said: Prepared) -> None:
        """Say that the data folder is up to date."""
        self._channel.send(said)

    async def stops_within(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for the order to stop; whether it came."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # not wait_for: on Python 3.11 it can swallow a cancellation
                await self.stopping.wait()
        return self.stopping.is_set()

    async def beat(self) -> None:
        """Show a sign of life every second for as long as the event loop turns."""
        while True:
            self._channel.send(self.progress())
            await asyncio.sleep(BEAT_SECONDS)

    async def obey(self) -> None:
        """Carry out orders until the supervisor is gone; then end at once, since nobody watches any more."""
        while True:
            message = await self._channel.order()
            if message is None:
                os._exit(1)
            if isinstance(message, Order):
                if message.name == "stop":
                    self.stopping.set()
                else:  # an order may take long: the next one must not wait for it
                    task = asyncio.create_task(self._carry_out(message))
                    self._running.add(task)
                    task.add_done_callback(self._running.discard)

    async def _carry_out(self, order: Order) -> None:
        try:
            handler = self.orders.get(order.name)
            if handler is None:
                raise Unavailable(f"{self.start.name} is not ready for {order.name!r}")
            await handler(order.argument)
        except Exception as e:  # whatever it was, the supervisor must hear it and decide
            log.exception("order failed", order=order.name)
            self._channel.send(Done(order.number, f"{type(e).__name__}: {e}"))
        else:
            self._channel.send(Done(order.number))


def _leave_what_is_loaded() -> None:
    """Packages, site and rules stay: looking through them for cycles again and again costs a sixth of merging, tens of ms at a time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


async def _live(main: Callable[[Part], Awaitable[None]]) -> int:
    end, parent = inherited()
    leash.hold(parent)
    channel = await Channel.over(end)
    start = await channel.order()
    if not isinstance(start, Start):
        return 1
    logs.configure(start.name, start.settings.log)
    part = Part(channel, start)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, part.stopping.set)
    background = [asyncio.create_task(part.beat()), asyncio.create_task(part.obey())]
    try:
        if start.prepare:
            from bihuan.preparation import prepare

            prepared = await asyncio.to_thread(prepare, start)
            part.prepared(prepared)
            if prepared.problem:
                await part.stopping.wait()  # the supervisor says it and stops everything
                return 2
        await main(part)
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        channel.close()
    return 0


def run(main: Callable[[Part], Awaitable[None]], *, loop: Callable[[], asyncio.AbstractEventLoop] | None = None) -> None:
    """Be a part: ``main`` works until ``part.stopping`` is set and then returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's
    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            code = runner.run(_live(main))
    except Misconfigured as e:
        print(f"bihuan: {e}", file=sys.stderr)
        code = 2
    except BihuanError as e:
        log.error("part can't go on", error=str(e), kind=type(e).__name__)  # noqa: TRY400 - a line, not a trace
        code = 1
    sys.stderr.flush()
    os._exit(code)  # threads of libraries must not hold up the end
