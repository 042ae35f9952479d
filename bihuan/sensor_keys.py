"""The keys of a sensor in the site file, checked by line. The values themselves are kept in ``Device.settings``.

What must not go in: sensors (``hazards/sensors.py`` makes them of the settings), rules on readings.
"""

import math
import re
from itertools import pairwise
from typing import Any

from yaml.nodes import MappingNode

from bihuan.yaml_lines import Fields, Problems
from hazards.methane import CEILINGS, METHANE, ceiling
from hazards.metrics import METRIC_PATTERN, metric_of
from hazards.units import UNITS

# The same words stand in hazards/sensors.py, which needs NumPy; a test holds the two together.
LIMITS = ("low_low", "low", "high", "high_high")
DURATIONS = ("on_delay", "off_delay", "stale_after")
AT_LEAST_ZERO = ("deadband", "compression")
KEYS = frozenset(("unit", "range", "limits", "rate", "latching", *AT_LEAST_ZERO, *DURATIONS))
SHARED = frozenset(("on_delay", "off_delay", "latching", "stale_after"))
METRICS_AT_MOST = 100
_SENML_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:._]*")


def check_sensor(fields: Fields, problems: Problems) -> None:
    """The keys of a device that measures: one ``metric`` with its keys, or ``metrics`` with a mapping of keys for each."""
    nodes = fields.rest()
    identity = fields.text("id")
    if {"metric", "metrics"} & nodes.keys() and identity and not _SENML_NAME.fullmatch(identity):
        problems.warn(fields.at("id"), fields.place("id"), f"SenML can't name {identity!r}: only MQTT topics can",
                      "letters, digits, - : . _ , a letter or digit first")  # fmt: skip
    if "metrics" in nodes:
        _check_several(fields, problems)
        return
    if (metric := nodes.get("metric")) is not None:
        _check_name(fields.document.plain(metric), metric, fields.place("metric"), problems)
    _check_one(fields, _copy(fields), str(fields.document.plain(metric)) if metric is not None else "", problems)


def _check_several(fields: Fields, problems: Problems) -> None:
    nodes = fields.rest()
    for key in sorted((KEYS - SHARED | {"metric"}) & nodes.keys()):
        problems.error(nodes[key], fields.place(key), "stands at the device, which has several metrics", "give it under metrics")
    if "stale_after" in nodes:
        _copy(fields).duration("stale_after")
    inner = fields.document.fields(nodes["metrics"], fields.place("metrics"), problems)
    if inner is None:
        return
    entries = inner.rest()
    if not 1 <= len(entries) <= METRICS_AT_MOST:
        problems.error(nodes["metrics"], fields.place("metrics"), f"names {len(entries)} metrics", f"1 to {METRICS_AT_MOST}")
    for name, node in entries.items():
        _check_name(name, node, inner.place(name), problems)
        keys = fields.document.fields(node, inner.place(name), problems)
        if keys is None:
            continue
        for key, odd in keys.rest().items():
            if key not in KEYS:
                problems.warn(odd, keys.place(key), "is not known here and is ignored", ", ".join(sorted(KEYS)))
        for key in ("on_delay", "off_delay"):
            keys.duration(key)
        keys.flag("latching")
        _check_one(keys, keys, name, problems)


def _check_one(fields: Fields, asked: Fields, metric: str, problems: Problems) -> None:
    """``asked`` reads keys on behalf of ``fields`` without taking them out of what is kept."""
    nodes = fields.rest()
    unit = _check_unit(fields, metric, problems)
    for key in AT_LEAST_ZERO:
        if (node := nodes.get(key)) is not None and not (_number(value := fields.document.plain(node)) and value >= 0):
            problems.error(node, fields.place(key), "a number of at least 0 is expected", unit)
    if (node := nodes.get("rate")) is not None and not (_number(value := fields.document.plain(node)) and value > 0):
        problems.error(node, fields.place("rate"), "a number above 0 is expected", f"rise in {unit or 'its unit'} per second")
    asked.duration("stale_after")
    span = _check_range(fields, problems)
    _check_limits(fields, span, problems)
    if metric == METHANE.name:
        _check_methane(fields, unit, problems)


def _check_methane(fields: Fields, unit: str, problems: Problems) -> None:
    """What would suppress methane over limit is warned of: it does not count."""
    nodes = fields.rest()
    if unit and ceiling("high", unit) is None:
        problems.warn(nodes["unit"], fields.place("unit"), "is no concentration: nobody can tell methane over limit by it", "%vol, %LEL")
    given = fields.document.plain(nodes["limits"]) if "limits" in nodes else None
    for name in CEILINGS:
        limit: Any = given.get(name) if isinstance(given, dict) else None
        highest = ceiling(name, unit)
        if _number(limit) and highest is not None and limit > highest * (1 + 1e-9):
            what = f"{name} {limit:g} is above {highest:g}, which holds instead: methane over limit is never suppressed"
            problems.warn(nodes["limits"], fields.place("limits"), what, f"up to {highest:g} {unit}")


def _check_name(name: Any, node: Any, where: str, problems: Problems) -> None:
    if not isinstance(name, str) or not METRIC_PATTERN.match(name):
        problems.error(node, where, f"{str(name)[:60]!r} can't be a metric", "lower_snake_case, a letter first, up to 54 characters")


def _check_unit(fields: Fields, metric: str, problems: Problems) -> str:
    node = fields.rest().get("unit")
    if node is None:
        return metric_of(metric).unit
    unit = fields.document.plain(node)
    if not isinstance(unit, str) or unit not in UNITS:
        problems.error(node, fields.place("unit"), f"there is no unit {str(unit)[:40]!r}", "SenML's names, such as Cel, kPa, %LEL, m3/h")
        return ""
    default = metric_of(metric).unit
    if default and UNITS[unit].quantity != UNITS[default].quantity:
        problems.warn(node, fields.place("unit"), f"{unit!r} is unusual for {metric}", f"usual: {default}")
    return unit


def _check_range(fields: Fields, problems: Problems) -> tuple[float, float] | None:
    node = fields.rest().get("range")
    if node is None:
        return None
    ends = fields.document.plain(node)
    if not (isinstance(ends, list) and len(ends) == 2 and all(_number(v) for v in ends) and ends[0] < ends[1]):
        problems.error(node, fields.place("range"), "a range is two rising numbers", "[low, high]")
        return None
    return ends[0], ends[1]


def _check_limits(fields: Fields, span: tuple[float, float] | None, problems: Problems) -> None:
    node = fields.rest().get("limits")
    if node is None:
        return
    given = fields.document.plain(node)
    numbers = [given[k] for k in LIMITS if k in given] if isinstance(given, dict) else None
    if numbers is None or set(given) - set(LIMITS) or not all(_number(v) for v in numbers):
        problems.error(node, fields.place("limits"), "numbers are expected", ", ".join(LIMITS))
    elif any(a >= b for a, b in pairwise(numbers)):
        problems.error(node, fields.place("limits"), "the limits are out of order", " < ".join(LIMITS))
    elif span is not None and any(not span[0] <= v <= span[1] for v in numbers):
        problems.error(node, fields.place("limits"), "a limit lies outside the range: it could never alarm", f"range {list(span)}")


def _copy(fields: Fields) -> Fields:
    """``fields`` anew, so that what is asked of it stays in the settings of the device."""
    nodes = [(k, v) for k, v in fields.node.value if getattr(k, "value", None) in fields.rest()]
    node = MappingNode(fields.node.tag, nodes, fields.node.start_mark, fields.node.end_mark)
    return Fields(fields.document, node, fields.where, fields.problems)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
