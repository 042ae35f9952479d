"""Up to when all was heard: never past what waits, not before packs could come, behind the longest lag, a moment behind the clock."""

from streams.lag import LONGEST, REMEMBERED, SETTLED, STARTED, UNDER_WAY, Lag

SECOND = 1_000_000
NOON = 1_790_000_000 * SECOND


def lag_of(received_at: int, read_at: int = NOON) -> Lag:
    """One pack of partition 1 was read."""
    lag = Lag(NOON)
    lag.read([(1, received_at)], read_at)
    return lag


def test_at_the_start_nothing_is_known_until_no_pack_came_for_a_while() -> None:
    lag = Lag(NOON)
    assert lag.heard_until(1, NOON + STARTED - 1) is None
    assert lag.heard_until(1, NOON + STARTED) == NOON + STARTED - UNDER_WAY
    assert lag.heard_until(1, None) is None


def test_with_packs_it_is_behind_their_receipt() -> None:
    lag = lag_of(NOON - 20 * SECOND)
    assert lag.heard_until(1, NOON) == NOON - 20 * SECOND - UNDER_WAY
    assert lag.heard_until(1, NOON + 2 * SECOND) == NOON - 18 * SECOND - UNDER_WAY


def test_while_something_waits_it_stands_still_at_what_was_read_last() -> None:
    lag = lag_of(NOON - SECOND)
    for _ in range(3):  # no clock is asked
        assert lag.heard_until(1, None) == NOON - SECOND - UNDER_WAY
    lag.read([(1, NOON + 7 * SECOND), (1, NOON + 9 * SECOND)], NOON + 30 * SECOND)
    assert lag.heard_until(1, None) == NOON + 7 * SECOND - UNDER_WAY
    assert lag.heard_until(1, NOON + 30 * SECOND) == NOON + 7 * SECOND - UNDER_WAY


def test_who_was_behind_is_believed_to_have_caught_up_after_a_silence_as_long() -> None:
    for behind in (0, 20 * SECOND, 3600 * SECOND):
        lag, caught_up = lag_of(NOON - behind), NOON + SETTLED + min(behind, LONGEST)
        assert lag.heard_until(1, caught_up - 1) == caught_up - 1 - behind - UNDER_WAY
        assert lag.heard_until(1, caught_up) == caught_up - UNDER_WAY


def test_packs_in_time_leave_what_is_under_way() -> None:
    lag = lag_of(NOON, NOON + 1000)
    assert lag.heard_until(1, NOON + 2000) == NOON + 2000 - 1000 - UNDER_WAY


def test_a_pack_from_a_clock_ahead_of_ours_is_received_when_it_is_read() -> None:
    lag = lag_of(NOON + 60 * SECOND)
    assert lag.heard_until(1, None) == lag.heard_until(1, NOON) == NOON - UNDER_WAY


def test_the_longest_lag_holds_for_a_while_and_then_the_longest_of_those_after_it() -> None:
    lag = lag_of(NOON - 60 * SECOND)
    lags = [30, 20, 10, 5, 4, 3, 2, 1]
    for second, behind in enumerate(lags, 1):
        now = NOON + second * SECOND
        lag.read([(1, now - behind * SECOND)], now)
        longest = max([60, *lags][max(0, second - REMEMBERED // SECOND) : second + 1])
        assert lag.heard_until(1, now) == now - longest * SECOND - UNDER_WAY


def test_one_partition_knows_nothing_of_another() -> None:
    lag = lag_of(NOON)
    assert (lag.heard_until(1, NOON), lag.heard_until(2, NOON)) == (NOON - UNDER_WAY, None)
    lag.read([(2, NOON - 60 * SECOND)], NOON)
    assert (lag.heard_until(1, NOON), lag.heard_until(2, NOON)) == (NOON - UNDER_WAY, NOON - 60 * SECOND - UNDER_WAY)


def test_after_a_time_when_nothing_could_come_it_begins_anew() -> None:
    lag = lag_of(NOON)
    lag.listen_from(NOON + 300 * SECOND)
    assert lag.heard_until(1, NOON + 301 * SECOND) is None
    assert lag.listening_since == NOON + 300 * SECOND
