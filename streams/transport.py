"""Faust's Kafka transport with what this system needs changed, each change with its reason. Nothing else.

- **Assignment**: aiokafka's range assignor. Faust takes round robin when an app has no tables, which puts the same
  partition number of two topics on two workers; range lays every topic out alike, so topics with one partition count
  stay together, without Faust's leader topic and standby state.
- **Fetch wait**: Faust asks the broker to hold a fetch for 1.5 s; here it is a setting of milliseconds.
- **Offsets** (``streams/deliveries.py``): a log that starts again from 0 is read, not dropped.
- **Commits** only save work after a restart (effects happen once in SQL), so a failed one is logged and tried with the
  next, where Faust ends the whole worker.
- **Seek after a rebalance**: partitions without a committed offset go to their beginning; Faust leaves them behind
  whatever was already fetched and thrown away.

What must not go in: topics, agents, what a message means.
"""

import asyncio
from collections.abc import Iterable, Mapping
from time import time
from typing import Any, ClassVar

import aiokafka
from aiokafka import TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, ensure_aiokafka_TP, server_list
from faust.transport.drivers.aiokafka import Consumer as FaustConsumer
from faust.transport.drivers.aiokafka import Transport as FaustTransport
from faust.transport.consumer import ensure_TPset
from faust.types import TP
from mode import Service

from streams.deliveries import Deliveries

_COMMIT_TIMEOUT = 5.0
_SEEK_PAUSE = 0.2


class ConsumerThread(AIOKafkaConsumerThread):
    """The thread that talks to Kafka."""

    def _create_worker_consumer(self, transport: FaustTransport) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        self._assignor = RangePartitionAssignor
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            bootstrap_servers=server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[RangePartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_wait_ms=self.app.fetch_max_wait_ms,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            retry_backoff_ms=50,  # a new group or a moved leader is there within milliseconds, not at the next 100
            check_crcs=conf.broker_check_crcs,
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            connections_max_idle_ms=conf.consumer_connections_max_idle_ms,
        )

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Join the group, or alone: take every partition of ``topics`` at once."""
        if not self.app.alone:
            return await super().subscribe(topics)
        partitions = range(self.app.conf.topic_partitions)
        everything = [TopicPartition(topic, number) for topic in topics for number in partitions]
        await self.call_thread(self._take, everything)

    async def _take(self, partitions: list[TopicPartition]) -> None:
        self._ensure_consumer().assign(partitions)
        self.app.on_rebalance_start()
        asyncio.ensure_future(self.on_partitions_assigned(ensure_TPset(partitions), self.app.consumer_generation_id))

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        assigned = self.assignment()
        mine = {ensure_aiokafka_TP(tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items() if tp in assigned}
        if not mine:
            return False
        try:
            await asyncio.wait_for(self._ensure_consumer().commit(mine), _COMMIT_TIMEOUT)
        except (KafkaError, TimeoutError) as e:
            self.log.warning("offsets not committed, they go with the next: %r", e)
            return False
        return True


class Consumer(FaustConsumer):
    """Fetches, hands to agents, commits. ``last_fetch_at``: µs of the latest answered fetch, with or without messages."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.deliveries = Deliveries()
        self.last_fetch_at: int | None = None
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Save what is done before somebody else reads on; all state of the partitions goes."""
        await self.commit()
        self.deliveries.forget(list(revoked))
        await super().on_partitions_revoked(revoked)

    async def perform_seek(self) -> None:
        """Every assigned partition to its committed offset, or to its beginning. Tries until it works or the group moves on."""
        while not self.should_stop and self.assignment():
            try:
                committed = await self.seek_to_committed()
                await self._to_beginning([ensure_aiokafka_TP(tp) for tp, offset in committed.items() if not offset])
            except (KafkaError, TimeoutError) as e:
                self.log.warning("can't seek, tried again: %r", e)
                await asyncio.sleep(_SEEK_PAUSE)
                continue
            self.deliveries.forget(committed)
            self._committed_offset.update({tp: offset or None for tp, offset in committed.items()})
            return

    async def _to_beginning(self, partitions: list[TopicPartition]) -> None:
        if partitions:
            await self._thread.seek_to_beginning(*partitions)

    async def _drain_messages(self, fetcher: Service) -> None:
        try:
            while not (self.should_stop or fetcher.should_stop):
                async for tp, message in self.getmany(timeout=1.0):
                    self.deliveries.delivered(tp, message)
                    await self.callback(message)
                self.last_fetch_at = int(time() * 1_000_000)
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Any:
        return (tp for tp in self.assignment() if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self.deliveries.committable(tp)

    def _should_commit(self, tp: TP, offset: int) -> bool:
        return offset != self._committed_offset[tp]


class Transport(FaustTransport):
    """Kafka, as above."""

    Consumer: ClassVar[type[Consumer]] = Consumer
