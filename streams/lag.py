"""Up to when everything that was received has been read of a partition, as far as one can tell: the clock of silence and delays.

A wall clock would find conditions that lasted and sensors that fell silent while the readings that say otherwise wait in Kafka.
Pure; times are UTC µs. What must not go in: Kafka, evaluation.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

UNDER_WAY = 1_000_000
"""What was received less than this ago, and the longest lag of late on top, may not have arrived."""
REMEMBERED = 5_000_000
"""How long the longest lag holds: a partition's packs come by several ways, not always in the order of their receipt."""
SETTLED = 3_000_000
"""Without a pack for so long, and for the lag of the last ones on top, while packs could come, none waits."""
LONGEST = 60_000_000
"""The most of a lag that is waited for: who was an hour behind and has nothing more to say is not waited for an hour."""
STARTED = 5_000_000
"""The same where nothing was read yet: who sends may have to find the broker again first."""


class Lag:
    """Of all partitions: ``listen_from`` when packs begin to flow, or do not; ``read`` for each batch; then ``heard_until``."""

    def __init__(self, now: int) -> None:
        self.listening_since = now
        self._partitions: dict[int, _Partition] = {}

    def listen_from(self, now: int) -> None:
        """Before ``now`` nothing could come: nothing is known."""
        self.listening_since = now
        self._partitions.clear()

    def read(self, batch: Iterable[tuple[int, int]], now: int) -> None:
        """Packs are read together at ``now``: the partition of each, and when it was received."""
        oldest: dict[int, int] = {}
        for partition, received_at in batch:
            oldest[partition] = min(received_at, oldest.get(partition, received_at))
        for partition, received_at in oldest.items():
            self._partitions.setdefault(partition, _Partition()).read(received_at, now)

    def heard_until(self, partition: int, end_read_at: int | None) -> int | None:
        """All that was received of ``partition`` until then has been read; None: that is not known yet.

        ``end_read_at``: when the partition was last seen to hold nothing more; None while something waits, however long that takes: no
        clock says when it was received, so the last pack before it has to."""
        known = self._partitions.get(partition)
        if known is None:
            return end_read_at - UNDER_WAY if end_read_at is not None and end_read_at - self.listening_since >= STARTED else None
        if end_read_at is None:
            return known.received_at - UNDER_WAY
        longest = known.longest()
        if end_read_at - known.read_at >= SETTLED + min(longest, LONGEST):
            return end_read_at - UNDER_WAY
        return end_read_at - longest - UNDER_WAY


@dataclass(slots=True)
class _Partition:
    """When a pack of it was read last, when that was received, and the lags of late: only those that no later one exceeds."""

    read_at: int = 0
    received_at: int = 0
    _lags: deque[tuple[int, int]] = field(default_factory=deque)

    def read(self, received_at: int, now: int) -> None:
        lag = max(now - received_at, 0)
        while self._lags and self._lags[-1][1] <= lag:
            self._lags.pop()
        self._lags.append((now, lag))
        while self._lags[0][0] < now - REMEMBERED:
            self._lags.popleft()
        self.read_at, self.received_at = now, min(received_at, now)

    def longest(self) -> int:
        return self._lags[0][1]
