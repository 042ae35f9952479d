"""One real worker process for tests: ``python -m tests.streams.worker_process BROKER DATABASE_URL [--group G] [--alone] …``.

Each report is one JSON line on standard output; SIGTERM stops it. No tables are made here.
"""

import argparse
import asyncio
import signal
import sys
from dataclasses import replace

import msgspec

from storage.database import Database
from storage.doorbell import LoopbackDoorbell
from streams.app import WorkerSettings
from streams.progress import WorkerProgress
from streams.worker import run_worker


def settings_of(arguments: argparse.Namespace) -> WorkerSettings:
    """What the command line says."""
    base = WorkerSettings(broker=arguments.broker, group=arguments.group, alone=arguments.alone, replication=arguments.replication)
    return replace(base, partitions=arguments.partitions, session_timeout=arguments.session_timeout, report_interval=0.2)


async def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("broker")
    parser.add_argument("database")
    parser.add_argument("--group", default="bihuan")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--replication", type=int, default=1)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--session-timeout", type=float, default=6.0)
    arguments = parser.parse_args()
    stop, database, doorbell = asyncio.Event(), Database(arguments.database), LoopbackDoorbell(0)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    def report(progress: WorkerProgress) -> None:
        sys.stdout.write(msgspec.json.encode(progress).decode() + "\n")
        sys.stdout.flush()

    try:
        await run_worker(settings_of(arguments), database, doorbell, report, stop)
    finally:
        database.close()


if __name__ == "__main__":
    asyncio.run(main())
