"""One series and its rules: deadband, delays, rise, silence, late and early readings, what an alarm says."""

from itertools import accumulate
from typing import Any

import pytest

from hazards.limits import Reading, SeriesState, change_rules, next_due, pass_time, take
from hazards.sensors import Limits, Sensor, rules_of
from tests.hazards.telemetry_histories import NOON, SECOND, file_rule, sensor

HOT = Limits(high=60.0, high_high=80.0)


def seconds(at: int | None) -> float:
    return ((at or 0) - NOON) / SECOND


def story(of: Sensor, *readings: tuple[float, float], state: SeriesState | None = None) -> list[tuple[str, str, float]]:
    """(end of kind, action, at) of readings (second, value), received in this order, each as soon as it can be."""
    state = SeriesState() if state is None else state
    ats = [int(NOON + at * SECOND) for at, _ in readings]
    received = accumulate(ats, max)
    reports = take(of, state, [Reading(at, value, r) for at, (_, value), r in zip(ats, readings, received, strict=True)])
    return [(r.kind.removeprefix("temperature_"), r.action.value, seconds(r.at)) for r in reports]


def armed(*windows: tuple[float, float], limit: float = 5.0, **more: Any) -> Sensor:
    """A sensor with one rule on consumption, armed in ``windows`` (seconds)."""
    micros = tuple((int(NOON + start * SECOND), int(NOON + end * SECOND)) for start, end in windows)
    return sensor(rules=(file_rule("consumption", limit, windows=micros, **more),))


def ruled(compares: str, limit: float, **more: Any) -> Sensor:
    return sensor(rules=(file_rule(compares, limit, **more),))


R, C, P = "raised", "cleared", "pulse"


@pytest.mark.parametrize(
    ("name", "of", "readings", "expected"),
    [
        ("at the limit is beyond it", sensor(limits=HOT), [(0, 59.9), (1, 60)], [("high", R, 1)]),
        ("high-high implies high", sensor(limits=HOT), [(0, 90), (1, 70), (2, 50)],
         [("high_high", R, 0), ("high", R, 0), ("high_high", C, 1), ("high", C, 2)]),
        ("the deadband holds it", sensor(limits=HOT, deadband=2), [(0, 61), (1, 58.1), (2, 58), (3, 57.9)],
         [("high", R, 0), ("high", C, 3)]),
        ("low and low-low", sensor(limits=Limits(0, 10), deadband=1), [(0, -1), (1, 0.5), (2, 5), (3, 11), (4, 11.1)],
         [("low", R, 0), ("low_low", R, 0), ("low_low", C, 2), ("low", C, 4)]),
        ("within the on-delay nothing", sensor(limits=HOT, on_delay=5 * SECOND), [(0, 61), (4.9, 50), (9, 50)], []),
        ("held until the next reading", sensor(limits=HOT, on_delay=5 * SECOND), [(0, 61), (5, 50)], [("high", R, 5), ("high", C, 5)]),
        ("discovered by a later reading", sensor(limits=HOT, on_delay=5 * SECOND), [(0, 61), (2, 62), (60, 63)], [("high", R, 5)]),
        ("the deadband holds within the on-delay, too", sensor(limits=HOT, on_delay=5 * SECOND, deadband=5), [(0, 61), (3, 56), (6, 56)],
         [("high", R, 5)]),
        ("the off-delay", sensor(limits=HOT, off_delay=5 * SECOND), [(0, 61), (1, 50), (3, 61), (4, 50), (8, 50), (9, 50)],
         [("high", R, 0), ("high", C, 9)]),
        ("a rise", sensor(rate=2.0), [(0, 0), (1, 1), (2, 3), (3, 5), (4, 6)], [("rising", R, 2), ("rising", C, 4)]),
        ("a fall is no rise", sensor(rate=2.0), [(0, 9), (1, 1)], []),
        ("two readings at almost one moment are no rise", sensor(rate=20.0), [(0, 0), (0.001, 1)], []),
        ("a late one moves nothing and is told", sensor(limits=HOT), [(5, 20), (3, 70), (6, 20)], [("high", P, 3)]),
        ("a late one within the alarm that is known is no news", sensor(limits=HOT), [(1, 70), (5, 70), (3, 71), (6, 20), (4, 72)],
         [("high", R, 1), ("high", C, 6)]),
        ("a late one tells nothing where there is an on-delay", sensor(limits=HOT, on_delay=SECOND), [(5, 20), (3, 70)], []),
        ("of equal time the later wins", sensor(limits=HOT), [(1, 20), (1, 70), (1, 20), (1, 70)],
         [("high", R, 1), ("high", C, 1), ("high", R, 1)]),
        ("a deviation on either side", ruled("deviation", 5.0, reference=20.0, deadband=1.0),
         [(0, 25), (1, 24.1), (2, 24), (3, 23.9), (4, 15)],
         [("deviation", R, 0), ("deviation", C, 3), ("deviation", R, 4)]),
        ("a state", ruled("state", 1.0), [(0, 0), (1, 1), (2, 2)], [("state", R, 1), ("state", C, 2)]),
        ("a meter that counts up", ruled("consumption", 3600.0, hourly=True), [(0, 10), (1, 10.5), (2, 11.5), (3, 11.5)],
         [("consumption", R, 2), ("consumption", C, 3)]),
        ("outside its windows nothing", armed((2, 4), (8, 9)), [(0, 7), (1, 7), (4, 7), (7.9, 7), (9, 7)], []),
        ("in its window", armed((2, 6)), [(1, 7), (3, 7), (5, 7)], [("consumption", R, 3)]),
        ("over with its window, whatever the off-delay", armed((2, 6), off_delay=60 * SECOND), [(3, 7), (9, 7)],
         [("consumption", R, 3), ("consumption", C, 6)]),
        ("an on-delay that its window does not outlast", armed((2, 6), on_delay=4 * SECOND), [(2, 7), (9, 7)], []),
        ("an on-delay within its window", armed((2, 6), on_delay=3 * SECOND), [(2, 7), (9, 7)],
         [("consumption", R, 5), ("consumption", C, 6)]),
        ("anew in the next window", armed((2, 4), (6, 9)), [(3, 7), (5, 7), (7, 7), (8, 1)],
         [("consumption", R, 3), ("consumption", C, 4), ("consumption", R, 7), ("consumption", C, 8)]),
        ("a late one in its window is told", armed((2, 4)), [(6, 7), (3, 7), (5, 7)], [("consumption", P, 3)]),
        ("silence", sensor(stale_after=10 * SECOND), [(0, 1), (9.9, 1), (30, 1)], [("sensor_stale", R, 19.9), ("sensor_stale", C, 30)]),
    ],
)  # fmt: skip
def test_stories(name: str, of: Sensor, readings: list[tuple[float, float]], expected: list[tuple[str, str, float]]) -> None:
    assert story(of, *readings) == expected


def test_two_alarms_of_one_moment_have_two_identities() -> None:
    reports = take(sensor(limits=HOT), SeriesState(), [Reading(NOON, v, NOON) for v in (70.0, 20.0, 70.0)])
    assert [r.source_id for r in reports] == [
        f"T-1/temperature/{NOON}/raised", f"T-1/temperature/{NOON}/cleared", f"T-1/temperature/{NOON + 1}/raised",
    ]  # fmt: skip


def test_an_early_reading_counts_as_of_its_receipt_and_makes_nothing_late_that_follows() -> None:
    of, state = sensor(limits=HOT), SeriesState()
    reports = take(of, state, [Reading(NOON + 300 * SECOND, 20.0, NOON), Reading(NOON + SECOND, 70.0, NOON + SECOND)])
    assert [(r.action.value, seconds(r.at)) for r in reports] == [(R, 1)]


def test_a_tick_finds_what_the_next_reading_would_find_under_the_same_name() -> None:
    of = sensor(limits=HOT, on_delay=5 * SECOND, stale_after=60 * SECOND)
    ticked, plain = SeriesState(), SeriesState()
    for state in (ticked, plain):
        take(of, state, [Reading(NOON, 70.0, NOON)])
    assert next_due(rules_of(of), ticked) == NOON + 5 * SECOND
    assert not pass_time(of, ticked, NOON + 5 * SECOND - 1)
    by_tick = pass_time(of, ticked, NOON + 7 * SECOND) + pass_time(of, ticked, NOON + 65 * SECOND)
    later = Reading(NOON + 90 * SECOND, 71.0, NOON + 90 * SECOND)
    by_tick += take(of, ticked, [later])
    assert sorted(map(repr, by_tick)) == sorted(map(repr, take(of, plain, [later])))
    assert [r.source_id for r in by_tick] == [f"T-1/temperature/{NOON}/raised"] * 2 + [f"T-1/temperature/{NOON}/cleared"]


def test_an_end_is_never_before_its_beginning() -> None:
    """A tick found the alarm by the clock; then a reading came that had been under way for a while and says it was over by then."""
    of, state = sensor(limits=HOT, on_delay=5 * SECOND), SeriesState()
    take(of, state, [Reading(NOON, 70.0, NOON)])
    (raised,) = pass_time(of, state, NOON + 6 * SECOND)
    (cleared,) = take(of, state, [Reading(NOON + 3 * SECOND, 20.0, NOON + 7 * SECOND)])
    assert (cleared.action, cleared.at) == ("cleared", raised.at)


def test_silence_counts_from_when_somebody_listens_and_lasts_until_something_newer_was_received() -> None:
    of, state = sensor(stale_after=10 * SECOND), SeriesState(last_received=NOON)
    assert not pass_time(of, state, NOON + 100 * SECOND, silent_from=NOON + 95 * SECOND)
    (raised,) = pass_time(of, state, NOON + 105 * SECOND, silent_from=NOON + 95 * SECOND)
    assert seconds(raised.at) == 105
    assert not take(of, state, [Reading(NOON, 1.0, NOON)])  # it was under way since before
    assert [r.action for r in take(of, state, [Reading(NOON, 1.0, NOON + 106 * SECOND)])] == ["cleared"]


def test_a_window_that_a_tick_has_ended_is_not_begun_anew_by_a_reading_of_before() -> None:
    of, state = armed((0, 6)), SeriesState()
    take(of, state, [Reading(NOON, 7.0, NOON)])
    (cleared,) = pass_time(of, state, NOON + 7 * SECOND)
    assert (cleared.action, seconds(cleared.at), cleared.details["reason"]) == (C, 6, "window_ended")
    assert take(of, state, [Reading(NOON + 5 * SECOND, 7.0, NOON + 8 * SECOND)]) == []


def test_an_alarm_whose_window_is_no_longer_told_of_is_over() -> None:
    """The worker was away for longer than windows are worked out for: they now begin later."""
    of, state = armed((0, 6)), SeriesState()
    take(of, state, [Reading(NOON, 7.0, NOON)])
    assert change_rules(armed((90, 99)), of, state, NOON + 80 * SECOND, "rule_removed") == []
    assert [(r.action, seconds(r.at)) for r in pass_time(armed((90, 99)), state, NOON + 81 * SECOND)] == [(C, 0)]


def test_what_stands_by_a_rule_that_is_gone_is_cleared_with_the_reason() -> None:
    of, state = sensor(limits=HOT), SeriesState()
    take(of, state, [Reading(NOON, 90.0, NOON)])
    changed = sensor(limits=Limits(high=60.0))
    (cleared,) = change_rules(changed, of, state, NOON + SECOND, "rule_removed")
    assert (cleared.kind, cleared.action, cleared.details["reason"]) == ("temperature_high_high", "cleared", "rule_removed")
    assert [r.kind for r in change_rules(None, changed, state, NOON + SECOND, "sensor_removed")] == ["temperature_high"]
    assert not state.conditions


def test_what_stands_by_a_rule_that_another_one_replaces_goes_on_under_that_one() -> None:
    """A pack with a rule for what was the platform's limit before: methane over limit is not over for a moment."""
    of, state = sensor(limits=HOT), SeriesState()
    take(of, state, [Reading(NOON, 90.0, NOON)])
    replaced = sensor(rules=(file_rule("high", 65.0), file_rule("high_high", 85.0, key="rule:hh", windows=((NOON + SECOND, 2**62),))))
    (cleared,) = change_rules(replaced, of, state, NOON + SECOND, "rule_removed")
    assert cleared.kind == "temperature_high_high", "its rule was not armed when it began"
    (cleared,) = take(replaced, state, [Reading(NOON + 2 * SECOND, 64.0, NOON + 2 * SECOND)])
    assert (cleared.kind, cleared.action, cleared.details["limit"]) == ("temperature_high", "cleared", 65.0)


def test_a_report_says_what_was_measured_against_which_limit_by_whose_word() -> None:
    (report,) = take(sensor(limits=HOT), SeriesState(), [Reading(NOON, 63.25, NOON)])
    assert report.message == "温度 63.25 Cel 高于 60"
    assert (report.source, report.zone, report.timed) == ("rule/temperature_high", "hall", True)
    assert report.details == {"rule": "high", "limit": 60.0, "unit": "Cel", "basis": "site", "value": 63.25, "metric": "temperature"}
    gas = Sensor(series="G/flammable_gas", device="G", metric="flammable_gas", zone="z", unit="%LEL", limits=Limits(high=25, high_high=50))
    (report,) = take(gas, SeriesState(), [Reading(NOON, 25.0, NOON)])
    assert (report.message, report.details["basis"]) == ("可燃气体 25 %LEL 达到 25", "platform_default")
    (report,) = take(sensor(rate=2.0), SeriesState(NOON, 20.0, NOON), [Reading(NOON + 2 * SECOND, 30.0, NOON + 2 * SECOND)])
    assert report.message == "温度上升速率 5 Cel/s 高于 2"
    (report,) = take(ruled("deviation", 5.0, reference=20.0), SeriesState(), [Reading(NOON, 10.0, NOON)])
    assert (report.message, report.details["reference"]) == ("温度 10 Cel 偏离基准 20 超过 5", 20.0)
    (report,) = take(ruled("state", 1.0), SeriesState(), [Reading(NOON, 1.0, NOON)])
    assert report.message == "温度状态为 1"
    (report,) = take(armed((0, 9), severity=1, variant="key_period", latching=True), SeriesState(), [Reading(NOON, 7.0, NOON)])
    assert (report.message, report.severity, report.source_id) == ("停产期间温度 7 Cel 高于 5", 1, f"T-1/temperature/rule:r/{NOON}/raised")
    assert report.details == {
        "rule": "consumption", "limit": 5.0, "unit": "Cel", "basis": "site", "value": 7.0, "metric": "temperature", "rule_id": "r",
        "variant": "key_period", "severity": 1, "latching": True,
    }  # fmt: skip
    (report,) = pass_time(sensor(stale_after=90 * SECOND), SeriesState(last_received=NOON), NOON + 90 * SECOND)
    assert report.message == "温度数据中断超过 90 秒"
