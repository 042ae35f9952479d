"""Where an alarm rule holds, and what of it somebody may read or change by what he may see. Pure.

What must not go in: what a rule means for a sensor (``hazards/rule_resolution.py``), roles (``api/roles.py``).
"""

from collections.abc import Iterable

from msgspec.structs import replace

from hazards.rules import AlarmRule
from hazards.scope import Scope
from hazards.zones import Zone


def holds_in(rule: AlarmRule, zone: Zone) -> bool:
    """Whether ``rule`` is for ``zone``; an override may still switch it off there."""
    return (not rule.zones or zone.id in rule.zones) and (not rule.grades or zone.grade.value in rule.grades)


def is_visible(rule: AlarmRule, zones: Iterable[Zone], scope: Scope) -> bool:
    """Whether ``rule`` is for a zone that ``scope`` sees."""
    return scope.everything or any(holds_in(rule, zone) for zone in zones if scope.sees(zone.id, zone.enterprise))


def as_seen(rule: AlarmRule, zones: Iterable[Zone], scope: Scope) -> AlarmRule:
    """``rule`` without what it says of zones that ``scope`` does not see."""
    if scope.everything:
        return rule
    seen = {zone.id for zone in zones if scope.sees(zone.id, zone.enterprise)}
    overrides = {zone: own for zone, own in rule.overrides.items() if zone in seen}
    return replace(rule, zones=[zone for zone in rule.zones if zone in seen], overrides=overrides)


def may_be_changed(rule: AlarmRule, scope: Scope) -> bool:
    """Whether ``rule`` concerns nothing but what ``scope`` sees: one for every zone is changed by who sees every zone."""
    named = {*rule.zones, *rule.overrides}
    return scope.everything or (bool(rule.zones) and scope.enterprise is None and scope.zones is not None and named <= scope.zones)
