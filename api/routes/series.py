"""Time series: which there are, and their points in a resolution that fits the range. What must not go in: storage, arithmetic."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Literal

import msgspec
import numpy as np
from fastapi import APIRouter, Query, Response
from pydantic import BeforeValidator

from api import series_models as models
from api.gate import GuardedRoute
from api.present import Presenter
from api.routes.common import LARGEST_PAGE, NO_NUL, Asking, Cursor, With, moment, number_or_default, page_by_id
from api.services import Services
from hazards.errors import BadInput, MalformedMessage, NotFound, Unavailable
from hazards.scope import Scope
from hazards.sensors import LIMITS, Sensor, sensors_of_site, standing_limits
from hazards.telemetry import Floats, series_name
from hazards.units import conversion
from storage.judged_sensors import sensors_of_devices
from storage.series.port import RAW, SeriesQuery, SeriesRun
from storage.series.resolution import MICROS, NAMES, WANTED, Choice, choices
from storage.series.runs import joined, wider
from storage.site_store import Registry

router = APIRouter(route_class=GuardedRoute, tags=["telemetry"])

MOST = 10_000
"""Points of one answer at most."""
MOST_COMBINED = 200_000
"""Roll-ups read for one answer at most: five years in quarters of an hour."""
_HOUR = 3600 * MICROS
_LATEST = 253_402_300_799 * MICROS  # the end of the year 9999

Name = Annotated[str | None, Query(max_length=300, pattern=NO_NUL)]
Begin = Annotated[
    str | None,
    Query(alias="from", max_length=60, description="RFC 3339 with offset (2026-11-22T10:15:30+08:00); left out: an hour before ``to``"),
]
End = Annotated[str | None, Query(alias="to", max_length=60, description="as ``from``, not part of the range; left out: now")]
PointLimit = Annotated[
    int, BeforeValidator(number_or_default), Query(description=f"points: clamped to 1…{MOST}; series of the list: to 1…{LARGEST_PAGE}")
]
Wanted = Annotated[Literal["auto", "raw", "1s", "1m", "15m"], Query(description="auto: the finest that gives some 2,000 points")]


@router.get(
    "/api/v1/series", summary="Points of one series, or which series there are",
    responses={200: {"model": models.SeriesPoints | models.SeriesPage}}, response_model=None,
)  # fmt: skip
async def get_series(
    asking: Asking,
    services: With,
    device: Name = None,
    metric: Name = None,
    zone: Name = None,
    begin: Begin = None,
    end: End = None,
    resolution: Wanted = "auto",
    cursor: Cursor = None,
    limit: PointLimit = WANTED,
) -> Response | models.SeriesPage:
    """With ``device`` and ``metric``: its points in ``from`` <= time < ``to``, oldest first, never more than 10,000. With ``zone``, or
    ``device`` alone, or nothing: the registered series, by page. An enterprise sees its own, also of the past; a district what was
    measured where the device stands now."""
    registry = services.registry()
    if metric is None:
        return _listed(registry, asking.scope, device=device, zone=zone, cursor=cursor, limit=limit)
    if device is None:
        raise BadInput("a metric belongs to a device", where="device", hint="give device and metric")
    sensor = _sensor(registry, asking.scope, device, metric)
    start, stop = _range(begin, end, services.now())
    limit = min(max(limit, 1), MOST)
    if resolution == "auto":
        wanted = list(choices(start, stop, now=services.now(), retention=services.retention, wanted=min(limit, WANTED)))
    else:
        wanted = [Choice(NAMES[resolution], NAMES[resolution])]
    choice, runs = await _read(services, sensor, asking.scope, wanted, start, stop, limit)
    body = await asyncio.to_thread(_body, services.presenter(), sensor, choice, runs, start, stop, limit)
    return Response(body, media_type="application/json")


def _listed(
    registry: Registry, scope: Scope, *, device: str | None, zone: str | None, cursor: str | None, limit: int
) -> models.SeriesPage:  # fmt: skip
    found = [
        s for s in sensors_of_site(registry).values()
        if (device is None or s.device == device) and (zone is None or s.zone == zone)
        and scope.sees_register(s.zone, registry.enterprise_of(s.zone))
    ]  # fmt: skip
    page, following = page_by_id(found, lambda s: s.series, cursor=cursor, limit=limit)
    judged = sensors_of_devices(registry, {s.device: registry.devices[s.device] for s in page}.values())
    items = [_described(judged.get(s.series, s), shared=s.zone in scope.shared) for s in page]
    return models.SeriesPage(items=items, next=following)


def _sensor(registry: Registry, scope: Scope, device: str, metric: str) -> Sensor:
    """The sensor as registered; one that nobody registered is known only to those who see all."""
    known, zone = registry.device(device), registry.zone_of(device)
    if not scope.sees(zone, registry.enterprise_of(zone)):
        raise NotFound("no such device", where=device)
    series = series_name(device, metric)
    registered = sensors_of_devices(registry, [known]).get(series) if known is not None else None
    return registered or Sensor(series=series, device=device, metric=metric, zone=zone)


def _described(sensor: Sensor, *, shared: bool = False) -> models.Series:
    limits = models.SensorLimits(**dict[str, float | None].fromkeys(LIMITS) | standing_limits(sensor))
    return models.Series(
        device=sensor.device, metric=sensor.metric, zone=sensor.zone, unit=sensor.unit, range=sensor.range, limits=limits,
        error=sensor.compression, shared=shared,
    )  # fmt: skip


def _range(begin: str | None, end: str | None, now: int) -> tuple[int, int]:
    stop = now if end is None else moment(end, "to")
    start = stop - _HOUR if begin is None else moment(begin, "from")
    if start >= stop:
        raise BadInput("the range is empty: from is not before to", where="from")
    return min(max(start, 0), _LATEST - 1), min(max(stop, 1), _LATEST)


async def _read(
    services: Services, sensor: Sensor, scope: Scope, wanted: Sequence[Choice], start: int, stop: int, limit: int
) -> tuple[Choice, Sequence[SeriesRun]]:
    """The first choice that fits, and what it gives: one point more than ``limit``, where there is more."""
    if services.time_series is None:
        raise Unavailable("there is no time series here")
    for choice in wanted:
        most = MOST_COMBINED if choice.every > choice.resolution else limit + 1
        query = SeriesQuery(device=sensor.device, metric=sensor.metric, start=start, end=stop, resolution=choice.resolution, limit=most,
                            enterprise=scope.enterprise, zone=None if scope.zones is None else sensor.zone)  # fmt: skip
        runs = await services.time_series.read(query)
        if choice is wanted[-1] or sum(len(r.at) for r in runs) < most:
            break
    return choice, runs


def _body(presenter: Presenter, sensor: Sensor, choice: Choice, runs: Sequence[SeriesRun], start: int, stop: int, limit: int) -> bytes:
    unit = sensor.unit or (max(runs, key=lambda r: int(r.at[-1])).tags.unit if runs else "")
    found, left_out = _in_one_unit(runs, unit)
    if found is not None and choice.every > choice.resolution:
        offset = presenter.time(start).utcoffset() or timedelta()
        found = wider(found, choice.every * MICROS, int(offset.total_seconds()) * MICROS)
    points = [] if found is None else _points(found, presenter, raw=choice.resolution == RAW)
    body = {
        **_described(msgspec.structs.replace(sensor, unit=unit)).model_dump(),
        "resolution": next(name for name, resolution in NAMES.items() if resolution == choice.resolution), "window": choice.every,
        "from": presenter.time(start), "to": presenter.time(stop), "points": points[:limit],
        "next": points[limit]["at"] if len(points) > limit else None, "left_out": left_out,
    }  # fmt: skip
    return msgspec.json.encode(body)


def _in_one_unit(runs: Sequence[SeriesRun], unit: str) -> tuple[SeriesRun | None, list[str]]:
    """All runs as one in ``unit``, and the units that can't be converted."""
    scales: dict[str, tuple[float, float]] = {}
    left_out: set[str] = set()
    for run in runs:
        try:
            scales[run.tags.unit] = conversion(run.tags.unit, unit)
        except MalformedMessage:
            left_out.add(run.tags.unit)

    def in_unit(given: str, values: Floats) -> Floats:
        scale, shift = scales[given]
        return values if (scale, shift) == (1.0, 0.0) else np.asarray(values * scale + shift)

    return joined([r for r in runs if r.tags.unit in scales], in_unit), sorted(left_out)


def _points(run: SeriesRun, presenter: Presenter, *, raw: bool) -> list[dict[str, object]]:
    times = [presenter.time(at) for at in run.at.tolist()]
    if raw:
        return [{"at": at, "value": value} for at, value in zip(times, run.last.tolist(), strict=True)]
    columns = (run.minimum, run.mean, run.maximum, run.last, run.count)
    rows = zip(times, *(c.tolist() for c in columns), strict=True)
    return [{"at": at, "min": low, "mean": mean, "max": high, "last": last, "count": count} for at, low, mean, high, last, count in rows]
