"""The lower bound of the cost: a plain aiokafka loop that only decodes the packs. ``python -m benchmarks.peers.raw BROKERS FROM TO``.

FROM and TO are JSON objects, partition to offset. What must not go in: doing something with a reading.
"""

import asyncio
import sys
import time

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from bus.codecs import decode
from bus.topics import TELEMETRY
from hazards.telemetry import TelemetryPack


async def read(addresses: str, start: dict[int, int], end: dict[int, int]) -> tuple[int, float, float]:
    """(readings, seconds, processor seconds) of decoding everything from ``start`` to ``end``."""
    consumer = AIOKafkaConsumer(bootstrap_servers=addresses, max_partition_fetch_bytes=1024 * 1024)
    await consumer.start()
    try:
        left = {TopicPartition(TELEMETRY.name, p): offset for p, offset in end.items() if offset > start.get(p, 0)}
        consumer.assign(list(left))
        for tp in left:
            consumer.seek(tp, start.get(tp.partition, 0))
        readings, began, cpu = 0, time.perf_counter(), time.process_time()
        while left:
            for tp, messages in (await consumer.getmany(timeout_ms=1000, max_records=500)).items():
                for message in messages:
                    _, _, value = decode(TelemetryPack, message.value).columns()
                    readings += len(value)
                if messages[-1].offset + 1 >= left.get(tp, 0):
                    left.pop(tp, None)
        return readings, time.perf_counter() - began, time.process_time() - cpu
    finally:
        await consumer.stop()


def main() -> None:
    """Measure and print."""
    start, end = (msgspec.json.decode(a, type=dict[int, int]) for a in sys.argv[2:4])
    readings, seconds, cpu = asyncio.run(read(sys.argv[1], start, end))
    print(msgspec.json.encode({"readings": readings, "seconds": seconds, "cpu": cpu}).decode())


if __name__ == "__main__":
    main()
