"""Faust as its documentation shows it: one reading a message, a JSON Record, a table with a changelog, a threshold.

``python -m benchmarks.peers.faust_plain BROKERS TOPIC PARTITIONS COUNT SECONDS FOLDER`` reads COUNT readings, or for SECONDS after
the first. What must not go in: anything of ours, which would make it faster.
"""

import asyncio
import json
import os
import sys
import time

import faust

HIGH, DEADBAND = 60.0, 2.0


class Reading(faust.Record, serializer="json"):
    """One reading."""

    device: str
    at: int
    value: float


async def measure(addresses: str, topic: str, partitions: int, count: int, seconds: float, folder: str) -> tuple[int, float, float]:
    """(readings, seconds, processor seconds)."""
    app = faust.App(
        "bench-faust-plain", broker=f"kafka://{addresses}", store="memory://", datadir=folder, web_enabled=False,
        topic_partitions=partitions, topic_replication_factor=1, consumer_auto_offset_reset="earliest",
    )  # fmt: skip
    above = app.Table("above", default=bool, partitions=partitions)
    last = app.Table("last", default=float, partitions=partitions)
    done = asyncio.Event()
    seen, began, cpu, alarms = 0, 0.0, 0.0, 0

    async def evaluate(stream: faust.StreamT[Reading]) -> None:
        nonlocal seen, began, cpu, alarms
        async for reading in stream:
            if not seen:
                began, cpu = time.perf_counter(), time.process_time()
            hot = reading.value > (HIGH - DEADBAND if above[reading.device] else HIGH)
            alarms += hot != above[reading.device]
            above[reading.device] = hot
            last[reading.device] = reading.value
            seen += 1
            if seen >= count or time.perf_counter() - began > seconds:
                done.set()

    app.agent(app.topic(topic, value_type=Reading, key_type=str), name="evaluate")(evaluate)
    await app.start()
    await done.wait()
    return seen, time.perf_counter() - began, time.process_time() - cpu


async def main() -> None:
    """Measure and print, then end at once: what a plain Faust does on its way out is not the question."""
    addresses, topic, partitions, count, seconds, folder = sys.argv[1:7]
    readings, took, cpu = await measure(addresses, topic, int(partitions), int(count), float(seconds), folder)
    print(json.dumps({"readings": readings, "seconds": took, "cpu": cpu}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
