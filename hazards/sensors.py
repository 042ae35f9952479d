"""The sensor registry: which series there are, in which unit, within which range, with which limits and timing. Pure.

Made from the devices of a site; the site file's checks are in ``bihuan/sensor_keys.py``, so here nothing raises: a setting
that can't be used (kept by an older version, say) is like one that was left out. What must not go in: evaluation, state,
parsing of readings.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from msgspec import Struct

from hazards.durations import LONGEST, read_duration
from hazards.errors import MalformedMessage
from hazards.metrics import METRIC_PATTERN, metric_of
from hazards.telemetry import series_name
from hazards.units import conversion
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


class Sensor(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One series as registered.

    ``unit``: readings are converted to it; "" takes none. ``range``: what the sensor can measure; a value outside is counted, not
    refused. ``rate``: rise per second (in ``unit``) that alarms. ``deadband``: how far (in ``unit``) a value must come back inside a
    limit before the alarm ends. Delays and ``stale_after`` in µs; ``stale_after`` None: silence is no alarm.
    ``compression``: largest error (in ``unit``) of a stored raw value, 0: exact."""

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
    return Sensor(
        series=series_name(device.id, metric), device=device.id, metric=metric, zone=device.zone, unit=unit,
        range=_range(given.get("range")),
        limits=_limits(given["limits"]) if isinstance(given.get("limits"), dict) else default_limits(metric, unit),
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
        scale, shift = conversion(known.unit, unit)
    except MalformedMessage:
        return NO_LIMITS
    return Limits(*(None if limit is None else limit * scale + shift for limit in known.limits))


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
