"""The forwarder's connection to the broker of the moment: made, lost, made again, switched.

What must not go in: what is sent over it (``ingest/forwarder.py``), Kafka's client (``bus/producer.py``).
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bus.producer import Producer
from hazards.errors import BrokerUnavailable

PAUSE_FIRST, PAUSE_LAST = 0.05, 1.0
"""Seconds between attempts to reach a broker."""

log = structlog.get_logger(__name__)


class BrokerLink:
    """Holds one started producer, or none while the broker is away.

    ``make``: an unstarted Producer for an address. ``address`` "": there is no broker until the first ``switch``.
    ``on_new`` is called on the loop for each new connection, before anything is sent over it."""

    def __init__(self, make: Callable[[str], Producer], address: str, on_new: Callable[[], None]) -> None:
        self.address = address
        self.producer: Producer | None = None
        self.connected = asyncio.Event()
        self._make, self._on_new = make, on_new
        self._bytes_before = 0
        self._lost = asyncio.Event()
        self._switching = asyncio.Lock()
        self._stopping: set[asyncio.Task[None]] = set()
        self._lost.set()

    @property
    def bytes_written(self) -> int:
        """Bytes written to the present ``address`` since it became the present one."""
        return self._bytes_before + (self.producer.bytes_written if self.producer else 0)

    async def run(self) -> None:
        """Make a connection whenever there is none, until cancelled."""
        pause, written = PAUSE_FIRST, 0
        while True:
            await self._lost.wait()
            self._lost.clear()
            if self.bytes_written > written:
                pause = PAUSE_FIRST
            written = self.bytes_written
            while self.producer is None and self.address:
                await asyncio.sleep(pause)  # even after a start that worked: a broker may take connections and no records
                pause = min(pause * 2, PAUSE_LAST)
                await self._try_connecting()

    async def _try_connecting(self) -> None:
        address = self.address
        producer = self._make(address)
        try:
            await producer.start()
        except BrokerUnavailable as e:
            log.warning("forwarder.broker_away", broker=address, error=str(e))
            return
        if self.producer is None and self.address == address:
            self._adopt(producer, address)
        else:  # a switch was faster
            self._discard(producer)

    async def switch(self, address: str, before: Callable[[], Awaitable[None]]) -> None:
        """Connect to ``address``, await ``before`` while nothing is changed yet, then use it.

        Raises BrokerUnavailable, and stays with what there was, when it does not answer."""
        async with self._switching:
            producer = self._make(address)
            await producer.start()
            try:
                if self.producer is not None:
                    await before()
            except BaseException:
                self._discard(producer)
                raise
            self._adopt(producer, address)

    def lose(self, producer: Producer) -> None:
        """``producer`` does not get anything through any more: drop it and connect anew."""
        if producer is self.producer:
            self._bytes_before += producer.bytes_written
            self.producer = None
            self.connected.clear()
            self._discard(producer)
            self._lost.set()

    async def close(self) -> None:
        """End all connections within about a second."""
        self._discard(self.producer)
        self.producer = None
        if self._stopping:
            await asyncio.wait(self._stopping, timeout=3.0)

    def _adopt(self, producer: Producer, address: str) -> None:
        self._bytes_before = self.bytes_written if address == self.address else 0
        self._discard(self.producer)
        self.producer, self.address = producer, address
        self._on_new()
        self.connected.set()
        log.info("forwarder.connected", broker=address, idempotent=producer.idempotent)

    def _discard(self, producer: Producer | None) -> None:
        """Stop it beside everything else: its broker may be gone, and nobody is to wait for that."""
        if producer is not None:
            task = asyncio.ensure_future(producer.stop())
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)
