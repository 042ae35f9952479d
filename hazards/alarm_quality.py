"""Alarm-quality figures (报警质量) by EEMUA 191 and ISA-18.2, from what was annunciated and what devices raised. Pure: no clock, no SQL.

An annunciation (提示) is a moment at which an incident sounded: it opened, or came back after it had cleared. Rates are per operating
position (操作岗位) and seat. What must not go in: targets (``hazards/alarm_targets.py``), rates and floods (``hazards/alarm_floods.py``).
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from hazards.alarm_floods import PERIOD, Flood, find_floods, period_counts, seconds_in_flood
from hazards.alarm_targets import Figure
from hazards.telemetry import Floats, Int64s
from hazards.zones import Position

SEVERITIES = (1, 2, 3, 4)
STALE_AFTER = 24 * 3600 * 1_000_000
"""µs for which an alarm has stood when it is stale (滞留, ISA-18.2)."""
CHATTER_COUNT, CHATTER_WITHIN = 3, 60 * 1_000_000
"""So many of one device and kind within so many µs: it chatters (抖动)."""
BAD_ACTORS = 10
_DAY = 24 * 3600 * 1_000_000
WHOLE = Position(id="all", name="")
"""The one position of a site that names none: every zone, one seat."""


@dataclass(frozen=True, slots=True)
class Annunciations:
    """Moments at which incidents sounded, oldest first: time (µs), severity 1 to 4, zone. ``waited``: seconds until the acknowledgement
    that it called for, NaN while there is none; ``called``: whether it did: what comes back acknowledged does not."""

    at: Int64s
    severity: Int64s
    zone: Sequence[str]
    waited: Floats
    called: NDArray[np.bool_]

    def of(self, chosen: NDArray[np.bool_]) -> "Annunciations":
        """Those that are ``chosen``."""
        zones = [self.zone[n] for n in np.flatnonzero(chosen).tolist()]
        return Annunciations(self.at[chosen], self.severity[chosen], zones, self.waited[chosen], self.called[chosen])


class Sounded(Struct, frozen=True):
    """One row of storage: incident ``incident`` sounded at ``at`` (µs). ``late``: µs later it was received; nobody waits before."""

    incident: str
    at: int
    zone: str
    severity: int
    opened: bool = True  # False: it came back
    late: int = 0


class Settled(Struct, frozen=True):
    """What decides whether an incident waits for somebody: it was acknowledged, or (not ``acknowledged``) became graver since.

    ``at``: when that was known (µs)."""

    incident: str
    at: int
    acknowledged: bool


class Actor(Struct, frozen=True):
    """A device's kind of alarm in the window. ``alarms``: how often it was raised; ``chatters``: of them the third or later in a minute."""

    device: str
    kind: str
    alarms: int
    chatters: int = 0


class Load(Struct, frozen=True):
    """What devices raised in the window, before merging. ``actors``: the noisiest and all that chatter most; ``pairs``: device and kind."""

    alarms: int = 0
    pairs: int = 0
    chattering: int = 0
    actors: Sequence[Actor] = ()

    @property
    def worst(self) -> list[Actor]:
        """The bad actors (最吵设备): the ten that raised most."""
        return sorted(self.actors, key=lambda a: (-a.alarms, a.device, a.kind))[:BAD_ACTORS]

    @property
    def fluttering(self) -> list[Actor]:
        """Those that chattered, the worst first."""
        return sorted((a for a in self.actors if a.chatters), key=lambda a: (-a.chatters, a.device, a.kind))[:BAD_ACTORS]


class Standing(Struct, frozen=True):
    """Incidents at one moment: that stand, of them stale ones, and those that nobody acknowledged."""

    standing: int = 0
    stale: int = 0
    unacknowledged: int = 0


@dataclass(frozen=True, slots=True)
class Quality:
    """The figures of ``start`` <= time < ``end`` (µs, borders of periods) for ``seats`` people. ``counts``: annunciations by period."""

    start: int
    end: int
    seats: int
    counts: Int64s
    floods: Sequence[Flood]
    severities: Mapping[int, int]
    figures: Sequence[Figure] = field(default=())

    @property
    def total(self) -> int:
        """Annunciations of the window."""
        return int(self.counts.sum())


def annunciations(rows: Sequence[Sounded], settled: Iterable[Settled]) -> Annunciations:
    """Rows of storage as arrays, each with how long it waited since it was received."""
    turns: dict[str, list[Settled]] = {}
    for event in sorted(settled, key=lambda s: s.at):
        turns.setdefault(event.incident, []).append(event)
    waits = [_wait(row, turns.get(row.incident, ())) for row in rows]
    return Annunciations(
        np.array([r.at for r in rows], np.int64), np.array([r.severity for r in rows], np.int64), [r.zone for r in rows],
        np.array([np.nan if w is None else max(w, 0.0) for w in waits], np.float64),
        np.array([w is None or w >= 0 for w in waits], np.bool_),
    )  # fmt: skip


def _wait(row: Sounded, turns: Sequence[Settled]) -> float | None:
    """Seconds, None: it still waits, negative: it never called, since the incident was acknowledged when it came back."""
    heard = row.at + row.late
    place = bisect_left(turns, heard, key=lambda t: t.at)
    if not row.opened and place and turns[place - 1].acknowledged:
        return -1.0
    done = next((t.at for t in turns[place:] if t.acknowledged), None)
    return None if done is None else (done - heard) / 1e6


def assess(
    sounded: Annunciations, start: int, end: int, *, seats: int = 1, load: Load | None = None, now: Standing | None = None
) -> Quality:
    """The figures of a window. ``sounded`` begins ``alarm_floods.LOOKBACK`` before ``start``; ``load`` and ``now`` where they are known."""
    inside = (sounded.at >= start) & (sounded.at < end)
    found = sounded.of(inside)
    counts = period_counts(sounded.at, start, end)
    floods = [f for f in find_floods(sounded.at[sounded.at < end], end, seats=seats) if f.end is None or f.end > start]
    severities = {s: int(np.count_nonzero(found.severity == s)) for s in SEVERITIES}
    figures = [
        *_rates(counts, seats), *_flood_figures(floods, start, end), *_shares(severities), *_waits(found),
        *(_standing(now) if now is not None else ()), *(_loads(load) if load is not None else ()),
    ]  # fmt: skip
    return Quality(start, end, seats, counts, floods, severities, figures)


def _rates(counts: Int64s, seats: int) -> list[Figure]:
    rates = counts / seats
    average, days = float(rates.mean()), len(counts) * PERIOD / _DAY
    above = [Figure(f"share_above_{n}", float(np.count_nonzero(rates > n)) / len(rates), "share") for n in (1, 2, 10)]
    return [
        Figure("annunciated", float(counts.sum()), "count"), Figure("rate_average", average, "alarms"),
        Figure("rate_maximum", float(rates.max()), "alarms"), *above, Figure("per_day", float(rates.sum()) / days, "alarms"),
    ]  # fmt: skip


def _flood_figures(floods: Sequence[Flood], start: int, end: int) -> list[Figure]:
    lengths = [((f.end or end) - f.start) / 1e6 for f in floods]
    return [
        Figure("flood_count", float(len(floods)), "count"),
        Figure("flood_share", seconds_in_flood(floods, start, end) * 1e6 / (end - start), "share"),
        Figure("flood_longest", max(lengths, default=None), "seconds"),
        Figure("flood_peak", max((float(f.peak) for f in floods), default=None), "alarms"),
    ]


def _shares(severities: Mapping[int, int]) -> list[Figure]:
    total = sum(severities.values())
    return [Figure(f"severity_{s}_share", n / total if total else None, "share") for s, n in severities.items()]


def _waits(found: Annunciations) -> list[Figure]:
    waited = found.waited[found.called & ~np.isnan(found.waited)]
    waiting = int(np.count_nonzero(found.called & np.isnan(found.waited)))
    median, high, most = np.percentile(waited, (50, 90, 100)).tolist() if len(waited) else (None, None, None)
    return [
        Figure("acknowledged_median", median, "seconds"), Figure("acknowledged_p90", high, "seconds"),
        Figure("acknowledged_maximum", most, "seconds"), Figure("never_acknowledged", float(waiting), "count"),
    ]  # fmt: skip


def _standing(now: Standing) -> list[Figure]:
    return [Figure(name, float(getattr(now, name)), "count") for name in ("standing", "stale", "unacknowledged")]


def _loads(load: Load) -> list[Figure]:
    top = sum(a.alarms for a in load.worst) / load.alarms if load.pairs > BAD_ACTORS else None  # of ten, ten are always all
    return [
        Figure("raised", float(load.alarms), "count"), Figure("chattering", float(load.chattering), "count"),
        Figure("top_ten_share", top, "share"),
    ]  # fmt: skip


# --- who sits where ---
def covers(positions: Sequence[Position], zone: str) -> Position:
    """The position that ``zone`` belongs to: the one that lists it, else the first."""
    return next((p for p in positions if zone in p.zones), positions[0])


def shared_out(whole: Annunciations, positions: Sequence[Position]) -> dict[str, Annunciations]:
    """The annunciations of each position, by its id."""
    if len(positions) == 1:
        return {positions[0].id: whole}
    places = {zone: covers(positions, zone).id for zone in set(whole.zone)}
    owner = np.array([places[zone] for zone in whole.zone], dtype=object)
    return {p.id: whole.of(owner == p.id) for p in positions}


def seats_of(positions: Sequence[Position]) -> int:
    """How many people share the whole load."""
    return sum(p.seats for p in positions)

