"""Whether a signal from a topic can be applied, and with which time: what came over Kafka is not believed. Pure.

Doors have judged what they sent already; for that this changes nothing. What must not go in: merging, what becomes of one that can't.
"""

from collections.abc import Iterable

from msgspec import structs

from hazards.admission import believe
from hazards.errors import MalformedMessage
from hazards.messages import Clock, Signal

MAX_DEPTH = 32
"""Levels of ``details``: deeper ones could be kept, and then not be shown."""
LATEST = 2**55
"""UTC µs beyond which no time makes sense (the year 3111)."""


def check_signal(signal: Signal) -> Signal:
    """``signal``, at its time of receipt and flagged if its time can't be believed.

    Raises MalformedMessage for details that are nested too deeply, a severity and times that are none."""
    if signal.details and _deeper(signal.details, MAX_DEPTH):
        raise MalformedMessage(f"details nested more than {MAX_DEPTH} levels deep", where=signal.id)
    if not 0 <= signal.received_at < LATEST:
        raise MalformedMessage(f"received at {signal.received_at}", where=signal.id)
    if not -LATEST < signal.at < LATEST or not -LATEST < (signal.sent_at or 0) < LATEST:
        raise MalformedMessage("a time that is none", where=signal.id)
    if signal.severity not in (None, 1, 2, 3, 4):
        raise MalformedMessage(f"severity {signal.severity}", where=signal.id)
    at, clock = believe(signal.at, signal.received_at)
    if clock is Clock.WRONG:
        return structs.replace(signal, at=at, clock=clock, sent_at=signal.at if signal.sent_at is None else signal.sent_at)
    return signal


def _deeper(value: object, levels: int) -> bool:
    """Whether ``value`` has more than so many levels; looks no deeper than that."""
    inner: Iterable[object]
    if isinstance(value, dict):
        inner = value.values()
    elif isinstance(value, list | tuple):
        inner = value
    else:
        return False
    return levels == 0 or any(_deeper(item, levels - 1) for item in inner)
