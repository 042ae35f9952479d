"""Up to when everything that was received has been read of a partition, as far as one can tell: the clock of silence and delays.

A wall clock would find conditions that lasted and sensors that fell silent while the readings that say otherwise wait in Kafka.
Pure; times are UTC µs. What must not go in: Kafka, evaluation.
"""

from dataclasses import dataclass

UNDER_WAY = 1_000_000
"""What was received less than this ago may not have arrived."""
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

    def read(self, partition: int, received_at: int, now: int) -> None:
        """A batch is read at ``now`` whose oldest pack of ``partition`` was received at ``received_at``."""
        lag = now - received_at
        known = self._partitions.get(partition)
        if known is None:
            self._partitions[partition] = _Partition(now, lag, now)
            return
        known.read_at = now
        if lag >= known.longest or now - known.longest_at > REMEMBERED:
            known.longest, known.longest_at = lag, now

    def heard_until(self, partition: int, now: int) -> int | None:
        """All that was received of ``partition`` until then has been read; None: that is not known yet."""
        known = self._partitions.get(partition)
        if known is None:
            return now - UNDER_WAY if now - self.listening_since >= STARTED else None
        if now - known.read_at >= SETTLED + min(known.longest, LONGEST):
            return now - UNDER_WAY
        return now - max(known.longest, UNDER_WAY)


@dataclass(slots=True)
class _Partition:
    """When a pack of it was read last, and the longest lag of late."""

    read_at: int
    longest: int
    longest_at: int
