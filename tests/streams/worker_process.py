"""One real worker process for tests: ``python -m tests.streams.worker_process BROKER DATABASE_URL [--group G] [--alone] …``.

Each report is one JSON line on standard output; SIGTERM stops it. No tables are made here. With ``--telemetry FILE`` it evaluates
telemetry, too: sensors are read from FILE.sensors, what is emitted is appended to FILE, one JSON object a line.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from hazards.admission import Report
from hazards.sensors import Sensor
from hazards.telemetry import RollupPack
from storage.database import Database
from storage.doorbell import LoopbackDoorbell
from streams import worker
from streams.app import WorkerSettings
from streams.evaluate import Telemetry
from streams.progress import WorkerProgress
from streams.worker import run_worker


def settings_of(arguments: argparse.Namespace) -> WorkerSettings:
    """What the command line says."""
    base = WorkerSettings(broker=arguments.broker, group=arguments.group, alone=arguments.alone, replication=arguments.replication)
    return replace(base, partitions=arguments.partitions, session_timeout=arguments.session_timeout, report_interval=0.2)


class FileEmitter:
    """Appends what it is given to a file: a kill loses nothing that was written."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    async def emit_alarms(self, reports: Sequence[Report]) -> None:
        self._write({"alarm": r} for r in reports)

    async def emit_rollups(self, packs: Sequence[RollupPack]) -> None:
        self._write({"rollups": pack} for pack in packs)

    def _write(self, lines: Iterable[object]) -> None:
        self._file.write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def telemetry_of(arguments: argparse.Namespace) -> Telemetry | None:
    """The evaluate agent's parts, if asked for."""
    if arguments.telemetry is None:
        return None
    sensors = {s.series: s for s in msgspec.json.decode(Path(f"{arguments.telemetry}.sensors").read_bytes(), type=list[Sensor])}
    return Telemetry(FileEmitter(Path(arguments.telemetry)), lambda: sensors, marks=arguments.alone)


async def main() -> None:
    """Run until SIGTERM."""
    worker._FINISH = 20.0  # a busy machine takes longer for its last checkpoints
    parser = argparse.ArgumentParser()
    parser.add_argument("broker")
    parser.add_argument("database")
    parser.add_argument("--group", default="bihuan")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--replication", type=int, default=1)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--session-timeout", type=float, default=6.0)
    parser.add_argument("--telemetry")
    arguments = parser.parse_args()
    stop, database, doorbell = asyncio.Event(), Database(arguments.database), LoopbackDoorbell(0)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    def report(progress: WorkerProgress) -> None:
        sys.stdout.write(msgspec.json.encode(progress).decode() + "\n")
        sys.stdout.flush()

    try:
        await run_worker(settings_of(arguments), database, doorbell, report, stop, telemetry=telemetry_of(arguments))
    finally:
        database.close()


if __name__ == "__main__":
    asyncio.run(main())
