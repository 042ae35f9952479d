"""A part's figures into SQL, so that `/metrics` of any API can tell them. What must not go in: which figures."""

import asyncio
import socket
from uuid import NAMESPACE_URL, uuid5

from bihuan.configuration import Settings
from bihuan.parts.part import Part
from bihuan.preparation import now_us
from hazards.errors import StorageUnavailable
from storage.database import Database
from storage.part_notes import note_part

NOTE_SECONDS = 10.0


def instance_of(name: str, settings: Settings) -> str:
    """A name for this process that stays over restarts and is no other's: machine, data folder, number."""
    return f"bihuan-{uuid5(NAMESPACE_URL, f'{socket.gethostname()}{settings.folder.absolute()}')}-{name}"


async def keep_notes(part: Part, database: Database) -> None:
    """Note the numbers of the part's beat every few seconds, until cancelled; while SQL is away nobody could read them either."""
    name = part.start.name
    instance = instance_of(name, part.settings)
    while True:
        await asyncio.sleep(NOTE_SECONDS)
        figures = {key: float(value) for key, value in part.progress().note.items() if isinstance(value, int | float)}
        try:
            await database.writing(lambda c: note_part(c, name.partition("-")[0], instance, figures, now=now_us()))  # noqa: B023
        except StorageUnavailable:
            continue
