"""One Kafka producer: acks=all, idempotent where the broker can, same murmur2 partitions as everybody.

Its errors are ours: BrokerUnavailable means "not known to be written, send it again". What must not go in: what is
sent, retries over minutes (``ingest/forwarder.py``), topics being made (``bus/admin.py``).
"""

import asyncio
from collections.abc import Awaitable, Sequence
from time import monotonic
from typing import Any, NamedTuple, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError, UnknownError
from aiokafka.protocol.transaction import InitProducerIdRequest

from hazards.errors import BrokerUnavailable, TooLarge

T = TypeVar("T")
Outcome = int | BrokerUnavailable | TooLarge

RECORD_OVERHEAD = 80
"""Bytes that Kafka adds to one record in a batch of its own."""
MAX_REQUEST = 1024 * 1024


class Record(NamedTuple):
    """What is written: one Kafka record without its key. ``headers``: name and value each."""

    topic: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class Producer:
    """Writes to one broker address. ``bytes_written`` counts keys, values and overhead of everything handed to it.

    ``timeout``: seconds after which a record that was not acknowledged is given back as BrokerUnavailable; it may
    still arrive later, which the ids of signals make harmless."""

    def __init__(self, brokers: str, *, timeout: float = 10.0) -> None:
        self.brokers, self.timeout = brokers, timeout
        self.idempotent = False
        self.bytes_written = 0
        self.last_acknowledged = 0.0
        self._client: AIOKafkaProducer | None = None
        self._topics: set[str] = set()

    async def start(self) -> None:
        """Connect. Raises BrokerUnavailable."""
        plain = await self._connected(idempotent=False)
        try:
            self.idempotent = await self._gives_producer_ids(plain)
            self._client = await self._connected(idempotent=True) if self.idempotent else plain
        finally:
            if self._client is not plain:
                await self._end(plain)

    async def _connected(self, *, idempotent: bool) -> AIOKafkaProducer:
        client = AIOKafkaProducer(
            bootstrap_servers=self.brokers,
            acks="all",
            enable_idempotence=idempotent,
            request_timeout_ms=int(self.timeout * 1000),
            max_request_size=MAX_REQUEST,
            max_batch_size=MAX_REQUEST // 4,
        )
        try:
            await self._bounded(client.start())
        except (KafkaError, OSError, TimeoutError) as e:
            await self._end(client)
            raise self._unavailable(e) from e
        except BaseException:
            await self._end(client)
            raise
        return client

    async def _gives_producer_ids(self, plain: AIOKafkaProducer) -> bool:
        """Whether the broker can recognise repeats of one producer. The embedded one answers every such request with -1.

        Asked by hand, since an idempotent client would log the refusal as an error at every start."""
        request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
        try:
            answer = await self._bounded(plain.client.send(plain.client.get_random_node(), request))
        except (KafkaError, OSError, TimeoutError) as e:
            raise self._unavailable(e) from e
        return bool(answer.error_code != UnknownError.errno)

    async def send_pack(self, topic: str, key: str, value: bytes) -> int:
        """Write one record and return its partition once all in-sync replicas have it.

        Calls for one key keep their order. Raises BrokerUnavailable (send again) and TooLarge (never will pass)."""
        (outcome,) = await self.send_records(key, [Record(topic, value)])
        if isinstance(outcome, int):
            return outcome
        raise outcome

    async def send_records(self, key: str, records: Sequence[Record]) -> list[Outcome]:
        """Write ``records`` of one key together and in order. For each its partition once all in-sync replicas have it, or why not.

        After the first that the client did not take the later ones are not tried."""
        sent: list[asyncio.Future[Any] | BrokerUnavailable | TooLarge] = []
        for record in records:
            sent.append(await self._hand_over(key, record))
            if isinstance(sent[-1], BrokerUnavailable):
                break
        waiting = {future for future in sent if isinstance(future, asyncio.Future)}
        if waiting:
            await asyncio.wait(waiting, timeout=self.timeout)  # leaves the futures alone, since a batch shares them
        outcomes: list[Outcome] = [self._outcome(each) if isinstance(each, asyncio.Future) else each for each in sent]
        if any(isinstance(outcome, int) for outcome in outcomes):
            self.last_acknowledged = monotonic()
        not_tried = len(records) - len(sent)
        return outcomes + [self._unavailable(TimeoutError("one before it was not taken"))] * not_tried

    async def _hand_over(self, key: str, record: Record) -> "asyncio.Future[Any] | BrokerUnavailable | TooLarge":
        """Give one record to the client: the future of its acknowledgement, or why it did not take it."""
        client = self._client
        if client is None:
            return BrokerUnavailable("the producer is not started", where=self.brokers)
        try:
            await self._require(client, record.topic)
            size = sum(len(name) + len(value) for name, value in record.headers)
            self.bytes_written += len(key) + len(record.value) + size + RECORD_OVERHEAD
            future: asyncio.Future[Any] = await self._bounded(
                client.send(record.topic, record.value, key=key.encode(), headers=list(record.headers))
            )
        except (MessageSizeTooLargeError, RecordListTooLargeError):
            return TooLarge(f"{len(record.value)} bytes are more than the broker takes", where=f"topic {record.topic}")
        except BrokerUnavailable as e:
            return e
        except (KafkaError, OSError, TimeoutError) as e:
            return self._unavailable(e)
        future.add_done_callback(_retrieved)
        return future

    def _outcome(self, future: "asyncio.Future[Any]") -> Outcome:
        if not future.done():
            return self._unavailable(TimeoutError(f"not acknowledged within {self.timeout:g} s"))
        try:
            return int(future.result().partition)
        except (MessageSizeTooLargeError, RecordListTooLargeError):
            return TooLarge("more than the broker takes", where=self.brokers)
        except (KafkaError, OSError, TimeoutError, asyncio.CancelledError) as e:  # cancelled: the client is being closed
            return self._unavailable(e)

    async def stop(self, grace: float = 1.0) -> None:
        """Send what waits for up to ``grace`` seconds, then close; what is left is given up."""
        client, self._client = self._client, None
        if client is not None:
            await self._end(client, grace)

    async def _require(self, client: AIOKafkaProducer, topic: str) -> None:
        """Refuse a topic that nobody made: asking for it by name would have the broker make it, with a partition count of its own."""
        if topic in self._topics:
            return
        self._topics = set((await self._bounded(client.client.fetch_all_metadata())).topics())
        if topic not in self._topics:
            raise BrokerUnavailable(f"topic {topic} is not there yet", where=self.brokers, hint="it is made when the worker starts")

    async def _bounded(self, work: Awaitable[T]) -> T:
        async with asyncio.timeout(self.timeout):  # not wait_for: on Python 3.11 it can swallow a cancellation
            return await work

    def _unavailable(self, error: BaseException) -> BrokerUnavailable:
        return BrokerUnavailable(str(error) or type(error).__name__, where=self.brokers, hint="it is tried again")

    @staticmethod
    async def _end(client: AIOKafkaProducer, grace: float = 1.0) -> None:
        """Close ``client`` without waiting for a broker that is away: aiokafka's own stop would wait for ever."""
        stopping = asyncio.ensure_future(client.stop())
        done, _ = await asyncio.wait({stopping}, timeout=grace)
        if done:
            _retrieved(stopping)
            return
        task = client._sender.sender_task
        if task is not None:
            task.cancel()
        await asyncio.wait({asyncio.ensure_future(client.client.close()), stopping}, timeout=grace)
        stopping.cancel()
        await asyncio.wait({stopping})


def _retrieved(future: "asyncio.Future[object]") -> None:
    """Look at the outcome, so that asyncio does not complain about one that nobody waits for any more."""
    if not future.cancelled():
        future.exception()
