"""The alarm load as it is now, and each 10 minutes of it as a point of the time series: measured by one process of all, the leader.

A point is known by position and period and says how it was, not what changed: whoever writes it again writes the same, or what has come
in late since. So nothing is noted about what was written, and a new leader begins a day back. What must not go in: figures
(``hazards/alarm_quality.py``), how points are kept.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import structlog
from sqlalchemy import Connection

from hazards.alarm_floods import LOOKBACK, PERIOD, Flood, find_floods, floor_period, period_counts, seconds_in_flood
from hazards.alarm_quality import SEVERITIES, Annunciations, Standing, shared_out
from hazards.errors import BihuanError
from hazards.zones import Position
from storage.alarm_quality import positions_of, read_annunciations, read_standing, selection_of
from storage.database import Database
from storage.leadership import QUALITY, Leadership
from storage.series.port import EventPoint, TimeSeries, Value
from storage.site_store import Registry

log = structlog.get_logger()

MEASUREMENT = "alarm_quality"
EVERY = 15.0
"""Seconds between two looks."""
SETTLING = 30 * 1_000_000
"""µs after the end of a period until it is written: most of what belongs to it has been merged by then."""
BEGINNING, AGAIN = 144, 6
"""Periods that a new leader writes, if nobody says otherwise, and that are written with each new one: for what came late."""
TOGETHER = 12
"""Periods of one write: a reader and the time series are free for others in between."""


class AlarmLoad:
    """``figures``: the present load, for the notes of the process; empty while another process leads. ``now`` gives UTC µs."""

    def __init__(
        self, database: Database, series: TimeSeries, registry: Callable[[], Registry], *, now: Callable[[], int],
        beginning: int = BEGINNING,
    ) -> None:  # fmt: skip
        self.figures: dict[str, float] = {}
        self._database, self._series, self._registry, self._now = database, series, registry, now
        self._leadership = Leadership(database, QUALITY)
        self._beginning = beginning
        self._written: int | None = None

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        try:
            while True:
                await self.round()
                await asyncio.sleep(EVERY)
        finally:
            self._leadership.give_up()

    async def round(self) -> None:
        """One look; what is away is looked for again the next time."""
        try:
            if not await asyncio.to_thread(self._leadership.take):
                self.figures, self._written = {}, None
                return
            now = self._now()
            self.figures = await self._database.reading(lambda c: present_load(c, self._registry(), now))
            await self._write(floor_period(now - SETTLING))
        except BihuanError as e:
            self.figures = {}
            log.warning("the alarm load is not measured yet", error=str(e))

    async def _write(self, reached: int) -> None:
        """Write the periods up to ``reached``, if there are new ones."""
        if self._written == reached:
            return
        start = reached - (self._beginning if self._written is None else AGAIN) * PERIOD
        registry = self._registry()
        periods = await self._database.reading(lambda c: read_periods(c, registry, start, reached))
        for first in range(start, reached, TOGETHER * PERIOD):
            some = range(first, min(first + TOGETHER * PERIOD, reached), PERIOD)
            points = await self._database.reading(lambda c: _points(c, registry, periods, some))  # noqa: B023 (awaited here)
            for found in await self._series.write_points(points):
                log.warning("the time series does not take a point", reason=found.reason)
        self._written = reached


def present_load(connection: Connection, registry: Registry, now: int) -> dict[str, float]:
    """How it is at ``now``: the busiest position's alarms of 10 minutes a seat, positions in flood, incidents that stand."""
    positions = positions_of(registry.site)
    everything = selection_of(positions, None, synthetic=registry.synthetic)
    each = shared_out(read_annunciations(connection, everything, now - LOOKBACK, now + 1), positions)
    rates = [float(np.count_nonzero(each[p.id].at > now - PERIOD)) / p.seats for p in positions]
    floods = [find_floods(each[p.id].at, now + 1, seats=p.seats) for p in positions]
    stands = read_standing(connection, everything, now)
    return {
        "alarm_rate": max(rates), "floods": float(sum(bool(f) and f[-1].end is None for f in floods)), "standing": float(stands.standing),
        "stale": float(stands.stale), "unacknowledged": float(stands.unacknowledged),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Periods:
    """The annunciations and floods of each position, by its id."""

    sounded: dict[str, Annunciations]
    floods: dict[str, list[Flood]]
    synthetic: bool

    def point(self, position: Position, at: int, stood: Standing) -> EventPoint:
        """The point of ``position`` for the period that begins ``at``."""
        own = self.sounded[position.id]
        inside = own.severity[(own.at >= at) & (own.at < at + PERIOD)]
        alarms = int(period_counts(own.at, at, at + PERIOD)[0])
        fields: dict[str, Value] = {
            "alarms": alarms, "rate": alarms / position.seats, "flood_seconds": seconds_in_flood(self.floods[position.id], at, at + PERIOD),
            **{f"severity_{s}": int(np.count_nonzero(inside == s)) for s in SEVERITIES},
            "standing": stood.standing, "stale": stood.stale, "unacknowledged": stood.unacknowledged,
        }  # fmt: skip
        tags = {"position": position.id} | ({"synthetic": "true"} if self.synthetic else {})
        return EventPoint(MEASUREMENT, at * 1000, tags, fields)


def read_periods(connection: Connection, registry: Registry, start: int, end: int) -> Periods:
    """What sounded at each position; on a site that is a demonstration, its demonstrations."""
    positions = positions_of(registry.site)
    whole = read_annunciations(connection, selection_of(positions, None, synthetic=registry.synthetic), start - LOOKBACK, end)
    each = shared_out(whole, positions)
    return Periods(each, {p.id: find_floods(each[p.id].at, end, seats=p.seats) for p in positions}, registry.synthetic)


def _points(connection: Connection, registry: Registry, periods: Periods, starts: Sequence[int]) -> list[EventPoint]:
    positions = positions_of(registry.site)
    selections = [(p, selection_of(positions, p, synthetic=registry.synthetic)) for p in positions]
    return [periods.point(p, at, read_standing(connection, own, at + PERIOD)) for at in starts for p, own in selections]
