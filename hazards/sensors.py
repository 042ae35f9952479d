"""The sensor registry: which series there are, in which unit, within which range, with which limits and timing. Pure.

Made from the devices of a site; the site file's checks are in ``bihuan/sensor_keys.py``, so here nothing raises: a setting
that can't be used (kept by an older version, say) is like one that was left out. What a device says of limits, rise and silence are rules
of that device; ``hazards/rule_resolution.py`` adds those of the rule files. What must not go in: evaluation, state, parsing of readings.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol

from msgspec import Struct, structs

from hazards.durations import LONGEST, read_duration
from hazards.errors import MalformedMessage
from hazards.methane import CEILINGS, METHANE, ceiling, conversion_of, is_over_limit
from hazards.metrics import METRIC_PATTERN, metric_of
from hazards.rules import Comparison
from hazards.sensor_rules import HIGHS, LIMIT_RULES, MICROS, SensorRule
from hazards.telemetry import series_name
from hazards.zones import Device

OF_ONE_METRIC = (
    "unit", "range", "limits", "rate", "deadband", "on_delay", "off_delay", "latching", "stale_after", "compression",
)  # fmt: skip
"""Keys that a device gives for its one ``metric``, or for each entry of its ``metrics``."""
SHARED = ("on_delay", "off_delay", "latching", "stale_after")
"""Those of them that may stand at a device with ``metrics`` and hold for each that gives none of its own."""
LIMITS = ("low_low", "low", "high", "high_high")
"""In rising order."""


class Limits(Struct, frozen=True, omit_defaults=True):
    """Limits in the sensor's unit, rising; None: there is none. A value at a limit is beyond it."""

    low_low: float | None = None
    low: float | None = None
    high: float | None = None
    high_high: float | None = None


NO_LIMITS = Limits()
OWN_KEYS = frozenset(compares.value for compares in (*LIMIT_RULES, Comparison.RISING, Comparison.STALE))
"""Keys of the rules that a device itself, or the platform for its metric, may have."""


class Sensor(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One series as registered.

    ``unit``: readings are converted to it; "" takes none. ``range``: what the sensor can measure; a value outside is counted, not
    refused. ``rate``: rise per second (in ``unit``) that alarms. ``deadband``: how far (in ``unit``) a value must come back inside a
    limit before the alarm ends. Delays and ``stale_after`` in µs; ``stale_after`` None: silence is no alarm.
    ``compression``: largest error (in ``unit``) of a stored raw value, 0: exact. ``rules``: all that it is judged by, in this order; None:
    what the fields before say, see ``rules_of``."""

    series: str
    device: str
    metric: str
    zone: str
    unit: str = ""
    range: tuple[float, float] | None = None
    limits: Limits = NO_LIMITS
    rate: float | None = None
    deadband: float = 0.0
    on_delay: int = 0
    off_delay: int = 0
    latching: bool = False
    stale_after: int | None = None
    compression: float = 0.0
    rules: tuple[SensorRule, ...] | None = None


Sensors = Mapping[str, Sensor]
"""Series name to sensor."""


class Place(Protocol):
    """What has devices: ``hazards.zones.Site`` (a list) or ``storage.site_store.Registry`` (by id)."""

    @property
    def devices(self) -> Mapping[str, Device] | list[Device]:
        """The devices."""


def sensors_of_site(place: Place) -> dict[str, Sensor]:
    """Every sensor of a site or a registry by its series. O(devices): keep it while the site's version stays."""
    devices: Iterable[Device] = place.devices.values() if isinstance(place.devices, Mapping) else place.devices
    return {sensor.series: sensor for device in devices for sensor in sensors_of(device)}


def sensors_of(device: Device) -> list[Sensor]:
    """The sensors of ``device``: one for ``metric``, or one for each entry of ``metrics``; none for a device without both."""
    settings = device.settings
    several = settings.get("metrics")
    if isinstance(several, dict):
        common = {key: settings[key] for key in SHARED if key in settings}
        return [
            _sensor(device, metric, common | (own if isinstance(own, dict) else {}))
            for metric, own in several.items()
            if METRIC_PATTERN.match(metric)
        ]
    metric = settings.get("metric")
    if isinstance(metric, str) and METRIC_PATTERN.match(metric):
        return [_sensor(device, metric, settings)]
    return []


def _sensor(device: Device, metric: str, given: dict[str, Any]) -> Sensor:
    known = metric_of(metric)
    unit = given.get("unit")
    unit = unit if isinstance(unit, str) and unit else known.unit
    rate = _number(given.get("rate"))
    limits = _limits(given["limits"]) if isinstance(given.get("limits"), dict) else default_limits(metric, unit)
    return Sensor(
        series=series_name(device.id, metric), device=device.id, metric=metric, zone=device.zone, unit=unit,
        range=_range(given.get("range")),
        limits=limits if metric != METHANE.name else _under_ceiling(limits, unit),
        rate=rate if rate is not None and rate > 0 else None,
        deadband=_not_negative(given.get("deadband")),
        on_delay=_delay(given, "on_delay", device.timing.on_delay),
        off_delay=_delay(given, "off_delay", device.timing.off_delay),
        latching=given["latching"] if isinstance(given.get("latching"), bool) else device.timing.latching,
        stale_after=_delay(given, "stale_after", 0) or None,
        compression=_not_negative(given.get("compression")),
    )  # fmt: skip


def default_limits(metric: str, unit: str) -> Limits:
    """The limits of ``hazards.metrics`` in ``unit``, for a sensor without any of its own; none when the unit does not convert."""
    known = metric_of(metric)
    try:
        scale, shift = conversion_of(metric, known.unit, unit)
    except MalformedMessage:
        return NO_LIMITS
    return Limits(*(None if limit is None else limit * scale + shift for limit in known.limits))


def _under_ceiling(limits: Limits, unit: str) -> Limits:
    """Methane is never without its limits, nor are they above the platform's: it can't be suppressed."""
    capped = {}
    for name in CEILINGS:
        given, highest = getattr(limits, name), ceiling(name, unit)
        capped[name] = given if highest is None else highest if given is None else min(given, highest)
    return structs.replace(limits, **capped)


def _limits(given: dict[str, Any]) -> Limits:
    return Limits(*(_number(given.get(name)) for name in LIMITS))


def _range(given: Any) -> tuple[float, float] | None:
    if not isinstance(given, list) or len(given) != 2:
        return None
    low, high = _number(given[0]), _number(given[1])
    return (low, high) if low is not None and high is not None and low < high else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _not_negative(value: Any) -> float:
    return max(_number(value) or 0.0, 0.0)


def _delay(given: dict[str, Any], key: str, default: int) -> int:
    text = given.get(key)
    microseconds = read_duration(text) if isinstance(text, str) else None
    return microseconds if microseconds is not None and microseconds <= LONGEST else default


# --- the rules of a device ---


def rules_of(sensor: Sensor) -> tuple[SensorRule, ...]:
    """All that ``sensor`` is judged by."""
    return sensor.rules if sensor.rules is not None else own_rules(sensor)


def limits_given(device: Device, metric: str) -> frozenset[str]:
    """The limits of ``metric`` that ``device`` says itself, by name."""
    several = device.settings.get("metrics")
    settings = several.get(metric) if isinstance(several, dict) else device.settings
    limits = settings.get("limits") if isinstance(settings, dict) else None
    return frozenset(name for name in LIMITS if _number(limits.get(name)) is not None) if isinstance(limits, dict) else frozenset()


def standing_limits(sensor: Sensor, of_kind: Callable[[str], bool] = lambda _: True) -> dict[str, float]:
    """By name the strictest limits that are armed always and whose alarms are ``of_kind``, in the sensor's unit."""
    found: dict[str, float] = {}
    for rule in rules_of(sensor):
        if rule.compares in LIMIT_RULES and rule.windows is None and of_kind(rule.kind):
            stricter = min if rule.compares in HIGHS else max
            found[rule.compares.value] = stricter(rule.limit, found.get(rule.compares.value, rule.limit))
    return found


def watches_silence(sensor: Sensor) -> bool:
    """Whether its silence is an alarm."""
    return sensor.stale_after is not None if sensor.rules is None else any(r.compares is Comparison.STALE for r in sensor.rules)


@lru_cache(maxsize=16_384)
def own_rules(sensor: Sensor) -> tuple[SensorRule, ...]:
    """The rules that the device itself gives, and the platform's for a metric without limits of its own."""
    limits = ((compares, getattr(sensor.limits, compares)) for compares in LIMIT_RULES)
    found = [own_rule(sensor, compares, limit) for compares, limit in limits if limit is not None]
    if sensor.rate is not None:
        found.append(own_rule(sensor, Comparison.RISING, sensor.rate))
    if sensor.stale_after is not None:
        found.append(own_rule(sensor, Comparison.STALE, sensor.stale_after / MICROS))
    return tuple(found)


def own_rule(sensor: Sensor, compares: Comparison, limit: float) -> SensorRule:
    """The device's rule for ``compares``, with the timing of its settings."""
    return SensorRule(
        key=compares.value, compares=compares, limit=limit, kind=kind_of_rule(sensor, compares),
        deadband=sensor.deadband if compares in LIMIT_RULES else 0.0,
        on_delay=0 if is_over_limit(sensor.metric, compares) else sensor.on_delay, off_delay=sensor.off_delay,
        latching=sensor.latching, basis=basis_of(sensor, compares),
    )  # fmt: skip


def kind_of_rule(sensor: Sensor, compares: str) -> str:
    """The kind of alarm that a device's own rule raises, of ``hazards/kinds.py``."""
    return "sensor_stale" if compares == Comparison.STALE else f"{sensor.metric}_{compares}"


def basis_of(sensor: Sensor, compares: str) -> str:
    """Where the limit comes from: the site's file, or what the platform takes for a metric without any of its own."""
    if compares in LIMIT_RULES and sensor.limits != NO_LIMITS and sensor.limits == default_limits(sensor.metric, sensor.unit):
        return "platform_default"
    return "site"
