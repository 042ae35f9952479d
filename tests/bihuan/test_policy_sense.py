"""A pack that no city can mean is refused by line: names, numbers, things that are there twice, things that nobody may do."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bihuan.policy_file import PACKS, parse_policy
from hazards.errors import InvalidFile

TEXT = (PACKS / "guangyuan.yaml").read_text("utf-8")
DAY = date(2026, 3, 1)


def line_of(text: str) -> int:
    return TEXT[: TEXT.index(text)].count("\n") + 1


def put(before: str, after: str) -> bytes:
    assert TEXT.count(before) >= 1, before
    return TEXT.replace(before, after, 1).encode()


def told(data: bytes) -> list[str]:
    """Every error of a pack."""
    with pytest.raises(InvalidFile) as refused:
        parse_policy(data, file="pack.yaml")
    return [str(problem) for problem in refused.value.problems]


SIGN = "  sign_extension: {roles: [administrator, bureau, department, park_command, safety_office]"
APPROVE = "  approve_plan: {roles: [administrator, bureau, department, park_command]"
SEVERITIES = 'grade_of_severity: {"1": major, "2": serious'
MAJOR_LIMIT = "limit: {amount: 15, counting: natural_days, rule: major_limit}"


@pytest.mark.parametrize(
    ("before", "after", "place", "said"),
    [
        ("id: guangyuan", "id: Guang Yuan", "id", "lower case letters"),
        ("version: guangyuan-4", "version: the second one", "version", "one word"),
        ("  control_room: {", "  Control room: {", "posts.Control room", "is no name"),
        ("    zh: 一般\n", '    zh: " "\n', "grades.general.zh", "is empty"),
        (MAJOR_LIMIT, MAJOR_LIMIT.replace("15", "99999999"), "grades.major.limit.amount", "0 to 3650 natural days"),
        ("amount: 2, counting: hours", "amount: 0, counting: hours", "clocks.receipt.limit.amount", "1 to 8784 hours"),
        ("most_days: 15", "most_days: 100000", "extension.most_days", "from 0 to 3650"),
        ("most_days: 15", "most_days: 0", "extension", "needs days and causes"),
        ("repeats: {days: 365", "repeats: {days: 0", "repeats.days", "from 1 to"),
        ("experts: 1", "experts: 21", "grades.major.inspection.experts", "at most 20"),
        ("seen_percent: 50", "seen_percent: 101", "gate.seen_percent", "from 0 to 100"),
        ("least: 500", "least: 500000", "amounts.whistle_blower_reward", "more than the most"),
        (SIGN, SIGN.replace(" department,", ""), "extension.posts", "nobody who holds the post 'department' may sign"),
        ("posts: [park_command, department]  #", "posts: [department, department]  #", "extension.posts", "there twice; a post signs once"),
        ("posts_outside_park: [town, department]", "posts_outside_park: []", "extension", "go together"),
        (APPROVE, "  approve_plan: {roles: []", "grades.major.needs_plan", "nobody may approve_plan"),
        ("accepted_by: [administrator, bureau, department, park_command]", "accepted_by: [operator]", "grades.serious.accepted_by",
         "stay open for ever"),
        ("responsible: [administrator, enterprise]", "responsible: [operator]", "responsible", "nobody could rectify"),
        (SEVERITIES, SEVERITIES.replace("major", "general"), "grades", "the gravest stands last"),
        (SEVERITIES, SEVERITIES.replace('"1"', '"0": major, "1"'), "grade_of_severity.0", "1 (the gravest) to 4"),
        ("certainty: observed", "certainty: sure", "proposals[0].certainty", "possible, likely, observed"),
        ("kinds: {}", "kinds: {ice: {zh: 冰, en: ice, families: [weather]}}", "kinds.ice.families", "there is no 'weather'"),
        ("kinds: {}", "kinds: {Ice: {zh: 冰, en: ice}}", "kinds.Ice", "lower_snake_case"),
        ("kinds: {}", "kinds: [{name: ice, zh: 冰, en: ice}, {name: ice, zh: 冰, en: ice}]", "kinds.ice", "is there twice"),
        ('dated: "2022-06"', 'dated: "June 2022"', "documents.001.dated", "a year, a month or a day"),
        ("exceptions: {}", "exceptions: {2026-13-01: off}", "calendar.exceptions.2026-13-01", "a day off is a date"),
        ("exceptions: {}", "exceptions: {2026-12-01: sometimes}", "calendar.exceptions.2026-12-01", "true or false"),
        ("  record:\n", "  recorded:\n", "rules", "the rule 'record' is missing"),
        ("    also: [park_command]  # towns", "    also: [control_room]  # towns", "duties.monthly_inspection",
         "nobody who holds the post 'control_room' may record"),
    ],
)  # fmt: skip
def test_what_no_city_can_mean_is_refused_at_its_place(before: str, after: str, place: str, said: str) -> None:
    lines = told(put(before, after))
    (line,) = [line for line in lines if f", {place}: " in line and said in line] or [str(lines)]
    assert f", {place}: " in line
    if place not in ("rules", "grades", "extension"):
        section = place.partition(".")[0].partition("[")[0]
        assert int(line.split(",")[0].removeprefix("line ")) >= line_of(f"\n{section}:") - 1


def test_criteria_that_leave_a_grade_out_are_refused_where_it_needs_one() -> None:
    section = TEXT[TEXT.index("\ncriteria:") : TEXT.index("\nwaivers:")]
    assert any("grades.major.needs_criterion: there is no item" in line for line in told(put(section, "\ncriteria: {}")))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('      "-3d": [enterprise, department]', '      "-30d": [enterprise]', "rectify.points.-30d: comes before the clock starts"),
        ("  town: {zh: 镇街", "  nobody: {zh: 无, en: nobody, roles: []}\n  town: {zh: 镇街", "posts.nobody: no role holds this post"),
        ("    needs_plan: true\n", "", ""),
        ("    zh: 较大\n", "    zh: 较大\n    listed: true\n    needs_plan: true\n", ""),
        ('standing: draft, dated: "2022-06"', 'standing: in_force, until: "2026-02"', "documents.001: is no longer in force"),
        ('standing: draft, dated: "2022-06"', 'standing: in_force, until: "2026-03"', ""),
        ("country: CN", "country: XX", "the days off of 'XX' are not known"),
        ("    authority: platform_default\n", "    authority: demo\n", "1 rules are only of a demonstration"),
    ],
)
def test_what_is_only_odd_is_a_warning(before: str, after: str, said: str) -> None:
    warnings = [str(w) for w in parse_policy(put(before, after), file="pack.yaml", today=DAY).warnings]
    others = [w for w in warnings if "is a draft" not in w]
    assert any(said in w for w in others) if said else not others, warnings


def test_a_grade_that_is_listed_below_one_that_is_not_is_odd() -> None:
    text = TEXT.replace("    listed: true\n", "").replace("    zh: 较大\n", "    zh: 较大\n    listed: true\n")
    assert any("grades.serious.listed" in str(w) for w in parse_policy(text.encode(), file="x").warnings)


def test_days_are_working_or_off_in_words() -> None:
    own = put("exceptions: {}", "exceptions: {2026-10-10: off, 2026-12-05: working, 2026-12-06: 上班, 2026-12-07: 休息, 2026-12-08: false}")
    exceptions = parse_policy(own, file="x").policy.calendar.exceptions
    days = ("2026-10-10", "2026-12-05", "2026-12-06", "2026-12-07", "2026-12-08")
    assert [exceptions[day] for day in days] == [False, True, True, False, False]


# --- whatever is in it ---
TREE: dict[str, Any] = yaml.load(TEXT, yaml.BaseLoader)
SMALL: dict[str, Any] = TREE | {"rules": dict(list(TREE["rules"].items())[:3]), "events": {}, "commands": {}}
"""A few rules are enough for most mistakes, and read ten times as fast."""


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield from _places(each, (*at, key))


def _with(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    if not at:
        return new
    made = dict(value) if isinstance(value, dict) else list(value)
    made[at[0]] = _with(made[at[0]], at[1:], new)
    return made


PLACES = sorted(set(_places(SMALL)) - {()}, key=str)
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**20) | st.floats() | _texts
    | st.sampled_from(["001(15)", "major", "half", "-3d", "2026-02-30", "natural_days", "department", "receipt", "clause"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3), max_leaves=5,
)  # fmt: skip


@settings(max_examples=150)
@given(st.sampled_from(PLACES), _anything)
def test_whatever_stands_at_a_place_only_an_invalid_file_is_raised(at: tuple[Any, ...], value: Any) -> None:
    try:
        parse_policy(yaml.safe_dump(_with(SMALL, at, value), allow_unicode=True).encode(), file="pack.yaml", today=DAY)
    except InvalidFile as e:
        assert all(problem.what for problem in e.problems) and e.problems


@settings(max_examples=150)
@given(st.binary(max_size=60) | _texts.map(lambda text: text.encode()))
def test_whatever_the_bytes_only_an_invalid_file_is_raised(data: bytes) -> None:
    with pytest.raises(InvalidFile):
        parse_policy(data, file="pack.yaml")
