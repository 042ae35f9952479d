"""A push process of its own, that tests may kill: ``python -m tests.push.push_process DATABASE_URL PORT``."""

import asyncio
import os
import sys

from bihuan.webhook_data import as_the_api_shows
from push.deliverer import DeliverySettings
from push.run import PushSettings, run_push
from storage.database import Database
from storage.doorbell import LoopbackDoorbell


async def main(url: str, port: int) -> None:
    database = Database(url)
    settings = PushSettings(delivery=DeliverySettings(timeout=5.0), poll=0.1)
    await run_push(
        database, LoopbackDoorbell(port), settings, lambda progress: None, asyncio.Event(), present=as_the_api_shows(),
        environment=os.environ,
    )  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
