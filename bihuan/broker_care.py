"""Which lane is present, how much was written to its broker, and when both are replaced. What must not go in: the steps of a change."""

import asyncio
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from bihuan.broker_change import BrokerChange, Lane, Writer, switch
from bihuan.child import Process, leashed
from bihuan.configuration import Settings
from bihuan.keeper import BACK_OFF, STEADY, Keeper
from hazards.errors import BrokerUnavailable

CHANGE_AT = 0.7
"""Share of the bound at which the embedded broker is replaced."""
NEAR_BOUND = "the broker nears its bound"
WRITERS: dict[str, tuple[str, ...]] = {"ingest": ("switch_broker",), "api": ("switch_broker",)}
"""Parts that write to the broker, in the order in which they change to another, and the orders for that."""
LAST: dict[str, tuple[str, ...]] = {"ingest": ("switch_telemetry",)}
"""What changes when nobody reads the old broker any more: the lane of telemetry."""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A loopback port that is free now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class BrokerCare:
    """``lane`` is the present one. ``keepers``: the parts by name; ``readers`` launches the readers that a lane can't be without."""

    def __init__(self, settings: Settings, keepers: Mapping[str, Keeper], readers: Callable[[Lane], list[Keeper]]) -> None:
        self._settings, self._keepers, self._readers = settings, keepers, readers
        self.lane = Lane(0, settings.kafka)
        self.change: BrokerChange | None = None
        self._last_bytes: dict[str, tuple[str, int]] = {}
        self._change_after, self._failures = 0.0, 0

    async def start_embedded(self) -> None:
        """Start the first embedded broker; its readers are the caller's to launch."""
        broker, address = await self._start_broker()
        self.lane = Lane(0, address, broker)
        self.change = BrokerChange(self._make_lane, self._set_lane, lambda: self._writers(WRITERS), lambda: self._writers(LAST))

    def lanes(self) -> list[Lane]:
        """The present lane, and others of a change that was under way."""
        under_way = self.change.open if self.change is not None else []
        return [self.lane, *(lane for lane in under_way if lane is not self.lane)]

    async def look(self) -> None:
        """Count, and replace what has to be replaced; called twice a second."""
        self._count_bytes()
        if self.change is not None:
            await self._look_after_broker(self.change)

    def _set_lane(self, lane: Lane) -> None:
        self.lane = lane

    def _writers(self, orders: Mapping[str, tuple[str, ...]]) -> list[Writer]:
        return [Writer(self._keepers[name], order) for name, some in orders.items() if name in self._keepers for order in some]

    async def _start_broker(self) -> tuple[Process, str]:
        from bus.embedded import embedded_broker_command

        port = free_port()
        command = await asyncio.to_thread(embedded_broker_command, port)
        return Process.start(leashed(command), quiet=True), f"127.0.0.1:{port}"

    async def _make_lane(self, generation: int) -> Lane:
        """The next broker and its readers, which begin at once: the first thing they do is make the topics."""
        from bus.embedded import wait_until_up

        broker, address = await self._start_broker()
        lane = Lane(generation, address, broker)
        try:
            await wait_until_up(address, 10.0)
        except BaseException:
            broker.kill()
            await broker.wait(2.0)
            raise
        lane.readers = self._readers(lane)
        for reader in lane.readers:
            reader.begin()
        return lane

    def _count_bytes(self) -> None:
        """Add what the writers wrote since the last look; a smaller figure is a fresh process or producer."""
        for name in WRITERS:
            keeper = self._keepers.get(name)
            if keeper is None or keeper.beat.broker != self.lane.address:
                continue
            address, last = self._last_bytes.get(name, ("", 0))
            now = keeper.beat.broker_bytes
            self.lane.written += now - last if address == self.lane.address and now >= last else now
            self._last_bytes[name] = (self.lane.address, now)

    async def _look_after_broker(self, change: BrokerChange) -> None:
        before = self.lane
        if before.broker is None or time.monotonic() < self._change_after:
            return
        if reason := self._why_change(before, before.broker):
            self.lane = await change.run(before, reason=reason)
            failed = self.lane is before or (before.age < STEADY and reason != NEAR_BOUND)
            self._failures = self._failures + 1 if failed else 0
            self._change_after = time.monotonic() + BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
            return
        for writer in [*self._writers(WRITERS), *self._writers(LAST)]:  # one that missed a change, whatever the reason
            if writer.part.is_ready and writer.part.beat.broker not in ("", self.lane.address):
                with suppress(BrokerUnavailable):
                    await switch(writer, self.lane.address)

    def _why_change(self, lane: Lane, broker: Process) -> str:
        """Why broker and readers are replaced together, or "". A worker that died is still a member of its group for seconds: on a
        fresh broker the next one has its partitions at once, and the journal sends again what it had not applied."""
        if broker.ended.done():
            return f"the broker ended with {broker.ended.result()}"
        if lost := [reader.name for reader in lane.readers if reader.lost]:
            return f"{lost[0]} ended"
        return NEAR_BOUND if lane.written > CHANGE_AT * self._settings.broker_bound else ""
