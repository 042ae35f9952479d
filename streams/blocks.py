"""Packs from the topics as blocks for the time series: names get their tags, raw readings are compressed. Pure.

What must not go in: writing, Kafka, what a sensor is (``hazards/sensors.py``).
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np

from bus.codecs import decode
from hazards.compression import Booleans, Compressor
from hazards.errors import MalformedMessage
from hazards.messages import UNASSIGNED
from hazards.sensors import sensors_of_site
from hazards.telemetry import Floats, Int64s, RollupPack, TelemetryPack, series_parts
from storage.series.port import RESOLUTIONS, RawBlock, RollupBlock, SeriesTags
from storage.site_store import Registry

_MOST = 200_000
"""Series known by name at most; beyond that all are forgotten and learnt again, and readings are kept that could be dropped."""
_ROLLUP_COLUMNS = {"index": "<u2", "start": "<i8", "count": "<u4", "minimum": "<f8", "mean": "<f8", "maximum": "<f8", "last": "<f8"}
T = TypeVar("T", TelemetryPack, RollupPack)


def read_pack(kind: type[T], data: bytes) -> T:
    """The pack in ``data``, its columns checked. Raises MalformedMessage or UnknownSchema."""
    pack = decode(kind, data)
    try:
        columns = pack.columns() if isinstance(pack, TelemetryPack) else _rollup_columns(pack)
    except ValueError as e:
        raise MalformedMessage(f"a column is not whole: {e}", where=pack.id) from e
    if len({len(c) for c in columns}) != 1:
        raise MalformedMessage("columns of different lengths", where=pack.id)
    if len(columns[0]) and int(columns[0].max()) >= len(pack.series):
        raise MalformedMessage("the index points at no series", where=pack.id)
    if isinstance(pack, RollupPack) and pack.resolution not in RESOLUTIONS:
        raise MalformedMessage(f"no roll-ups of {pack.resolution} s are kept", where=pack.id)
    return pack


def _rollup_columns(pack: RollupPack) -> list["np.ndarray[tuple[int], np.dtype[np.float64]]"]:
    return [np.frombuffer(getattr(pack, name), kind) for name, kind in _ROLLUP_COLUMNS.items()]


class Roster:
    """The series of one version of the site: a number for each, its tags, the error allowed when compressing it."""

    def __init__(self, registry: Registry) -> None:
        self.version = registry.version
        self._registry = registry
        self._sensors = sensors_of_site(registry)
        self._numbers: dict[tuple[str, str], int] = {}
        self.tags: list[SeriesTags] = []
        self._errors: list[float] = []
        self._compressor = Compressor()

    @property
    def full(self) -> bool:
        """Whether it is better to begin anew: names that nobody registered can be endless."""
        return len(self.tags) > _MOST

    def raw_block(self, packs: Sequence[TelemetryPack]) -> tuple[RawBlock, int]:
        """The readings of ``packs`` that must be stored, and how many the compression dropped."""
        columns = [pack.columns() for pack in packs]
        number = np.concatenate([self._of(pack)[index] for pack, (index, _, _) in zip(packs, columns, strict=True)])
        at, value = np.concatenate([c[1] for c in columns]), np.concatenate([c[2] for c in columns])
        kept = self._compress(number, at, value)
        tags, index = self._used(number[kept])
        return RawBlock(tags, index, at[kept], value[kept]), len(kept) - int(kept.sum())

    def rollup_blocks(self, packs: Sequence[RollupPack]) -> list[RollupBlock]:
        """The roll-ups of ``packs``, a block for each resolution; a later pack comes later in its block."""
        return [
            self._rollup_block(resolution, [p for p in packs if p.resolution == resolution])
            for resolution in sorted({p.resolution for p in packs})
        ]

    def _rollup_block(self, resolution: int, packs: Sequence[RollupPack]) -> RollupBlock:
        def column(name: str) -> Floats:
            return np.concatenate([np.frombuffer(getattr(p, name), _ROLLUP_COLUMNS[name]) for p in packs])

        number = np.concatenate([self._of(p)[np.frombuffer(p.index, "<u2")] for p in packs])
        tags, index = self._used(number)
        start, count = column("start").astype(np.int64), column("count").astype(np.int64)
        return RollupBlock(resolution, tags, index, start, count, *(column(n) for n in ("minimum", "mean", "maximum", "last")))

    def _compress(self, number: Int64s, at: Int64s, value: Floats) -> Booleans:
        return self._compressor.keep(number, np.array(self._errors)[number], at, value)

    def _used(self, number: Int64s) -> tuple[list[SeriesTags], Int64s]:
        used, index = np.unique(number, return_inverse=True)
        return [self.tags[n] for n in used.tolist()], index

    def _of(self, pack: TelemetryPack | RollupPack) -> Int64s:
        """The numbers of a pack's series."""
        return np.fromiter(self._numbered(pack.zone, pack.series), np.int64, len(pack.series))

    def _numbered(self, zone: str, names: Sequence[str]) -> Iterable[int]:
        for name in names:
            number = self._numbers.get((zone, name))
            if number is None:
                number = self._numbers[zone, name] = len(self.tags)
                self.tags.append(self._tags(zone, name))
                sensor = self._sensors.get(name)
                self._errors.append(sensor.compression if sensor is not None and zone != UNASSIGNED else 0.0)
            yield number

    def _tags(self, zone: str, name: str) -> SeriesTags:
        device, metric = series_parts(name)
        sensor = self._sensors.get(name)
        return SeriesTags(device, metric, zone, self._registry.enterprise_of(zone) or "", sensor.unit if sensor is not None else "")
