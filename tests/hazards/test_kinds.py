"""The table of kinds."""

from hazards.kinds import FAMILIES, FAMILY_GROUPS, KIND_PATTERN, KINDS, group_of, kind_of, leading
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
