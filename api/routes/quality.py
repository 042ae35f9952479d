"""Alarm quality (报警质量): how much is asked of an operating position. What must not go in: arithmetic, SQL."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from sqlalchemy import Connection

from api import quality_models as models
from api.gate import GuardedRoute
from api.present_quality import Found, QualityPresenter
from api.routes.common import Asking, Filter, With, moment
from hazards.alarm_floods import LOOKBACK, PERIOD, find_floods, floor_period
from hazards.alarm_quality import assess, seats_of, shared_out
from hazards.errors import BadInput
from hazards.scope import Scope
from hazards.zones import Position
from storage.alarm_quality import positions_of, read_annunciations, read_load, read_standing, selection_of

router = APIRouter(route_class=GuardedRoute, tags=["incidents"])

LONGEST = 31 * 24 * 6 * PERIOD
"""µs of the longest window."""
_DAY = 24 * 6 * PERIOD
Begin = Annotated[
    str | None,
    Query(alias="from", max_length=60, description="RFC 3339 with offset (2026-11-22T10:10:00+08:00); left out: a day before ``to``"),
]
End = Annotated[
    str | None,
    Query(alias="to", max_length=60, description="as ``from``, not part of the window; left out, or later: the last whole 10 minutes"),
]


@router.get("/api/v1/alarm-quality", summary="Alarm-quality figures by EEMUA 191 and ISA-18.2")
async def get_alarm_quality(
    asking: Asking, services: With, begin: Begin = None, end: End = None, position: Filter = None,
    synthetic: Annotated[
        bool | None, Query(description="true: figures of demonstrations and drills alone; left out: those of a site that is one, else none")
    ] = None,
) -> models.AlarmQuality:  # fmt: skip
    """Rates per operating position and 10 minutes, floods, stale and chattering alarms, bad actors, severities, time to acknowledge; each
    with its target, how it stands, and who says so. ``from`` and ``to`` are taken down to whole 10 minutes, 31 days at most.

    An enterprise sees what is its own, an authority its district."""
    now = services.now()
    start, stop = _window(begin, end, now)
    site = services.registry().site
    synthetic = site.synthetic if synthetic is None else synthetic
    positions = positions_of(site)
    chosen = next((p for p in positions if p.id == position), None)
    if position is not None and chosen is None:
        raise BadInput("no such operating position", where="position", hint=f"one of: {', '.join(p.id for p in positions)}")
    async with services.counting:  # two readers are free for everybody else
        found = await services.database.reading(
            lambda c: _count(c, asking.scope, positions, chosen, start, stop, now=now, synthetic=synthetic)
        )
    return QualityPresenter(services.presenter(), asking.scope).body(found, chosen, synthetic=synthetic)


def _window(begin: str | None, end: str | None, now: int) -> tuple[int, int]:
    stop = floor_period(now if end is None else min(moment(end, "to"), now))
    start = stop - _DAY if begin is None else floor_period(moment(begin, "from"))
    if start >= stop:
        raise BadInput("there is no whole 10 minutes between from and to", where="from")
    if stop - start > LONGEST:
        raise BadInput("a window has 31 days at most", where="from", hint="ask for each month")
    return start, stop


def _count(
    connection: Connection, scope: Scope, positions: list[Position], chosen: Position | None, start: int, stop: int, *, now: int,
    synthetic: bool,
) -> Found:  # fmt: skip
    """On a reading thread: everything of one answer from one snapshot."""
    live = stop == floor_period(now)
    whole = read_annunciations(connection, selection_of(positions, None, scope=scope, synthetic=synthetic), start - LOOKBACK,
                               now + 1 if live else stop)  # fmt: skip
    each = shared_out(whole, positions)
    own = selection_of(positions, chosen, scope=scope, synthetic=synthetic)
    load = read_load(connection, own, start, stop)
    sounded = whole if chosen is None else each[chosen.id]
    seats = seats_of(positions) if chosen is None else chosen.seats
    quality = assess(sounded, start, stop, seats=seats, load=load, now=read_standing(connection, own, now))
    beside = [(p, assess(each[p.id], start, stop, seats=p.seats)) for p in positions]
    recent = np.count_nonzero(sounded.at > now - PERIOD) / seats if live else None
    floods = find_floods(sounded.at, now + 1, seats=seats) if live else []
    return Found(quality, load, beside, recent, bool(floods) and floods[-1].end is None)
