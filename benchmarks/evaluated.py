"""Readings/s of one real ``bihuan worker`` on a filled topic: evaluated with every rule and roll-up, checkpoints and all.

What must not go in: filling, what it is compared with.
"""

import asyncio
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.children import Pace
from benchmarks.filled import Filled
from benchmarks.kafka import skip_to
from benchmarks.parts import pace, part, prepare
from bus.topics import TELEMETRY
from hazards.errors import Unavailable
from storage.database import Database, sqlite_url
from storage.schema import alarms

GROUP = "bihuan"


def merge(addresses: str, filled: Filled, folder: Path, seconds: float = 180) -> Pace:
    """Run a worker on ``filled``, and on nothing before it; its data in ``folder``.

    Raises Unavailable when it takes longer than ``seconds`` or raises no alarm."""
    prepare(folder, filled.load.site())
    asyncio.run(skip_to(addresses, GROUP, TELEMETRY.name, filled.start))
    with part("worker", folder, {"KAFKA": addresses}) as pid:
        found = asyncio.run(pace(addresses, GROUP, filled, pid=pid, seconds=seconds))
    database = Database(sqlite_url(folder / "ledger.sqlite"))
    try:
        with database.engine.connect() as connection:
            raised = connection.execute(select(func.count()).select_from(alarms)).scalar_one()
    finally:
        database.close()
    if not raised:
        raise Unavailable("no rule raised an alarm, so this is no measure of evaluating", where=str(folder))
    return found
