"""Limits of alarm rules are limits of the sensor for whoever asks what it can tell: the series' answer, the evidence gate."""

from hazards.rules import Window
from hazards.sensors import standing_limits
from hazards.zones import Device, Grade, Site, Zone
from storage.judged_sensors import sensors_in, sensors_of_devices
from storage.site_store import Registry
from tests.hazards.test_rule_checks import rule

HALL, YARD = Zone("hall", "熔炼", Grade.RED), Zone("yard", "堆场", Grade.BLUE)
DEVICES = [Device(name, zone, "sensor", settings={"metric": "temperature"} | more) for name, zone, more in (
    ("T-1", "hall", {}), ("T-2", "hall", {"limits": {"high": 70}}), ("T-3", "yard", {}),
)]  # fmt: skip
RULES = [
    rule(limit=60.0, zones=["hall"], key_period_limit=50.0), rule("high_high", id="hotter", limit=90.0, zones=["hall"]),
    rule(id="other", kind="furnace_hot", limit=55.0, zones=["hall"]),
    rule("low", id="cold", limit=5.0, schedule=[Window([1], 0, 60)]),
]  # fmt: skip


def test_rules_that_are_armed_whatever_is_declared_are_limits_the_strictest_of_each_name() -> None:
    site = Site("s", "s", zones=[HALL, YARD], devices=DEVICES, rules=RULES)
    registry = Registry(1, site, {z.id: z for z in site.zones}, {d.id: d for d in DEVICES})
    assert {s.device: standing_limits(s) for s in sensors_in(registry, "hall")} == {
        "T-1": {"high": 55.0, "high_high": 90.0}, "T-2": {"high": 55.0, "high_high": 90.0},
    }  # fmt: skip
    (yard,) = sensors_of_devices(registry, [DEVICES[2]]).values()
    assert standing_limits(yard) == {}, "a schedule is no limit for all times"
