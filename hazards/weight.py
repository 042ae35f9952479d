"""What makes an alarm graver than its kind: an overdue hazard of the zone that it speaks of, a key period (重点时段). Pure; rows of data.

What must not go in: finding hazards or declarations, what severity does.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec import Struct

from hazards.declarations import Declaration, Declared


class OpenHazard(Struct, frozen=True, kw_only=True):
    """A hazard (隐患) of the zone that is not over, as merging knows it; of several that are alike the first stands for all.

    ``overdue_at``: only of one that a person has confirmed and that is not accepted. ``speaks``, ``families``: kinds and families of
    alarm that speak of it."""

    id: str
    kind: str
    grade: str
    state: str
    due_at: int | None = None
    overdue_at: int | None = None
    claimed_at: int | None = None
    speaks: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    synthetic: bool = False  # a drill's: it weighs on a drill's alarms only

    def of(self, kind: str, family: str) -> bool:
        """Whether an alarm of ``kind`` speaks of it."""
        return kind in self.speaks or family in self.families


@dataclass(frozen=True, slots=True)
class Weight:
    """Graver by ``steps``, but never graver than ``gravest``. ``basis``: no document says by how much."""

    name: str
    steps: int
    gravest: int
    basis: str = "platform_default"


OVERDUE_HAZARD = Weight("overdue_hazard", 1, 1)
KEY_PERIOD = Weight("key_period", 1, 2)


@dataclass(frozen=True, slots=True)
class Weighed:
    """The severity, by which rows, and because of what (ids of hazards and declarations)."""

    severity: int
    by: tuple[str, ...] = ()
    because: tuple[str, ...] = ()


def weigh(
    severity: int, kind: str, family: str, at: int, zone: str, *, hazards: Iterable[OpenHazard], declarations: Iterable[Declaration],
    synthetic: bool = False,
) -> Weighed:  # fmt: skip
    """What an alarm of ``severity`` weighs at ``at``. ``synthetic``: a drill raised it."""
    overdue = [h.id for h in hazards if h.overdue_at is not None and h.synthetic == synthetic and h.of(kind, family)]
    period = [d.id for d in declarations if d.kind is Declared.KEY_PERIOD and d.holds(at) and d.is_of(zone, "", kind)]
    weighed = Weighed(severity)
    for row, found in ((OVERDUE_HAZARD, overdue), (KEY_PERIOD, period)):
        graver = max(row.gravest, weighed.severity - row.steps)
        if found and graver < weighed.severity:
            weighed = Weighed(graver, (*weighed.by, row.name), (*weighed.because, *found[:5]))
    return weighed
