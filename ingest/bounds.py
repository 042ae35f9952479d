"""How many rows of a lane are under way at most, and when one is sent again. What must not go in: the rows."""

from dataclasses import dataclass

PACK_SIGNALS = 200
PACK_BYTES = 512 * 1024
HELD_ROWS, HELD_BYTES = 2000, 8 * 2**20
"""Rows and payload bytes held in memory: waiting to be sent, or being sent."""
STUCK = 1.0
"""Seconds without any progress after which a partition that is full no longer holds up the reading of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How many rows are under way at most, and when one is sent again.

    ``window`` and ``window_bytes`` (None: any) bound what is held and sent. A row is sent again after ``patience`` seconds, which
    double each time up to ``longest`` times the first. ``overtaken_only``: a row is sent again only when a later one of its
    partition was settled ``patience`` seconds ago: one that nobody overtook is not lost, its reader has not come to it."""

    window: int = 20_000
    window_bytes: int | None = None
    patience: float = 15.0
    longest: int = 8
    overtaken_only: bool = False
    pack_rows: int = PACK_SIGNALS
