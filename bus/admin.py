"""Creates every topic with one configured partition count, and refuses a broker whose topics have another.

Co-partitioning (a zone's telemetry, alarms and hazards on one worker) holds only while all topics keyed by zone have
the same count, so nothing here or elsewhere relies on topics being made by themselves.
What must not go in: producers, consumers, starting brokers.
"""

import asyncio
from time import monotonic

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from bus.no_implicit_topics import forbid_implicit_topics
from bus.topics import TOPICS, Topic
from hazards.errors import BrokerUnavailable, Misconfigured

_HOUR_MS = 3_600_000


async def ensure_topics(
    brokers: str, partitions: int, replication: int, *, topics: tuple[Topic, ...] = TOPICS, timeout: float = 15.0
) -> None:
    """Every topic exists on ``brokers`` ("host:port,…") with ``partitions`` partitions when this returns.

    ``replication``: copies of each partition; a cluster of fewer brokers refuses it. Several processes may call it at once.
    Raises BrokerUnavailable (nobody answered for ``timeout`` seconds) or Misconfigured (a topic has another count)."""
    forbid_implicit_topics()
    client = AIOKafkaAdminClient(bootstrap_servers=brokers, request_timeout_ms=5000)
    try:
        async with asyncio.timeout(timeout):
            await client.start()
        await _create_missing(client, topics, partitions, replication, until=monotonic() + timeout)
    except (KafkaError, OSError, TimeoutError) as e:
        raise BrokerUnavailable(f"topics can't be made: {e or type(e).__name__}", where=brokers, hint="it is tried again") from e
    finally:
        await client.close()


async def _create_missing(
    client: AIOKafkaAdminClient, topics: tuple[Topic, ...], partitions: int, replication: int, *, until: float
) -> None:
    """Make all, then look, until the broker shows a leader for every partition."""
    missing = list(topics)
    while True:
        await _create(client, missing, partitions, replication)
        led = await _counts(client, topics, partitions)
        missing = [t for t in topics if t.name not in led]
        if not missing:
            return
        if monotonic() > until:
            raise TimeoutError(f"no leader for {missing[0].name}")
        await asyncio.sleep(0.02)


async def _create(client: AIOKafkaAdminClient, topics: list[Topic], partitions: int, replication: int) -> None:
    wanted = [NewTopic(t.name, partitions, replication, topic_configs={"retention.ms": str(t.retention_hours * _HOUR_MS)}) for t in topics]
    response = await client.create_topics(wanted)
    for name, code, *_ in response.topic_errors:
        if code and code != TopicAlreadyExistsError.errno:
            error = for_code(code)
            if error.retriable:
                continue
            raise Misconfigured(f"the broker refused it: {error.__name__}", where=f"topic {name}", hint="check partitions and replication")


async def _counts(client: AIOKafkaAdminClient, topics: tuple[Topic, ...], partitions: int) -> dict[str, int]:
    """Partition count of each topic that has a leader for every partition. Raises Misconfigured on another count."""
    found: dict[str, int] = {}
    for described in await client.describe_topics([t.name for t in topics]):
        name, parts = described["topic"], described["partitions"]
        if described["error_code"] or not parts:
            continue
        if len(parts) != partitions:
            raise Misconfigured(
                f"has {len(parts)} partitions, {partitions} are configured",
                where=f"topic {name}",
                hint="set the partition count to the topic's, or make the topic anew",
            )
        if all(p["leader"] >= 0 for p in parts):
            found[name] = len(parts)
    return found
