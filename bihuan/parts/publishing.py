"""The relay's way to Kafka: outbox rows to topics, over whichever broker is present. What must not go in: which rows, when."""

import asyncio
from collections.abc import Callable, Sequence

from bus.producer import Producer
from hazards.errors import BrokerUnavailable, TooLarge, Unavailable
from storage.outbox import OutboxRow

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
            for outcome in outcomes:
                if isinstance(outcome, Unavailable):
                    await self._drop()
                    raise outcome
                if isinstance(outcome, BaseException) and not isinstance(outcome, TooLarge):  # what is too large never will pass
                    raise outcome

    async def switch(self, address: str) -> None:
        """Publish to ``address`` from now on; what is under way ends first, for a moment at most. Raises BrokerUnavailable."""
        if address == self.address and self._producer is not None:
            return
        fresh = self._make(address)
        await fresh.start()
        try:
            await asyncio.wait_for(self._lock.acquire(), 1.0)
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
        await self._drop()

    async def _connected(self) -> Producer:
        if not self.address:
            raise BrokerUnavailable("there is no broker yet")
        if self._producer is None:
            producer = self._make(self.address)
            await producer.start()
            self._producer = producer
        return self._producer

    async def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop(0.2)
