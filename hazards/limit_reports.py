"""What an alarm of a rule says: its identity, its numbers, its words in Chinese (those of the catalogue). Pure.

What must not go in: when it is said (``hazards/limits.py``).
"""

from typing import Any

from hazards.admission import Report
from hazards.messages import Action
from hazards.metrics import metric_of
from hazards.rules import Comparison
from hazards.sensor_rules import SensorRule
from hazards.sensors import Sensor


def report_of(
    sensor: Sensor, rule: SensorRule, onset: int, value: float, action: Action, at: int, more: dict[str, Any] | None = None
) -> Report:
    """The report of ``rule`` at ``sensor``. Its id is a function of device, metric, rule and variant, onset and action."""
    details: dict[str, Any] = {"rule": rule.compares.value, "limit": rule.limit, "unit": unit_of(sensor, rule), "basis": rule.basis}
    if rule.compares is not Comparison.STALE:
        details |= {"value": value, "metric": sensor.metric}
    if rule.compares is Comparison.DEVIATION:
        details["reference"] = rule.reference
    if rule.rule:
        details |= {"rule_id": rule.rule} | _given(variant=rule.variant, severity=rule.severity, latching=rule.latching)
    named = f"{rule.key}/" if rule.rule else ""
    return Report(
        source=f"rule/{rule.kind}", source_id=f"{sensor.device}/{sensor.metric}/{named}{onset}/{action}", device=sensor.device,
        kind=rule.kind, action=action, at=at, severity=rule.severity, message=_message(sensor, rule, value), zone=sensor.zone, timed=True,
        details=details | (more or {}),
    )  # fmt: skip


def _given(**said: Any) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value}


def unit_of(sensor: Sensor, rule: SensorRule) -> str:
    """The unit of the rule's limit."""
    if rule.compares is Comparison.STALE:
        return "s"
    return f"{sensor.unit}/h" if rule.hourly else f"{sensor.unit}/s" if rule.compares is Comparison.RISING else sensor.unit


_WORDS: dict[str, tuple[str, str]] = {  # beyond, exactly at
    Comparison.HIGH_HIGH: ("高于高高限", "达到高高限"), Comparison.HIGH: ("高于", "达到"),
    Comparison.LOW: ("低于", "降至"), Comparison.LOW_LOW: ("低于低低限", "降至低低限"), Comparison.RISING: ("高于", "达到"),
    Comparison.CONSUMPTION: ("高于", "达到"),
}  # fmt: skip


def _message(sensor: Sensor, rule: SensorRule, value: float) -> str:
    """In the words of the catalogue: what, how much, which limit."""
    name, unit = metric_of(sensor.metric).chinese, unit_of(sensor, rule)
    match rule.compares:
        case Comparison.STALE:
            return f"{name}数据中断超过 {rule.limit:g} 秒"
        case Comparison.STATE:
            return f"{name}状态为 {value:g}"
        case Comparison.DEVIATION:
            words = f"{name} {value:.6g} {unit} 偏离基准 {rule.reference:g} 超过 {rule.limit:g}"
        case Comparison.CONSUMPTION:
            words = f"停产期间{name} {value:.6g} {unit} {_WORDS[rule.compares][value == rule.limit]} {rule.limit:g}"
        case Comparison.RISING:
            words = f"{name}上升速率 {value:.6g} {unit} {_WORDS[rule.compares][value == rule.limit]} {rule.limit:g}"
        case _:
            words = f"{name} {value:.6g} {unit} {_WORDS[rule.compares][value == rule.limit]} {rule.limit:g}"
    return words.replace("  ", " ")
