"""Periodic duties: one a period, none missed while nobody looked, each point told once."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from hazards.ledger.duties import Duty, awake, done, duty_points, first_day, following, new_duties, notice_of, on_duty_tick, period_at
from hazards.ledger.limits import EPOCH, MICROSECOND
from hazards.ledger.policy import DutyRule, basis_of
from tests.packs import POLICY

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
MONTHLY, QUARTERLY = POLICY.duties


def at(text: str, zone: ZoneInfo = SHANGHAI) -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=zone) - EPOCH) // MICROSECOND


def shown(micro: int, zone: ZoneInfo = SHANGHAI) -> str:
    return (EPOCH + micro * MICROSECOND).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def first(rule: DutyRule, now: str) -> Duty:
    (duty,) = new_duties(rule, rule.post, None, at(now), SHANGHAI)
    return duty


@pytest.mark.parametrize(
    ("kind", "day", "period", "begins", "after"),
    [
        ("month", date(2026, 11, 30), "2026-11", date(2026, 11, 1), "2026-12"),
        ("month", date(2026, 12, 1), "2026-12", date(2026, 12, 1), "2027-01"),
        ("month", date(2028, 2, 29), "2028-02", date(2028, 2, 1), "2028-03"),
        ("quarter", date(2026, 3, 31), "2026-Q1", date(2026, 1, 1), "2026-Q2"),
        ("quarter", date(2026, 4, 1), "2026-Q2", date(2026, 4, 1), "2026-Q3"),
        ("quarter", date(2026, 12, 31), "2026-Q4", date(2026, 10, 1), "2027-Q1"),
    ],
)
def test_periods(kind: str, day: date, period: str, begins: date, after: str) -> None:
    assert (period_at(kind, day), first_day(period), following(period)) == (period, begins, after)


def test_a_duty_is_due_at_the_end_of_its_period_and_warns_before() -> None:
    duty = first(MONTHLY, "2026-11-05 12:00")
    assert (duty.id, shown(duty.due_at)) == ("monthly_inspection:department:2026-11", "2026-11-30 23:59:59")
    assert [(p.name, shown(p.at), p.tells) for p in duty_points(duty, MONTHLY, SHANGHAI)] == [
        ("-3d", "2026-11-27 23:59:59", ("department",)), ("due", "2026-11-30 23:59:59", ("department", "safety_office"))
    ]  # fmt: skip
    assert first(QUARTERLY, "2026-11-05 12:00").id == "quarterly_inspection:park_command:2026-Q4"


@pytest.mark.parametrize(
    ("latest", "now", "periods"),
    [(None, "2026-11-05 12:00", ["2026-11"]), ("2026-11", "2026-11-30 23:59", []), ("2026-11", "2026-12-01 00:00", ["2026-12"]),
     ("2026-11", "2027-02-10 00:00", ["2026-12", "2027-01", "2027-02"]), ("2026-12", "2026-11-10 00:00", []),
     ("2026-Q3", "2026-11-10 00:00", ["2026-11"])],
)  # fmt: skip
def test_what_began_while_nobody_looked_is_made_up_for_and_nothing_from_before(latest: str | None, now: str, periods: list[str]) -> None:
    assert [duty.period for duty in new_duties(MONTHLY, MONTHLY.post, latest, at(now), SHANGHAI)] == periods


def test_each_point_is_told_once_and_the_gravest_after_being_away() -> None:
    duty = first(MONTHLY, "2026-11-05 12:00")
    assert on_duty_tick(duty, MONTHLY, at("2026-11-20 12:00"), SHANGHAI) == (duty, None)
    warned, point = on_duty_tick(duty, MONTHLY, at("2026-11-28 12:00"), SHANGHAI)
    assert point is not None and point.name == "-3d" and on_duty_tick(warned, MONTHLY, at("2026-11-28 12:00"), SHANGHAI) == (warned, None)
    late, point = on_duty_tick(duty, MONTHLY, at("2027-02-01 12:00"), SHANGHAI)
    assert point is not None and (point.name, point.tells) == ("due", ("department", "safety_office"))
    assert late.wake_at is None and len(late.fired) == 2 and late.standing(at("2027-02-01 12:00")) == "overdue"


def test_each_post_of_a_duty_has_its_own_and_hears_of_its_own() -> None:
    assert MONTHLY.posts == ("department", "park_command") and QUARTERLY.posts == ("park_command", "department")
    duties = [duty for post in MONTHLY.posts for duty in new_duties(MONTHLY, post, None, at("2026-11-05 12:00"), SHANGHAI)]
    assert [duty.id for duty in duties] == ["monthly_inspection:department:2026-11", "monthly_inspection:park_command:2026-11"]
    told = [[point.tells for point in duty_points(duty, MONTHLY, SHANGHAI)] for duty in duties]
    assert told == [[("department",), ("department", "safety_office")], [("park_command",), ("park_command", "safety_office")]]


@pytest.mark.parametrize(("now", "event"), [("2026-11-28 12:00", "clock_point"), ("2026-12-01 00:00", "overdue")])
def test_what_goes_out_says_whose_duty_until_when_who_is_told_and_by_which_rule(now: str, event: str) -> None:
    duty, point = on_duty_tick(first(MONTHLY, "2026-11-05 12:00"), MONTHLY, at(now), SHANGHAI)
    assert point is not None
    notice = notice_of(duty, MONTHLY, point, at(now), POLICY)
    assert (notice.event, notice.post, notice.due_at, notice.tells) == (event, "department", duty.due_at, list(point.tells))
    assert notice.basis == basis_of(POLICY.rule("monthly_inspection"))


def test_what_is_done_is_told_to_nobody() -> None:
    duty = done(first(MONTHLY, "2026-11-05 12:00"), by="zhao", note="完成", now=at("2026-11-20 12:00"))
    assert duty.standing(at("2027-01-01 00:00")) == "done" and on_duty_tick(duty, MONTHLY, at("2027-01-01 00:00"), SHANGHAI) == (duty, None)
    assert done(duty, by="zhao", note="", now=at("2026-12-02 00:00")).standing(0) == "late"


def test_a_duty_of_which_the_pack_knows_nothing_any_more_sleeps() -> None:
    assert awake(first(MONTHLY, "2026-11-05 12:00"), None, SHANGHAI).wake_at is None


def test_in_another_time_zone_a_duty_that_was_made_keeps_its_due_date() -> None:
    duty = first(MONTHLY, "2026-11-05 12:00")
    assert awake(duty, MONTHLY, BERLIN).due_at == duty.due_at
    warned, _ = on_duty_tick(duty, MONTHLY, at("2026-11-28 12:00"), SHANGHAI)
    assert on_duty_tick(warned, MONTHLY, at("2026-11-28 23:00"), BERLIN)[1] is None
