"""The Faust app: settings, and the whole flow of the worker on one screen (``flow`` at the foot).

Everything is explicit: no web server, no leader topic, no reply topic, no tables, no topic made by itself, no files.
What must not go in: what an agent does, processes and signals (``streams/worker.py``).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

import faust
from faust.streams import Stream
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.types import StreamT

from bus.topics import ALARMS, DEFAULT_PARTITIONS, TELEMETRY, Topic
from streams.evaluate import Evaluator, evaluate
from streams.merge import Merger, merge
from streams.transport import Transport

AgentFunction = Callable[[StreamT[Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What a worker has to know. Times in seconds unless the name says otherwise.

    ``broker``: "host:port,host:port". ``group``: workers of one group share the partitions. ``alone``: this is the only worker and
    takes all partitions without asking the group: right for the embedded broker, which holds every join for half the session timeout;
    wrong anywhere else. ``replication``: copies of each topic made at the start. ``fetch_max_wait_ms``: how long the broker may hold
    an empty fetch. ``session_timeout``: a worker silent for so long loses its partitions (Kafka's own lower bound is 6 s).
    ``instance``: a name that stays over restarts (static membership): a worker that died takes its own partitions up again at once,
    nobody waits for the time-out. ``commit_interval``: how much is read again after a crash. ``batch_messages`` and ``batch_bytes``
    bound one SQL transaction."""

    broker: str
    group: str = "bihuan"
    alone: bool = False
    partitions: int = DEFAULT_PARTITIONS
    replication: int = 1
    fetch_max_wait_ms: int = 20
    instance: str | None = None
    session_timeout: float = 6.0
    heartbeat_interval: float = 1.0
    rebalance_timeout: float = 10.0
    request_timeout: float = 15.0
    commit_interval: float = 0.5
    batch_messages: int = 200
    batch_bytes: int = 256 * 1024
    report_interval: float = 1.0
    stop_timeout: float = 2.5


@dataclass(frozen=True, slots=True)
class AgentLine:
    """One agent: the messages of ``topic`` go to ``run``, those of one zone in order."""

    name: str
    topic: Topic
    run: AgentFunction


class _PatientRecovery(Recovery):
    """What sets the positions after a rebalance and lets messages flow again.

    Faust gives the broker its request time-out for that, takes the time-out for its own end and never lets anything flow again: a
    Kafka that is away for 15 s just then would leave a consumer that is a member of its group and reads nothing. Ours waits as long
    as it takes, or until the next rebalance."""

    async def _wait(self, coro: Any, timeout: Any = None) -> None:
        await super()._wait(coro)


class _NoTables(TableManager):
    """Faust waits a second at the start for tables that might still register; there are none."""

    @property
    def recovery(self) -> Recovery:
        if self._recovery is None:
            self._recovery = _PatientRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


class WorkerApp(faust.App):
    """Faust with our transport. ``assigned`` is set while partitions are assigned and flowing."""

    def __init__(self, *args: Any, fetch_max_wait_ms: int, alone: bool, **options: Any) -> None:
        self.fetch_max_wait_ms, self.alone = fetch_max_wait_ms, alone
        self.assigned = asyncio.Event()
        super().__init__(*args, **options)

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> Transport:
        return Transport(self.conf.broker_producer, self)

    def _create_directories(self) -> None:
        """No tables, so no data folder."""

    def on_rebalance_start(self) -> None:
        """Nothing flows from here to ``on_rebalance_end``."""
        self.loop.call_soon_threadsafe(self.assigned.clear)  # called on the consumer's thread
        super().on_rebalance_start()

    def on_rebalance_end(self) -> None:
        """Partitions are assigned, positions are set."""
        super().on_rebalance_end()
        self.assigned.set()


def build_app(settings: WorkerSettings, agents: Iterable[AgentLine]) -> WorkerApp:
    """An app of ``agents``, not started. Call it inside a running loop; its topics must exist (``bus.admin``)."""
    app = WorkerApp(
        settings.group,
        fetch_max_wait_ms=settings.fetch_max_wait_ms,
        alone=settings.alone,
        broker=[f"kafka://{address.strip()}" for address in settings.broker.split(",")],
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        reply_create_topic=False,
        TableManager=_NoTables,
        topic_partitions=settings.partitions,
        stream_buffer_maxsize=2048,  # with the line below: one full agent's partitions are paused before it blocks the other agents'
        stream_wait_empty=False,  # work under way is finished or done again by the next owner: ids make that harmless
        stream_recovery_delay=0.0,
        broker_commit_interval=settings.commit_interval,
        broker_max_poll_records=250,
        broker_session_timeout=settings.session_timeout,
        broker_heartbeat_interval=settings.heartbeat_interval,
        broker_rebalance_timeout=settings.rebalance_timeout,
        broker_request_timeout=settings.request_timeout,
        producer_request_timeout=settings.request_timeout,
        consumer_group_instance_id=settings.instance,
        consumer_metadata_max_age_ms=30_000,
        consumer_auto_offset_reset="earliest",
        key_serializer="raw",
        value_serializer="raw",
    )
    for line in agents:
        topic = app.topic(line.topic.name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
        app.agent(topic, name=line.name)(line.run)
    return app


def flow(merger: Merger, evaluator: Evaluator | None = None) -> tuple[AgentLine, ...]:
    """Everything a worker does with what it reads; without ``evaluator`` it leaves telemetry alone."""

    async def merging(stream: StreamT[bytes]) -> None:
        await merge(cast(Stream[bytes], stream), merger)

    async def evaluating(stream: StreamT[bytes]) -> None:
        if evaluator is not None:
            await evaluate(cast(Stream[bytes], stream), evaluator)

    lines = AgentLine("merge", ALARMS, merging), AgentLine("evaluate", TELEMETRY, evaluating)
    return lines if evaluator is not None else lines[:1]
