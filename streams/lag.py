"""Up to when everything that was received has been read, as far as one can tell: the clock by which silence and delays are judged.

A wall clock would find conditions that lasted and sensors that fell silent while the readings that say otherwise wait in Kafka.
Pure; times are UTC µs. What must not go in: Kafka, evaluation.
"""

UNDER_WAY = 1_000_000
"""What was received less than this ago may not have arrived."""
REMEMBERED = 5_000_000
"""How long the longest lag holds: other partitions may lag though this batch did not."""
SETTLED = 3_000_000
"""Without a pack for so long while packs could come, none waits."""


class Lag:
    """``listen_from`` when packs begin to flow, or do not; ``read`` for each batch; then ``heard_until``."""

    def __init__(self, now: int) -> None:
        self.listening_since = now
        self._read_at: int | None = None
        self._longest = self._longest_at = 0

    def listen_from(self, now: int) -> None:
        """Before ``now`` nothing could come: nothing is known."""
        self.listening_since, self._read_at = now, None

    def read(self, received_at: int, now: int) -> None:
        """A batch is read at ``now`` whose oldest pack was received at ``received_at``."""
        lag = now - received_at
        if self._read_at is None or lag >= self._longest or now - self._longest_at > REMEMBERED:
            self._longest, self._longest_at = lag, now
        self._read_at = now

    def heard_until(self, now: int) -> int | None:
        """All that was received until then has been read; None: that is not known yet."""
        if self._read_at is None:
            return now - UNDER_WAY if now - self.listening_since >= SETTLED else None
        if now - self._read_at >= SETTLED:
            return now - UNDER_WAY
        return now - max(self._longest, UNDER_WAY)
