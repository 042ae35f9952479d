"""Lines/s of a real ``bihuan store`` from a filled topic into InfluxDB; the points are counted afterwards, none may be missing.

What must not go in: filling, what it is compared with.
"""

import asyncio
from pathlib import Path

from benchmarks.children import Pace
from benchmarks.filled import Filled
from benchmarks.influx import Influx
from benchmarks.kafka import ends, skip_to
from benchmarks.parts import pace, part, prepare
from bus.topics import ROLLUPS, TELEMETRY
from hazards.errors import Unavailable
from storage.series.port import RAW, RESOLUTIONS, bucket_of
from streams.store import GROUP


def store(addresses: str, filled: Filled, influx: Influx, folder: Path, seconds: float = 180) -> Pace:
    """Run a store part on ``filled``: every reading of its load is a line. Raises Unavailable when points are missing."""
    prepare(folder, filled.load.site())
    for topic, offsets in ((TELEMETRY, filled.start), (ROLLUPS, asyncio.run(ends(addresses, ROLLUPS.name, len(filled.end))))):
        asyncio.run(skip_to(addresses, GROUP, topic.name, offsets))
    access = {"KAFKA": addresses, "INFLUX_URL": influx.url, "INFLUX_ORG": influx.org, "INFLUX_TOKEN": influx.token}
    with part("store", folder, access) as pid:
        found = asyncio.run(pace(addresses, GROUP, filled, pids=[pid], seconds=seconds))
    points = influx.count(bucket_of(filled.load.site().district), RESOLUTIONS[RAW], "value")
    if points != filled.count:
        raise Unavailable(f"{filled.count} readings were given, InfluxDB holds {points}", where="telemetry.stored")
    return found
