"""All series of the zones that one worker has: packs in, reports and roll-ups out, each zone's state as bytes. Pure.

Names become slots here; the arithmetic is in ``hazards/limit_table.py`` and ``hazards/rollups.py``. State changes only by packs
(the same packs in the same order give the same, however many come together) and by ``tick`` and ``change_sensors``, whose
reports therefore wait in the zone's state (``outgoing``) until it was saved. What must not go in: SQL, Kafka, clocks.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hazards.admission import Report
from hazards.limit_table import LimitTable
from hazards.limits import NEVER
from hazards.messages import Lapse
from hazards.rollup_packs import rollup_packs
from hazards.rollups import RINGS, Closed, Rollups
from hazards.sensors import Sensor, watches_silence
from hazards.series_batch import Slots, batch_of
from hazards.telemetry import Floats, Int64s, RollupPack, TelemetryPack
from hazards.zone_series import KeptSeries, SeenPacks, ZoneSeries, decode_zone, encode_zone

STRANGERS = 5000
"""Series that nobody registered, of one zone: beyond these they are not evaluated (they are still stored)."""


FORGOTTEN = 24 * 3600 * 1_000_000
"""µs of silence after which a series that is not registered (any more) is not taken up again."""
TAKEN_ROLLUPS = 5000
"""Roll-ups made into packs in one go, about: nobody else has a turn meanwhile."""


@dataclass(slots=True)
class Counts:
    """Readings since the start. ``late``: older than the newest of their series; ``too_late``: those of them that some resolution no
    longer rolls up; ``early``: ahead of their receipt; ``strange``: of series beyond ``STRANGERS``. ``repeated`` counts packs."""

    readings: int = 0
    late: int = 0
    too_late: int = 0
    early: int = 0
    strange: int = 0
    repeated: int = 0
    alarms: int = 0


@dataclass(slots=True)
class _Columns:
    """Readings of several packs, gathered."""

    slot: list[Slots] = field(default_factory=list)
    at: list[Int64s] = field(default_factory=list)
    value: list[Floats] = field(default_factory=list)
    received: list[int] = field(default_factory=list)


class Evaluation:
    """Series by zone. A zone is ``restore``d before its first pack. ``sensors``: series name to sensor, of all zones."""

    def __init__(self, sensors: Mapping[str, Sensor]) -> None:
        self.counts = Counts()
        self.zones: dict[str, ZoneSeries] = {}
        self._limits = LimitTable()
        self._rollups = [Rollups(resolution) for resolution in RINGS]
        self._names: list[str] = [""] * len(self._rollups[0].open)
        self._zone_number = np.full(len(self._names), -1, np.int64)
        self._zone_at: list[ZoneSeries | None] = [None] * len(self._names)
        self._free = list(range(len(self._names) - 1, -1, -1))
        self._number = 0
        self._closed: deque[Closed] = deque()
        self._listen(sensors)

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        """As given last."""
        return self._sensors

    def watched_zones(self) -> list[str]:
        """Zones with a sensor whose silence is an alarm: they are to be restored though nothing came."""
        return list(self._watched)

    def _listen(self, sensors: Mapping[str, Sensor]) -> None:
        self._sensors = sensors
        self._watched: dict[str, list[Sensor]] = {}
        for sensor in sensors.values():
            if watches_silence(sensor):
                self._watched.setdefault(sensor.zone, []).append(sensor)

    # --- packs ---

    def take(self, packs: Sequence[TelemetryPack]) -> list[Report]:
        """Reports of checked ``packs`` of restored zones, in the order they came. A pack that came lately before is left out."""
        columns = _Columns()
        for pack in packs:
            zone = self.zones[pack.zone]
            zone.dirty = True
            if pack.index and zone.seen.add(pack.id):
                self._gather(zone, pack, columns)
            elif pack.index:
                self.counts.repeated += 1
        return self._evaluate(columns) if columns.slot else []

    def _gather(self, zone: ZoneSeries, pack: TelemetryPack, columns: _Columns) -> None:
        try:
            slots = list(map(zone.slots.__getitem__, pack.series))
        except KeyError:
            slots = [s if (s := zone.slots.get(name)) is not None else self._open(zone, name) for name in pack.series]
        index, at, value = pack.columns()
        slot = np.array(slots, np.int64)[index]
        if -1 in slots:
            kept = slot >= 0
            self.counts.strange += len(slot) - int(np.count_nonzero(kept))
            slot, at, value = slot[kept], at[kept], value[kept]
        columns.slot.append(slot)
        columns.at.append(at)
        columns.value.append(value)
        columns.received.append(pack.received_at)

    def _evaluate(self, columns: _Columns) -> list[Report]:
        lengths = [len(slot) for slot in columns.slot]
        slot = np.concatenate(columns.slot)
        if not len(slot):
            return []
        batch = batch_of(
            slot, np.concatenate(columns.at), np.concatenate(columns.value), np.repeat(np.array(columns.received), lengths),
            np.repeat(np.arange(len(lengths)), lengths), self._limits.last_at,
        )  # fmt: skip
        groups, refused = None, 0
        for rollups in self._rollups:
            groups, closed, too_late = rollups.take(batch, groups)
            refused = max(refused, too_late)
            if len(closed.slot):
                self._closed.append(closed)
        reports = self._limits.take(batch)
        self.counts.readings += len(slot)
        self.counts.early += batch.early
        self.counts.late += batch.late
        self.counts.too_late += refused
        self.counts.alarms += len(reports)
        return reports

    # --- time and the site ---

    def tick(self, heard_until: Callable[[str], int | None], *, silent_from: int) -> None:
        """Let time pass in each zone, up to when all was heard of it (None: nobody knows): what that discovers waits in ``outgoing`` and
        ``rollups``. ``silent_from``: see ``hazards.limits.pass_time``."""
        by_number = np.full(self._number + 2, NEVER, np.int64)  # the last one is for slots that are nobody's, of number -1
        for zone in self.zones.values():
            if (heard := heard_until(zone.zone)) is not None:
                by_number[zone.number] = heard
        now = by_number[self._zone_number]
        reports, slots = self._limits.tick(now, silent_from)
        self._post(slots, reports)
        for rollups in self._rollups:
            closed = rollups.tick(now, self._limits.last_at)
            if len(closed.slot):
                self._closed.append(closed)

    def change_sensors(self, sensors: Mapping[str, Sensor], now: int) -> None:
        """``sensors`` hold from now on: what stands by a rule that is gone is cleared, in ``outgoing``."""
        self._listen(sensors)
        for zone in self.zones.values():
            for name, slot in zone.slots.items():
                self._settle(zone, name, slot, now)
            self._watch(zone, now)

    def _settle(self, zone: ZoneSeries, name: str, slot: int, now: int) -> None:
        """The registry's sensor for a series of ``zone``, if it changed."""
        new, old = self._sensors.get(name), self._limits.sensors[slot]
        reason = Lapse.SENSOR_REMOVED if new is None else Lapse.SENSOR_MOVED if new.zone != zone.zone else Lapse.RULE_REMOVED
        if new is not None and new.zone != zone.zone:
            new = None
        if new is not old and new != old and (reports := self._limits.change(slot, new, now, reason.value)):
            self._post([slot], reports)

    def _watch(self, zone: ZoneSeries, now: int) -> None:
        """A sensor that never spoke is silent from now."""
        for sensor in self._watched.get(zone.zone, ()):
            if sensor.series not in zone.slots:
                self._limits.hear(self._open(zone, sensor.series), now)

    def _post(self, slots: Iterable[int], reports: Sequence[Report]) -> None:
        for slot in slots:
            if (zone := self._zone_at[slot]) is not None:
                zone.dirty = True
        for report in reports:
            self.counts.alarms += 1
            self.zones[report.zone].outgoing.append(report)

    def rollups(self) -> list[RollupPack]:
        """Some of what was closed or corrected since, by zone and resolution; none when all was taken."""
        taken, size = list[Closed](), 0
        while self._closed and size < TAKEN_ROLLUPS:
            taken.append(self._closed.popleft())
            size += len(taken[-1].slot)
        by_resolution = [[c for c in taken if c.resolution == resolution] for resolution in RINGS]
        return [pack for closed in by_resolution if closed for pack in rollup_packs(closed, self._names, self._zone_at, self._zone_number)]

    # --- zones ---

    def restore(self, zone: str, body: bytes | None, now: int) -> None:
        """Take ``zone`` up as ``snapshot`` left it, None: for the first time. Raises MalformedMessage for a body that can't be read."""
        kept = decode_zone(body) if body is not None else None
        self._number += 1
        series = self.zones[zone] = ZoneSeries(zone, self._number, SeenPacks(kept.seen if kept else b""))
        if kept is not None:
            self._take_up(series, kept, now)
            series.outgoing, series.dirty = list(kept.outgoing), bool(kept.outgoing)
            for name, slot in series.slots.items():
                self._settle(series, name, slot, now)
        self._watch(series, now)

    def _take_up(self, zone: ZoneSeries, kept: KeptSeries, now: int) -> None:
        """The series of ``kept``, but for those that nobody has registered or heard of for long."""
        slots, places = list[int](), list[int]()
        for place, (name, state) in enumerate(zip(kept.names, kept.states(), strict=True)):
            if name in self._sensors or state.conditions or state.last_received >= now - FORGOTTEN:
                slots.append(self._open(zone, name, known=True))
                places.append(place)
                self._limits.store(slots[-1], kept.sensors.get(place), state)
        for rollups in self._rollups:
            rollups.put(np.array(slots, np.int64), *kept.buckets(rollups.resolution, places))

    def snapshot(self, zone: str) -> bytes:
        """The state of ``zone``; it is no longer dirty."""
        series = self.zones[zone]
        series.dirty = False
        slots = list(series.slots.values())
        self._limits.forget_old(slots)
        return encode_zone(series, self._limits, self._rollups)

    def drop(self, zone: str) -> None:
        """Forget ``zone`` and all that waits to be told of it."""
        series = self.zones.pop(zone)
        slots = np.array(list(series.slots.values()), np.int64)
        self._closed = deque(_without(closed, slots) for closed in self._closed)
        for rollups in self._rollups:
            rollups.clear(slots)
        for slot in slots.tolist():
            self._limits.clear(slot)
            self._names[slot], self._zone_at[slot], self._zone_number[slot] = "", None, -1
            self._free.append(slot)

    def _open(self, zone: ZoneSeries, name: str, *, known: bool = False) -> int:
        """A slot for a series that is new here; -1: nobody registered it and there are too many of those."""
        sensor = self._sensors.get(name)
        if sensor is not None and sensor.zone != zone.zone:
            sensor = None
        if sensor is None:
            if zone.strangers >= STRANGERS and not known:
                return -1
            zone.strangers += 1
        if not self._free:
            self._grow()
        slot = self._free.pop()
        zone.slots[name] = slot
        self._names[slot], self._zone_at[slot], self._zone_number[slot] = name, zone, zone.number
        if sensor is not None and not known:
            self._limits.store(slot, sensor, self._limits.state(slot))
        return slot

    def _grow(self) -> None:
        old = len(self._names)
        self._limits.grow(2 * old)
        for rollups in self._rollups:
            rollups.grow(2 * old)
        self._names.extend([""] * old)
        self._zone_at.extend([None] * old)
        self._zone_number = np.concatenate([self._zone_number, np.full(old, -1, np.int64)])
        self._free.extend(range(2 * old - 1, old - 1, -1))

    def standing(self) -> int:
        """How many alarms stand."""
        return sum(c.standing for conditions in self._limits.conditions.values() for c in conditions.values())

    def stale(self) -> list[str]:
        """Series that are stale now."""
        return [self._names[slot] for slot in self._limits.stale()]


def _without(closed: Closed, slots: Slots) -> Closed:
    kept = ~np.isin(closed.slot, slots)
    return Closed(
        closed.resolution, closed.slot[kept], closed.start[kept], closed.count[kept], closed.minimum[kept], closed.mean[kept],
        closed.maximum[kept], closed.last[kept],
    )  # fmt: skip
