"""When an anchor is due, what it says, what its digest pins."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from hazards.ledger.anchors import (
    Anchor,
    Head,
    HeadsDigest,
    canonical,
    days_due,
    digest_of,
    next_anchor,
    read_anchor,
)
from hazards.ledger.record import GENESIS

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR, DAY = 3600 * 1_000_000, 24 * 3600 * 1_000_000


def at(text: str) -> int:
    """UTC µs of a time in Shanghai."""
    return int(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC).timestamp()) * 1_000_000


def anchor(day: str, created_at: int) -> Anchor:
    return Anchor(site="park", number=1, first_day=day, day=day, time_zone="Asia/Shanghai", created_at=created_at, events=3, hazards=1,
                  changed=1, heads="h", previous=GENESIS, key="k")  # fmt: skip


MARCH_4 = anchor("2026-03-04", at("2026-03-05T00:00:10"))


@pytest.mark.parametrize(
    ("now", "last", "first_event", "due"),
    [
        ("2026-03-05T10:00", None, None, ("2026-03-04", "2026-03-04")),  # the very first: at once, for yesterday
        ("2026-03-05T10:00", None, "2026-02-27T08:00", ("2026-02-27", "2026-03-04")),  # the ledger is older than its anchors
        ("2026-03-05T10:00", None, "2026-03-05T08:00", ("2026-03-04", "2026-03-04")),
        ("2026-03-05T23:59:59", MARCH_4, None, None),  # the day is not over
        ("2026-03-06T00:00:00", MARCH_4, None, ("2026-03-05", "2026-03-05")),
        ("2026-03-09T12:00", MARCH_4, None, ("2026-03-05", "2026-03-08")),  # it was off
        ("2026-03-03T12:00", MARCH_4, None, ("2026-03-02", "2026-03-02")),  # that anchor's clock stood ahead
        ("2026-03-04T23:30", MARCH_4, None, None),  # a clock set back by half an hour is none of that
    ],
)
def test_an_anchor_is_due_for_each_day_that_is_over(
    now: str, last: Anchor | None, first_event: str | None, due: tuple[str, str] | None
) -> None:
    found = days_due(at(now), SHANGHAI, last, at(first_event) if first_event else None)
    assert (found and tuple(day.isoformat() for day in found)) == due


def test_a_day_is_a_day_of_the_site() -> None:
    now = at("2026-03-06T07:00")  # in UTC it is still the evening of the fifth
    assert days_due(now, SHANGHAI, MARCH_4, None) is not None
    assert days_due(now, UTC, MARCH_4, None) is None


def test_its_bytes_are_the_same_each_time_and_come_back() -> None:
    data = canonical(MARCH_4)
    assert data == canonical(read_anchor(data)) and b" " not in data
    assert list(msgspec.json.decode(data)) == sorted(msgspec.json.decode(data))
    with pytest.raises(msgspec.ValidationError, match="not known"):
        read_anchor(data.replace(b"anchor/1", b"anchor/2"))


HEADS = [Head("a", 3, "x"), Head("b", 1, "y"), Head("c", 12, "z")]


@pytest.mark.parametrize(
    "heads",
    [
        [HEADS[0], HEADS[1]],
        [HEADS[1], HEADS[0], HEADS[2]],
        [Head("a", 2, "x"), *HEADS[1:]],
        [Head("a", 3, "w"), *HEADS[1:]],
        [Head("d", 3, "x"), *HEADS[1:]],
        [*HEADS, Head("d", 1, "v")],
    ],
    ids=["missing", "reordered", "cut off", "changed", "another hazard", "one more"],
)
def test_any_other_list_of_heads_has_another_digest(heads: list[Head]) -> None:
    one, other = HeadsDigest(), HeadsDigest()
    one.add(HEADS)
    other.add(heads)
    assert one.value() != other.value()


def test_the_digest_does_not_depend_on_the_portions() -> None:
    one, other = HeadsDigest(), HeadsDigest()
    one.add(HEADS)
    for head in HEADS:
        other.add([head])
    assert (one.value(), one.count) == (other.value(), other.count) == (one.value(), 3)


def test_each_names_the_one_before() -> None:
    digest = HeadsDigest()
    days = days_due(at("2026-03-06T00:00"), SHANGHAI, MARCH_4, None)
    assert days is not None
    before = (MARCH_4, digest_of(canonical(MARCH_4)))
    made = next_anchor(before, days, digest, site="park", time_zone="Asia/Shanghai", created_at=5, events=3, hazards=1, key="k")
    assert (made.number, made.previous, made.changed, made.day) == (2, before[1], 0, "2026-03-05")
    first = next_anchor(None, days, digest, site="park", time_zone="Asia/Shanghai", created_at=5, events=3, hazards=1, key="k")
    assert (first.number, first.previous) == (1, GENESIS)
