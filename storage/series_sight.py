"""What the time series says of a zone's sensors since a claim: read before the ledger's transaction, handed to its decision as data.

The time series is another database, so nothing of it is read inside a transaction. One that is away, slow or missing gives sensors without
readings, and the evidence gate then says so: it never passes by silence. Roll-ups are read in the coarsest windows that fit, finer at both
ends, so that fifteen days of a sensor are some 1,500 points. What must not go in: SQL, judging.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from structlog import get_logger

from hazards.errors import MalformedMessage, StorageUnavailable
from hazards.ledger.hazard import Hazard
from hazards.ledger.kinds import hazard_kind
from hazards.ledger.policy import GateRule
from hazards.ledger.sensor_evidence import Measured, Rollup, can_tell, limits_that_speak, silence_of
from hazards.sensors import Sensor
from hazards.telemetry import Floats
from hazards.units import conversion
from storage.judged_sensors import sensors_in
from storage.series.port import SeriesQuery, SeriesRun, TimeSeriesReader
from storage.site_store import Registry

log = get_logger(__name__)

PATIENCE = 3.0
"""Seconds that a person who claims or looks is kept waiting for the time series."""
MOST_POINTS = 20_000
"""Roll-ups of one read: half a year in quarters of an hour."""
_MICROS = 1_000_000
_MINUTE, _QUARTER = 60 * _MICROS, 900 * _MICROS
_OPEN_MINUTE, _OPEN_QUARTER = 2 * _MINUTE, 20 * _MINUTE
"""How far back the newest minute and quarter may not be written yet, µs: finer windows are read there."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the time series for one hazard: its zone's ``sensors`` that speak of its kind, ``since`` the claim (µs)."""

    zone: str
    since: int
    sensors: Sequence[tuple[Sensor, Mapping[str, float]]]
    silent: int

    def measured(self, sensor: Sensor, limits: Mapping[str, float], at: int, rollups: Sequence[Rollup] | None) -> Measured:
        """The facts of one sensor, read at ``at``; with ``rollups`` None: nobody knows."""
        silence = silence_of(sensor, self.silent)
        return Measured(device=sensor.device, metric=sensor.metric, unit=sensor.unit, limits=limits, silence=silence,
                        start=min(self.since, at) - silence, read_at=at, rollups=rollups)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SeriesSight:
    """What was read, by device and metric, at ``read_at`` (µs); a sensor that is missing here did not answer."""

    read_at: int
    rollups: Mapping[tuple[str, str], Sequence[Rollup]] = field(default_factory=dict)


def asked_of(registry: Registry, hazard: Hazard, since: int, rule: GateRule) -> Asked:
    """What to ask for ``hazard``."""
    pack = registry.policy_under(hazard.policy)
    kind, found = hazard_kind(hazard.kind, pack.kinds if pack is not None else ()), list[tuple[Sensor, Mapping[str, float]]]()
    for sensor in sensors_in(registry, hazard.zone):
        limits = limits_that_speak(kind, sensor)
        if limits or can_tell(kind, sensor):
            found.append((sensor, limits))
    return Asked(hazard.zone, since, found, rule.silent_minutes * _MINUTE)


async def look(reader: TimeSeriesReader | None, asked: Asked, *, now: int, patience: float = PATIENCE) -> SeriesSight:
    """What the time series has of ``asked`` at ``now``. Never raises for one that is away: then nothing is known."""
    if reader is None or not asked.sensors:
        return SeriesSight(now)
    try:
        async with asyncio.timeout(patience):
            found = await asyncio.gather(*(_read(reader, asked, sensor, now) for sensor, _ in asked.sensors))
    except (StorageUnavailable, TimeoutError) as e:
        log.warning("the evidence gate hears nothing from the time series", zone=asked.zone, error=str(e) or type(e).__name__)
        return SeriesSight(now)
    return SeriesSight(now, {(s.device, s.metric): each for (s, _), each in zip(asked.sensors, found, strict=True)})


def measured_of(asked: Asked, seen: SeriesSight | None, now: int) -> tuple[Measured, ...]:
    """Every sensor of ``asked`` with what was read of it before; what was not read nobody knows."""
    if seen is None:
        return tuple(asked.measured(sensor, limits, now, None) for sensor, limits in asked.sensors)
    known = seen.rollups
    return tuple(asked.measured(s, limits, seen.read_at, known.get((s.device, s.metric))) for s, limits in asked.sensors)


async def _read(reader: TimeSeriesReader, asked: Asked, sensor: Sensor, now: int) -> Sequence[Rollup]:
    """The sensor's roll-ups in the zone since the claim, and before it as long as it may be silent: oldest first, in its unit."""
    start = asked.measured(sensor, {}, now, None).start
    queries = [
        SeriesQuery(device=sensor.device, metric=sensor.metric, start=begin, end=end, resolution=resolution, limit=MOST_POINTS)
        for resolution, begin, end in steps(start, asked.since, now)
    ]
    answers = await asyncio.gather(*(reader.read(query) for query in queries))
    found = [
        rollup for query, runs in zip(queries, answers, strict=True) for run in runs if run.tags.zone == asked.zone
        for rollup in _rollups(run, sensor.unit, query.resolution * _MICROS)
    ]  # fmt: skip
    return sorted(found, key=lambda r: (r.at, r.until))


def steps(start: int, since: int, now: int) -> Iterator[tuple[int, int, int]]:
    """(resolution in s, begin, end) that cover ``start`` to ``now`` once; only a window of one second may reach over ``since``."""
    yield from _covering(start, min(since, now))
    yield from _covering(since, now)


def _covering(start: int, end: int) -> Iterator[tuple[int, int, int]]:
    first, last = _up(start, _MINUTE), (end - _OPEN_MINUTE) // _MINUTE * _MINUTE
    if last <= first:
        if end > start:
            yield 1, start, end
        return
    if first > start:
        yield 1, start, first
    quarter, open_quarter = _up(first, _QUARTER), (end - _OPEN_QUARTER) // _QUARTER * _QUARTER
    if open_quarter <= quarter:
        yield 60, first, last
    else:
        if quarter > first:
            yield 60, first, quarter
        yield 900, quarter, open_quarter
        yield 60, open_quarter, last
    yield 1, last, end


def _up(at: int, step: int) -> int:
    return -(-at // step) * step


def _rollups(run: SeriesRun, unit: str, window: int) -> list[Rollup]:
    try:
        scale, shift = conversion(run.tags.unit, unit or run.tags.unit)
    except MalformedMessage:
        return []  # what can't be compared with the limits says nothing

    def values(column: Floats) -> list[float]:
        in_unit: list[float] = np.asarray(column * scale + shift).tolist()
        return in_unit

    columns = (values(run.minimum), values(run.maximum), values(run.last))
    return [Rollup(at, at + window, low, high, last) for at, low, high, last in zip(run.at.tolist(), *columns, strict=True)]
