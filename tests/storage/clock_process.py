"""A worker for clocks whose time stands still, for tests to kill: ``python -m tests.storage.clock_process DATABASE_URL NOW``."""

import asyncio
import sys

from storage.database import Database
from storage.doorbell import LoopbackDoorbell
from storage.ledger_clocks import run_clocks


async def main(url: str, now: int) -> None:
    """Until it is killed."""
    await run_clocks(Database(url), LoopbackDoorbell(0), asyncio.Event(), now=lambda: now, poll=0.2)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
