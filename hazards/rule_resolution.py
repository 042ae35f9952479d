"""What alarm rules mean for each sensor now, as values: limits in its unit, and absolute windows in which each rule is armed. Pure.

Who wins, sensor by sensor: what the device itself says, then the rule of the console, of the site file, of the pack, then what the
platform takes for the metric. A device's own rule leaves no other that raises its kind of alarm; of the others, too, no two raise one
kind at one time: the one that wins leaves the other what is left of its windows. Schedules, key periods and declared shutdowns all become
windows here, so that what judges readings knows no calendar. A rule that ``hazards/rule_checks.py`` would refuse is left out. Methane
over limit is armed always, at once and under its ceiling, whatever a rule says.
What must not go in: state of a series, reading files, SQL, clocks.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import Protocol

from msgspec import structs

from hazards.declarations import Declaration, Declared
from hazards.errors import BadInput, MalformedMessage
from hazards.messages import WHOLE_SITE
from hazards.methane import ceiling, conversion_of, is_over_limit
from hazards.metrics import metric_of
from hazards.rule_checks import check_rule
from hazards.rules import PRECEDENCE, AlarmRule, Comparison, Override, kind_of_alarm
from hazards.schedules import horizon, windows_of
from hazards.sensor_rules import ALWAYS, FAR, LIMIT_RULES, SensorRule, Windows, common, united, without
from hazards.sensors import Sensor, limits_given, own_rules, sensors_of
from hazards.zones import Device, Zone

STOPPED = (Declared.SHUTDOWN, Declared.STOP_ORDER)
"""What arms consumption where a rule does not say what does."""
KEY_PERIOD = "key_period"
"""Variant of a rule with the limit of key periods."""
_ARMING = frozenset({*STOPPED, Declared.KEY_PERIOD})
_SCALED = frozenset({Comparison.RISING, Comparison.DEVIATION})


class Place(Protocol):
    """What has zones and devices: ``hazards.zones.Site`` (lists) or ``storage.site_store.Registry`` (by id)."""

    @property
    def zones(self) -> Mapping[str, Zone] | list[Zone]:
        """The zones."""

    @property
    def devices(self) -> Mapping[str, Device] | list[Device]:
        """The devices."""


def combined(pack: Iterable[AlarmRule], site: Iterable[AlarmRule], console: Mapping[str, AlarmRule] | None = None) -> dict[str, AlarmRule]:
    """The rules in force by id: the site file's over the pack's, the console's newest version over both. Those switched off too."""
    by_id = {rule.id: structs.replace(rule, source="pack") for rule in pack}
    by_id |= {rule.id: structs.replace(rule, source="site") for rule in site}
    return by_id | {name: structs.replace(rule, source="console") for name, rule in (console or {}).items()}


def sensors_with_rules(
    place: Place, rules: Iterable[AlarmRule], declarations: Iterable[Declaration], *, now: int, time_zone: tzinfo
) -> dict[str, Sensor]:
    """Every sensor by its series, with all that it is judged by around ``now`` (UTC µs). O(devices); anew when anything given changes, and
    each day of the site (``hazards.schedules``)."""
    devices = place.devices.values() if isinstance(place.devices, Mapping) else place.devices
    zones = place.zones if isinstance(place.zones, Mapping) else {zone.id: zone for zone in place.zones}
    resolution = _Resolution(zones, rules, declarations, *horizon(now, time_zone), time_zone)
    return {s.series: resolution.of(device, s) for device in devices for s in sensors_of(device)}


@dataclass(slots=True)
class _Resolution:
    zones: Mapping[str, Zone]
    rules: Iterable[AlarmRule]
    declarations: Iterable[Declaration]
    first: date
    last: date
    time_zone: tzinfo
    _by_metric: dict[str, list[AlarmRule]] = field(init=False, default_factory=dict)
    _by_zone: dict[str, list[Declaration]] = field(init=False, default_factory=dict)
    _narrowed: set[str] = field(init=False, default_factory=set)  # zones with a declaration for some devices alone
    _schedules: dict[str, Windows] = field(init=False, default_factory=dict)
    _known: dict[tuple[str, str, str, str], list[SensorRule]] = field(init=False, default_factory=dict)
    _whole: dict[Hashable, tuple[SensorRule, ...]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for rule in sorted(filter(_is_sound, map(_unsuppressed, self.rules)), key=_precedence):
            self._by_metric.setdefault(rule.metric, []).append(rule)
        for declaration in self.declarations:
            if declaration.kind in _ARMING or any(declaration.kind in rule.during for rules in self._by_metric.values() for rule in rules):
                self._by_zone.setdefault(declaration.zone, []).append(declaration)
                if declaration.devices:
                    self._narrowed.add(declaration.zone)

    def of(self, device: Device, sensor: Sensor) -> Sensor:
        """``sensor`` with the rules of the files; itself where none is for it."""
        if sensor.metric not in self._by_metric:
            return sensor
        narrowed = sensor.zone in self._narrowed or WHOLE_SITE in self._narrowed
        shared = (sensor.metric, sensor.unit, sensor.zone, sensor.device if narrowed else "")
        if shared not in self._known:
            self._known[shared] = [made for rule in self._by_metric[sensor.metric] for made in self._made(rule, sensor)]
        files = self._known[shared]
        if not files:
            return sensor
        given = limits_given(device, sensor.metric)
        alike = (shared, given, sensor.limits, sensor.rate, sensor.stale_after, sensor.deadband, sensor.on_delay, sensor.off_delay,
                 sensor.latching)  # fmt: skip
        if alike not in self._whole:
            self._whole[alike] = _whole(sensor, files, given)
        return structs.replace(sensor, rules=self._whole[alike])

    def _made(self, rule: AlarmRule, sensor: Sensor) -> list[SensorRule]:
        """What ``rule`` is for ``sensor``: nothing, itself, or itself and its variant for key periods."""
        zone, own = self.zones.get(sensor.zone), rule.overrides.get(sensor.zone) or Override()
        if not (rule.enabled if own.enabled is None else own.enabled) or (rule.zones and sensor.zone not in rule.zones):
            return []
        if rule.grades and (zone is None or zone.grade.value not in rule.grades):
            return []
        base = _converted(rule, own, rule.limit if own.limit is None else own.limit, sensor)
        if base is None:
            return []
        windows = self._armed(rule, sensor)
        if rule.key_period_limit is None:
            return [_armed_in(base, windows)]
        key_periods = self._declared((Declared.KEY_PERIOD,), sensor, base.kind)
        tighter = _converted(rule, own, _tighter(rule, own), sensor)
        variant = [] if tighter is None else [structs.replace(tighter, key=f"{base.key}:{KEY_PERIOD}", variant=KEY_PERIOD)]
        return [_armed_in(base, without(windows, key_periods)), *(_armed_in(v, common(windows, key_periods)) for v in variant)]

    def _armed(self, rule: AlarmRule, sensor: Sensor) -> Windows:
        if rule.id not in self._schedules:
            self._schedules[rule.id] = windows_of(rule.schedule, self.first, self.last, self.time_zone)
        windows, during = self._schedules[rule.id], rule.during or (STOPPED if rule.compares is Comparison.CONSUMPTION else ())
        return common(windows, self._declared(during, sensor, kind_of_alarm(rule))) if during else windows

    def _declared(self, kinds: Sequence[Declared], sensor: Sensor, alarm: str) -> Windows:
        found = [*self._by_zone.get(sensor.zone, ()), *self._by_zone.get(WHOLE_SITE, ())]
        return united(
            (d.starts_at, FAR if d.ends_at is None else d.ends_at)
            for d in found if d.kind in kinds and d.is_of(sensor.zone, sensor.device, alarm)
        )  # fmt: skip


def _whole(sensor: Sensor, files: Sequence[SensorRule], given: frozenset[str]) -> tuple[SensorRule, ...]:
    """The rules of ``files`` among those of ``sensor`` itself; ``given``: the limits that it gives."""
    own = own_rules(sensor)
    said = [r for r in own if r.compares not in LIMIT_RULES or r.compares in given]
    kinds = {r.kind for r in said}
    return _without_overlaps([*said, *(r for r in files if r.kind not in kinds), *(r for r in own if r not in said)])


def _precedence(rule: AlarmRule) -> tuple[int, int, str]:
    """Smaller wins: the console's, then what says more exactly where it holds."""
    return PRECEDENCE.get(rule.source, len(PRECEDENCE)), 0 if rule.zones else 1 if rule.grades else 2, rule.id


def _unsuppressed(rule: AlarmRule) -> AlarmRule:
    """``rule``; of methane over limit without all that would suppress it, though ``hazards/rule_checks.py`` lets nothing such in."""
    if not is_over_limit(rule.metric, rule.compares):
        return rule
    overrides = {z: structs.replace(own, enabled=None, on_delay=None, severity=None) for z, own in rule.overrides.items()}
    return structs.replace(rule, enabled=True, schedule=[], during=[], on_delay=0, severity=None, kind="", overrides=overrides)


def _is_sound(rule: AlarmRule) -> bool:
    """Whether ``rule`` can be judged by: one that was let in by mistake must not stop all others."""
    try:
        check_rule(rule, {*rule.zones, *rule.overrides})
    except BadInput:
        return False
    return True


def _tighter(rule: AlarmRule, own: Override) -> float | None:
    """The limit of key periods; where a zone's own is tighter than that already, that one."""
    if own.limit is None or rule.key_period_limit is None:
        return rule.key_period_limit
    choose = max if rule.compares in (Comparison.LOW, Comparison.LOW_LOW) else min
    return choose(own.limit, rule.key_period_limit)


def _converted(rule: AlarmRule, own: Override, limit: float | None, sensor: Sensor) -> SensorRule | None:
    """``rule`` in the sensor's unit; None where it can't be judged: no limit, no reference, a unit that does not convert."""
    if limit is None or (rule.compares is Comparison.DEVIATION and rule.reference is None):
        return None
    scale, shift = 1.0, 0.0
    if rule.compares is not Comparison.STALE:
        try:
            scale, shift = conversion_of(rule.metric, rule.unit or metric_of(rule.metric).unit, sensor.unit)
        except MalformedMessage:
            return None
    limit = limit * scale + (0.0 if rule.compares in _SCALED else shift)
    if is_over_limit(rule.metric, rule.compares) and (highest := ceiling(rule.compares, sensor.unit)) is not None:
        limit = min(limit, highest)
    return SensorRule(
        key=f"rule:{rule.id}", compares=rule.compares, limit=limit, kind=kind_of_alarm(rule),
        reference=(rule.reference or 0.0) * scale + shift if rule.compares is Comparison.DEVIATION else 0.0,
        deadband=(rule.deadband if own.deadband is None else own.deadband) * scale,
        on_delay=rule.on_delay if own.on_delay is None else own.on_delay,
        off_delay=rule.off_delay if own.off_delay is None else own.off_delay, latching=rule.latching,
        severity=rule.severity if own.severity is None else own.severity, rule=rule.id, basis=rule.basis,
        hourly=rule.compares is Comparison.CONSUMPTION and metric_of(rule.metric).counts_up,
    )  # fmt: skip


def _armed_in(rule: SensorRule, windows: Windows) -> SensorRule:
    return rule if windows == ALWAYS else structs.replace(rule, windows=windows)


def _without_overlaps(rules: Sequence[SensorRule]) -> tuple[SensorRule, ...]:
    """``rules``, the winning ones first, each armed only where none before it raises the same kind; in the order in which they are judged.

    Those that are never armed, and a second one on silence, are left out."""
    taken: dict[str, Windows] = {}
    found = list[SensorRule]()
    stale = False
    for rule in rules:
        windows = ALWAYS if rule.windows is None else rule.windows
        if before := taken.get(rule.kind):
            windows = without(windows, before)
        if not windows or (stale and rule.compares is Comparison.STALE):
            continue
        stale = stale or rule.compares is Comparison.STALE
        taken[rule.kind] = united([*taken.get(rule.kind, ()), *windows])
        found.append(structs.replace(rule, windows=None if windows == ALWAYS else windows))
    order = {compares: n for n, compares in enumerate(Comparison)}
    return tuple(sorted(found, key=lambda rule: order[rule.compares]))
