"""What a device costs the evaluation: processor time a reading and bytes of state. ``python -m benchmarks.devices COUNT READINGS [trace]``.

A fresh process a figure, no Kafka and no SQL: those do not know how many devices there are. The zones' checkpoints are part of it, made
every CHECKPOINT readings. What must not go in: throughput of a worker (``evaluated``).
"""

import sys
import time
import tracemalloc
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from benchmarks.children import last_line
from benchmarks.readings import SECOND, Load
from bus.codecs import decode, encode
from hazards.evaluation import Evaluation
from hazards.pack_check import check_pack
from hazards.sensors import sensors_of_site
from hazards.telemetry import TelemetryPack

PACK, BATCH = 500, 100
CHECKPOINT = 1_000_000
START = 1_790_000_000 * SECOND


class Cost(Struct, frozen=True):
    """Of one run: ``cpu`` seconds for ``readings``, bytes that ``devices`` hold (0: not traced), bytes of all checkpoints together."""

    devices: int
    readings: int
    cpu: float
    state: int
    checkpoint: int

    @property
    def a_reading(self) -> float:
        """Processor µs a reading."""
        return 1e6 * self.cpu / self.readings


def cost(devices: int, readings: int, *, trace: bool = False) -> Cost:
    """Measure in a process of its own. With ``trace`` bytes count and time does not."""
    command = [sys.executable, "-m", "benchmarks.devices", str(devices), str(readings), *(["trace"] if trace else [])]
    return msgspec.json.decode(last_line(command, seconds=300), type=Cost)


def evaluate(evaluation: Evaluation, messages: Sequence[bytes]) -> None:
    """What the agent does with ``messages``, in its batches."""
    for first in range(0, len(messages), BATCH):
        packs = [decode(TelemetryPack, message) for message in messages[first : first + BATCH]]
        for pack in packs:
            check_pack(pack)
        evaluation.take(packs)
        for rollup in evaluation.rollups():
            encode(rollup)


def measure(devices: int, readings: int, *, trace: bool) -> Cost:
    """In this process."""
    load = Load(devices=devices, pack=PACK, start=START)
    sensors = sensors_of_site(load.site())
    if trace:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0] if trace else 0
    evaluation = Evaluation(sensors)
    for zone in range(load.zones):
        evaluation.restore(load.zone(zone), None, START)
    spent, done, since, checkpoint = 0.0, 0, 0, 0
    for second, messages in enumerate(_seconds(load, 1 + -(-readings // load.a_second))):
        began = time.process_time()
        evaluate(evaluation, messages)
        since += load.a_second
        if since >= CHECKPOINT:
            checkpoint, since = _checkpoint(evaluation), 0
        if second:  # the first one opens every series
            spent, done = spent + time.process_time() - began, done + load.a_second
        del messages
    state = tracemalloc.get_traced_memory()[0] - before if trace else 0
    return Cost(load.zones * load.zone_devices, done, spent, state, checkpoint or _checkpoint(evaluation))


def _checkpoint(evaluation: Evaluation) -> int:
    """Bytes of the checkpoints of all zones."""
    return sum(len(evaluation.snapshot(zone)) for zone in evaluation.zones)


def _seconds(load: Load, seconds: int) -> Iterator[list[bytes]]:
    """The messages of each second."""
    packs: list[bytes] = []
    for pack in load.packs(seconds):
        packs.append(encode(pack))
        if len(packs) == load.zones:
            yield packs
            packs = []


def main() -> None:
    """Measure and print."""
    print(msgspec.json.encode(measure(int(sys.argv[1]), int(sys.argv[2]), trace="trace" in sys.argv[3:])).decode())


if __name__ == "__main__":
    main()
