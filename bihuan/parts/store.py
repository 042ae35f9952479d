"""The store part: telemetry, roll-ups and events to the time series, by the Faust app of ``streams.store``, and the alarm load.

What must not go in: what is stored, and in which form.
"""

import asyncio

import structlog

from bihuan.control import Beat
from bihuan.parts.jobs import kept
from bihuan.parts.notes import instance_of, keep_notes
from bihuan.parts.part import Part, run
from bihuan.parts.site_watch import SiteWatch
from bihuan.parts.waiting import BrokerWatch, Hearing
from bihuan.preparation import now_us
from bihuan.time_series import open_time_series, retention_of
from storage.database import Database
from storage.doorbell import open_followers_bell
from storage.quality_points import AlarmLoad
from streams.app import WorkerSettings
from streams.store import run_store

log = structlog.get_logger()


async def store(part: Part) -> None:
    """Store until told to stop, or until the site belongs to another district: its points go elsewhere, by a fresh run."""
    settings = part.settings
    database = Database(settings.database_url, readers=2)
    registry = SiteWatch(database)
    await registry.first(part.stopping)
    series = open_time_series(settings, registry().site.district)
    bell = open_followers_bell(settings.database_url, part.start.bell)
    broker = BrokerWatch(part.start.broker, embedded=not settings.kafka)
    load = AlarmLoad(database, series, registry, now=now_us)
    hearing = Hearing(broker, part.ready)

    async def take_over(_: str) -> None:
        """Two stores may work at once: points are known by series and time."""

    part.orders["take_over"] = take_over
    part.progress = lambda: _beat(part, hearing, load)
    beside = [asyncio.create_task(job) for job in (
        registry.run(), broker.look(), _until_other_district(part, registry), keep_notes(part, database),
        kept("alarm load", load.run),
    )]  # fmt: skip
    worker = WorkerSettings(
        broker=part.start.broker,
        alone=not settings.kafka,
        instance=instance_of(part.start.name, settings) if settings.kafka else None,
        partitions=settings.partitions,
        replication=settings.replication,
        fetch_max_wait_ms=max(settings.fetch_wait_ms, 100),  # nobody waits for a stored point
    )
    try:
        await run_store(
            worker, database, bell, series, registry, hearing.note, part.stopping,
            marks=not settings.kafka, retention=retention_of(settings),
        )  # fmt: skip
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await series.close()
        await bell.close()
        await asyncio.to_thread(database.close)


def _beat(part: Part, hearing: Hearing, load: AlarmLoad) -> Beat:
    latest = hearing.latest
    return Beat(
        broker=part.start.broker,
        broker_bytes=latest.bytes_written,
        applied=latest.messages,
        behind=hearing.deaf_for(),
        note={"stored": latest.applied, "waiting": latest.lag, "held_up": bool(latest.trouble), "trouble": latest.trouble} | load.figures,
    )


async def _until_other_district(part: Part, registry: SiteWatch) -> None:
    district = registry().site.district
    while registry().site.district == district:
        registry.changed.clear()
        await registry.changed.wait()
    log.warning("the site belongs to another district now: its points go to another bucket from here on", district=district)
    part.stopping.set()


def main() -> None:
    """Be the store part."""
    run(store)
