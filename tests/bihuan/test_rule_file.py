"""Alarm rules in site files and policy packs: as they are written, and each mistake by its line."""

from pathlib import Path

import pytest

from bihuan.policy_file import parse_policy
from bihuan.site_file import parse_site
from hazards.declarations import Declared
from hazards.errors import InvalidFile
from hazards.rules import AlarmRule, Comparison, Override, ResponseSheet, Window, Words
from tests.bihuan.test_policy_file import TEXT

MINUTE = 60_000_000
SITE = """
site: {id: works, name: 铝厂}
zones:
  - {id: smelter, name: 熔炼, grade: red, line: [[0, 0], [9, 9]]}
  - {id: yard, name: 堆场, grade: blue, line: [[0, 0], [9, 9]]}
devices:
  - {id: T-1, zone: smelter, type: sensor, metric: temperature}
"""
RULES = """
rules:
  - id: melt_hot
    name: {zh: 熔炉温度高, en: furnace hot}
    metric: temperature
    compares: high
    limit: 760
    key_period_limit: 740
    unit: Cel
    deadband: 2.5
    on_delay: 10s
    severity: 2
    schedule:
      - {days: [1, 2, 3, 4, 5], start: "22:00", until: "06:00"}
    grades: [red]
    overrides:
      yard: {limit: 80, off_delay: 1m}
    response:
      cause: 冷却水不足
      consequence: {zh: 熔体外溢, en: molten metal escapes}
      action: {zh: 减载、查冷却水, en: reduce load}
      within: 5m
      call: [值班长, park_command]
  - id: power_used
    name: 停产期间用电
    metric: power
    compares: consumption
    during: [stop_order]
    limit: 2
    response: {cause: 擅自开工, consequence: 事故, action: 现场核查, within: 30m, call: [安全员]}
"""


def refused(text: str) -> str:
    with pytest.raises(InvalidFile) as error:
        parse_site(text.encode(), file="site.yaml", folder=Path())
    return str(error.value)


def line_of(part: str) -> int:
    text = SITE + RULES
    return text[: text.index(part)].count("\n") + 1


def test_rules_of_a_site_file_are_values() -> None:
    first, second = parse_site((SITE + RULES).encode(), file="site.yaml", folder=Path()).site.rules
    assert first == AlarmRule(
        id="melt_hot", name=Words("熔炉温度高", "furnace hot"), metric="temperature", compares=Comparison.HIGH, limit=760.0,
        key_period_limit=740.0, unit="Cel", deadband=2.5, on_delay=10_000_000, severity=2, grades=["red"],
        schedule=[Window([1, 2, 3, 4, 5], 22 * 60, 6 * 60)], overrides={"yard": Override(limit=80.0, off_delay=MINUTE)},
        response=ResponseSheet(Words("冷却水不足"), Words("熔体外溢", "molten metal escapes"), Words("减载、查冷却水", "reduce load"),
                               5 * MINUTE, ["值班长", "park_command"]),
    )  # fmt: skip
    assert (second.name, second.during, second.source) == (Words("停产期间用电"), [Declared.STOP_ORDER], "site")
    assert not parse_site(SITE.encode(), file="site.yaml", folder=Path()).site.rules, "a file without rules stays as it was"


@pytest.mark.parametrize(
    ("before", "after", "where", "what"),
    [
        ("limit: 760", "limit: hot", "rules[0].limit", "a number is expected"), ("limit: 760", "limit: .nan", "rules[0].limit", "a number"),
        ("on_delay: 10s", "on_delay: 10", "rules[0].on_delay", "a duration with its unit"),
        ("within: 5m", "within: soon", "rules[0].response.within", "a duration"),
        ("within: 5m", "within: 0s", "rules[0].response.within", "time"),
        ('start: "22:00"', 'start: "25:00"', "rules[0].schedule[0].start", "a time of day"),
        ('until: "06:00"', 'until: "22:00"', "rules[0].schedule[0].until", "is the same as start"),
        ("days: [1, 2, 3, 4, 5]", "days: [9]", "rules[0].schedule[0].days", "days are 1 to 7"),
        ("compares: high", "compares: higher", "rules[0].compares", "is not one of them"),
        ("unit: Cel", "unit: kPa", "rules[0].unit", "measured"),
        ("key_period_limit: 740", "key_period_limit: 780", "rules[0].key_period_limit", "laxer"),
        ("grades: [red]", "grades: [purple]", "rules[0].grades[0]", "no grade"),
        ("      yard:", "      attic:", "rules[0].overrides.attic", "no zone"),
        ("      call: [值班长, park_command]", "      call: []", "rules[0].response.call", "somebody is to be called"),
        ("      cause: 冷却水不足", "      cause: ''", "rules[0].response.cause.zh", "response sheet"),
        ("metric: temperature\n    compares: high\n    limit: 760\n    key_period_limit: 740\n    unit: Cel",
         "metric: methane\n    compares: high\n    limit: 3", "rules[0].schedule", "never suppressed"),
        ("during: [stop_order]", "during: [lunch]", "rules[1].during[0]", "is not one of them"),
        ("id: power_used", "id: melt_hot", "rules[1].id", "twice"),
        ("    deadband: 2.5", "    colour: red", "rules[0].colour", "is no key here"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_rule_is_named_by_its_line(before: str, after: str, where: str, what: str) -> None:
    text = SITE + RULES
    assert before in text
    said = refused(text.replace(before, after, 1))
    assert f"{where}: " in said and what in said
    line = int(said.split("line ")[1].split(",")[0])
    assert abs(line - line_of(before)) <= 9, "it points at the value, or at what is around it"


def test_a_rule_without_a_response_sheet_is_refused() -> None:
    text = SITE + RULES
    said = refused(text.replace(text[text.index("    response: {cause: 擅自开工") :], ""))
    assert "rules[1].response: is missing" in said


def test_rules_by_their_ids_are_the_same_rules() -> None:
    given = SITE + """
rules:
  hall_hot: {name: 温度高, metric: temperature, compares: high, limit: 60,
    response: &sheet {cause: 一, consequence: 二, action: 三, within: 1m, call: [四]}}
  hall_hotter: {name: 高高, metric: temperature, compares: high_high, limit: 50, response: *sheet}
"""
    assert "rules.hall_hotter.limit: the limit 50 of high_high is not above 60 of high" in refused(given)
    rules = parse_site(given.replace("limit: 50", "limit: 70").encode(), file="site.yaml", folder=Path()).site.rules
    assert [(r.id, r.limit) for r in rules] == [("hall_hot", 60.0), ("hall_hotter", 70.0)]


def test_a_pack_may_have_rules_and_its_mistakes_have_lines_too() -> None:
    without = TEXT[: TEXT.index("alarm_rules:")]
    assert parse_policy(without.encode(), file="pack.yaml").policy.alarm_rules == (), "a pack of before stays valid"
    rule = """
alarm_rules:
  melt_hot: {name: {zh: 高温, en: hot}, metric: temperature, compares: high, limit: 60, zones: [smelter],
    response: {cause: {zh: 一, en: a}, consequence: {zh: 二, en: b}, action: {zh: 三, en: c}, within: 1m, call: [四]}}
"""
    found = parse_policy((without + rule).encode(), file="pack.yaml")
    assert [(r.id, r.source) for r in found.policy.alarm_rules] == [("melt_hot", "pack")]
    assert any("a pack is for every site" in w.what for w in found.warnings)
    with pytest.raises(InvalidFile) as error:
        parse_policy((without + rule.replace("limit: 60", "limit: 60, deadband: -1")).encode(), file="pack.yaml")
    line = without.count("\n") + 3
    assert f"line {line}, alarm_rules.melt_hot.deadband: is a number of at least 0" in str(error.value)


def test_methane_that_a_device_would_suppress_is_warned_of() -> None:
    text = SITE.replace("metric: temperature}", "metric: methane, limits: {high: 2, high_high: 3}}")
    warnings = parse_site(text.encode(), file="site.yaml", folder=Path()).warnings
    assert [w.what for w in warnings] == [
        "high 2 is above 1, which holds instead: methane over limit is never suppressed",
        "high_high 3 is above 1.5, which holds instead: methane over limit is never suppressed",
    ]  # fmt: skip


def test_the_example_of_the_page_is_a_sound_file() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alarm-rules.md").read_text("utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    more = "".join(f"  - {{id: {zone}, name: 区, grade: red, line: [[0, 0], [9, 9]]}}\n" for zone in ("smelter_2", "lab"))
    site = SITE.replace("zones:\n", "zones:\n" + more)
    found = parse_site((site + example).encode(), file="site.yaml", folder=Path())
    assert [rule.id for rule in found.site.rules] == ["melt_hot", "power_while_stopped"] and found.warnings == ()
