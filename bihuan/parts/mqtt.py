"""The MQTT part: readings of sensors from the site file's broker to the journal; a process of its own: a flood slows nothing else.

What must not go in: topics, payloads, when a message is acknowledged (``ingest/mqtt``).
"""

import asyncio
import os
from collections.abc import Coroutine, Sequence
from typing import Any

import uvloop

from bihuan.control import Beat
from bihuan.parts.notes import keep_notes
from bihuan.parts.part import Part, run
from bihuan.parts.site_watch import SiteWatch
from bihuan.preparation import now_us
from hazards.device_clock import count_by_state
from ingest.mqtt.intake import MqttIntake
from ingest.telemetry_door import TelemetryDoor
from storage.database import Database
from storage.dead_letters import DeadLetter, keep_dead_letters
from storage.journal import Journal


async def listen(part: Part) -> None:
    """Take messages until told to stop; without a section ``mqtt`` in the site file it waits for one."""
    settings = part.settings
    database = Database(settings.database_url, readers=1)
    journal = await asyncio.to_thread(Journal, settings.journal_path, max_rows=settings.journal_rows)
    registry = SiteWatch(database)

    async def keep(letters: Sequence[DeadLetter]) -> None:
        await database.writing(lambda connection: keep_dead_letters(connection, letters, now=now_us()))

    door = TelemetryDoor(journal, registry, now_us, gather=settings.telemetry_pack_ms / 1000)
    intake = MqttIntake(registry, door, keep, environ=os.environ, now=now_us)
    part.progress = lambda: Beat(note=_note(intake, door))
    part.ready()  # what follows waits for SQL and for the broker, which keeps what comes
    try:
        await registry.first(part.stopping)
        await _until_stopped(part, [registry.run(), intake.run(), keep_notes(part, database)])
    finally:
        await asyncio.to_thread(journal.close)
        await asyncio.to_thread(database.close)


async def _until_stopped(part: Part, jobs: Sequence[Coroutine[Any, Any, None]]) -> None:
    """All jobs until told to stop; what one of them fails with ends the part."""
    tasks = [asyncio.create_task(job) for job in jobs]
    stopping = asyncio.create_task(part.stopping.wait())
    await asyncio.wait((*tasks, stopping), return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, stopping):
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome


def _note(intake: MqttIntake, door: TelemetryDoor) -> dict[str, object]:
    now, clocks = intake.standing, count_by_state(door.clocks.faults())
    return {
        "configured": now.configured, "connected": now.connected, "messages": now.messages, "readings": now.readings,
        "refused": now.refused, "problem": now.problem, "clocks_corrected": clocks["corrected"], "clocks_distrusted": clocks["distrusted"],
    }  # fmt: skip


def main() -> None:
    """Be the MQTT part."""
    run(listen, loop=uvloop.new_event_loop)
