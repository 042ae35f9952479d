"""The thread of a worker that talks to Kafka: Faust's, with what this system needs changed, each change with its reason. Nothing else.

- **Assignment**: aiokafka's range assignor. Faust takes round robin when an app has no tables, which puts the same
  partition number of two topics on two workers; range lays every topic out alike, so topics with one partition count
  stay together, without Faust's leader topic and standby state.
- **Fetch wait**: Faust asks the broker to hold a fetch for 1.5 s; here it is a setting of milliseconds.
- **A log in memory** (``alone``, the embedded broker): offsets of a broker that came back empty mean nothing, so the
  worker leaves a mark on the broker and reads from the beginning where the mark is missing.
- **No bound between two polls**: while SQL or the time series is away for long nothing more is read, and after Faust's 1000 s aiokafka
  would leave the group without ever coming back. Heartbeats go on; who looks after a stuck consumer is the supervisor.
- **Cancelled requests**: when a broker goes, aiokafka lets requests of its own that were cancelled out as CancelledError. Faust takes that
  for the cancellation of whatever called, and ends it without a word: offsets were never committed again, or nothing was read any more.

What must not go in: what is done with messages and offsets (``streams/transport.py``), topics, agents.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol, cast

import aiokafka
from aiokafka import TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.consumer import ensure_TPset
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, ensure_aiokafka_TP, server_list
from faust.transport.drivers.aiokafka import Transport as FaustTransport
from faust.types import TP
from mode.threads import QueueServiceThread, ServiceThread, WorkerThread

from bus.no_implicit_topics import forbid_implicit_topics
from bus.topics import DEAD_LETTERS

_ANSWER_TIMEOUT = 5.0
LEAVE_TIMEOUT = 0.8
"""Seconds for a last word to the broker at the end."""
_MARK = TopicPartition(DEAD_LETTERS.name, 0)
_NEVER = 2**31 - 1


class Settled(Protocol):
    """What this transport asks of its app beyond Faust's own."""

    fetch_max_wait_ms: int
    alone: bool
    assigned: asyncio.Event


def _is_cancelled() -> bool:
    """Whether it is the present task that somebody cancels, and not a request of aiokafka's."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


class _DaemonThread(WorkerThread):
    """A thread that waits for a broker that is gone does not keep the process from ending."""

    def __init__(self, service: ServiceThread, **options: Any) -> None:
        super().__init__(service, **options)
        self.daemon = True


class ConsumerThread(AIOKafkaConsumerThread):
    """The thread that talks to Kafka."""

    Worker = _DaemonThread

    @property
    def settled(self) -> Settled:
        """The app, by what we need of it."""
        return cast(Settled, self.app)

    def _create_worker_consumer(self, transport: FaustTransport) -> aiokafka.AIOKafkaConsumer:
        forbid_implicit_topics()
        conf = self.app.conf
        self._assignor = RangePartitionAssignor
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            bootstrap_servers=server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[RangePartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=_NEVER,
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_wait_ms=self.settled.fetch_max_wait_ms,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            retry_backoff_ms=50,  # a new group or a moved leader is there within milliseconds, not at the next 100
            check_crcs=conf.broker_check_crcs,
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            connections_max_idle_ms=conf.consumer_connections_max_idle_ms,
        )

    async def on_thread_stop(self) -> None:
        """Leave the group if the broker is there to hear it. aiokafka lets its own cancelled requests out as CancelledError."""
        await QueueServiceThread.on_thread_stop(self)
        if self._consumer is not None:
            try:
                async with asyncio.timeout(LEAVE_TIMEOUT):
                    await self._consumer.stop()
            except (KafkaError, TimeoutError, asyncio.CancelledError) as e:
                self.log.warning("left without saying so: %r", e)

    async def call_thread(self, fun: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        """``fun`` on this thread. Raises KafkaConnectionError where its request was cancelled under it."""
        try:
            return await super().call_thread(fun, *args, **kwargs)
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            raise KafkaConnectionError("the request was cancelled: its connection is gone") from None

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Join the group, or alone: take every partition of ``topics`` at once."""
        if self.settled.alone:
            numbers = range(self.app.conf.topic_partitions)
            await self.call_thread(self._take, [TopicPartition(topic, number) for topic in topics for number in numbers])
        else:
            await super().subscribe(topics)

    async def remembers(self) -> bool:
        """Whether this is the broker that we left a mark on; one that keeps its log in memory forgets it with the log."""
        return bool(await self.call_thread(self._remembers))

    async def leave_mark(self) -> None:
        """Leave the mark: a committed offset on a partition that nobody reads."""
        await self.call_thread(self._leave_mark)

    async def _remembers(self) -> bool:
        async with asyncio.timeout(_ANSWER_TIMEOUT):
            return _MARK in await self._ensure_consumer()._coordinator.fetch_committed_offsets([_MARK])

    async def _leave_mark(self) -> None:
        consumer = self._ensure_consumer()
        mark = {_MARK: OffsetAndMetadata(1, "")}
        async with asyncio.timeout(_ANSWER_TIMEOUT):
            await consumer._coordinator.commit_offsets(consumer._subscription.subscription.assignment, mark)

    def last_fetch_at(self) -> int | None:
        """When the broker last answered a fetch, µs, for the partition that was answered least recently; None before the first."""
        answered = [state.timestamp for state in self._states().values()]
        return None if not answered or None in answered else min(answered) * 1000

    def unread(self) -> int:
        """Messages that stand on the assigned partitions and have not been fetched, as the broker told with its last answers."""
        states = self._states().values()
        return sum(max(0, s.highwater - s.position) for s in states if s.highwater is not None and s.has_valid_position)

    def _states(self) -> dict[TopicPartition, Any]:
        consumer = self._consumer
        assignment = consumer and consumer._subscription.subscription and consumer._subscription.subscription.assignment
        return {tp: assignment.state_value(tp) for tp in assignment.tps} if assignment else {}

    def positions(self) -> dict[TopicPartition, int]:
        """Where reading goes on: what is below was taken out of aiokafka's buffer."""
        return {tp: state.position for tp, state in self._states().items() if state.has_valid_position}

    def end_of(self, partition: TP) -> tuple[int, int] | None:
        """Where ``partition`` ended and when the broker said so (µs), with its last answer."""
        if (state := self._states().get(ensure_aiokafka_TP(partition))) is None:
            return None
        at, end = state.timestamp, state.highwater  # in this order: another thread writes them the other way round
        return None if at is None or end is None else (end, at * 1000)

    async def _take(self, partitions: list[TopicPartition]) -> None:
        self._ensure_consumer().assign(partitions)
        self.app.on_rebalance_start()
        taken = self.on_partitions_assigned(ensure_TPset(partitions), self.app.consumer_generation_id)
        self._taking = asyncio.ensure_future(taken)  # not awaited: it waits for the subscription that this call is part of

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        assigned = self.assignment()
        mine = {ensure_aiokafka_TP(tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items() if tp in assigned}
        if not mine:
            return False
        async with asyncio.timeout(_ANSWER_TIMEOUT):
            await self._ensure_consumer().commit(mine)
        return True
