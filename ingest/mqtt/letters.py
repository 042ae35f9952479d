"""Messages that can't be taken: a sample of them becomes dead letters, all of them are counted. No I/O.

A flood of nonsense keeps some rows a minute, not a row a message. What must not go in: deciding what is nonsense, SQL.
"""

from collections import deque
from dataclasses import dataclass

from storage.dead_letters import DeadLetter, dead_letter

BURST = 20
"""Letters kept at once of one origin."""
EVERY = 60 * 1_000_000
"""µs after which one more of it may be kept."""
MAX_BYTES = 64 * 1024
"""Bytes kept of a payload; more of it says nothing to a person."""
MAX_WAITING = 200
"""Letters in memory while SQL is away."""


@dataclass(slots=True)
class _Origin:
    left: float
    at: int
    passed_over: int = 0


class LetterBox:
    """Letters on their way to SQL. An origin is a subscription, or "" for topics that none of them knows: the set is bounded."""

    def __init__(self) -> None:
        self._origins: dict[str, _Origin] = {}
        self.waiting: deque[DeadLetter] = deque(maxlen=MAX_WAITING)

    def put(self, origin: str, topic: str, payload: bytes, reason: str, *, now: int) -> bool:
        """Keep a message when its origin's allowance (BURST, then one each EVERY) lasts, else count it; whether it was kept."""
        known = self._origins.setdefault(origin, _Origin(BURST, now))
        known.left = min(BURST, known.left + max(now - known.at, 0) / EVERY)
        known.at = now
        if known.left < 1:
            known.passed_over += 1
            return False
        known.left -= 1
        if known.passed_over:
            reason += f"; {known.passed_over} more were refused since the last that was kept"
            known.passed_over = 0
        if len(payload) > MAX_BYTES:
            reason += f"; the first {MAX_BYTES} of {len(payload)} bytes are kept"
        self.waiting.append(dead_letter(f"mqtt/{topic}".replace("\0", "\ufffd")[:1000], payload[:MAX_BYTES], reason))
        return True
