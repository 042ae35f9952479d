"""The table of kinds."""

from hazards.kinds import FAMILIES, KIND_PATTERN, KINDS, kind_of


def test_every_row_is_well_formed() -> None:
    for name, kind in KINDS.items():
        assert KIND_PATTERN.match(name) and kind.name == name
        assert kind.severity in (1, 2, 3, 4)
        assert kind.family in FAMILIES, f"{kind.family} has no Chinese name"
        assert kind.chinese and kind.english


def test_an_unknown_kind_is_shown_as_such_in_a_family_of_its_own() -> None:
    kind = kind_of("strange_smell")
    assert (kind.family, kind.known, kind.severity) == ("strange_smell", False, 3)
