"""Up to when all was heard: not before packs could come, behind the longest lag, a moment behind the clock otherwise."""

from streams.lag import REMEMBERED, SETTLED, UNDER_WAY, Lag

SECOND = 1_000_000
NOON = 1_790_000_000 * SECOND


def test_at_the_start_nothing_is_known_until_no_pack_came_for_a_while() -> None:
    lag = Lag(NOON)
    assert lag.heard_until(NOON + SETTLED - 1) is None
    assert lag.heard_until(NOON + SETTLED) == NOON + SETTLED - UNDER_WAY


def test_with_packs_it_is_behind_their_receipt() -> None:
    lag = Lag(NOON)
    lag.read(NOON - 60 * SECOND, NOON + SECOND)
    assert lag.heard_until(NOON + SECOND) == NOON - 60 * SECOND
    assert lag.heard_until(NOON + 2 * SECOND) == NOON - 59 * SECOND
    assert lag.heard_until(NOON + SECOND + SETTLED) == NOON + SECOND + SETTLED - UNDER_WAY


def test_packs_in_time_leave_what_is_under_way() -> None:
    lag = Lag(NOON)
    lag.read(NOON, NOON + 1000)
    assert lag.heard_until(NOON + 2000) == NOON + 2000 - UNDER_WAY


def test_the_longest_lag_holds_for_a_while_since_another_partition_may_have_it() -> None:
    lag = Lag(NOON)
    lag.read(NOON - 60 * SECOND, NOON)
    for now in range(NOON, NOON + REMEMBERED + 1, SECOND):
        lag.read(now, now)
        assert lag.heard_until(now) == now - 60 * SECOND
    now = NOON + REMEMBERED + SECOND
    lag.read(now, now)
    assert lag.heard_until(now) == now - UNDER_WAY


def test_after_a_time_when_nothing_could_come_it_begins_anew() -> None:
    lag = Lag(NOON)
    lag.read(NOON, NOON)
    lag.listen_from(NOON + 300 * SECOND)
    assert lag.heard_until(NOON + 301 * SECOND) is None
    assert lag.listening_since == NOON + 300 * SECOND
