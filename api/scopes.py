"""What a principal may see, by its role and district and the site as it is now. What must not go in: SQL, codes (``hazards``)."""

from collections.abc import Callable
from dataclasses import replace

from api.principals import Principal
from api.roles import READS_SIDEWAYS, may_see_all
from hazards.districts import lies_within
from hazards.messages import WHOLE_SITE
from hazards.scope import EVERYTHING, Scope, scope_of_district
from storage.site_store import Registry


class Scopes:
    """Scopes of districts are worked out once for each version of the site. ``registry`` gives a new object when the site changed."""

    def __init__(self, registry: Callable[[], Registry]) -> None:
        self._registry = registry
        self._known: tuple[Registry, dict[tuple[str, bool], Scope]] | None = None

    def of(self, principal: Principal) -> Scope:
        """Now: ask again for whatever lasts longer than one answer."""
        if not may_see_all(principal.role):
            return Scope(enterprise=principal.enterprise or "")
        if principal.district is None:
            return EVERYTHING
        registry = self._registry()
        if self._known is None or self._known[0] is not registry:
            self._known = registry, {}
        made, key = self._known[1], (principal.district, principal.role in READS_SIDEWAYS)
        if key not in made:
            made[key] = _worked_out(registry, *key)
        return made[key]

    def bind(self, principal: Principal) -> Principal:
        """The principal with its scope as it is now."""
        return replace(principal, scope=self.of(principal))


def _worked_out(registry: Registry, district: str, sideways: bool) -> Scope:
    present = [(registry.district_of(zone), zone) for zone in registry.zones.values()]
    found = scope_of_district(district, present, registry.site.agreements, sideways=sideways)
    former = [(registry.district_of(zone), zone) for zone in registry.former.values()]
    own_once = scope_of_district(district, former, sideways=False).zones
    whole = frozenset({WHOLE_SITE} if lies_within(registry.site.district or "", district) else ())
    return replace(found, zones=(found.zones or frozenset()) | (own_once or frozenset()) | whole)
