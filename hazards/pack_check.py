"""Whether a pack of readings can be evaluated at all: what came over Kafka is not believed. Pure.

What must not go in: limits, what is done with a pack that can't.
"""

import numpy as np

from hazards.errors import MalformedMessage
from hazards.telemetry import TelemetryPack

LATEST = 2**55
"""UTC µs beyond which no time makes sense (the year 3111)."""


def check_pack(pack: TelemetryPack) -> None:
    """Raises MalformedMessage for columns that are not whole, point nowhere, or hold what is no time or no number."""
    try:
        index, at, value = pack.columns()
    except ValueError as e:
        raise MalformedMessage(f"columns are not whole: {e}", where="telemetry") from e
    if not len(index) == len(at) == len(value):
        raise MalformedMessage(f"columns of {len(index)}, {len(at)} and {len(value)} readings", where="telemetry")
    if not 0 <= pack.received_at < LATEST:
        raise MalformedMessage(f"received at {pack.received_at}", where="telemetry")
    if len(index):
        if int(index.max()) >= len(pack.series):
            raise MalformedMessage(f"a reading of series {int(index.max())} of {len(pack.series)}", where="telemetry")
        if int(at.view(np.uint64).max()) >= LATEST:  # one before 1970 is a very late one, seen so
            raise MalformedMessage("a time that is none", where="telemetry")
        if not np.isfinite(value).all():
            raise MalformedMessage("a value that is no number", where="telemetry")
