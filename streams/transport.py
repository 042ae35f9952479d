"""Faust's Kafka transport with what this system needs changed, each change with its reason. Nothing else.

- **The thread that talks to Kafka** is ours, too (``streams/consumer_thread.py``).
- **Offsets** (``streams/deliveries.py``): a log that starts again from 0 is read, not dropped.
- **Delivery**: a message goes straight into the queue of the agent that reads its partition; Faust makes five coroutines and a turn of
  the event loop for each, which was a third of what a pack of readings cost.
- **Commits** only save work after a restart (effects happen once in SQL), so a failed one is logged and tried again with the
  next half second, where Faust ends the whole worker or takes it for done.
- **No livelock detector**: Faust's asks for positions that a rebalance has just taken away, and an assertion in aiokafka then
  ends the whole worker.
- **Seek after a rebalance**: partitions without a committed offset go to their beginning; Faust leaves them behind
  whatever was already fetched and thrown away.

What must not go in: topics, agents, what a message means.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, ClassVar, cast

from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError
from faust.transport.conductor import Conductor
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

_FETCH_TIMEOUT = 1.0
_MARK_INTERVAL = 0.5
_SEEK_PAUSE = 0.2


class Consumer(FaustConsumer):
    """Fetches, hands to agents, commits."""

    _thread: ConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.deliveries, self._ends = Deliveries(), Ends()
        self._pressure: dict[TP, tuple[Callable[[], None], ...]] = {}  # to be called when a partition fills its queue, and when no more
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
                await self._deliver_next()
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise

    async def _deliver_next(self) -> None:
        """What was fetched goes to the agents, by turns of topics and partitions, unless the partitions are no longer ours."""
        records, active = await self._wait_next_records(_FETCH_TIMEOUT)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        if not self.flow_active:  # a rebalance began meanwhile: it is read again
            await self.perform_seek()
            return
        for tp, record in self.scheduler.iterate(records):
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            if active is None or tp in active or tp in self._buffered_partitions:
                message = self._to_message(tp, record)
                self.deliveries.delivered(tp, message)
                if not self._hand_over(tp, message):
                    await self.callback(message)

    def _hand_over(self, tp: TP, message: Message) -> bool:
        """Put ``message`` into the queue of the one agent that reads ``tp``; False where that must wait (Faust's own way does)."""
        readers = cast(Conductor, self.app.topics)._tp_index.get(tp)
        if readers is None or len(readers) != 1 or not self.app.flow_control.is_active():
            return False
        (reader,) = readers
        if reader.queue.full():
            return False
        message.incref()
        event = self.app.create_event(message.key, message.value, message.headers, message)
        if tp not in self._pressure:
            own = TP(*tp)  # aiokafka's is equal, but Faust asserts that it is its own
            self._pressure[own] = partial(self.on_buffer_full, own), partial(self.on_buffer_drop, own)
        full, drop = self._pressure[tp]
        reader.queue.put_nowait_enhanced(event, on_pressure_high=full, on_pressure_drop=drop)
        return True

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
