"""The record's chain: canonical bytes, and every way in which somebody could tamper with it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hazards.ledger.record import GENESIS, Entry, canonical, chained, first_broken, read_entry

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=8,
)  # fmt: skip


def entry(number: int, details: dict[str, Any]) -> Entry:
    return Entry(hazard="h", number=number, at=number, actor="li", role="department", event="commented", state="proposed", policy="p-1",
                 basis={"rule": "record"}, details=details)  # fmt: skip


def chain(all_details: list[dict[str, Any]]) -> list[tuple[int, bytes, str]]:
    rows, previous = [], GENESIS
    for number, details in enumerate(all_details, 1):
        data = canonical(entry(number, details))
        previous = chained(previous, data)
        rows.append((number, data, previous))
    return rows


DETAILS = st.dictionaries(st.text(max_size=5), _JSON, max_size=4)


@given(DETAILS)
def test_an_entry_has_one_form_and_reads_back(details: dict[str, Any]) -> None:
    data = canonical(entry(1, details))
    assert canonical(entry(1, dict(reversed(details.items())))) == data
    assert read_entry(data) == entry(1, details) and canonical(read_entry(data)) == data


@given(st.lists(DETAILS, min_size=2, max_size=6), st.data())
def test_whatever_is_changed_left_out_or_swapped_is_found_where_it_is(all_details: list[dict[str, Any]], data: st.DataObject) -> None:
    rows = chain(all_details)
    assert first_broken(rows) is None
    at = data.draw(st.integers(0, len(rows) - 1))
    changed = canonical(entry(at + 1, {**all_details[at], "forged": True}))
    number, _, digest = rows[at]
    assert first_broken([*rows[:at], (number, changed, digest), *rows[at + 1 :]]) == at + 1
    healed = chained(rows[at - 1][2] if at else GENESIS, changed)
    after = first_broken([*rows[:at], (number, changed, healed), *rows[at + 1 :]])
    assert after == (at + 2 if at + 1 < len(rows) else None), "only a rewritten end needs an anchor outside to be found"
    if at + 1 < len(rows):
        assert first_broken([*rows[:at], *rows[at + 1 :]]) == at + 1
        assert first_broken([*rows[:at], rows[at + 1], rows[at], *rows[at + 2 :]]) == at + 1


def test_renumbering_does_not_hide_a_gap() -> None:
    rows = chain([{}, {"a": 1}, {"b": 2}])
    closed_up = [rows[0], (2, rows[2][1], chained(rows[0][2], rows[2][1]))]
    assert first_broken(closed_up) == 2, "the number stands in the bytes as well"
    assert first_broken([(1, b"not an entry", chained(GENESIS, b"not an entry"))]) == 1
