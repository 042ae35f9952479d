"""The one way in for telemetry. What ``accept`` returned is on disk, in the journal's lane for telemetry.

Readings of a zone go to disk together, as packs: a zone that was quiet sends its first reading at once, what comes after it waits up to
50 ms for company, 500 readings go without waiting. What must not go in: parsing, judging (``ingest/telemetry_admission.py``), Kafka.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bus.codecs import encode
from hazards.device_clock import DeviceClocks
from hazards.errors import BihuanError, JournalFull, StorageUnavailable
from hazards.scope import EVERYTHING, Scope
from hazards.telemetry import PACK_READINGS, TelemetryPack, pack_id
from ingest.door import utc_now
from ingest.measurements import Measurements
from ingest.telemetry_admission import MAX_UNKNOWN, Admission, Admitted, Columns
from storage.journal import Journal, JournalRow, Lane
from storage.site_store import Registry

GATHER = 0.05
"""Seconds that readings of a busy zone wait for company."""
MAX_WAITING = 200_000
"""Readings in memory that wait for the disk (about 30 MB); more are refused."""
STEP = 2_000
"""Measurements judged at a stretch (about 2 ms); then others have their turn on the event loop."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What one call put on disk. ``ids`` of the packs it is in, which may be shared with other callers."""

    accepted: int
    ids: list[str]
    out_of_range: int = 0
    unregistered: int = 0


@dataclass(slots=True)
class Counts:
    """What a door did since it was made."""

    readings: int = 0
    packs: int = 0
    out_of_range: int = 0
    unregistered: int = 0


@dataclass(slots=True)
class _Pack:
    """Readings of one zone on their way to disk. ``error`` is set before ``settled`` when they did not get there."""

    zone: str
    received_at: int
    slots: dict[str, int] = field(default_factory=dict)
    index: list[int] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    id: str = ""
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    error: BihuanError | None = None

    def take(self, columns: Columns, start: int, stop: int) -> None:
        """Append ``columns[start:stop]``."""
        slots = self.slots
        self.index += [slots.setdefault(name, len(slots)) for name in columns.series[start:stop]]
        self.at += columns.at[start:stop]
        self.value += columns.value[start:stop]

    def row(self) -> JournalRow:
        """As a row of the journal; its id is the pack's."""
        index, at, value = (np.array(c, t).tobytes() for c, t in ((self.index, "<u2"), (self.at, "<i8"), (self.value, "<f8")))
        names = list(self.slots)
        self.id = pack_id(self.zone, names, index, at, value)
        pack = TelemetryPack(
            id=self.id, zone=self.zone, received_at=self.received_at, series=names, index=index, at=at, value=value
        )  # fmt: skip
        return JournalRow(self.id, self.zone, encode(pack))


class TelemetryDoor:
    """Admits measurements and keeps them in ``journal``. ``registry`` gives the site as it is now; ``now`` is UTC µs.

    One of these lives on one event loop. ``gather``: seconds that readings of a busy zone wait for company."""

    def __init__(
        self, journal: Journal, registry: Callable[[], Registry], now: Callable[[], int] = utc_now, *,
        gather: float = GATHER, max_waiting: int = MAX_WAITING, max_unknown: int = MAX_UNKNOWN,
    ) -> None:  # fmt: skip
        self._journal, self._now, self._gather, self._max_waiting = journal, now, gather, max_waiting
        self._admission = Admission(registry, max_unknown=max_unknown)
        self._open: dict[str, _Pack] = {}  # zone to the pack that still takes readings
        self._sealed_at: dict[str, float] = {}  # zone to the loop time of its last pack
        self._sealed: list[_Pack] = []
        self._waiting = 0
        self._writing = set[asyncio.Task[None]]()
        self.counts = Counts()

    @property
    def unknown_series(self) -> int:
        """Series that nobody registered and that were heard lately."""
        return self._admission.unknown_series

    @property
    def clocks(self) -> DeviceClocks:
        """What is known of the clocks of devices."""
        return self._admission.clocks

    async def accept(self, found: Measurements, *, scope: Scope = EVERYTHING) -> Taken:
        """Put all of ``found`` on disk. ``scope``: whose devices the sender speaks for.

        Raises MalformedMessage, NotPermitted and Throttled: nothing was taken. JournalFull and StorageUnavailable: send all of it again;
        a part may stand on disk already, which does no harm, since a reading is known by its series and time."""
        admitted, received_at = Admitted(), self._now()
        found = self._admission.timed(found, scope=scope, received_at=received_at)
        for start in range(0, len(found), STEP):
            if start:
                await asyncio.sleep(0)
            step = range(start, min(start + STEP, len(found)))
            self._admission.admit(found, step, scope=scope, received_at=received_at, into=admitted)
        if self._waiting and self._waiting + len(found) > self._max_waiting:
            raise JournalFull("more readings wait for the disk than are held in memory", hint="send it again; the disk is slow or stuck")
        self._waiting += len(found)
        packs = [pack for zone, columns in admitted.zones.items() for pack in self._put(zone, columns, received_at)]
        for pack in packs:
            await pack.settled.wait()
        if error := next((pack.error for pack in packs if pack.error), None):
            raise type(error)(error.what, where=error.where, hint=error.hint)
        self._count(len(found), admitted)
        return Taken(len(found), [pack.id for pack in packs], admitted.out_of_range, admitted.unregistered)

    async def close(self) -> None:
        """Write what still waits for company. Nothing may be accepted afterwards."""
        for zone in list(self._open):
            self._seal(zone)
        self._write()
        while self._writing:
            await asyncio.wait(set(self._writing))

    def _count(self, readings: int, admitted: Admitted) -> None:
        self.counts.readings += readings
        self.counts.out_of_range += admitted.out_of_range
        self.counts.unregistered += admitted.unregistered

    # --- packs ---

    def _put(self, zone: str, columns: Columns, received_at: int) -> list[_Pack]:
        """The packs of ``zone`` that the readings are in."""
        packs, start = list[_Pack](), 0
        while start < len(columns.at):
            pack = self._open.get(zone) or self._begin(zone, received_at)
            stop = min(len(columns.at), start + PACK_READINGS - len(pack.at))
            pack.take(columns, start, stop)
            packs.append(pack)
            start = stop
            if len(pack.at) == PACK_READINGS:
                self._seal(zone)
        return packs

    def _begin(self, zone: str, received_at: int) -> _Pack:
        """An open pack of ``zone``, sealed soon if the zone was quiet, else ``gather`` after its last one."""
        loop = asyncio.get_running_loop()
        pack = self._open[zone] = _Pack(zone, received_at)
        due = self._sealed_at.get(zone, 0.0) + self._gather
        if due <= loop.time():
            loop.call_soon(self._seal_this, pack)  # not now: others of the same moment share it
        else:
            loop.call_at(due, self._seal_this, pack)
        return pack

    def _seal_this(self, pack: _Pack) -> None:
        if self._open.get(pack.zone) is pack:
            self._seal(pack.zone)

    def _seal(self, zone: str) -> None:
        loop = asyncio.get_running_loop()
        self._sealed.append(self._open.pop(zone))
        self._sealed_at[zone] = loop.time()
        if len(self._sealed) == 1:
            loop.call_soon(self._write)  # packs of several zones that are due together share a transaction

    # --- the journal ---

    def _write(self) -> None:
        packs, self._sealed = self._sealed, []
        if packs:
            task = asyncio.get_running_loop().create_task(self._append(packs))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _append(self, packs: list[_Pack]) -> None:
        error: BihuanError | None = StorageUnavailable("the readings were not written", hint="send them again")
        try:
            await self._journal.append(Lane.TELEMETRY, [pack.row() for pack in packs])
            self.counts.packs += len(packs)
            error = None
        except BihuanError as e:
            error = e
        finally:  # also when the loop ends: nobody may wait for ever
            for pack in packs:
                self._waiting -= len(pack.at)
                pack.error = error
                pack.settled.set()
