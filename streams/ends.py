"""Whether a partition was read to its end: what tells a sensor that says nothing from readings that still wait. Pure.

Between the broker's log and the evaluation a message may be in the client's buffer, in this process' queues or in a batch; each of
them hands on in order. So the end was read when everything up to it was taken out of the client's buffer, and the last that was
taken was evaluated. What must not go in: clients, clocks.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any


class Ends:
    """Of all partitions. A partition is any hashable, (topic, number) in practice."""

    def __init__(self) -> None:
        self._positions: dict[Hashable, int] = {}
        self._last: dict[Hashable, int] = {}

    def taken(self, positions: Mapping[Any, int], last: Mapping[Any, int]) -> None:
        """Messages were taken out of the client's buffer: where it goes on from now, and the ``last`` of them."""
        self._positions.update(positions)
        self._last.update(last)

    def forget(self, partitions: Iterable[Hashable]) -> None:
        """``partitions`` are no longer ours, or are read again from another offset."""
        for partition in partitions:
            self._positions.pop(partition, None)
            self._last.pop(partition, None)

    def reached(self, partition: Hashable, end: int, through: int | None) -> bool:
        """Whether all below ``end`` was read and ``through`` (the last message that was evaluated; None: none yet) is the last of it."""
        position, last = self._positions.get(partition), self._last.get(partition)
        if position is None or position < end:
            return False
        return last is None or (through is not None and through >= last)
