"""The retry plan and the meaning of answers, as tables."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push.schedule import HOUR, JITTER, LONGEST_PAUSE, SECOND, Verdict, delays, next_attempt, pause, retry_after, verdict

NOON = 1_795_400_000 * SECOND
STANDARD = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]


URGENT = [2, 5, 10, 20, 40]


@pytest.mark.parametrize(("severity", "plan"), [(1, URGENT + STANDARD), (2, URGENT + STANDARD), (3, STANDARD), (4, STANDARD)])
def test_the_plan_of_a_severity_is_gone_through_and_then_it_is_given_up(severity: int, plan: list[int]) -> None:
    times = [next_attempt(severity, failed, now=NOON, jitter=0.0) for failed in range(1, len(plan) + 2)]
    assert times == [NOON + seconds * SECOND for seconds in plan] + [None]


@given(st.integers(1, 4), st.integers(1, 9), st.floats(0, 1), st.integers(0, HOUR * SECOND))
def test_jitter_and_a_wait_only_ever_lengthen(severity: int, failed: int, jitter: float, wait: int) -> None:
    planned = delays(severity)[failed - 1] * SECOND
    at = next_attempt(severity, failed, now=NOON, jitter=jitter, wait=wait)
    assert at is not None
    assert max(planned, wait) <= at - NOON <= max(planned * (1 + JITTER) + 1, wait)


@pytest.mark.parametrize(
    ("status", "means"),
    [
        (200, Verdict.DELIVERED), (201, Verdict.DELIVERED), (204, Verdict.DELIVERED), (299, Verdict.DELIVERED),
        (100, Verdict.FAILED), (301, Verdict.FAILED), (302, Verdict.FAILED), (304, Verdict.FAILED), (307, Verdict.FAILED),
        (400, Verdict.FAILED), (401, Verdict.FAILED), (404, Verdict.FAILED), (500, Verdict.FAILED), (503, Verdict.FAILED),
        (410, Verdict.GONE), (429, Verdict.SLOW_DOWN), (502, Verdict.SLOW_DOWN), (504, Verdict.SLOW_DOWN), (None, Verdict.FAILED),
    ],
)  # fmt: skip
def test_only_2xx_is_success_and_410_is_the_end(status: int | None, means: Verdict) -> None:
    assert verdict(status) is means


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None), ("", None), ("soon", None), ("-5", None), ("1.5", None), ("٣", None),
        ("0", 0), ("120", 120), (" 7 ", 7), ("86400", HOUR), ("9" * 4000, HOUR),
        (formatdate(NOON / SECOND + 90, usegmt=True), 90), (formatdate(NOON / SECOND - 90, usegmt=True), 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", HOUR), ("Fri, 31 Dec 99999 23:59:59 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_read_in_both_forms_and_bounded(header: str | None, seconds: int | None) -> None:
    found = retry_after(header, now=NOON)
    assert found == (None if seconds is None else seconds * SECOND)


def test_an_endpoint_that_keeps_asking_is_left_alone_ever_longer() -> None:
    assert [pause(n, None) // SECOND for n in range(1, 9)] == [5, 10, 20, 40, 80, 160, 300, 300]
    assert pause(10**9, None) == LONGEST_PAUSE * SECOND
    assert pause(5, 7 * SECOND) == 7 * SECOND, "its own word counts"
