"""District codes: which are some, and which lies within or beside which."""

import pytest

from hazards.districts import are_one, check_district, is_district, lies_beside, lies_within
from hazards.errors import BadInput

SOUND = ["510000", "510800", "510802", "510802001", "510802001003", "510802000", "510800000000", "441900003", "429004", "110101"]
UNSOUND = [
    "", "51", "5108", "51080", "5108020", "51080200100", "5108020010031", "000000", "010000", "51o802", "510802 ", " 510802", "٥١٠٨٠٢",
    "510002", "510000001", "510802000001", "510800000001", "441900000003", "-10802",
]  # fmt: skip


@pytest.mark.parametrize("code", SOUND)
def test_a_code_of_each_level_is_one(code: str) -> None:
    assert is_district(code)
    check_district(code, "/district")


@pytest.mark.parametrize("code", UNSOUND)
def test_what_is_no_code_is_refused_and_lies_nowhere(code: str) -> None:
    assert not is_district(code)
    with pytest.raises(BadInput, match="is no district"):
        check_district(code, "/district")
    assert not any(lies_within(code, other) or lies_within(other, code) for other in [*SOUND, code])
    assert not any(lies_beside(code, other) or lies_beside(other, code) for other in [*SOUND, code])


CHAIN = ["510000", "510800", "510802", "510802001", "510802001003"]


@pytest.mark.parametrize("high", range(5))
@pytest.mark.parametrize("low", range(5))
def test_a_district_lies_within_itself_and_all_above_it(low: int, high: int) -> None:
    assert lies_within(CHAIN[low], CHAIN[high]) == (low >= high)


@pytest.mark.parametrize(
    ("code", "district", "within"),
    [
        ("510803001", "510802", False), ("520802", "510800", False), ("510700", "510800", False), ("510802001", "510800", True),
        ("441900003", "441900", True), ("441900003", "440000", True), ("441901", "441900003", False), ("510800000000", "510800", True),
        ("510800", "510800000000", True), ("510810", "510800", True), ("518000", "510000", True), ("518000", "510800", False),
        ("510802010", "510802001", False), ("510802000", "510802", True),
    ],
)  # fmt: skip
def test_within(code: str, district: str, within: bool) -> None:
    assert lies_within(code, district) is within


@pytest.mark.parametrize(
    ("code", "district", "beside"),
    [
        ("510803", "510802", True), ("510803001", "510802", True), ("510803001002", "510802", True),  # counties of one prefecture
        ("510802", "510802", False), ("510802001", "510802", False),  # its own
        ("510800", "510802", False), ("510000", "510802", False),  # above it
        ("510703", "510802", False), ("520102", "510802", False),  # of another parent
        ("510700", "510800", True), ("510703", "510800", True), ("520100", "510800", False),  # prefectures of one province
        ("520000", "510000", True), ("520102001", "510000", True),  # provinces
        ("510802002", "510802001", True), ("510803001", "510802001", False), ("510802001004", "510802001003", True),
        ("441900004", "441900003", True), ("441901001", "441900003", False), ("441901", "441900003", False),  # no counties between
        ("441900003", "441901", False),
    ],
)  # fmt: skip
def test_beside_is_another_of_the_same_level_and_parent_or_below_it(code: str, district: str, beside: bool) -> None:
    assert lies_beside(code, district) is beside


def test_two_codes_may_name_one_district() -> None:
    assert are_one("510800", "510800000000") and are_one("510802", "510802000")
    assert not are_one("510800", "510000") and not are_one("", "") and not are_one("x", "x")
