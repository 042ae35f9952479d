"""From the words of a site file and the pack that comes with the program to alarms: a stop order, a key period, methane."""

from pathlib import Path
from zoneinfo import ZoneInfo

from bihuan.policy_file import shipped
from bihuan.site_file import parse_site
from hazards.back_test import back_test
from hazards.declarations import Declaration, Declared
from hazards.messages import WHOLE_SITE
from hazards.rule_resolution import combined, sensors_with_rules
from hazards.telemetry import Reading, pack_readings

SITE = """
site: {id: works, name: 铝厂}
zones: [{id: smelter, name: 熔炼, grade: red, line: [[0, 0], [9, 9]]}]
devices:
  - {id: P-1, zone: smelter, type: sensor, metric: power}
  - {id: G-1, zone: smelter, type: sensor, metric: flammable_gas}
  - {id: M-1, zone: smelter, type: sensor, metric: methane, on_delay: 10m, limits: {high: 5, high_high: 6}}
rules:
  - id: power_while_stopped
    name: 停产期间用电
    metric: power
    compares: consumption
    limit: 12
    on_delay: 5m
    response: {cause: 擅自开工, consequence: 带隐患生产, action: 现场核查, within: 30m, call: [enterprise]}
"""
MINUTE, START = 60_000_000, 1_790_000_000_000_000
STOPPED = Declaration(id="stop", kind=Declared.STOP_ORDER, zone="smelter", starts_at=START + 10 * MINUTE, ends_at=START + 30 * MINUTE)
KEY_PERIOD = Declaration(id="two sessions", kind=Declared.KEY_PERIOD, zone=WHOLE_SITE, starts_at=START, ends_at=START + 20 * MINUTE)
VALUES = {"P-1/power": 40.0, "G-1/flammable_gas": 22.0, "M-1/methane": 1.2}


def test_rules_of_pack_and_site_file_make_alarms_under_what_is_declared() -> None:
    site, pack = parse_site(SITE.encode(), file="site.yaml", folder=Path()).site, shipped("guangyuan")
    rules = combined(pack.alarm_rules, site.rules)
    sensors = sensors_with_rules(site, rules.values(), [STOPPED, KEY_PERIOD], now=START, time_zone=ZoneInfo(site.time_zone))
    times = [START + minute * MINUTE for minute in range(0, 40, 2)]
    packs = [pack_readings("smelter", [Reading(name, at, value) for name, value in VALUES.items()], at) for at in times]
    reports = back_test(sensors, packs, until=START + 60 * MINUTE)
    said = [
        (r.kind, r.action.value, ((r.at or 0) - START) / MINUTE, r.details["limit"], r.details.get("variant", ""), r.details.get("reason"))
        for r in sorted(reports, key=lambda r: (r.kind, r.at))
    ]  # fmt: skip
    assert said == [
        ("flammable_gas_high", "raised", 0, 20.0, "key_period", None),
        ("flammable_gas_high", "cleared", 20, 20.0, "key_period", "window_ended"),
        ("methane_high", "raised", 0, 1.0, "", None),
        ("power_consumption", "raised", 15, 12.0, "", None),
        ("power_consumption", "cleared", 30, 12.0, "", "window_ended"),
    ]
    assert [r.severity for r in reports if r.kind == "methane_high"] == [None], "that of its kind, 1"
