"""What one or several real ``bihuan worker`` make of a filled topic: readings evaluated, alarms merged, checkpoints and all.

What must not go in: filling, what it is compared with.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.children import Pace
from benchmarks.filled import PARTITIONS, Filled, Span
from benchmarks.kafka import ends, skip_to
from benchmarks.parts import pace, pace_of_coming, part
from bus.admin import ensure_topics
from bus.topics import ALARMS, TELEMETRY
from hazards.errors import Unavailable
from storage.database import Database, sqlite_url
from storage.schema import alarms

GROUP = "bihuan"


def ledger(folder: Path) -> str:
    """URL of the ledger that all workers of ``working`` write."""
    return sqlite_url(folder / "ledger.sqlite")


@contextmanager
def working(addresses: str, folder: Path, count: int = 1) -> Iterator[list[int]]:
    """``count`` workers on one ledger, which is in ``folder``, for the length of the block; their process ids."""
    with ExitStack() as running:
        pids = []
        for n in range(count):
            own = folder if not n else folder / f"worker-{n}"  # a worker's name in the group is made from its folder
            own.mkdir(exist_ok=True)
            pids.append(running.enter_context(part("worker", own, {"KAFKA": addresses, "DATABASE": ledger(folder)})))
        yield pids


def merge(addresses: str, span: Span, folder: Path, *, seconds: float = 180) -> Pace:
    """Run a worker on ``span``, and on nothing before it, with the ledger that was prepared in ``folder``.

    Raises Unavailable when it takes longer than ``seconds`` or not all alarms come of it."""
    asyncio.run(skip_to(addresses, GROUP, span.topic.name, span.start))
    with working(addresses, folder) as pids:
        found = asyncio.run(pace(addresses, GROUP, span, pids=pids, seconds=seconds))
    _check_alarms(folder, span.count if span.topic is ALARMS else 1)
    return found


def merge_telemetry(
    addresses: str, fill: Callable[[], Awaitable[Filled]], folder: Path, *, workers: int, seconds: float = 180
) -> Pace:  # fmt: skip
    """Run ``workers`` on the telemetry that ``fill`` puts there when all of them are at work."""
    asyncio.run(ensure_topics(addresses, PARTITIONS, 1))
    asyncio.run(skip_to(addresses, GROUP, TELEMETRY.name, asyncio.run(ends(addresses, TELEMETRY.name, PARTITIONS))))
    with working(addresses, folder, workers) as pids:
        found = asyncio.run(pace_of_coming(addresses, GROUP, TELEMETRY, fill, pids=pids, seconds=seconds))
    _check_alarms(folder, 1)
    return found


def _check_alarms(folder: Path, expected: int) -> None:
    if (standing := _alarms(folder)) < expected:
        raise Unavailable(f"{standing} of at least {expected} alarms stand, so this is no measure", where=str(folder))


def _alarms(folder: Path) -> int:
    database = Database(ledger(folder))
    try:
        with database.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(alarms)).scalar_one()
    finally:
        database.close()
