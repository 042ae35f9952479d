"""The record's chain: canonical bytes, and every way in which somebody could tamper with it."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazards.ledger.record import CLOCKED, GENESIS, Entry, amended, canonical, chained, first_broken, held, read_entry

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


def stored(fields: dict[str, Any]) -> bytes:
    """A hazard's bytes as they are stored."""
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


FIELDS = st.dictionaries(st.sampled_from(["id", "due_at", "state", "plan", "unknown", *CLOCKED]), _JSON, max_size=7)


@given(FIELDS, FIELDS)
def test_an_entry_holds_all_of_a_hazard_but_what_its_clocks_keep(one: dict[str, Any], other: dict[str, Any]) -> None:
    vouched = [stored({name: value for name, value in fields.items() if name not in CLOCKED}) for fields in (one, other)]
    assert (held(stored(one)) == held(stored(other))) == (vouched[0] == vouched[1])


@given(FIELDS, FIELDS, FIELDS)
def test_what_is_amended_changes_only_where_the_new_differs_from_the_old(
    kept: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> None:
    names = {n for n in before.keys() | after.keys() if stored({"": before.get(n, "none")}) != stored({"": after.get(n, "none")})}
    expected = {n: v for n, v in kept.items() if n not in names} | {n: after[n] for n in names if n in after}
    assert amended(stored(kept), stored(before), stored(after)) == stored(expected)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff", b'{"a":', b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}"], ids=len)
def test_what_is_no_hazard_has_no_digest(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        held(body)


def test_bytes_from_before_entries_held_their_hazard_read_back_as_they_are() -> None:
    data = canonical(entry(1, {}))
    assert b"holds" not in data and canonical(read_entry(data)) == data
