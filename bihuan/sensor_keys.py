"""The keys of a sensor in the site file: numbers that must be numbers. The values themselves are kept in ``Device.settings``.

What must not go in: rules on the values.
"""

from typing import Any

from yaml.nodes import MappingNode

from bihuan.yaml_lines import Fields, Problems

_LIMITS = ("low_low", "low", "high", "high_high")


def check_sensor(fields: Fields, problems: Problems) -> None:
    """Numbers that must be numbers; the values themselves are kept in ``settings``."""
    nodes = fields.rest()
    if (limits := nodes.get("limits")) is not None:
        given = fields.document.plain(limits)
        numbers = [given[k] for k in _LIMITS if k in given] if isinstance(given, dict) else None
        if numbers is None or set(given) - set(_LIMITS) or not all(_number(v) for v in numbers):
            problems.error(limits, fields.place("limits"), "numbers are expected", ", ".join(_LIMITS))
        elif numbers != sorted(numbers):
            problems.error(limits, fields.place("limits"), "the limits are out of order", " < ".join(_LIMITS))
    if (span := nodes.get("range")) is not None:
        ends = fields.document.plain(span)
        if not (isinstance(ends, list) and len(ends) == 2 and all(_number(v) for v in ends) and ends[0] < ends[1]):
            problems.error(span, fields.place("range"), "a range is two rising numbers", "[low, high]")
    if (deadband := nodes.get("deadband")) is not None and not (_number(v := fields.document.plain(deadband)) and v >= 0):
        problems.error(deadband, fields.place("deadband"), "a number of at least 0 is expected")
    if "stale_after" in nodes:
        Fields(fields.document, _only(fields.node, "stale_after"), fields.where, problems).duration("stale_after")


def _only(node: MappingNode, key: str) -> MappingNode:
    """``node`` with one of its keys."""
    return MappingNode(node.tag, [(k, v) for k, v in node.value if k.value == key], node.start_mark, node.end_mark)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
