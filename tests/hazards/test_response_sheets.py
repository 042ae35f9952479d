"""There is a response sheet for every alarm: the rule's, else the platform's own, whole and in both languages."""

import pytest
from msgspec import structs

from hazards.kinds import FAMILIES, KINDS
from hazards.response_sheets import OF_ANYTHING, OF_ENDINGS, OF_FAMILIES, OF_KINDS, sheet_of
from hazards.rule_checks import check_rule
from hazards.rules import ResponseSheet, Words
from tests.hazards.test_rule_checks import SHEET, rule


@pytest.mark.parametrize("sheet", [*OF_KINDS.values(), *OF_ENDINGS.values(), *OF_FAMILIES.values(), OF_ANYTHING])
def test_the_platform_s_sheets_are_whole_and_in_both_languages(sheet: ResponseSheet) -> None:
    check_rule(rule(response=sheet), ())
    assert all(words.zh and words.en for words in (sheet.cause, sheet.consequence, sheet.action))


def test_every_kind_has_a_sheet_of_its_own_or_of_its_family() -> None:
    assert set(FAMILIES) <= set(OF_FAMILIES)
    assert set(OF_KINDS) <= set(KINDS), "a sheet of a kind that there is not"
    assert all(sheet_of(kind, ()) is not OF_ANYTHING for kind in KINDS)
    assert sheet_of("power_consumption", ()) is sheet_of("pressure_consumption", ()) is OF_ENDINGS["_consumption"]
    assert sheet_of("ground_tremor", ()) is OF_ANYTHING


def test_the_sheet_of_the_rule_goes_before_and_among_rules_the_console_s() -> None:
    own = structs.replace(SHEET, cause=Words("另一原因"))
    found = sheet_of("temperature_high", [rule(source="pack"), rule(id="b", source="console", response=own), rule(id="c", source="site")])
    assert found is own
    assert sheet_of("temperature_high", [rule(enabled=False)]) is OF_FAMILIES["heat"]
