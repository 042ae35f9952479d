"""The last seconds of a camera's compressed stream, bounded in time and bytes, with an index of its key frames.

What is decoded, and the clip of an alarm, are taken from here. What must not go in: packets' content, decoding, files.
"""

import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Generic, TypeVar

P = TypeVar("P")

SECONDS, BYTES = 20.0, 8 * 1024 * 1024
"""Bounds of one camera: a clip from five seconds before to eight after fits, with a key frame before it; a 3 Mbit/s stream fits whole."""


@dataclass(frozen=True, slots=True)
class Piece(Generic[P]):
    """One packet. ``n`` counts up for ever; ``at``: monotonic seconds when it came; ``wall``: the same in UTC µs; ``t``: seconds of the
    stream; ``late``: seconds by which it came later than the stream's usual; ``source``: what it was read from (its codec)."""

    n: int
    at: float
    wall: int
    t: float
    key: bool
    size: int
    packet: P
    source: object = None
    late: float = 0.0


class Ring(Generic[P]):
    """Pieces, oldest first. One thread adds, any may look. The newest piece is always kept."""

    def __init__(self, *, seconds: float = SECONDS, most_bytes: int = BYTES) -> None:
        self._seconds, self._most = seconds, most_bytes
        self._pieces: deque[Piece[P]] = deque()
        self._lock = threading.Lock()
        self._bytes = 0

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._pieces)

    def add(self, piece: Piece[P]) -> None:
        """Keep ``piece``; what is too old or too much goes."""
        with self._lock:
            self._pieces.append(piece)
            self._bytes += piece.size
            while len(self._pieces) > 1 and (self._bytes > self._most or self._pieces[0].at < piece.at - self._seconds):
                self._bytes -= self._pieces.popleft().size

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._pieces.clear()
            self._bytes = 0

    def newest_key(self) -> Piece[P] | None:
        """The newest key frame."""
        with self._lock:
            return next((piece for piece in reversed(self._pieces) if piece.key), None)

    def since_last_key(self) -> list[Piece[P]]:
        """The newest key frame and all after it; nothing without a key frame."""
        with self._lock:
            return self._since(len(self._pieces))

    def after(self, n: int) -> list[Piece[P]]:
        """The pieces that follow number ``n`` without a gap; nothing where the next one is gone already."""
        with self._lock:
            if not self._pieces or self._pieces[0].n > n + 1:
                return []
            first = max(0, n + 1 - self._pieces[0].n)
            return [self._pieces[i] for i in range(first, len(self._pieces))]

    def span(self, from_at: float, to_at: float) -> list[Piece[P]]:
        """The pieces that came from ``from_at`` to ``to_at`` (monotonic seconds), begun at the key frame before, all of one source.

        Where the source changed in between, those of the one that lasted longer: a camera that burns is lost soon after its alarm."""
        with self._lock:
            pieces = [piece for piece in self._pieces if piece.at <= to_at]
        lasted = Counter(id(piece.source) for piece in pieces if piece.at >= from_at)
        if not lasted:
            return []
        source = max(lasted, key=lambda s: lasted[s])
        pieces = [piece for piece in pieces if id(piece.source) == source]
        keys = [i for i, piece in enumerate(pieces) if piece.key]
        before = [i for i in keys if pieces[i].at <= from_at]
        first = before[-1] if before else keys[0] if keys else len(pieces)
        return pieces[first:]

    def _since(self, end: int) -> list[Piece[P]]:
        for i in range(end - 1, -1, -1):
            if self._pieces[i].key:
                return [self._pieces[k] for k in range(i, end)]
        return []
