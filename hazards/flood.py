"""Flood mode of a zone (EEMUA 191): when more new alarms come than a person can read, they become one incident. Pure.

It begins above ``BEGINS`` new alarms within ``WINDOW`` and ends below ``ENDS``. In it, alarms that would open incidents of their own join
the zone's flood incident; fire, gas and whatever is of severity 1 never do. Counted are new alarms by their receipt, in the order
consumed, so that a replay groups the same. The same counting tells a listener of the feed that it is in flood (``api/routes/feed.py``):
its console condenses what is less grave. What must not go in: figures (``hazards/alarm_quality.py``).
"""

from msgspec import Struct, field

WINDOW = 10 * 60 * 1_000_000
"""µs (EEMUA 191: rates are judged in periods of 10 minutes)."""
BEGINS, ENDS = 10, 5
"""New alarms in ``WINDOW``: above the first a flood begins, below the second it ends (EEMUA 191)."""
GROUP = "flood"
"""Group and family of the incident that takes the alarms of a flood (报警泛滥)."""

NEVER_IN_FLOOD = frozenset({"fire", "gas"})
"""Groups of families that always have an incident of their own."""


class Flood(Struct, omit_defaults=True):
    """What a zone remembers: the newest receipts of new alarms, oldest first, and since when it is in flood (µs, None: it is not)."""

    newest: list[int] = field(default_factory=list)
    since: int | None = None

    def take(self, received_at: int) -> bool:
        """A new alarm came; whether the zone is in flood now."""
        self.pass_time(received_at)
        self.newest = [*self.newest, received_at][-(BEGINS + 1) :]
        if self.since is None and len(self.newest) > BEGINS:
            self.since = received_at
        return self.since is not None

    def pass_time(self, now: int) -> None:
        """Forget what is older than the window; the flood ends when too few are left."""
        self.newest = [at for at in self.newest if at > now - WINDOW]
        if self.since is not None and len(self.newest) < ENDS:
            self.since = None
