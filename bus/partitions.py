"""Which partition a key belongs to, the same for every client of Kafka.

Used to know, without asking the broker, which zones a worker owns. What must not go in: clients, assignment.
"""

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=65_536)
def partition_of(key: str, count: int) -> int:
    """Partition of ``key`` in a topic of ``count`` partitions: murmur2 as in Kafka's default partitioner (KIP-480, keyed)."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % count
