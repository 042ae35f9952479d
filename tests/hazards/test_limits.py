"""One series and its rules: deadband, delays, rise, silence, late and early readings, what an alarm says."""

from itertools import accumulate

import pytest

from hazards.limits import Reading, SeriesState, change_rules, next_due, pass_time, take
from hazards.sensors import Limits, Sensor
from tests.hazards.telemetry_histories import NOON, SECOND, sensor

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
    assert next_due(of, ticked) == NOON + 5 * SECOND
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


def test_what_stands_by_a_rule_that_is_gone_is_cleared_with_the_reason() -> None:
    of, state = sensor(limits=HOT), SeriesState()
    take(of, state, [Reading(NOON, 90.0, NOON)])
    changed = sensor(limits=Limits(high=60.0))
    (cleared,) = change_rules(changed, of, state, NOON + SECOND, "rule_removed")
    assert (cleared.kind, cleared.action, cleared.details["reason"]) == ("temperature_high_high", "cleared", "rule_removed")
    assert [r.kind for r in change_rules(None, changed, state, NOON + SECOND, "sensor_removed")] == ["temperature_high"]
    assert not state.conditions


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
    (report,) = pass_time(sensor(stale_after=90 * SECOND), SeriesState(last_received=NOON), NOON + 90 * SECOND)
    assert report.message == "温度数据中断超过 90 秒"
