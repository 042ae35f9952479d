"""Key periods (重点时段) of the pack in force, in the site's time zone. What must not go in: SQL."""

from hazards.declarations import Declaration
from hazards.key_periods import periods_of
from storage.hazard_facts import zone_of
from storage.site_store import Registry


def key_periods(registry: Registry) -> list[Declaration]:
    """Those of the whole site; none without a pack."""
    policy = registry.policy
    if policy is None or not policy.key_periods:
        return []
    return periods_of(policy, zone_of(registry), synthetic=registry.synthetic)
