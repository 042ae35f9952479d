"""The worker part: alarms from Kafka to incidents in SQL, telemetry to alarms and roll-ups, by the Faust app of ``streams``.

What must not go in: what an agent does, how an alarm is merged.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

import structlog

from bihuan.configuration import Settings
from bihuan.control import Beat
from bihuan.emitters import JournalEmitter, KafkaEmitter
from bihuan.parts.declared_watch import DeclaredWatch
from bihuan.parts.notes import instance_of, keep_notes
from bihuan.parts.part import Part, run
from bihuan.parts.sensor_watch import SensorWatch
from bihuan.parts.site_watch import SiteWatch
from bihuan.parts.waiting import BrokerWatch, Hearing, Waiting
from bus.producer import Producer
from storage.database import Database
from storage.doorbell import open_doorbell
from storage.journal import Journal
from streams.app import WorkerSettings
from streams.emit import Emitter
from streams.evaluate import Telemetry
from streams.worker import run_worker

log = structlog.get_logger()

HEIR_SECONDS = 60.0
"""After which the worker of a new broker takes itself to be in charge, whatever it was told."""


async def _emitter(settings: Settings, broker: str, registry: SiteWatch, held: AsyncExitStack) -> Emitter:
    """Into the journal beside the embedded broker, straight to Kafka elsewhere. What it needs is closed by ``held``."""
    if settings.kafka:
        emitter = KafkaEmitter(lambda: Producer(broker), registry)
        held.push_async_callback(emitter.close)
        return emitter
    journal = await asyncio.to_thread(Journal, settings.journal_path, max_rows=settings.journal_rows)
    held.push_async_callback(asyncio.to_thread, journal.close)
    return JournalEmitter(journal, registry)


async def work(part: Part) -> None:
    """Run the worker until it is told to stop."""
    settings = part.settings
    async with AsyncExitStack() as held:
        database = Database(settings.database_url)
        held.push_async_callback(asyncio.to_thread, database.close)
        doorbell = open_doorbell(settings.database_url, part.start.doorbell, part.start.followers)
        held.push_async_callback(doorbell.close)
        broker, registry = BrokerWatch(part.start.broker, embedded=not settings.kafka), SiteWatch(database)
        waiting, declared = Waiting(database, settings.partitions, broker), DeclaredWatch(database, registry)
        sensors = SensorWatch(registry, declared)
        emitter = await _emitter(settings, part.start.broker, registry, held)
        telemetry = Telemetry(emitter, sensors, marks=not settings.kafka, in_charge=_charge(part))
        beside = [asyncio.create_task(job) for job in (
            waiting.look(), broker.look(), _follow_site(part, registry, declared, sensors), keep_notes(part, database),
        )]  # fmt: skip
        held.push_async_callback(_end, beside)
        hearing = Hearing(broker, part.ready)
        part.progress = lambda: _beat(part, waiting, hearing)
        await run_worker(_worker_settings(part), database, doorbell, hearing.note, part.stopping, telemetry=telemetry)


def _charge(part: Part) -> Callable[[], bool]:
    """Whether no worker of a former broker writes checkpoints any more: told by the supervisor, or long enough ago to be sure."""
    begin = time.monotonic() + HEIR_SECONDS if part.start.heir else 0.0

    async def take_over(_: str) -> None:
        nonlocal begin
        begin = 0.0

    part.orders["take_over"] = take_over
    return lambda: time.monotonic() >= begin


def _beat(part: Part, waiting: Waiting, hearing: Hearing) -> Beat:
    """What the worker says of itself, for the supervisor."""
    latest = hearing.latest
    return Beat(
        broker=part.start.broker,
        broker_bytes=latest.bytes_written,
        applied=latest.applied + latest.repeated + latest.readings,
        behind=max(waiting.behind(latest), hearing.deaf_for()),
        note={
            "assigned": len(latest.assigned), "readings": latest.readings, "late": latest.late, "too_late": latest.too_late,
            "early": latest.early, "rule_alarms": latest.rule_alarms, "alarms_late": latest.alarms_late,
            "alarms_early": latest.alarms_early, "trouble": latest.trouble or latest.telemetry_trouble,
        },
    )  # fmt: skip


def _worker_settings(part: Part) -> WorkerSettings:
    settings = part.settings
    return WorkerSettings(
        broker=part.start.broker,
        alone=not settings.kafka,  # a lane of the embedded broker has exactly one worker
        instance=instance_of(part.start.name, settings) if settings.kafka else None,
        partitions=settings.partitions,
        replication=settings.replication,
        fetch_max_wait_ms=settings.fetch_wait_ms,
    )


async def _follow_site(part: Part, registry: SiteWatch, declared: DeclaredWatch, sensors: SensorWatch) -> None:
    await registry.first(part.stopping)
    try:
        await declared.look()
    except Exception:  # then a little later, by ``run``: rules that are always armed must not wait for it
        log.exception("what is declared can't be read")
    await asyncio.gather(registry.run(), declared.run(), sensors.run())


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def main() -> None:
    """Be the worker part."""
    run(work)
