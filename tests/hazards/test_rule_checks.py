"""Which alarm rules may be used: each refusal names its field; methane over limit can't be suppressed by any of them."""

from typing import Any

import pytest
from msgspec import structs

from hazards.declarations import Declared
from hazards.errors import BadInput
from hazards.rule_checks import check_rule, check_rules
from hazards.rules import AlarmRule, Comparison, Override, ResponseSheet, Window, Words

SECOND = 1_000_000
ZONES = ("hall", "yard")
SHEET = ResponseSheet(Words("冷却中断"), Words("设备损坏"), Words("减负荷，现场核实"), 10 * 60 * SECOND, ["班长"])


def rule(compares: str = "high", **more: Any) -> AlarmRule:
    given = {"id": "hot", "name": Words("炉温高"), "metric": "temperature", "response": SHEET, "limit": 60.0} | more
    return AlarmRule(compares=Comparison(compares), **given)  # type: ignore[arg-type]


def methane(compares: str = "high", **more: Any) -> AlarmRule:
    return rule(compares, **({"id": "methane", "metric": "methane", "limit": 1.0 if compares == "high" else 1.5} | more))


def sheet(**more: Any) -> ResponseSheet:
    return structs.replace(SHEET, **more)


NIGHT = [Window([1, 2, 3, 4, 5], 22 * 60, 6 * 60)]
NEVER = "a methane over-limit is never suppressed"


@pytest.mark.parametrize(
    "given",
    [
        rule(), rule("high_high", deadband=2.0, on_delay=5 * SECOND, latching=True, severity=1, key_period_limit=50.0, schedule=NIGHT),
        rule("low", limit=5.0, key_period_limit=8.0), rule("rising", limit=0.5), rule("stale", limit=60.0, unit="s"),
        rule("deviation", limit=5.0, reference=-20.0, deadband=1.0), rule("state", metric="door", limit=1.0, during=[Declared.STOP_ORDER]),
        rule("consumption", metric="power", limit=2.0, unit="W"), rule("high", metric="tilt_of_ours", unit="deg"),
        rule(zones=["hall"], grades=["red"], overrides={"hall": Override(limit=70.0), }),
        rule(overrides={"hall": Override(enabled=False, reason="炉区另有规则")}),
        methane(), methane(limit=0.5), methane("high_high", key_period_limit=1.0), methane(unit="ppm", limit=10_000.0),
        methane(unit="%LEL", limit=20.0), methane("rising", limit=0.1, on_delay=SECOND, enabled=False),
        methane(overrides={"hall": Override(limit=0.5)}, zones=["hall"]), methane(off_delay=5 * SECOND, latching=True),
    ],
)  # fmt: skip
def test_a_whole_rule_is_taken(given: AlarmRule) -> None:
    check_rule(given, ZONES)


@pytest.mark.parametrize(
    ("given", "where", "what"),
    [
        (rule(id="Hot!"), "id", "an id"), (rule(name=Words(" ")), "name.zh", "is missing"), (rule(metric="Heat"), "metric", "no metric"),
        (rule(metric="pressure", unit="kPa", kind="flame"), "kind", "does not show"),
        (rule(kind="hot_work_seen"), "kind", "does not show"), (rule(kind="pressure_high"), "kind", "does not show"),
        (rule("consumption", metric="pressure", unit="kPa"), "compares", "is not consumed"),
        (rule(overrides={"hall": Override(reason="为什么")}), "overrides.hall", "says nothing"),
        (rule(kind="Hot"), "kind", "no kind"), (rule("consumption", metric="m" * 54), "kind", "no kind"),
        (rule(severity=5), "severity", "1"),
        (rule(basis="law"), "basis", "no basis"), (rule(source="hearsay"), "source", "no source"),
        (rule(grades=["purple"]), "grades[0]", "no"),
        (rule(unit="kPa"), "unit", "not measured in"), (rule(metric="tilt", unit="bananas"), "unit", "not known"),
        (rule("stale", unit="min"), "unit", "seconds"),
        (rule(limit=None), "limit", "is missing"), (rule(limit=float("nan")), "limit", "finite"),
        (rule("rising", limit=0.0), "limit", "above 0"),
        (rule("deviation", limit=5.0), "reference", "is missing"), (rule("high", reference=1.0), "reference", "only a deviation"),
        (rule("deviation", limit=5.0, reference=float("inf")), "reference", "finite"),
        (rule("stale", limit=1e12), "limit", "too long"),
        (rule(deadband=-1.0), "deadband", "at least 0"), (rule("state", limit=1.0, deadband=0.5), "deadband", "not for state"),
        (rule("deviation", limit=5.0, reference=0.0, deadband=5.0), "deadband", "never end"),
        (rule(key_period_limit=61.0), "key_period_limit", "laxer"), (rule("low", key_period_limit=50.0), "key_period_limit", "laxer"),
        (rule("state", limit=1.0, key_period_limit=1.0), "key_period_limit", "not for state"),
        (rule(on_delay=-1), "on_delay", "at least 0"), (rule(off_delay=10**18), "off_delay", "at least 0"),
        (rule("stale", on_delay=1), "on_delay", "is its delay"), (rule("stale", schedule=NIGHT), "schedule", "always armed"),
        (rule("stale", during=[Declared.SHUTDOWN]), "during", "always armed"),
        (rule(schedule=[Window([], 0, 60)]), "schedule[0].days", "days are"),
        (rule(schedule=[Window([8], 0, 60)]), "schedule[0].days", "days"),
        (rule(schedule=[*NIGHT, Window([1], 1440, 60)]), "schedule[1].start", "minute"),
        (rule(schedule=[Window([1], 0, 1441)]), "schedule[0].until", "minute"),
        (rule(schedule=[Window([1], 60, 60)]), "schedule[0].until", "same"),
        (rule(response=sheet(cause=Words(""))), "response.cause.zh", "response sheet"),
        (rule(response=sheet(consequence=Words("", "fire"))), "response.consequence.zh", "response sheet"),
        (rule(response=sheet(action=Words(" "))), "response.action.zh", "response sheet"),
        (rule(response=sheet(within=0)), "response.within", "time allowed"), (rule(response=sheet(call=[])), "response.call", "called"),
        (rule(response=sheet(call=["班长", " "])), "response.call[1]", "is empty"),
        (rule(zones=["hall", "attic"]), "zones[1]", "no zone"),
        (rule(overrides={"attic": Override(limit=1.0)}), "overrides.attic", "no zone"),
        (rule(zones=["hall"], overrides={"yard": Override(limit=1.0)}), "overrides.yard", "does not hold"),
        (rule(overrides={"hall": Override(enabled=False)}), "overrides.hall.reason", "why"),
        (rule("rising", limit=1.0, overrides={"hall": Override(limit=-1.0)}), "overrides.hall.limit", "above 0"),
        (rule(overrides={"hall": Override(on_delay=-1)}), "overrides.hall.on_delay", "at least 0"),
        (rule(overrides={"hall": Override(severity=0)}), "overrides.hall.severity", "1"),
        (rule("deviation", limit=9.0, reference=0.0, deadband=5.0, overrides={"hall": Override(limit=4.0)}),
         "overrides.hall.deadband", "never"),
        (methane(enabled=False), "enabled", NEVER), (methane("high_high", schedule=NIGHT), "schedule", NEVER),
        (methane(during=[Declared.SHUTDOWN]), "during", NEVER), (methane(on_delay=1), "on_delay", NEVER),
        (rule("deviation", metric="methane", limit=50.0, reference=0.0, kind="methane_high"), "kind", "another comparison"),
        (rule("high", metric="temperature", kind="methane_high_high"), "kind", "does not show"),
        (rule("rising", limit=9.0, kind="temperature_high"), "kind", "another comparison"),
        (rule(limit=1e308), "limit", "finite"), (rule(overrides={"hall": Override(limit=-1e300)}), "overrides.hall.limit", "finite"),
        (methane(severity=3), "severity", NEVER), (methane(kind="quiet_gas"), "kind", NEVER),
        (methane(limit=1.01), "limit", NEVER), (methane("high_high", limit=1.51), "limit", NEVER),
        (methane(unit="%LEL", limit=20.5), "limit", NEVER),
        (methane(unit="ppm", limit=10_001.0), "limit", NEVER),
        (methane(overrides={"hall": Override(enabled=False, reason="检修")}), "overrides.hall.enabled", NEVER),
        (methane(overrides={"hall": Override(limit=1.2)}), "overrides.hall.limit", NEVER),
        (methane(overrides={"hall": Override(on_delay=SECOND)}), "overrides.hall.on_delay", NEVER),
        (methane(overrides={"hall": Override(severity=4)}), "overrides.hall.severity", NEVER),
    ],
)  # fmt: skip
def test_a_refusal_names_the_field_and_the_reason(given: AlarmRule, where: str, what: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_rule(given, ZONES)
    assert (refused.value.where, what in refused.value.what) == (where, True), str(refused.value)


@pytest.mark.parametrize(
    ("rules", "where"),
    [
        ([rule(), rule()], "hot.id"), ([rule(severity=9)], "hot.severity"),
        ([rule(), rule("high_high", id="hotter", limit=60.0)], "hotter.limit"),
        ([rule(), rule("low", id="cold", limit=70.0)], "hot.limit"),
        ([rule(), rule("high_high", id="hotter", limit=340.0, unit="K", zones=["hall"]), rule("low", id="c", limit=68.0)], "hot.limit"),
        ([rule(), rule("high_high", id="hotter", limit=80.0, overrides={"yard": Override(limit=50.0)})], "hotter.limit"),
        ([rule(zones=["hall"]), rule("high_high", id="hotter", limit=50.0)], "hotter.limit"),
    ],
)  # fmt: skip
def test_rules_that_contradict_each_other_are_refused(rules: list[AlarmRule], where: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_rules(rules, ZONES)
    assert refused.value.where == where


@pytest.mark.parametrize(
    "rules",
    [
        [rule(), rule("high_high", id="hotter", limit=80.0)],
        [rule(zones=["hall"]), rule("high_high", id="hotter", limit=50.0, zones=["yard"])],
        [rule(grades=["red"]), rule("high_high", id="hotter", limit=50.0, grades=["blue"])],
        [rule(), rule("high_high", id="hotter", limit=50.0, enabled=False)],
        [rule(), rule("high_high", id="hotter", limit=350.0, unit="K")],
        [rule(), rule("high_high", id="p", limit=5.0, metric="pressure")],
        [rule(), rule("high_high", id="hotter", limit=80.0, overrides={"yard": Override(limit=50.0, enabled=False, reason="停用")})],
    ],
)  # fmt: skip
def test_rules_that_never_meet_or_that_rise_are_taken(rules: list[AlarmRule]) -> None:
    check_rules(rules, ZONES)
