"""Replaces the embedded broker, which only ever grows, by a fresh one while alarms flow: nothing lost, no pause over a second.

A *lane* is a broker with its readers: the workers and the store. Order of steps: new broker; its topics (made by the new readers);
new readers ready; the forwarder of alarms to it (drained first); relay to it; old readers end; the new worker is in charge; the
forwarder of telemetry to it; old broker ends. Telemetry waits those moments because the old worker writes its last checkpoints at its
end, and the new one may take a zone up only after that. A failure before the old readers end leaves the old lane working, and whatever
was not applied is sent again by the journal. What must not go in: when to do it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from bihuan.child import ChildFailed, Process
from bihuan.keeper import Keeper
from hazards.errors import BrokerUnavailable, Unavailable

log = structlog.get_logger()

READERS_TIMEOUT = 40.0
SWITCH_TIMEOUT = 8.0
READER_STOP = 2.0


@dataclass
class Lane:
    """A broker and its readers, workers and store. ``broker`` is None for a Kafka that is not ours."""

    generation: int
    address: str
    broker: Process | None = None
    readers: list[Keeper] = field(default_factory=list)
    written: int = 0  # bytes, as the parts said
    born: float = field(default_factory=time.monotonic)

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.born

    async def end_readers(self, timeout: float = READER_STOP) -> None:
        """Nobody reads its broker any more."""
        await asyncio.gather(*(reader.stop(timeout) for reader in self.readers))

    async def end(self, timeout: float = READER_STOP) -> None:
        """Readers first, then the broker, whose memory is nobody's any more."""
        await self.end_readers(timeout)
        if self.broker is not None:
            self.broker.kill()
            await self.broker.wait(2.0)


@dataclass(frozen=True, slots=True)
class Writer:
    """What changes to another broker by an order: all that ``part`` writes, or one lane of it."""

    part: Keeper
    order: str = "switch_broker"


async def switch(writer: Writer, address: str) -> None:
    """Have ``writer`` write to ``address``. A part that dies meanwhile starts with the present address, so asking again is safe.

    Raises BrokerUnavailable when it refuses or does not come back."""
    try:
        async with asyncio.timeout(SWITCH_TIMEOUT):
            while True:
                await writer.part.when_ready(SWITCH_TIMEOUT)
                try:
                    await writer.part.order(writer.order, address, timeout=SWITCH_TIMEOUT)
                    return
                except Unavailable:
                    await asyncio.sleep(0.05)  # it ended under the order
    except (ChildFailed, Unavailable, TimeoutError) as e:
        raise BrokerUnavailable(f"{writer.part.name} did not {writer.order}: {e or 'no answer'}", where=address) from e


async def _take_over(reader: Keeper) -> None:
    """The old readers have ended. One that does not hear it is in charge a while later by itself."""
    try:
        await reader.order("take_over", timeout=SWITCH_TIMEOUT)
    except (ChildFailed, Unavailable, TimeoutError) as e:
        log.warning("a reader did not hear that it is in charge", part=reader.name, error=str(e))


class BrokerChange:
    """One change after the other. ``make`` starts the next lane; ``present`` names the lane that new runs of parts start on.

    ``writers`` gives those that change while both lanes work, ``last`` those that wait until nobody reads the old one any more."""

    def __init__(
        self,
        make: Callable[[int], Awaitable[Lane]],
        present: Callable[[Lane], None],
        writers: Callable[[], Sequence[Writer]],
        last: Callable[[], Sequence[Writer]] = tuple,
    ) -> None:
        self._make, self._present, self._writers, self._last = make, present, writers, last
        self.count = 0
        self.open: list[Lane] = []  # lanes of a change under way, for a stop in the middle of it

    async def run(self, old: Lane, *, reason: str) -> Lane:
        """The new lane, or ``old`` (after an error that was logged) if any step failed."""
        new: Lane | None = None
        self.open = [old]
        try:
            new = await self._make(old.generation + 1)
            self.open.append(new)
            await asyncio.gather(*(r.when_ready(READERS_TIMEOUT) for r in new.readers))
            self._present(new)
            for writer in self._writers():
                await switch(writer, new.address)
        except Exception as e:  # whatever it was, the old lane must be the present one again and the new one end
            foreseen = isinstance(e, Unavailable | TimeoutError | OSError)
            log.error("broker not replaced", reason=reason, error=str(e) or type(e).__name__, exc_info=not foreseen)  # noqa: TRY400 - a line
            await self._back(old, new)
            self.open = []
            return old
        await old.end_readers()
        for reader in new.readers:
            await _take_over(reader)
        await self._follow(self._last(), new.address)
        await old.end()
        self.open = []
        self.count += 1
        log.info("broker replaced", reason=reason, number=new.generation, bytes=old.written)
        return new

    async def _back(self, old: Lane, new: Lane | None) -> None:
        """Everybody writes to the old lane again; what the new one holds is still in the journal."""
        self._present(old)
        if new is None:
            return
        await self._follow(self._writers(), old.address)
        await new.end(0.5)

    @staticmethod
    async def _follow(writers: Sequence[Writer], address: str) -> None:
        for writer in writers:
            try:
                await switch(writer, address)
            except BrokerUnavailable as e:  # the supervisor's look at the beats tries again
                log.error("part still on the abandoned broker", part=writer.part.name, error=str(e))  # noqa: TRY400 - a line, not a trace
