"""From what a sender measured to readings of zones: known sensor, unit, time, whose device it is. No I/O.

A value outside the sensor's range is a reading like any other and is counted; a device that nobody registered is taken into the zone
``unassigned``, up to a bound. What must not go in: wire formats, packs, the journal.
"""

import math
import sys
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hazards.device_clock import RIGHT_WITHIN, DeviceClocks
from hazards.errors import MalformedMessage, NotPermitted, Throttled
from hazards.messages import UNASSIGNED
from hazards.scope import Scope
from hazards.sensors import Sensor, sensors_of
from hazards.telemetry import series_parts
from hazards.units import conversion
from ingest.measurements import Measurements
from ingest.senml import SUM
from storage.site_store import Registry

LATEST_AHEAD = 5 * 60 * 1_000_000
"""µs that a reading's time may be ahead of ours."""
OLDEST_BEHIND = 30 * 24 * 3600 * 1_000_000
"""µs that a reading may be old: a gateway that was cut off sends what it kept."""
MAX_UNKNOWN = 2_000
"""Series that nobody registered, at a time; their names would else be a way to fill memory and the time series."""
UNKNOWN_FOR = 3600 * 1_000_000
"""µs after its last reading that such a series gives its place to another."""

_LARGEST = sys.float_info.max


@dataclass(slots=True, frozen=True)
class _Route:
    """Where readings of one (name, unit) go: ``value * scale + shift`` is in the sensor's unit; ``low`` to ``high`` is its range."""

    zone: str
    enterprise: str | None
    scale: float = 1.0
    shift: float = 0.0
    low: float = -_LARGEST  # so that an infinite value is outside also of a sensor without a range
    high: float = _LARGEST


@dataclass(slots=True)
class Columns:
    """Readings of one zone: parallel lists, ``at`` in UTC µs, ``value`` in the sensor's unit."""

    series: list[str] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Admitted:
    """Readings by zone, and how many of them lay outside their sensor's range or belong to no registered sensor."""

    zones: dict[str, Columns] = field(default_factory=dict)
    out_of_range: int = 0
    unregistered: int = 0


class Admission:
    """Judges measurements by the site as it is now. ``registry`` gives a new object when the site changed."""

    def __init__(self, registry: Callable[[], Registry], *, max_unknown: int = MAX_UNKNOWN) -> None:
        self._registry, self._max_unknown = registry, max_unknown
        self._site: Registry | None = None
        self._routes: dict[tuple[str, str], _Route] = {}  # bounded: registered series by units that convert
        self._unknown: OrderedDict[str, int] = OrderedDict()  # series to its last reading's receipt, oldest first
        self.clocks = DeviceClocks(oldest=OLDEST_BEHIND)

    @property
    def unknown_series(self) -> int:
        """Series that nobody registered and that were heard lately."""
        return len(self._unknown)

    def timed(self, found: Measurements, *, scope: Scope, received_at: int) -> Measurements:
        """``found``, with the times of devices whose clocks are steadily wrong corrected. The newest time of a device teaches its clock."""
        if not len(found) or (
            not len(self.clocks) and min(found.at) >= received_at - RIGHT_WITHIN and max(found.at) <= received_at + RIGHT_WITHIN
        ):
            return found  # the usual case, at the cost of two looks
        newest: dict[str, int] = {}
        for name, at in zip(found.name, found.at, strict=True):
            if newest.get(name, at) <= at:
                newest[name] = at
        devices: dict[str, int] = {}
        for name, at in newest.items():
            device = series_parts(name)[0]
            devices[device] = max(at, devices.get(device, at))
        site, sender = self._registry(), scope.enterprise or ""
        errors = {
            device: error for device, at in devices.items()
            if self._may_teach(site, device, scope) and (error := self.clocks.hear((sender, device), at, received_at))
        }  # fmt: skip
        if not errors:
            return found
        shifts = {name: errors.get(series_parts(name)[0], 0) for name in newest}
        return replace(found, at=[at - shifts[name] for name, at in zip(found.name, found.at, strict=True)])

    @staticmethod
    def _may_teach(site: Registry, device: str, scope: Scope) -> bool:
        known = site.device(device)
        return known is None or scope.sees(known.zone, site.enterprise_of(known.zone))

    def admit(self, found: Measurements, span: range, *, scope: Scope, received_at: int, into: Admitted) -> None:
        """Judge the entries ``span`` of ``found`` and add them to ``into``. ``scope``: whose devices the sender speaks for.

        Raises MalformedMessage, NotPermitted and Throttled for the first entry that can't be taken; ``into`` is then of no use."""
        if (site := self._registry()) is not self._site:
            self._site, self._routes, self._unknown = site, {}, OrderedDict()
        routes, zones = self._routes, into.zones
        bound = not scope.everything
        earliest, latest = received_at - OLDEST_BEHIND, received_at + LATEST_AHEAD
        for n in span:
            name, at = found.name[n], found.at[n]
            route = routes.get((name, found.unit[n])) or self._route(site, found, n, scope, received_at, into)
            if not earliest <= at <= latest:
                raise _untimely(found, n, at - received_at)
            if bound and route.zone != UNASSIGNED and not scope.sees(route.zone, route.enterprise):
                raise _foreign(found, n)
            value = found.value[n] * route.scale + route.shift
            if not route.low <= value <= route.high:  # also true for not-a-number
                if not math.isfinite(value):
                    raise MalformedMessage("not a finite number in the sensor's unit", where=found.pointer(found.record[n], "v"))
                into.out_of_range += 1
            if (columns := zones.get(route.zone)) is None:
                columns = zones[route.zone] = Columns()
            columns.series.append(name)
            columns.at.append(at)
            columns.value.append(value)

    def _route(self, site: Registry, found: Measurements, n: int, scope: Scope, received_at: int, into: Admitted) -> _Route:
        name, unit, record = found.name[n], found.unit[n], found.record[n]
        device_id, metric = series_parts(name)
        if not device_id or not metric:
            raise MalformedMessage(
                f"{name[:80]!r} names no device and metric", where=found.pointer(record, "n"), hint='device id + "/" + metric'
            )
        device = site.device(device_id)
        if device is None:
            self._note_unknown(name, received_at)
            into.unregistered += 1
            return _Route(UNASSIGNED, None)
        enterprise = site.enterprise_of(device.zone)
        if not scope.sees(device.zone, enterprise):
            raise _foreign(found, n)  # before anything is said of its unit
        sensor = next((s for s in sensors_of(device) if s.metric == metric.removesuffix(SUM)), None)
        if sensor is None:
            self._note_unknown(name, received_at)
            into.unregistered += 1
            return _Route(device.zone, enterprise)
        try:
            route = _registered(sensor, unit, enterprise, total=metric != sensor.metric)
        except MalformedMessage as e:
            raise MalformedMessage(e.what, where=found.pointer(record, "u"), hint=e.hint) from None
        self._routes[name, unit] = route
        return route

    def _note_unknown(self, name: str, received_at: int) -> None:
        unknown = self._unknown
        if name not in unknown and len(unknown) >= self._max_unknown:
            oldest = next(iter(unknown))
            if received_at - unknown[oldest] < UNKNOWN_FOR:
                raise Throttled(
                    f"{name[:80]!r} is not registered, and {len(unknown)} series already wait to be", where="",
                    hint="register the device and its metric in the site file",
                )  # fmt: skip
            del unknown[oldest]
        unknown[name] = received_at
        unknown.move_to_end(name)


def _registered(sensor: Sensor, unit: str, enterprise: str | None, *, total: bool) -> _Route:
    """``total``: a sum over time, in the unit times seconds, which has no range and no shift. Raises MalformedMessage."""
    scale, shift = conversion(unit, sensor.unit) if unit else (1.0, 0.0)
    if not total:
        return _Route(sensor.zone, enterprise, scale, shift, *(sensor.range or (-_LARGEST, _LARGEST)))
    if shift:
        raise MalformedMessage(f"a sum in {unit!r} can't be converted to {sensor.unit!r}", hint=f"send {sensor.unit}")
    return _Route(sensor.zone, enterprise, scale)


def _foreign(found: Measurements, n: int) -> NotPermitted:
    place = found.pointer(found.record[n], "")
    return NotPermitted(f"record {place}: {found.name[n]!r} belongs to somebody else", where=place)


def _untimely(found: Measurements, n: int, ahead: int) -> MalformedMessage:
    place = found.pointer(found.record[n], "t")
    if ahead > 0:
        return MalformedMessage(
            f"the time is {ahead / 1e6:.0f} s ahead of ours", where=place, hint=f"at most {LATEST_AHEAD // 1_000_000} s: set the clock"
        )
    return MalformedMessage(
        f"the time is {-ahead / 86_400e6:.1f} days behind", where=place, hint=f"at most {OLDEST_BEHIND // 86_400_000_000} days"
    )
