"""Faust's Kafka transport with what this system needs changed, each change with its reason. Nothing else.

- **The thread that talks to Kafka** is ours, too (``streams/consumer_thread.py``).
- **Offsets** (``streams/deliveries.py``): a log that starts again from 0 is read, not dropped.
- **Commits** only save work after a restart (effects happen once in SQL), so a failed one is logged and tried again with the
  next half second, where Faust ends the whole worker or takes it for done.
- **No livelock detector**: Faust's asks for positions that a rebalance has just taken away, and an assertion in aiokafka then
  ends the whole worker.
- **Seek after a rebalance**: partitions without a committed offset go to their beginning; Faust leaves them behind
  whatever was already fetched and thrown away.

What must not go in: topics, agents, what a message means.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError
from faust.transport.drivers.aiokafka import Consumer as FaustConsumer
from faust.transport.drivers.aiokafka import Transport as FaustTransport
from faust.transport.drivers.aiokafka import ensure_aiokafka_TP
from faust.types import TP, Message
from faust.types.tuples import ack_lock
from mode import Service
from mode.types import ServiceT

from streams.consumer_thread import LEAVE_TIMEOUT, ConsumerThread
from streams.deliveries import Deliveries
from streams.ends import Ends

_MARK_INTERVAL = 0.5
_SEEK_PAUSE = 0.2


class Consumer(FaustConsumer):
    """Fetches, hands to agents, commits."""

    _thread: ConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.deliveries, self._ends = Deliveries(), Ends()
        super().__init__(*args, **kwargs)

    @property
    def last_fetch_at(self) -> int | None:
        """See ConsumerThread."""
        return self._thread.last_fetch_at()

    @property
    def lag(self) -> int:
        """Messages that are not acknowledged, fetched or not."""
        return self._thread.unread() + self.deliveries.unacknowledged()

    def end_read_at(self, partition: TP, through: int | None) -> int | None:
        """When the broker last said (µs) that ``partition`` ends with ``through``, the last message of it that was worked on (None: none
        yet); None: more of it waits, there or here, or nobody knows."""
        end = self._thread.end_of(partition)
        return end[1] if end is not None and self._ends.reached(partition, end[0], through) else None

    async def _wait_next_records(self, timeout: float) -> tuple[Any, Any]:
        try:
            records, active = await super()._wait_next_records(timeout)
        except KafkaConnectionError as e:
            self.log.warning("nothing read, tried again: %r", e)
            await asyncio.sleep(_SEEK_PAUSE)
            return None, None
        if records is not None and self.flow_active:
            self._ends.taken(self._thread.positions(), {tp: found[-1].offset for tp, found in records.items() if found})
        return records, active

    def _forget(self, partitions: Iterable[TP]) -> None:
        partitions = list(partitions)
        self.deliveries.forget(partitions)
        self._ends.forget(partitions)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def ack(self, message: Message) -> bool:
        """``deliveries`` sees it. Faust's own record of acknowledged offsets, which nobody reads here, would grow for ever."""
        with ack_lock:
            first, message.acked = not message.acked, True
            self._unacked_messages.discard(message)
        return first

    async def on_stop(self) -> None:
        """A last commit, if the broker is there."""
        try:
            async with asyncio.timeout(LEAVE_TIMEOUT):
                await self.commit()
        except TimeoutError:
            self.log.warning("last offsets not committed: what they cover is read again and has no effect")

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Save what is done before somebody else reads on; all state of the partitions goes."""
        await self.commit()
        self._forget(revoked)
        await super().on_partitions_revoked(revoked)

    async def perform_seek(self) -> None:
        """Every assigned partition to its committed offset, or to its beginning. Tries until it works or the group moves on."""
        while not self.should_stop and self.assignment():
            try:
                await self._seek_to_where_we_were()
                break
            except (KafkaError, TimeoutError) as e:
                self.log.warning("can't seek, tried again: %r", e)
                await asyncio.sleep(_SEEK_PAUSE)

    async def _seek_to_where_we_were(self) -> None:
        """On a broker without our mark every offset we know of, even one it has from us, belongs to a log that is gone."""
        known = not self._thread.settled.alone or await self._thread.remembers()
        committed = await self.seek_to_committed() if known else dict.fromkeys(self.assignment())
        await self._to_beginning([ensure_aiokafka_TP(tp) for tp, offset in committed.items() if not offset])
        self._forget(committed)
        self._committed_offset.update({tp: offset or None for tp, offset in committed.items()})
        if not known:
            await self._thread.leave_mark()

    async def verify_all_partitions_active(self) -> None:
        """Nothing: see the module's docstring."""

    @Service.task
    async def _notice_a_new_log(self) -> None:
        """The embedded broker keeps its log in memory and says nothing to a fetch beyond its end: ask whether it is still the same."""
        while self._thread.settled.alone and not self.should_stop:
            await self.sleep(_MARK_INTERVAL)
            try:
                if self._thread.settled.assigned.is_set() and not await self._thread.remembers():
                    self.log.warning("the broker lost its log: reading from the beginning")
                    await self.perform_seek()
            except (KafkaError, TimeoutError) as e:
                self.log.debug("the broker does not say what it remembers: %r", e)

    async def _to_beginning(self, partitions: list[TopicPartition]) -> None:
        if partitions:
            await self._thread.seek_to_beginning(*partitions)

    async def _drain_messages(self, fetcher: ServiceT) -> None:
        try:
            while not (self.should_stop or fetcher.should_stop):
                async for tp, message in self.getmany(timeout=1.0):
                    self.deliveries.delivered(tp, message)
                    await self.callback(message)
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Any:
        return (tp for tp in self.assignment() if topics is None or tp in topics or tp.topic in topics)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        try:
            return await super()._commit(offsets)
        except (KafkaError, TimeoutError) as e:
            self.log.warning("offsets not committed, they go with the next: %r", e)
            return False

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:
        """Faust takes offsets for committed whether they were or not: the last ones before a pause never would be."""
        before = {tp: self._committed_offset[tp] for tp in offsets}
        committed = await super()._commit_offsets(offsets, start_new_transaction)
        if not committed:
            self._committed_offset.update(before)
        return committed

    def _new_offset(self, tp: TP) -> int | None:
        return self.deliveries.committable(tp)

    def _should_commit(self, tp: TP, offset: int) -> bool:
        return offset != self._committed_offset[tp]


class Transport(FaustTransport):
    """Kafka, as above."""

    Consumer: ClassVar[type[Consumer]] = Consumer
