"""The series of one zone, and their state as compact bytes for a checkpoint. Pure.

What must not go in: arithmetic of limits and roll-ups, SQL.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from msgspec import Struct

from hazards.admission import Report
from hazards.errors import MalformedMessage, UnknownSchema
from hazards.limit_table import LimitTable
from hazards.limits import Condition, SeriesState
from hazards.rollups import FIELDS, RINGS, Rollups, Rows
from hazards.sensors import OWN_KEYS, Sensor
from hazards.series_batch import Flags

SCHEMA = 1
SEEN = 4096
"""Packs of one zone that are known again when they come twice."""


class SeenPacks:
    """The latest SEEN packs of a zone, by eight bytes of a hash of their ids."""

    def __init__(self, kept: bytes = b"") -> None:
        marks = np.frombuffer(kept, "<i8")[-SEEN:]
        self._marks = np.zeros(max(16, 1 << (len(marks) - 1).bit_length() if len(marks) else 16), np.int64)
        self._marks[: len(marks)] = marks
        self._count = len(marks)

    def has(self, pack: str) -> bool:
        """Whether ``pack`` was added lately."""
        return self._has(_mark(pack))

    def _has(self, mark: int) -> bool:
        return bool((self._marks[: self._count] == mark).any())

    def add(self, pack: str) -> bool:
        """``pack`` is here, and the oldest beyond SEEN is forgotten; False, and nothing happens, if it was added lately."""
        mark = _mark(pack)
        if self._has(mark):
            return False
        if self._count == len(self._marks):
            if self._count < SEEN:
                self._marks = np.concatenate([self._marks, np.zeros_like(self._marks)])
            else:
                self._count -= SEEN // 4
                self._marks[: self._count] = self._marks[SEEN // 4 :].copy()
        self._marks[self._count] = mark
        self._count += 1
        return True

    def tobytes(self) -> bytes:
        """For the next life."""
        return self._marks[: self._count].astype("<i8").tobytes()


def _mark(pack: str) -> int:
    return int.from_bytes(hashlib.blake2b(pack.encode(), digest_size=8).digest(), "little", signed=True)


@dataclass(slots=True, eq=False)
class ZoneSeries:
    """A zone of this worker. ``slots``: series name to slot. ``outgoing``: reports to be sent once the zone was saved."""

    zone: str
    number: int
    seen: SeenPacks = field(default_factory=SeenPacks)
    slots: dict[str, int] = field(default_factory=dict)
    outgoing: list[Report] = field(default_factory=list)
    strangers: int = 0
    dirty: bool = False


class KeptSeries(Struct, frozen=True, array_like=True):
    """A zone in a checkpoint: columns over ``names``. ``conditions`` and ``sensors`` (of those) by place.

    ``ruled``: conditions of rules that are not the device's own. They came later than the rest, and a program of before them, which may
    work beside this one during an upgrade, reads what it knows and passes these over."""

    names: list[str]
    last_at: bytes
    last_received: bytes
    last_value: bytes
    conditions: dict[int, dict[str, Condition]]
    sensors: dict[int, Sensor]
    rings: dict[int, tuple[bytes, bytes, bytes]]  # resolution: which buckets are used, those, which series' newest is open
    seen: bytes
    outgoing: list[Report]
    ruled: dict[int, dict[str, Condition]] = {}

    def states(self) -> Iterator[SeriesState]:
        """The rule states, in the order of ``names``."""
        columns = (np.frombuffer(self.last_at, "<i8"), np.frombuffer(self.last_value, "<f8"), np.frombuffer(self.last_received, "<i8"))
        for place, (at, value, received) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
            yield SeriesState(at, value, received, self.conditions.get(place, {}) | self.ruled.get(place, {}))

    def buckets(self, resolution: int, places: Sequence[int]) -> tuple[Rows, Flags]:
        """The buckets of the names at ``places`` and which newest ones are open, as ``Rollups.put`` takes them."""
        rows = np.zeros((len(self.names) * RINGS[resolution], FIELDS))
        rows.view(np.int64)[:, 0] = -1
        is_open = np.zeros(len(self.names), np.bool_)
        if resolution in self.rings:
            used, kept, opened = self.rings[resolution]
            rows[_flags(used, len(rows))] = np.frombuffer(kept, "<f8").reshape(-1, FIELDS)
            is_open = _flags(opened, len(is_open))
        chosen = np.array(places, np.int64)
        return rows.reshape(len(self.names), RINGS[resolution], FIELDS)[chosen].reshape(-1, FIELDS), is_open[chosen]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[int, KeptSeries])
_schema = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw])


def encode_zone(zone: ZoneSeries, limits: LimitTable, rollups: Sequence[Rollups]) -> bytes:
    """The bytes of ``zone``."""
    slots = np.array(list(zone.slots.values()), np.int64)
    found = {place: c for place, slot in enumerate(slots.tolist()) if (c := limits.conditions.get(slot))}
    sensors = {place: s for place in found if (s := limits.sensors[slots[place]]) is not None}
    conditions, ruled = _by_origin(found)
    kept = KeptSeries(
        names=list(zone.slots), last_at=limits.last_at[slots].astype("<i8").tobytes(),
        last_received=limits.last_received[slots].astype("<i8").tobytes(),
        last_value=limits.last_value[slots].astype("<f8").tobytes(), conditions=conditions, sensors=sensors,
        rings={r.resolution: _ring(r, slots) for r in rollups}, seen=zone.seen.tobytes(), outgoing=zone.outgoing, ruled=ruled,
    )  # fmt: skip
    return _encoder.encode((SCHEMA, kept))


_Conditions = dict[int, dict[str, Condition]]


def _by_origin(found: _Conditions) -> tuple[_Conditions, _Conditions]:
    """Conditions of the devices' own rules, and those of others."""
    own, others = dict[int, dict[str, Condition]](), dict[int, dict[str, Condition]]()
    for place, conditions in found.items():
        for key, condition in conditions.items():
            (own if key in OWN_KEYS else others).setdefault(place, {})[key] = condition
    return own, others


def decode_zone(body: bytes) -> KeptSeries:
    """What ``encode_zone`` made. Raises UnknownSchema for one of a later version and MalformedMessage for anything else."""
    try:
        schema, _ = _schema.decode(body)
        if schema != SCHEMA:
            raise UnknownSchema(f"a zone's state of version {schema}", where="checkpoint", hint="use the version that wrote it")
        return _decoder.decode(body)[1]
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise MalformedMessage(f"a zone's state that can't be read: {e}", where="checkpoint") from e


def _ring(rollups: Rollups, slots: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> tuple[bytes, bytes, bytes]:
    rows = rollups.part(slots)
    used = rows.view(np.int64)[:, 0] >= 0
    return np.packbits(used).tobytes(), rows[used].astype("<f8").tobytes(), np.packbits(rollups.open[slots]).tobytes()


def _flags(packed: bytes, count: int) -> Flags:
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=count).astype(np.bool_)
