"""Where a rule holds, what of it somebody sees and may change, which devices it judges."""

from dataclasses import dataclass
from datetime import UTC

import pytest
from msgspec.structs import replace

from hazards.rule_reach import as_seen, is_visible, judged_by, may_be_changed
from hazards.rules import AlarmRule, Comparison, Override
from hazards.scope import EVERYTHING, NOTHING, Scope
from hazards.zones import Device, Grade, Zone
from tests.rules import rule

_ZONES = [Zone("smelter", "熔铸", Grade.RED, "alu"), Zone("tank", "罐区", Grade.ORANGE, "chem"), Zone("pipe", "管线", Grade.BLUE)]
ZONES = {zone.id: zone for zone in _ZONES}
ALU, DISTRICT = Scope(enterprise="alu"), Scope(zones=frozenset({"tank", "pipe"}))


@dataclass
class Place:
    zones: dict[str, Zone]
    devices: dict[str, Device]


@pytest.mark.parametrize(
    ("each", "seen", "changes"),
    [
        (rule(), (True, True, True, False), (True, False, False)),
        (rule(zones=["smelter"]), (True, True, False, False), (True, False, False)),
        (rule(zones=["tank"]), (True, False, True, False), (True, False, True)),
        (rule(zones=["tank", "smelter"]), (True, True, True, False), (True, False, False)),
        (rule(grades=["orange"]), (True, False, True, False), (True, False, False)),
        (rule(zones=["smelter"], grades=["blue"]), (True, False, False, False), (True, False, False)),
    ],
)
def test_who_sees_and_who_may_change_a_rule(each: AlarmRule, seen: tuple[bool, ...], changes: tuple[bool, ...]) -> None:
    assert tuple(is_visible(each, ZONES.values(), scope) for scope in (EVERYTHING, ALU, DISTRICT, NOTHING)) == seen
    assert tuple(may_be_changed(each, scope) for scope in (EVERYTHING, ALU, DISTRICT)) == changes


def test_what_a_rule_says_of_others_zones_is_not_seen() -> None:
    full = rule(zones=["smelter", "tank"], overrides={"smelter": Override(limit=1.0), "tank": Override(limit=2.0)})
    assert as_seen(full, ZONES.values(), ALU) == replace(full, zones=["smelter"], overrides={"smelter": Override(limit=1.0)})
    assert as_seen(full, ZONES.values(), EVERYTHING) is full


def test_a_device_is_judged_by_the_rule_unless_it_or_a_rule_before_says_it() -> None:
    devices = [
        Device("T-1", "smelter", "sensor", settings={"metric": "temperature"}),
        Device("T-2", "smelter", "sensor", settings={"metrics": {"temperature": {}, "pressure": {}}}),
        Device("T-3", "smelter", "sensor", settings={"metric": "temperature", "limits": {"high": 60}}),
        Device("T-4", "tank", "sensor", settings={"metric": "temperature"}),
        Device("P-1", "tank", "sensor", settings={"metric": "power"}),
    ]
    place = Place(ZONES, {device.id: device for device in devices})
    exact = rule("tank_hot", zones=["tank"], limit=70.0)
    everywhere = judged_by(rule(), [rule(limit=1.0), exact], place, now=0, time_zone=UTC)
    assert everywhere == ({"smelter": {"T-1", "T-2"}}, {"smelter": {"T-3"}, "tank": {"T-4"}})
    stopped = rule("idle", metric="power", unit="kW", compares=Comparison.CONSUMPTION, limit=5.0)
    assert judged_by(stopped, [], place, now=0, time_zone=UTC) == ({"tank": {"P-1"}}, {}), "though no shutdown is declared now"
