"""When a device could not see (失明): spans of time in which it was offline, covered, moved, stale or silent, and how much that was. Pure.

What must not go in: reading alarms and readings, what follows from it (``hazards/ledger/gate.py``).
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from hazards.messages import Action

OUT_OF_SERVICE = frozenset({"camera_offline", "tamper", "sensor_stale", "device_fault", "power_lost", "blind_zone"})
"""Kinds of alarm by which the device that raised them does not see."""
FAMILIES = ("equipment", "coverage")
"""The families of incidents in which they are."""


class Blind(Struct, frozen=True):
    """From ``start`` to ``end`` (µs) it did not see. ``incident``: which says so; None: it said nothing."""

    start: int
    end: int
    incident: str | None = None


class Outage(Struct, frozen=True):
    """One signal of an alarm by which a device does not see."""

    device: str
    kind: str
    action: Action
    at: int


def outages(signals: Iterable[Outage], *, incident: str, opened_at: int, over_at: int | None, now: int) -> dict[str, list[Blind]]:
    """By device: when it did not see, from an incident's ``signals`` in the order of time. ``over_at``: when the incident was over.

    What ends without a known beginning began with the incident; what has no end lasts until the incident was over, or until ``now``."""
    since: dict[tuple[str, str], int] = {}
    known: set[tuple[str, str]] = set()
    found: dict[str, list[Blind]] = {}

    def note(device: str, start: int, end: int) -> None:
        found.setdefault(device, []).append(Blind(start, max(start, end), incident))

    for signal in signals:
        key = (signal.device, signal.kind)
        if signal.action is Action.RAISED:
            since.setdefault(key, signal.at)
        elif signal.action is Action.PULSE and key not in since:
            note(signal.device, signal.at, signal.at)
        elif signal.action is Action.CLEARED and (key in since or key not in known):
            note(signal.device, since.pop(key, min(opened_at, signal.at)), signal.at)
        known.add(key)
    for (device, _), start in since.items():
        note(device, start, now if over_at is None else over_at)
    return found


def length(spans: Sequence[Blind], since: int, now: int) -> int:
    """How long of ``since`` to ``now`` the ``spans`` cover together, µs."""
    total, reached = 0, since
    for span in sorted(spans, key=lambda s: s.start):
        start, end = max(span.start, reached), min(span.end, now)
        if end > start:
            total, reached = total + end - start, end
    return total


def seen_percent(spans: Sequence[Blind], since: int, now: int) -> int:
    """How much of ``since`` to ``now`` was seen, in whole percent rounded down; of no time at all: 100."""
    return 100 if now <= since else 100 * (now - since - length(spans, since, now)) // (now - since)
