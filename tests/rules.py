"""Alarm rules as tests use them. No tests here."""

from typing import Any

from hazards.rules import AlarmRule, Comparison, ResponseSheet, Words

MINUTE = 60_000_000
SHEET = ResponseSheet(
    cause=Words("炉温失控", "the furnace runs away"), consequence=Words("熔铝外溢", "molten metal escapes"),
    action=Words("停炉并疏散", "stop the furnace, evacuate"), within=3 * MINUTE, call=["值班长", "park_command"],
)  # fmt: skip


def rule(rule_id: str = "melt_hot", /, **changes: Any) -> AlarmRule:
    """A rule for the temperature of every zone."""
    given: dict[str, Any] = {
        "name": Words("熔炉过热", "furnace too hot"), "metric": "temperature", "compares": Comparison.HIGH, "limit": 80.0, "unit": "Cel",
        "deadband": 2.0, "severity": 2, "response": SHEET,
    }  # fmt: skip
    return AlarmRule(id=rule_id, **(given | changes))
