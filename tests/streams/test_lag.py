"""Up to when all was heard: not before packs could come, behind the longest lag, a moment behind the clock otherwise."""

from streams.lag import LONGEST, REMEMBERED, SETTLED, STARTED, UNDER_WAY, Lag

SECOND = 1_000_000
NOON = 1_790_000_000 * SECOND


def test_at_the_start_nothing_is_known_until_no_pack_came_for_a_while() -> None:
    lag = Lag(NOON)
    assert lag.heard_until(1, NOON + STARTED - 1) is None
    assert lag.heard_until(1, NOON + STARTED) == NOON + STARTED - UNDER_WAY


def test_with_packs_it_is_behind_their_receipt() -> None:
    lag = Lag(NOON)
    lag.read(1, NOON - 20 * SECOND, NOON)
    assert lag.heard_until(1, NOON) == NOON - 20 * SECOND
    assert lag.heard_until(1, NOON + 2 * SECOND) == NOON - 18 * SECOND


def test_who_was_behind_is_believed_to_have_caught_up_after_a_silence_as_long() -> None:
    for behind in (0, 20 * SECOND, 3600 * SECOND):
        lag, caught_up = Lag(NOON), NOON + SETTLED + min(behind, LONGEST)
        lag.read(1, NOON - behind, NOON)
        assert lag.heard_until(1, caught_up - 1) == caught_up - 1 - max(behind, UNDER_WAY)
        assert lag.heard_until(1, caught_up) == caught_up - UNDER_WAY


def test_packs_in_time_leave_what_is_under_way() -> None:
    lag = Lag(NOON)
    lag.read(1, NOON, NOON + 1000)
    assert lag.heard_until(1, NOON + 2000) == NOON + 2000 - UNDER_WAY


def test_the_longest_lag_holds_for_a_while() -> None:
    lag = Lag(NOON)
    lag.read(1, NOON - 60 * SECOND, NOON)
    for now in range(NOON, NOON + REMEMBERED + 1, SECOND):
        lag.read(1, now, now)
        assert lag.heard_until(1, now) == now - 60 * SECOND
    now = NOON + REMEMBERED + SECOND
    lag.read(1, now, now)
    assert lag.heard_until(1, now) == now - UNDER_WAY


def test_one_partition_knows_nothing_of_another() -> None:
    lag = Lag(NOON)
    lag.read(1, NOON, NOON)
    assert (lag.heard_until(1, NOON), lag.heard_until(2, NOON)) == (NOON - UNDER_WAY, None)
    lag.read(2, NOON - 60 * SECOND, NOON)
    assert (lag.heard_until(1, NOON), lag.heard_until(2, NOON)) == (NOON - UNDER_WAY, NOON - 60 * SECOND)


def test_after_a_time_when_nothing_could_come_it_begins_anew() -> None:
    lag = Lag(NOON)
    lag.read(1, NOON, NOON)
    lag.listen_from(NOON + 300 * SECOND)
    assert lag.heard_until(1, NOON + 301 * SECOND) is None
    assert lag.listening_since == NOON + 300 * SECOND
