"""The table of kinds."""

import pytest

from hazards.kinds import FAMILIES, FAMILY_GROUPS, KIND_PATTERN, KINDS, group_of, kind_of, leading, of_instrument
from hazards.metrics import METRICS


def test_every_row_is_well_formed() -> None:
    for name, kind in KINDS.items():
        assert KIND_PATTERN.match(name) and kind.name == name
        assert kind.severity in (1, 2, 3, 4)
        assert kind.family in FAMILIES, f"{kind.family} has no Chinese name"
        assert kind.chinese and kind.english


def test_every_rule_of_every_metric_has_a_kind() -> None:
    rules = ("high_high", "high", "low", "low_low", "rising", "deviation", "state", "consumption")
    names = {f"{metric}_{rule}" for metric in METRICS for rule in rules}
    assert names | {"sensor_stale"} <= set(KINDS)
    assert (kind_of("humidity_low").chinese, kind_of("methane_high").chinese) == ("湿度低", "甲烷超限")


@pytest.mark.parametrize(
    ("kind", "sets_off"),
    [
        ("flammable_gas_high", True), ("methane_high_high", True), ("oxygen_low_low", True), ("pressure_rising", True),
        ("temperature_deviation", True), ("dust_high", True), ("sensor_stale", True), ("device_fault", True),
        ("seal_broken", False), ("seal_state", False), ("seal_high", False), ("door_state", False), ("door_open", False), ("flame", False),
        ("smoke", False), ("people_high", False), ("people_high_high", False), ("intrusion", False), ("power_consumption", False),
        ("manual_call_point", False), ("tamper", False), ("power_lost", False), ("strange_smell", False),
    ],
)  # fmt: skip
def test_a_calibration_sets_off_what_an_instrument_says_and_never_seals_doors_flames_and_people(kind: str, sets_off: bool) -> None:
    assert of_instrument(kind) is sets_off


def test_an_unknown_kind_is_shown_as_such_in_a_family_of_its_own() -> None:
    kind = kind_of("strange_smell")
    assert (kind.family, kind.known, kind.severity) == ("strange_smell", False, 3)


def test_a_family_is_in_one_group_and_a_group_is_shown_as_its_leading_family() -> None:
    members = [family for families in FAMILY_GROUPS for family in families]
    assert len(members) == len(set(members)) and set(members) <= set(FAMILIES)
    assert [group_of(f) for f in ("fire", "heat", "gas", "strange_smell")] == ["fire", "fire", "gas", "strange_smell"]
    pairs = [("heat", "fire"), ("fire", "heat"), ("heat", "heat"), ("gas", "gas")]
    assert [leading(a, b) for a, b in pairs] == ["fire", "fire", "heat", "gas"]


def test_a_flame_on_one_picture_is_not_of_the_gravest_severity() -> None:
    assert kind_of("flame").severity == 2, "unverified: an independent source makes it 1 (hazards/correlation.py)"
