"""What is wrong with a record is named by hazard, event and fault; what is right is left alone."""

import random
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hazards.ledger.record import GENESIS, Entry, canonical, chained
from hazards.ledger.verification import AnchoredHead, ChainCheck, Standing, StoredEvent


def entry(number: int, hazard: str = "h", actor: str = "li", state: str = "proposed") -> Entry:
    return Entry(hazard=hazard, number=number, at=number, actor=actor, role="operator", event="commented", state=state, policy="p",
                 basis={}, command_id=f"c{number}")  # fmt: skip


def record(length: int, first: int = 1, before: str = GENESIS, actor: str = "li") -> list[StoredEvent]:
    """A sound record; from ``first`` on ``actor`` wrote it."""
    rows = []
    for number in range(first, length + 1):
        made = entry(number, actor=actor)
        data = canonical(made)
        before = chained(before, data)
        rows.append(StoredEvent(number, made.at, made.actor, made.event, made.command_id, data, before))
    return rows


def findings(
    rows: Sequence[StoredEvent], anchored: Sequence[AnchoredHead] = (), version: int | None = 6, state: str = "proposed"
) -> list[str]:
    check = ChainCheck("h", anchored)
    found = [finding.line() for row in rows for finding in check.take(row)]
    row = None if version is None else Standing(version, state, {"state": state})
    return found + [finding.line() for finding in check.end(row)]


SOUND = record(6)
UNFOLLOWING = "changed: hazard h, event 3: its digest does not follow from the event before it and its own bytes"
MONDAY, TUESDAY = AnchoredHead(2, SOUND[1].digest, "2026-03-02"), AnchoredHead(5, SOUND[4].digest, "2026-03-03")


def with_row(number: int, **changes: object) -> list[StoredEvent]:
    return [msgspec.structs.replace(row, **changes) if row.number == number else row for row in SOUND]


def swapped(one: int, other: int) -> list[StoredEvent]:
    """The contents of two rows changed places."""
    a, b = SOUND[one - 1], SOUND[other - 1]
    rows = list(SOUND)
    rows[one - 1], rows[other - 1] = msgspec.structs.replace(b, number=one), msgspec.structs.replace(a, number=other)
    return rows


def rewritten(first: int) -> list[StoredEvent]:
    """Everything from ``first`` on written anew by another, the chain whole."""
    before = SOUND[first - 2].digest if first > 1 else GENESIS
    return [*SOUND[: first - 1], *record(6, first, before, actor="mallory")]


def test_a_sound_record_has_no_findings() -> None:
    assert findings(SOUND) == findings(SOUND, [MONDAY, TUESDAY]) == []


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        (with_row(3, data=SOUND[2].data.replace(b'"li"', b'"wu"'), actor="wu"),
         [UNFOLLOWING]),
        (with_row(3, digest="0" * 64), [UNFOLLOWING]),
        (with_row(3, data=b"{"), ["changed: hazard h, event 3: its bytes are no entry"]),
        (with_row(3, actor="wu"), ["changed: hazard h, event 3: the column actor is not what its bytes say"]),
        (with_row(3, at=7), ["changed: hazard h, event 3: the column at is not what its bytes say"]),
        (with_row(3, command_id=None), ["changed: hazard h, event 3: the column command_id is not what its bytes say"]),
        ([*SOUND[:2], *SOUND[3:]], ["missing: hazard h, event 3: not in the record"]),
        ([*SOUND[:1], *SOUND[4:]], ["missing: hazard h, events 2 to 4: not in the record"]),
        (SOUND[1:], ["missing: hazard h, event 1: not in the record"]),
        (swapped(3, 4), ["reordered: hazard h, event 3: it holds what was recorded as event 4",
                         "reordered: hazard h, event 4: it holds what was recorded as event 3"]),
        (swapped(2, 5), ["reordered: hazard h, event 2: it holds what was recorded as event 5",
                         "reordered: hazard h, event 5: it holds what was recorded as event 2"]),
        (SOUND[:4], ["cut off: hazard h, events 5 to 6: it stands at version 6"]),
        ([], ["cut off: hazard h, events 1 to 6: it stands at version 6"]),
        ([*SOUND, *record(7, 7, SOUND[-1].digest)], ["changed: hazard h: its row stands at version 6, its record at 7"]),
    ],
)  # fmt: skip
def test_each_fault_is_named_once_and_nothing_else(rows: list[StoredEvent], lines: list[str]) -> None:
    assert findings(rows) == lines


def test_an_event_of_another_hazard_is_named() -> None:
    data = canonical(entry(3, hazard="other"))
    (line,) = findings(with_row(3, data=data))
    assert line == "reordered: hazard h, event 3: it holds what was recorded as event 3 of hazard other"


def test_a_row_that_says_something_else_than_the_record_is_named() -> None:
    assert findings(SOUND, state="closed") == ["changed: hazard h: its row says state closed, its record proposed"]


def test_a_rewritten_chain_that_holds_is_found_only_by_what_was_anchored() -> None:
    assert findings(rewritten(4)) == []
    assert findings(rewritten(4), [MONDAY, TUESDAY]) == [
        "rewritten: hazard h, events 3 to 5: not the record that was anchored for 2026-03-03"
    ]
    assert findings(rewritten(1), [MONDAY, TUESDAY]) == [
        "rewritten: hazard h, events 1 to 2: not the record that was anchored for 2026-03-02",
        "rewritten: hazard h, events 3 to 5: not the record that was anchored for 2026-03-03",
    ]
    assert findings(rewritten(6), [MONDAY, TUESDAY]) == [], "event 6 is not anchored yet"


def test_events_cut_off_together_with_the_version_are_found_only_by_what_was_anchored() -> None:
    assert findings(SOUND[:3], version=3) == []
    assert findings(SOUND[:3], [MONDAY, TUESDAY], version=3) == [
        "cut off: hazard h, events 4 to 5: anchored for 2026-03-03, not in the record any more"
    ]


def test_a_hazard_that_vanished_is_found() -> None:
    assert findings([], [MONDAY, TUESDAY], version=None) == [
        "vanished: hazard h: anchored for 2026-03-03 with 5 events, nothing is left of it"
    ]
    assert findings(SOUND, version=None) == ["vanished: hazard h: its row is gone, 6 events of its record are there"]


@given(st.integers(1, 30), st.data())
@settings(max_examples=60, deadline=None)
def test_any_change_of_any_byte_is_found_and_no_later_event_is_blamed(length: int, data: st.DataObject) -> None:
    rows = record(length)
    number = data.draw(st.integers(1, length))
    row = rows[number - 1]
    place = data.draw(st.integers(0, len(row.data) - 1))
    changed = bytearray(row.data)
    changed[place] ^= data.draw(st.integers(1, 255))
    rows[number - 1] = msgspec.structs.replace(row, data=bytes(changed))
    (line,) = findings(rows, version=length)
    assert f"event {number}:" in line


@given(st.integers(2, 12), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_any_other_order_is_found(length: int, seed: int) -> None:
    contents = record(length)
    random.Random(seed).shuffle(contents)
    rows = [msgspec.structs.replace(row, number=n) for n, row in enumerate(contents, 1)]
    displaced = [n for n, row in enumerate(contents, 1) if row.number != n]
    lines = findings(rows, version=length)
    assert [line for line in lines if line.startswith("reordered")] == [
        f"reordered: hazard h, event {n}: it holds what was recorded as event {contents[n - 1].number}" for n in displaced
    ]
    assert bool(lines) == bool(displaced)
