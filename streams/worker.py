"""Runs one worker inside the caller's event loop until it is told to stop.

Faust is started as a service of our loop (``app.start()``), not by its command line: signals, logging and the exit code
belong to the process around it (``bihuan/``). A crash inside Faust ends ``run_worker`` with an error; the supervisor
starts the process again, which is the one recovery that always works. What must not go in: what is done with messages.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from time import monotonic, time_ns
from typing import Any

import structlog
from faust.types import TP
from msgspec.structs import asdict

from bus.admin import ensure_topics
from bus.partitions import partition_of
from bus.topics import ALARMS, DEAD_LETTERS, TELEMETRY, Topic
from hazards.errors import BrokerUnavailable
from storage.database import Database
from storage.dead_letters import DeadLetter
from storage.incidents import apply_signals, wake_zones
from streams.app import AgentLine, WorkerApp, WorkerSettings, build_app, flow
from streams.evaluate import Evaluator, Telemetry
from streams.merge import Apply, Merger, Rings
from streams.progress import Tally, WorkerProgress
from streams.timers import Timers, Wake
from streams.transport import Consumer

log = structlog.get_logger()

Report = Callable[[WorkerProgress], None]

_FINISH = 1.0
_ANSWERED_LATELY = 3_000_000  # µs


def micros() -> int:
    """Now, UTC µs."""
    return time_ns() // 1000


async def run_worker(
    settings: WorkerSettings,
    database: Database,
    doorbell: Rings,
    report: Report,
    stop: asyncio.Event,
    *,
    apply: Apply = apply_signals,
    wake: Wake = wake_zones,
    telemetry: Telemetry | None = None,
) -> None:
    """Merge alarms, evaluate telemetry (if given) and run timers until ``stop`` is set. ``report`` is called at least once a
    ``report_interval``.

    Waits for the broker as long as it takes. Raises Misconfigured when a topic has another partition count, and
    BrokerUnavailable when Faust gave up: end the process then and start it anew."""
    merger = Merger(database, doorbell, apply, micros, at_most=settings.batch_messages, heaviest=settings.batch_bytes)
    agents = list[AgentLine]()
    run = Run(settings, agents, merger.tally, report)
    merger.publish = run.publish_dead_letter
    evaluator = None
    if telemetry is not None:
        evaluator = Evaluator(database, telemetry, run, merger.tally, micros, publish=run.publish_dead_letter)
        run.before_stop = evaluator.finish
    agents.extend(flow(merger, evaluator))
    timers = Timers(database, wake, micros, partitions=settings.partitions, owned=run.owned, tally=merger.tally, ring=doorbell.ring)
    merger.on_wake = timers.wake_at
    waking = asyncio.create_task(timers.run())
    try:
        await run.until(stop)
    finally:
        waking.cancel()
        await asyncio.gather(waking, return_exceptions=True)


class Run:
    """One life of a Faust app: wait for the broker, start, report, stop."""

    def __init__(self, settings: WorkerSettings, agents: Sequence[AgentLine], tally: Tally, report: Report) -> None:
        self._settings, self._agents, self._tally, self._report = settings, agents, tally, report
        self.app: WorkerApp | None = None
        self.before_stop: Callable[[], Awaitable[None]] | None = None
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def owned(self, topic: Topic = ALARMS) -> frozenset[int]:
        """Partitions of ``topic`` that are assigned and flowing."""
        return frozenset(p for name, p in self._assignment() if name == topic.name)

    def generation(self) -> int:
        """Counts rebalances."""
        return 0 if self.app is None else self.app.consumer_generation_id

    def flowing(self) -> bool:
        """Whether partitions are assigned and the broker answered lately for each of them."""
        consumer = self._consumer() if self.app is not None and self.app.assigned.is_set() else None
        last = consumer.last_fetch_at if consumer is not None else None
        return last is not None and micros() - last < _ANSWERED_LATELY

    def own_zones(self, zones: Iterable[str]) -> list[str]:
        """Those of ``zones`` whose telemetry comes to this worker."""
        owned = self.owned(TELEMETRY)
        return [zone for zone in zones if self.partition(zone) in owned]

    def partition(self, zone: str) -> int:
        """The partition of ``zone``."""
        return partition_of(zone, self._settings.partitions)

    def end_read_at(self, partition: int, through: int | None) -> int | None:
        """See ``Membership``."""
        consumer = self._consumer()
        return None if consumer is None else consumer.end_read_at(TP(TELEMETRY.name, partition), through)

    def fail(self, error: Exception) -> None:
        """End ``until`` with an error: start the process again."""
        if not self._failure.done():
            self._failure.set_exception(error)

    async def until(self, stop: asyncio.Event) -> None:
        """Run until ``stop`` is set."""
        stopping = asyncio.create_task(stop.wait())
        try:
            await self._wait_for_topics(stopping)
            if not stopping.done():
                await self._serve(stopping)
        finally:
            stopping.cancel()

    async def publish_dead_letter(self, letter: DeadLetter) -> None:
        """A copy for topic dead-letters; key: the topic it came from, headers: id and reason."""
        if self.app is not None:
            headers = {"id": letter.id.encode(), "reason": letter.reason.encode()[:4096]}
            async with asyncio.timeout(2.0):
                await self.app.producer.send_and_wait(DEAD_LETTERS.name, letter.topic.encode(), letter.payload, None, None, headers)
            self._tally.bytes_written += len(letter.payload)

    async def _wait_for_topics(self, stopping: "asyncio.Task[bool]") -> None:
        pause = 0.05
        while not stopping.done():
            try:
                await ensure_topics(self._settings.broker, self._settings.partitions, self._settings.replication)
                break
            except BrokerUnavailable as e:
                self._tally.trouble = str(e)
                self._report(self.progress())
                await asyncio.wait([stopping], timeout=pause)
                pause = min(2 * pause, 1.0)
        self._tally.trouble = ""

    async def _serve(self, stopping: "asyncio.Task[bool]") -> None:
        app = self.app = build_app(self._settings, self._agents)
        starting = asyncio.create_task(app.start())
        ended = asyncio.create_task(_crashed(app, starting))
        assigned = asyncio.create_task(app.assigned.wait())
        try:
            while not (stopping.done() or ended.done() or self._failure.done()):
                news: set[asyncio.Future[Any]] = {stopping, ended, self._failure}
                if not assigned.done():
                    news.add(assigned)
                await asyncio.wait(news, timeout=self._settings.report_interval, return_when=asyncio.FIRST_COMPLETED)
                if assigned.done() and not app.assigned.is_set():
                    assigned = asyncio.create_task(app.assigned.wait())
                self._report(self.progress())
            if self._failure.done():
                self._failure.result()
            if ended.done():
                ended.result()
            await self._finish()
        finally:
            ended.cancel()
            assigned.cancel()
            await self._stop(app, starting)

    async def _finish(self) -> None:
        """What the agents want to have done before the end, for a moment."""
        if self.before_stop is not None:
            with suppress(Exception):
                async with asyncio.timeout(_FINISH):
                    await self.before_stop()

    async def _stop(self, app: WorkerApp, starting: "asyncio.Task[None]") -> None:
        """Commit what is acknowledged and leave the group; what takes longer than ``stop_timeout`` is left to the group's timers."""
        began = monotonic()
        self._tally.trouble = ""
        starting.cancel()
        ending = asyncio.create_task(app.stop())
        await asyncio.wait([ending], timeout=self._settings.stop_timeout)  # not wait_for: Faust does not always let itself be cancelled
        if not ending.done():
            log.warning("not stopped in time, left as it is")
        elif ending.exception() is not None:
            log.warning("not stopped cleanly", error=repr(ending.exception()))
        log.info("stopped", seconds=round(monotonic() - began, 3))

    def progress(self) -> WorkerProgress:
        """The state now."""
        ready = self.app is not None and self.app.assigned.is_set()
        assigned = sorted(f"{topic}/{number}" for topic, number in self._assignment())
        consumer = self._consumer()
        at, lag = (consumer.last_fetch_at, consumer.lag) if consumer is not None else (None, 0)
        return WorkerProgress(ready=ready, assigned=assigned, last_fetch_at=at, lag=lag, **asdict(self._tally))

    def _assignment(self) -> set[tuple[str, int]]:
        app = self.app
        if app is None or not app.assigned.is_set():
            return set()
        return {(tp.topic, tp.partition) for tp in app.consumer.assignment()}

    def _consumer(self) -> Consumer | None:
        consumer = None if self.app is None else self.app._consumer
        return consumer if isinstance(consumer, Consumer) else None


async def _crashed(app: WorkerApp, starting: "asyncio.Task[None]") -> None:
    """Wait for Faust to fail, while it starts or later. Raises BrokerUnavailable with the cause."""
    try:
        await starting
        await app.wait_until_stopped()
    except asyncio.CancelledError:
        raise
    except Exception as e:
        raise BrokerUnavailable(f"the consumer failed: {e!r}", hint="start the process again") from e
    raise BrokerUnavailable(f"the consumer ended: {app.crash_reason!r}", hint="start the process again")
