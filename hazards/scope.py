"""What one who asks may see: all, one enterprise's, or the zones of a district; and which zones beside it can be read in the register.

A parent reads its children; departments of one level read each other's major hazard installations (重大危险源, 003(20)), and neighbours
do by agreement (联防联控); nothing else sideways. What must not go in: SQL (``storage/scoping.py``), roles (``api/roles.py``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hazards.districts import are_one, lies_beside, lies_within
from hazards.zones import Agreement, Zone


@dataclass(frozen=True, slots=True)
class Scope:
    """``enterprise``: only what is its own; ``zones``: only what happens there; None: no such bound, both None: everything.

    ``WHOLE_SITE`` among the zones: also what belongs to the site and to no zone of it, such as the duties of bodies.

    ``shared``: zones of others whose entry in the register can be read as well, with those of their devices; nothing that happens there."""

    enterprise: str | None = None
    zones: frozenset[str] | None = None
    shared: frozenset[str] = frozenset()

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.enterprise is None and self.zones is None

    def sees(self, zone: str, enterprise: str | None) -> bool:
        """Whether what belongs to ``zone``, then owned by ``enterprise``, is within."""
        return (self.enterprise is None or enterprise == self.enterprise) and (self.zones is None or zone in self.zones)

    def sees_register(self, zone: str, enterprise: str | None) -> bool:
        """Whether the zone's entry in the register, and those of its devices, can be read."""
        return zone in self.shared or self.sees(zone, enterprise)


EVERYTHING = Scope()
NOTHING = Scope(zones=frozenset())


def scope_of_district(
    district: str, zones: Iterable[tuple[str, Zone]], agreements: Sequence[Agreement] = (), *, sideways: bool
) -> Scope:  # fmt: skip
    """The scope of an authority of ``district``. ``zones``: each with the district that it lies in, those that are gone from the site too.

    ``sideways``: whether its role reads major hazard installations beside it."""
    own, shared = set[str](), set[str]()
    partners = [partner for a in agreements if any(are_one(district, d) for d in a.districts) for partner in a.districts]
    for where, zone in zones:
        if lies_within(where, district):
            own.add(zone.id)
        elif (
            sideways
            and zone.major_hazard_level is not None
            and (lies_beside(where, district) or any(lies_within(where, partner) for partner in partners))
        ):
            shared.add(zone.id)
    return Scope(zones=frozenset(own), shared=frozenset(shared))
