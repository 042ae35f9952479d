"""What a scope sees, and what a district's holds."""

import pytest

from hazards.scope import EVERYTHING, NOTHING, Scope, scope_of_district
from hazards.zones import Agreement, Grade, Zone

ZONES = [
    (where, Zone(f"{where or 'nowhere'}-{level or 'plain'}", "z", Grade.RED, major_hazard_level=level))
    for where in ("510800", "510802", "510802001", "510803002", "510703", "510722", "520102", "")
    for level in (None, 2)
]
TREATY = [Agreement(["510802", "510703"])]


@pytest.mark.parametrize(
    ("district", "agreements", "shared"),
    [
        ("510802", [], {"510803002-2"}),
        ("510802", TREATY, {"510803002-2", "510703-2"}),
        ("510802000", TREATY, {"510803002-2", "510703-2"}),  # the same district
        ("510703", TREATY, {"510722-2", "510802-2", "510802001-2"}),
        ("510802001", TREATY, set()),  # below a party of the agreement: none itself
        ("510800", TREATY, {"510703-2", "510722-2"}),  # above one: beside it lies the other prefecture
        ("510722", TREATY, {"510703-2"}),
        ("510000", TREATY, {"520102-2"}),
        ("520102", TREATY, set()),
        ("530000", TREATY, {z.id for where, z in ZONES if where and z.major_hazard_level}),  # every other province's
        ("no code", TREATY, set()),
    ],
)  # fmt: skip
def test_sideways_only_major_hazard_installations_of_the_same_level_or_by_agreement(
    district: str, agreements: list[Agreement], shared: set[str]
) -> None:
    found = scope_of_district(district, ZONES, agreements, sideways=True)
    assert found.shared == shared
    assert scope_of_district(district, ZONES, agreements, sideways=False) == Scope(zones=found.zones), "nothing but the register differs"
    assert found.zones is not None and not found.zones & found.shared


@pytest.mark.parametrize(
    ("district", "own"),
    [
        ("510000", {"510800", "510802", "510802001", "510803002", "510703", "510722"}),
        ("510800", {"510800", "510802", "510802001", "510803002"}),
        ("510802", {"510802", "510802001"}), ("510802001", {"510802001"}), ("530000", set()), ("no code", set()), ("", set()),
    ],
)  # fmt: skip
def test_a_parent_sees_its_children(district: str, own: set[str]) -> None:
    found = scope_of_district(district, ZONES, sideways=False).zones
    assert found == {z.id for where, z in ZONES if where in own}


@pytest.mark.parametrize(
    ("scope", "sees", "register"),
    [
        (EVERYTHING, True, True), (NOTHING, False, False), (Scope(enterprise="alu"), True, True), (Scope(enterprise="chem"), False, False),
        (Scope(zones=frozenset({"smelter"})), True, True), (Scope(zones=frozenset({"depot"})), False, False),
        (Scope(zones=frozenset({"depot"}), shared=frozenset({"smelter"})), False, True),
        (Scope(enterprise="chem", zones=frozenset({"smelter"})), False, False),
    ],
)  # fmt: skip
def test_what_a_scope_sees_of_the_smelter_of_alu(scope: Scope, sees: bool, register: bool) -> None:
    assert (scope.sees("smelter", "alu"), scope.sees_register("smelter", "alu")) == (sees, register)
    assert scope.everything is (scope == EVERYTHING)
