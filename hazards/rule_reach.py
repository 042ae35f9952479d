"""Where an alarm rule holds, and what of it somebody may read or change by what he may see. Pure.

What must not go in: what a rule means for a sensor (``hazards/rule_resolution.py``), roles (``api/roles.py``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

from msgspec.structs import replace

from hazards.declarations import Declaration
from hazards.messages import WHOLE_SITE
from hazards.rule_resolution import STOPPED, sensors_with_rules
from hazards.rules import AlarmRule
from hazards.scope import Scope
from hazards.sensor_rules import FAR
from hazards.sensors import rules_of
from hazards.zones import Device, Zone

ByZone = dict[str, set[str]]
"""Ids of devices by zone."""


class Registered(Protocol):
    """What has zones and devices by id: ``storage.site_store.Registry``."""

    @property
    def zones(self) -> Mapping[str, Zone]:
        """The zones."""

    @property
    def devices(self) -> Mapping[str, Device]:
        """The devices."""


@dataclass(frozen=True, slots=True)
class _Part:
    zones: Mapping[str, Zone]
    devices: list[Device]


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


def judged_by(
    rule: AlarmRule, rules: Iterable[AlarmRule], place: Registered, *, now: int, time_zone: tzinfo
) -> tuple[ByZone, ByZone]:  # fmt: skip
    """Devices that measure the rule's metric: those that ``rule`` judges whenever it is armed, beside ``rules`` (of its id none counts);
    and those of which the device itself or another rule says it. O(devices), of most of which only the metric is looked at."""
    beside = [*(each for each in rules if each.id != rule.id and each.metric == rule.metric), rule]
    armed = [Declaration(id=kind, kind=kind, zone=WHOLE_SITE, starts_at=-FAR) for kind in rule.during or STOPPED]
    part = _Part(place.zones, [device for device in place.devices.values() if _measures(device, rule.metric)])
    judged, others = ByZone(), ByZone()
    for sensor in sensors_with_rules(part, beside, armed, now=now, time_zone=time_zone).values():
        if sensor.metric == rule.metric:
            its = any(each.rule == rule.id for each in rules_of(sensor))
            (judged if its else others).setdefault(sensor.zone, set()).add(sensor.device)
    return judged, others


def _measures(device: Device, metric: str) -> bool:
    several = device.settings.get("metrics")
    return metric in several if isinstance(several, dict) else device.settings.get("metric") == metric
