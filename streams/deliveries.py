"""What was delivered of each partition and not yet acknowledged: decides which offset may be committed. Pure.

Faust's own record compares offsets with the highest it has seen: after a broker that lost its log starts again from 0 it
drops every message as old, and a hole in the offsets (a transaction marker, a compacted record) can stop commits for
good. Here only the order of delivery counts. What must not go in: clients, waiting.
"""

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable
from typing import Protocol


class Delivered(Protocol):
    """A message as handed to an agent."""

    offset: int
    acked: bool


class Deliveries:
    """Deliveries of all partitions, oldest first. A partition is any hashable, (topic, number) in practice."""

    def __init__(self) -> None:
        self._open: defaultdict[Hashable, deque[Delivered]] = defaultdict(deque)
        self._reached: dict[Hashable, int] = {}

    def delivered(self, partition: Hashable, message: Delivered) -> None:
        """``message`` goes to an agent now."""
        self._open[partition].append(message)

    def committable(self, partition: Hashable) -> int | None:
        """The offset to go on from: one past the last message of the unbroken run of acknowledged ones.

        The same as before where nothing new was acknowledged: that commit may have failed. None: nothing was acknowledged yet."""
        waiting = self._open[partition]
        while waiting and waiting[0].acked:
            self._reached[partition] = waiting.popleft().offset + 1
        return self._reached.get(partition)

    def forget(self, partitions: Iterable[Hashable]) -> None:
        """``partitions`` are no longer ours, or are read again from an earlier offset."""
        for partition in partitions:
            self._open.pop(partition, None)
            self._reached.pop(partition, None)

    def unacknowledged(self) -> int:
        """Messages delivered and not acknowledged, all partitions."""
        return sum(1 for waiting in self._open.values() for m in waiting if not m.acked)
