"""Points as InfluxDB's line protocol. Pure, and built for speed: the fixed part of a line is made once a series.

What must not go in: HTTP.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from storage.series.port import RAW, RESOLUTIONS, EventPoint, RawBlock, Rejected, RollupBlock, SeriesTags, Value

_NAMES = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\n": "\\ ", "\r": "", "\\": "/"})
_TEXTS = str.maketrans({"\\": "\\\\", '"': '\\"'})
_REMEMBERED = 65_536


def raw_lines(block: RawBlock) -> list[str]:
    """A line a reading, times in µs."""
    begins = [f"{_prefix(RESOLUTIONS[RAW], tags)} value=" for tags in block.series]
    columns = zip(block.index.tolist(), block.value.tolist(), block.at.tolist(), strict=True)
    return [f"{begins[i]}{value!r} {at}" for i, value, at in columns]


def rollup_lines(block: RollupBlock) -> list[str]:
    """A line a roll-up, times in µs."""
    measurement = RESOLUTIONS[block.resolution]
    begins = [f"{_prefix(measurement, tags)} count=" for tags in block.series]
    columns = zip(
        block.index.tolist(), block.count.tolist(), block.last.tolist(), block.maximum.tolist(), block.mean.tolist(),
        block.minimum.tolist(), block.start.tolist(), strict=True,
    )  # fmt: skip
    return [f"{begins[i]}{n}i,last={last!r},max={high!r},mean={mean!r},min={low!r} {at}" for i, n, last, high, mean, low, at in columns]


def event_lines(points: Sequence[EventPoint]) -> list[str]:
    """A line a point, times in ns."""
    return [f"{p.measurement}{_tags(p.tags)} {_fields(p.fields)} {p.at}" for p in points]


@lru_cache(_REMEMBERED)
def _prefix(measurement: str, tags: SeriesTags) -> str:
    given = {"device": tags.device, "enterprise": tags.enterprise, "metric": tags.metric, "unit": tags.unit, "zone": tags.zone}
    return measurement + _tags(given)


def _tags(tags: Mapping[str, str]) -> str:
    """Sorted, as InfluxDB likes them; an empty value is no tag."""
    return "".join(f",{name}={value.translate(_NAMES)}" for name, value in sorted(tags.items()) if value)


def _fields(fields: Mapping[str, Value]) -> str:
    return ",".join(f"{name}={_value(value)}" for name, value in fields.items())


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value.translate(_TEXTS)}"'
    return f"{value}i" if isinstance(value, int) else repr(value)


def finite_readings(block: RawBlock) -> tuple[RawBlock, list[Rejected]]:
    """``block`` without what is no number; the door refuses such readings, so this is the second lock."""
    good = np.isfinite(block.value)
    if good.all():
        return block, []
    rest = RawBlock(block.series, block.index[good], block.at[good], block.value[good])
    bad = RawBlock(block.series, block.index[~good], block.at[~good], block.value[~good])
    return rest, [Rejected("\n".join(raw_lines(bad)).encode(), "not a finite number")]


def finite_rollups(block: RollupBlock) -> tuple[RollupBlock, list[Rejected]]:
    """As ``finite_readings``, for roll-ups."""
    good = np.isfinite(block.minimum) & np.isfinite(block.mean) & np.isfinite(block.maximum) & np.isfinite(block.last)
    if good.all():
        return block, []
    return _chosen(block, good), [Rejected("\n".join(rollup_lines(_chosen(block, ~good))).encode(), "not a finite number")]


def _chosen(b: RollupBlock, mask: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> RollupBlock:
    return RollupBlock(b.resolution, b.series, b.index[mask], b.start[mask], b.count[mask], b.minimum[mask], b.mean[mask], b.maximum[mask],
                       b.last[mask])  # fmt: skip
