"""Packs of readings and of roll-ups: columns of numbers for one zone, as they travel. Pure.

Numbers are little-endian bytes, so that a pack is decoded with ``numpy.frombuffer`` and no loop. What must not go in:
limits, roll-up arithmetic, parsing of what devices send.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from hazards.identity import NAMESPACE

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Counts = NDArray[np.uint32]
Indexes = NDArray[np.uint16]

_UUID_BITS = (1 << 128) - 1 & ~(0xF000 << 64) & ~(0xC000 << 48)
_UUID_VERSION_5 = (5 << 12) << 64 | 0x8000 << 48
"""Bits of version and variant, RFC 9562."""
PACK_READINGS = 500
"""Readings of one pack at most; the index of a pack could name 65,536 series."""


def series_name(device: str, metric: str) -> str:
    """Name of one series. A metric never holds a slash, so the last one divides."""
    return f"{device}/{metric}"


def series_parts(name: str) -> tuple[str, str]:
    """(device, metric) of a series."""
    device, _, metric = name.rpartition("/")
    return device, metric


class Reading(Struct, frozen=True):
    """One number of one series as admitted: ``at`` UTC µs as believed, ``value`` in the sensor's registered unit."""

    series: str
    at: int
    value: float


class TelemetryPack(Struct, frozen=True, kw_only=True):
    """Readings of one zone in the order accepted. ``index`` (uint16), ``at`` (int64 µs) and ``value`` (float64): one entry a reading.

    ``series``: the names that ``index`` points at, each once. ``id`` is a pure function of zone, series and columns:
    the same readings packed again are the same pack. A reading's own identity is (series, at): the later one wins."""

    id: str
    zone: str
    received_at: int
    series: list[str]
    index: bytes
    at: bytes
    value: bytes

    def columns(self) -> tuple[Indexes, Int64s, Floats]:
        """(index, at, value), read-only views without a copy. Raises ValueError for columns that are not whole."""
        return np.frombuffer(self.index, "<u2"), np.frombuffer(self.at, "<i8"), np.frombuffer(self.value, "<f8")


class RollupPack(Struct, frozen=True, kw_only=True):
    """Roll-ups of one zone at one ``resolution`` (seconds: 1, 60 or 900). Absolute: a later pack with the same series and start replaces.

    Columns, one entry a roll-up: ``index`` (uint16), ``start`` (int64 µs, a multiple of the resolution), ``count`` (uint32),
    ``minimum``, ``mean``, ``maximum``, ``last`` (float64)."""

    id: str
    zone: str
    resolution: int
    series: list[str]
    index: bytes
    start: bytes
    count: bytes
    minimum: bytes
    mean: bytes
    maximum: bytes
    last: bytes


def pack_readings(zone: str, readings: Sequence[Reading], received_at: int) -> TelemetryPack:
    """``readings`` of ``zone``, at most PACK_READINGS, as one pack."""
    slots: dict[str, int] = {}
    index = np.array([slots.setdefault(r.series, len(slots)) for r in readings], "<u2").tobytes()
    at = np.array([r.at for r in readings], "<i8").tobytes()
    value = np.array([r.value for r in readings], "<f8").tobytes()
    names = list(slots)
    return TelemetryPack(
        id=pack_id(zone, names, index, at, value), zone=zone, received_at=received_at, series=names, index=index, at=at, value=value
    )


def pack_id(zone: str, series: Sequence[str], *columns: bytes) -> str:
    """Id of a pack of any kind: the same content gives the same id."""
    digest = hashlib.sha256("\0".join((zone, *series)).encode())
    for column in columns:
        digest.update(len(column).to_bytes(8, "little"))
        digest.update(column)
    return _uuid5(b"pack/" + digest.hexdigest().encode())


def _uuid5(name: bytes) -> str:
    """``str(uuid.uuid5(NAMESPACE, name))`` without making the object: every pack asks for one."""
    digest = hashlib.sha1(NAMESPACE.bytes + name, usedforsecurity=False).digest()
    digits = f"{int.from_bytes(digest[:16], 'big') & _UUID_BITS | _UUID_VERSION_5:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
