"""The policy pack's file: what is wrong is named by its line, what comes with the program is honest, and nothing else is ever raised."""

import ast
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bihuan.days_off import days_off, known_years
from bihuan.policy_checks import NEEDED_RULES
from bihuan.policy_file import PACKS, PolicyFile, parse_policy, read_policy, shipped, shipped_versions
from hazards.errors import InvalidFile
from hazards.ledger.lifecycle import COMMANDS, Event
from hazards.ledger.policy import TOLD, Authority, Counting

TEXT = (PACKS / "guangyuan.yaml").read_text("utf-8")
NAMES = list(shipped_versions())


def problems(before: str, after: str) -> str:
    """What is said of the default pack with one text replaced."""
    assert before in TEXT
    with pytest.raises(InvalidFile) as refused:
        parse_policy(TEXT.replace(before, after, 1).encode(), file="pack.yaml")
    return str(refused.value)


def line_of(text: str) -> int:
    return TEXT[: TEXT.index(text)].count("\n") + 1


@pytest.mark.parametrize("name", NAMES)
def test_only_what_a_document_says_is_called_a_clause(name: str) -> None:
    pack = shipped(name)
    documents = {document.id for document in pack.documents}
    for rule in pack.rules.values():
        says = rule.authority in (Authority.CLAUSE, Authority.INTERPRETATION)
        assert bool(rule.sources) == says and rule.zh and rule.en, rule.id
        assert {source.document for source in rule.sources} <= documents
    for grade in pack.grades:
        days_of_a_document = pack.rule(grade.limit.rule).sources
        assert {s.document for s in days_of_a_document} <= {"001"}, "only document 001 gives days for rectification"
    assert set(pack.events) == set(Event) and set(pack.commands) == set(COMMANDS) | {"propose"}
    assert shipped_versions()[name] == pack.version


def test_the_second_pack_really_differs() -> None:
    first, second = (shipped(name) for name in NAMES)
    assert len(first.grades) == 3 and len(second.grades) == 2
    assert second.grades[0].limit.counting is Counting.WORKING_DAYS and len(second.extension.posts) == 3
    assert first.repeats.raises_grade and not second.repeats.raises_grade
    assert not [r for r in second.rules.values() if any(s.document == "001" for s in r.sources)]


def named_in_the_ledger() -> tuple[set[str], set[str]]:
    """Rules and posts that the ledger's code names: ``rule("…")``, ``rule=…``, ``rule = …`` and ``tells=…``."""
    found: dict[str, set[str]] = {"rule": set(), "tells": set()}
    for file in [*Path("hazards/ledger").rglob("*.py"), Path("storage/policies.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            given: list[tuple[str, ast.expr]] = []
            if isinstance(node, ast.Call):
                given = [(k.arg or "", k.value) for k in node.keywords]
                given += [("rule", a) for a in node.args if isinstance(node.func, ast.Attribute) and node.func.attr == "rule"]
            elif isinstance(node, ast.Assign):
                given = [(t.id, node.value) for t in node.targets if isinstance(t, ast.Name)]
            for name, value in given:
                chosen = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
                if name in found:
                    texts = (c for each in chosen for c in ast.walk(each) if isinstance(c, ast.Constant))
                    found[name] |= {c.value for c in texts if isinstance(c.value, str)}
    return found["rule"], found["tells"]


def test_what_the_program_names_is_asked_of_every_pack() -> None:
    rules, posts = named_in_the_ledger()
    assert rules & set(shipped("guangyuan").rules) == NEEDED_RULES
    assert posts & {p.name for p in shipped("guangyuan").posts} == set(TOLD)


def test_a_post_that_the_program_tells_and_a_city_does_not_have_is_a_warning() -> None:
    lines = (each if re.search(r"^  \w+: \{roles", each) else each.replace("safety_office", "committee") for each in TEXT.splitlines())
    text = "\n".join(lines).replace("roles: [committee]", "roles: [safety_office]")
    warnings = [str(warning) for warning in parse_policy(text.encode(), file="pack.yaml").warnings]
    assert [w for w in warnings if "no post 'safety_office'" in w and "nobody hears" in w]


@pytest.mark.parametrize(
    ("before", "after", "said", "at"),
    [("rule: major_limit}", "rule: nope}", "there is no rule 'nope'", "amount: 15, counting: natural_days, rule: major_limit"),
     ("counting: natural_days", "counting: moons", "natural_days, working_days, hours", "counting: natural_days"),
     ("    accepted_by: [admin", "    acceptd_by: [admin", "acceptd_by: is no key here", "    accepted_by: [admin"),
     ('sources: ["001(15)"]', 'sources: ["009(15)"]', "there is no document '009'", 'sources: ["001(15)"]'),
     ('sources: ["001(15)"]', 'sources: ["clause fifteen"]', "'clause fifteen' is not understood", 'sources: ["001(15)"]'),
     ('    sources: ["001(14)"]\n', "", "a rule by clause names its place", "  grades:\n"),
     ("      half: [enterprise]", "      noon: [enterprise]", "'noon' is no point", "      half: [enterprise]"),
     ("      half: [enterprise]", "      half: [emperor]", "there is no post 'emperor'", "      half: [enterprise]"),
     ("amount: 15", "amount: fifteen", "a whole number is expected", "amount: 15"),
     ("  closed: close_by_list\n", "", "the rule of 'closed' is missing", "events:"),
     ("  closed: close_by_list\n", "  closed: nobody_said\n", "there is no rule 'nobody_said'", "  closed: close_by_list"),
     ("  accept: {roles", "  acept: {roles", "'acept' is no command", "commands:"),
     ("  rectify:\n", "  rectifie:\n", "there is no clock 'rectifie'", "  rectify:"),
     ("roles: [bureau]", "roles: [emperor]", "there is no role 'emperor'", "roles: [bureau]"),
     ("key_periods: {}", "key_periods: {spring: {zh: 春, en: s, first: 2027-03-09, last: 2027-03-01, rule: record}}",
      "ends before it begins", "key_periods:"),
     ("id: guangyuan", "id: [a]", "one value is expected", "id: guangyuan"), ("id: guangyuan", "", "id: is missing", "id: guangyuan")],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_line(before: str, after: str, said: str, at: str) -> None:
    told = problems(before, after)
    assert said in told
    lines = {int(part.split(",")[0].split(":")[0].split()[0]) for part in told.split("line ")[1:]}
    assert min(abs(line - line_of(at)) for line in lines) <= 1 or at in ("events:", "commands:", "id: guangyuan"), (told, line_of(at))


def test_a_draft_and_missing_days_off_are_warnings() -> None:
    def warned(today: date) -> str:
        found: PolicyFile = parse_policy(TEXT.encode(), file="pack.yaml", today=today)
        return "; ".join(str(w) for w in found.warnings)

    assert "documents.001: is a draft" in warned(date(2026, 3, 1)) and "days off" not in warned(date(2026, 9, 30))
    assert f"days off of {known_years('CN')[-1] + 1}" in warned(date(known_years("CN")[-1], 10, 1))


def test_days_off_and_days_worked_instead_are_written_out() -> None:
    """The National Day of 2026 is off, and the Saturday after is worked for it."""
    assert days_off("CN")["2026-10-01"] is False and days_off("CN")["2026-10-10"] is True and days_off("XX") == {}
    exceptions = shipped("guangyuan").calendar.exceptions
    assert exceptions["2026-10-01"] is False and exceptions["2026-10-10"] is True
    own = TEXT.replace("  exceptions: {}", "  exceptions: {2026-10-10: false}")
    assert parse_policy(own.encode(), file="x").policy.calendar.exceptions["2026-10-10"] is False


def test_a_file_that_is_none_is_one_line(tmp_path: Path) -> None:
    for data in (b"", b"\xff", b"[1, 2]", b"a: [", b"id: x"):
        path = tmp_path / "pack.yaml"
        path.write_bytes(data)
        with pytest.raises(InvalidFile):
            read_policy(path)
    with pytest.raises(InvalidFile, match="can't be read"):
        read_policy(tmp_path / "nowhere.yaml")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_is_cut_or_put_in_only_invalid_files_are_raised(data: st.DataObject) -> None:
    lines = TEXT.splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines) - 1))
    pieces = ["", "  x: y\n", "- 1\n", "rules: 3\n", "  : \n", "  zh: {a: [b]}\n", "grades: []\n", "\t\n", "posts: null\n"]
    put = data.draw(st.sampled_from(pieces))
    cut = data.draw(st.integers(0, 3))
    try:
        parse_policy("".join([*lines[:at], put, *lines[at + cut :]]).encode(), file="pack.yaml", today=date(2026, 11, 1))
    except InvalidFile as e:
        assert e.problems
