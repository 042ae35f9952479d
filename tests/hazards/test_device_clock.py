"""Clocks of devices: steady errors are corrected, erratic ones are not believed, a backlog is left as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazards.admission import LATEST_AHEAD, OLDEST_BEHIND, Report, admit, believe
from hazards.device_clock import (
    FARTHEST,
    HOUR,
    LAG_SPAN,
    MINUTE,
    RIGHT_WITHIN,
    RULES,
    SECOND,
    TOLERANCE,
    WORDS,
    DeviceClocks,
    Fault,
)
from hazards.messages import Action, Clock
from tests.hazards.signals import NOON

KEY = ("device/T-1", "T-1")


def hear(clocks: DeviceClocks, sent: list[tuple[int, int]]) -> list[int | None]:
    """Errors for times as (when it happened by the device, when we got it), both from noon."""
    return [clocks.hear(KEY, NOON + at, NOON + received) for at, received in sent]


def steady(error: int, count: int = 4, every: int = 5 * MINUTE, delay: int = SECOND) -> list[tuple[int, int]]:
    """Times of a clock that is ``error`` ahead."""
    return [(n * every + error, n * every + delay) for n in range(count)]


@pytest.mark.parametrize(
    ("error", "fault", "taken_off"),
    [
        (8 * HOUR, Fault.TIME_ZONE, 8 * HOUR),
        (8 * HOUR + 40 * SECOND, Fault.TIME_ZONE, 8 * HOUR),
        (-8 * HOUR, Fault.TIME_ZONE, -8 * HOUR),
        (5 * HOUR + 30 * MINUTE, Fault.TIME_ZONE, 5 * HOUR + 30 * MINUTE),
        (14 * HOUR, Fault.TIME_ZONE, 14 * HOUR),
        (7 * MINUTE, Fault.AHEAD, 7 * MINUTE - SECOND),
        (3 * MINUTE, Fault.AHEAD, 3 * MINUTE - SECOND),
        (-7 * MINUTE, Fault.BEHIND, -7 * MINUTE - SECOND),
    ],
)
def test_a_steady_error_is_taken_off_from_the_third_time_that_says_so(error: int, fault: Fault, taken_off: int) -> None:
    clocks = DeviceClocks()
    assert hear(clocks, steady(error)) == [0, 0, taken_off, taken_off]
    (found,) = clocks.faults()
    assert (found.fault, found.error, found.state, found.device) == (fault, taken_off, "corrected", "T-1")


@pytest.mark.parametrize("said", [-NOON, 4_102_444_800_000_000 - NOON], ids=["1970", "2100"])
def test_an_impossible_clock_is_never_corrected_and_soon_not_believed_at_all(said: int) -> None:
    clocks = DeviceClocks()
    assert hear(clocks, [(said + n * MINUTE, n * MINUTE) for n in range(4)]) == [0, 0, None, None]
    (found,) = clocks.faults()
    assert (found.fault, found.state) == (Fault.ERRATIC, "distrusted")
    assert hear(clocks, [(-HOUR, 5 * MINUTE)]) == [None], "nor are its old times a backlog"
    assert hear(clocks, [(6 * MINUTE, 6 * MINUTE)]) == [0] and not len(clocks), "until it is right again"


def test_leads_that_leap_are_erratic() -> None:
    clocks = DeviceClocks()
    assert hear(clocks, [(n * HOUR, n * SECOND) for n in (1, 5, 3, 9)])[-1] is None
    assert [f.fault for f in clocks.faults()] == [Fault.ERRATIC]


def test_a_clock_that_is_set_right_is_believed_at_once() -> None:
    clocks = DeviceClocks()
    hear(clocks, steady(8 * HOUR))
    assert hear(clocks, [(HOUR, HOUR)]) == [0] and not len(clocks)


def test_a_clock_that_is_set_wrong_in_another_way_is_learned_anew() -> None:
    clocks = DeviceClocks()
    hear(clocks, steady(8 * HOUR))
    later = [(at + 2 * HOUR, received + 2 * HOUR) for at, received in steady(HOUR)]
    assert hear(clocks, later)[-1] == HOUR


def test_the_backlog_of_a_clock_known_to_be_wrong_is_corrected_by_the_same() -> None:
    clocks = DeviceClocks()
    hear(clocks, steady(8 * HOUR))
    back = 5 * HOUR
    assert hear(clocks, [(back - age + 8 * HOUR, back) for age in (2 * HOUR, HOUR, MINUTE)]) == [8 * HOUR] * 3
    assert believe(NOON + 6 * HOUR, NOON, 8 * HOUR) == (NOON - 2 * HOUR, Clock.CORRECTED)


@given(
    outage=st.integers(3 * MINUTE, 13 * HOUR), every=st.integers(SECOND, 10 * MINUTE), faster=st.floats(1.05, 1000),
    jitter=st.lists(st.integers(0, 5 * SECOND), min_size=1, max_size=20),
)  # fmt: skip
def test_a_backlog_is_never_corrected_however_slowly_it_is_drained(outage: int, every: int, faster: float, jitter: list[int]) -> None:
    clocks, at, received, n = DeviceClocks(), 0, outage, 0
    while at < received and n < 3000:
        assert clocks.hear(KEY, NOON + at, NOON + received + jitter[n % len(jitter)]) in (0, None)
        at, received, n = at + every, received + int(every / faster), n + 1
    assert not [f for f in clocks.faults() if f.error is not None]


@given(
    error=st.integers(RIGHT_WITHIN + 3 * TOLERANCE, FARTHEST - MINUTE) | st.integers(-FARTHEST + 2 * MINUTE, -RIGHT_WITHIN - 3 * TOLERANCE),
    delays=st.lists(st.integers(0, TOLERANCE // 2), min_size=4, max_size=8),
)
def test_what_is_corrected_is_right_to_a_minute_and_keeps_its_order(error: int, delays: list[int]) -> None:
    clocks, believed = DeviceClocks(), []
    for n, delay in enumerate(delays):
        true = NOON + n * LAG_SPAN // 2
        found = clocks.hear(KEY, true + error, true + delay)
        at, clock = believe(true + error, true + delay, found)
        if n >= 3:
            assert clock is Clock.CORRECTED and abs(at - true) <= MINUTE + TOLERANCE
            believed.append(at)
    assert believed == sorted(believed)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5 * 10**15), st.integers(NOON, NOON + 30 * HOUR)), max_size=300))
def test_whatever_is_heard_it_stays_bounded_and_every_time_is_one_that_can_be_believed(heard: list[tuple[int, int, int]]) -> None:
    clocks = DeviceClocks(most=10)
    for device, sent, received in heard:
        at, _ = believe(sent, received, clocks.hear(("s", str(device)), sent, received))
        assert received - OLDEST_BEHIND <= at <= received + LATEST_AHEAD
    assert len(clocks) <= 10 and len(clocks.faults()) <= 10


@given(st.integers(0, 5 * 10**15), st.none() | st.integers(-FARTHEST, FARTHEST))
def test_the_id_does_not_depend_on_what_is_known_of_the_clock(at: int, error: int | None) -> None:
    said = Report(source="s", source_id=None, device="D", kind="flame", action=Action.RAISED, at=at)
    ids = {admit(said, zone="z", synthetic=False, received_at=NOON, error=e).id for e in (0, error)}
    assert len(ids) == 1


def test_each_fault_has_words_in_both_languages() -> None:
    assert WORDS.keys() == set(Fault) and all(zh and en for zh, en in WORDS.values())
    assert {rule.fault for rule in RULES} | {Fault.ERRATIC} == set(Fault)
