"""The sensors of a zone with the alarm rules in force, for those who ask what devices can tell. What must not go in: declarations, SQL."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC

from hazards.rule_resolution import combined, sensors_with_rules
from hazards.rules import AlarmRule
from hazards.sensors import Sensor
from hazards.zones import Device, Zone
from storage.site_store import Registry


@dataclass(frozen=True, slots=True)
class _Part:
    zones: Mapping[str, Zone]
    devices: list[Device]


def alarm_rules_of(registry: Registry) -> Mapping[str, AlarmRule]:
    """The alarm rules in force, by id; of a registry that was made without SQL the site file's over the pack's."""
    if registry.rule_revision:
        return registry.rules
    return combined(registry.policy.alarm_rules if registry.policy is not None else (), registry.site.rules)


def sensors_in(registry: Registry, zone: str) -> list[Sensor]:
    """The sensors of ``zone``, see ``sensors_of_devices``."""
    return list(sensors_of_devices(registry, (d for d in registry.devices.values() if d.zone == zone)).values())


def sensors_of_devices(registry: Registry, devices: Iterable[Device]) -> dict[str, Sensor]:
    """The sensors of ``devices`` with the rules that are armed whatever is declared; a schedule's windows are of no day in particular."""
    part = _Part(registry.zones, list(devices))
    return sensors_with_rules(part, alarm_rules_of(registry).values(), (), now=0, time_zone=UTC)
