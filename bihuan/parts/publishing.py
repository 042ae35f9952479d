"""The relay's way to Kafka: outbox rows to topics, over whichever broker is present. What must not go in: which rows, when."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from bus.producer import Producer
from hazards.errors import BrokerUnavailable, TooLarge, Unavailable
from storage.outbox import OutboxRow

log = structlog.get_logger()

Make = Callable[[str], Producer]


class Publisher:
    """Publishes to ``address``; ``switch`` changes it between two calls of ``publish``."""

    def __init__(self, address: str, make: Make = Producer) -> None:
        self.address, self._make = address, make
        self._producer: Producer | None = None
        self._lock = asyncio.Lock()

    @property
    def bytes_written(self) -> int:
        """Bytes written to the present broker by this producer."""
        return self._producer.bytes_written if self._producer is not None else 0

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        """Send ``rows`` in order and return when Kafka has them all. Raises Unavailable: all are to be sent again."""
        async with self._lock:
            producer = await self._connected()
            sending = [asyncio.ensure_future(producer.send_pack(row.topic, row.key, row.payload)) for row in rows]
            outcomes = await asyncio.gather(*sending, return_exceptions=True)
            for row, outcome in zip(rows, outcomes, strict=True):
                if isinstance(outcome, TooLarge):  # it never will pass, and must not stand before all later rows
                    log.error("not published: too large", row=row.id, topic=row.topic, key=row.key, error=str(outcome))
                elif isinstance(outcome, BaseException):
                    if isinstance(outcome, Unavailable):
                        await self._drop(producer)
                    raise outcome

    async def switch(self, address: str) -> None:
        """Publish to ``address`` from now on; what is under way ends first, for a moment at most. Raises BrokerUnavailable."""
        if address == self.address and self._producer is not None:
            return
        fresh = self._make(address)
        await fresh.start()
        try:
            async with asyncio.timeout(1.0):
                await self._lock.acquire()
        except TimeoutError:
            old, self._producer, self.address = self._producer, fresh, address  # it hangs on the old broker and fails there
        else:
            try:
                old, self._producer, self.address = self._producer, fresh, address
            finally:
                self._lock.release()
        if old is not None:
            await old.stop(0.2)

    async def stop(self) -> None:
        """Close the connection."""
        if self._producer is not None:
            await self._drop(self._producer)

    async def _connected(self) -> Producer:
        if not self.address:
            raise BrokerUnavailable("there is no broker yet")
        if self._producer is None:
            address = self.address
            producer = self._make(address)
            await producer.start()
            if self.address != address:  # a switch did not wait for this start, and its producer is the present one
                await producer.stop(0.2)
                raise BrokerUnavailable("the broker was changed meanwhile", where=address)
            self._producer = producer
        return self._producer

    async def _drop(self, producer: Producer) -> None:
        if self._producer is producer:  # else a switch put a fresh one there meanwhile
            self._producer = None
        await producer.stop(0.2)
