"""Alarm-quality figures: a table of cases, and properties against a plain loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazards.alarm_floods import PERIOD, Flood, find_floods, floor_period, period_counts, seconds_in_flood
from hazards.alarm_quality import Actor, Annunciations, Load, Settled, Sounded, Standing, annunciations, assess, covers, seats_of
from hazards.alarm_targets import TARGETS, Basis, Target, Verdict
from hazards.zones import Position
from tests.hazards.signals import NOON, SECOND

MINUTE = 60 * SECOND
START = floor_period(NOON)
DAY = 144 * PERIOD


def sounded(*seconds: float, severity: int = 3, zone: str = "smelter") -> Annunciations:
    return annunciations([Sounded(f"i-{n}", START + int(s * SECOND), zone, severity) for n, s in enumerate(seconds)], [])


def value(found: Annunciations, name: str, *, periods: int = 1, **given: object) -> float | None:
    quality = assess(found, START, START + periods * PERIOD, **given)  # type: ignore[arg-type]
    return {f.name: f for f in quality.figures}[name].value


def times(*seconds: float) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array([START + int(s * SECOND) for s in seconds], np.int64)


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("rate_average", 0, "good"), ("rate_average", 1, "good"), ("rate_average", 1.01, "manageable"), ("rate_average", 2, "manageable"),
        ("rate_average", 2.01, "overloaded"), ("rate_maximum", 10, "good"), ("rate_maximum", 11, "overloaded"),
        ("per_day", 150, "good"), ("per_day", 300, "manageable"), ("per_day", 301, "overloaded"),
        ("flood_share", 0.0099, "good"), ("flood_share", 0.01, "overloaded"), ("stale", 4, "good"), ("stale", 5, "overloaded"),
        ("chattering", 0, "good"), ("chattering", 1, "overloaded"), ("top_ten_share", 0.049, "good"), ("top_ten_share", 0.05, "manageable"),
        ("severity_1_share", 0.009, "good"), ("severity_1_share", 0.01, "manageable"), ("severity_4_share", 0.8, "good"),
        ("severity_4_share", 0.79, "manageable"), ("severity_4_share", 0.49, "overloaded"),
        ("acknowledged_median", 60, "good"), ("acknowledged_median", 301, "overloaded"),
    ],
)  # fmt: skip
def test_a_figure_stands_against_its_target(name: str, value: float, verdict: str) -> None:
    assert TARGETS[name].verdict(value) == verdict


def test_only_what_no_standard_gives_is_our_default_and_a_second_limit_of_ours_says_so() -> None:
    ours = {name for name, target in TARGETS.items() if target.basis is Basis.PLATFORM_DEFAULT}
    assert ours == {"acknowledged_median", "acknowledged_p90"}
    for name, target in TARGETS.items():
        two = target.good != target.manageable
        assert (target.second is Basis.PLATFORM_DEFAULT) == (two and name.endswith("_share")), name
        assert target.verdict(target.good) is not Verdict.OVERLOADED or target.good == target.manageable
    unchecked = {"rate_average", "rate_maximum", "flood_share"} | ours
    assert {name for name, target in TARGETS.items() if not target.check} == unchecked, "what is from secondary sources is marked"


RATES = {
    "none": ([], 1, {"annunciated": 0, "rate_average": 0, "rate_maximum": 0, "share_above_1": 0, "per_day": 0, "severity_1_share": None}),
    "one": ([0], 1, {"annunciated": 1, "rate_average": 1, "rate_maximum": 1, "share_above_1": 0, "per_day": 144}),
    "the borders of a period": ([-0.1, 0, 599.9, 600], 1, {"annunciated": 2}),
    "two periods": ([1, 2, 3, 601], 2, {"rate_average": 2, "rate_maximum": 3, "share_above_1": 0.5, "share_above_2": 0.5}),
    "eleven at once": ([5] * 11, 1, {"share_above_10": 1, "flood_count": 1, "flood_peak": 11}),
}


@pytest.mark.parametrize(("seconds", "periods", "expected"), RATES.values(), ids=RATES)
def test_rates_by_ten_minutes(seconds: list[float], periods: int, expected: dict[str, float | None]) -> None:
    found = sounded(*seconds)
    assert {name: value(found, name, periods=periods) for name in expected} == expected


def test_who_share_a_position_share_its_load() -> None:
    found = sounded(*range(0, 60, 4))  # 15 in a minute
    assert value(found, "rate_maximum", seats=2) == 7.5 and value(found, "flood_count", seats=2) == 0
    assert value(found, "rate_maximum") == 15 and value(found, "flood_count") == 1


FLOODS = {
    "ten are none": (range(10), []),
    "eleven begin one, which ends when fewer than five came in ten minutes": (
        range(11), [Flood(START + 10 * SECOND, START + 606 * SECOND, 11, 11)],
    ),
    "a burst over the border of two periods": (range(594, 606), [Flood(START + 604 * SECOND, START + 1201 * SECOND, 12, 12)]),
    "eleven in more than ten minutes are none": (range(0, 11 * 61, 61), []),
}  # fmt: skip


@pytest.mark.parametrize(("seconds", "expected"), FLOODS.values(), ids=FLOODS)
def test_floods(seconds: list[float], expected: list[Flood]) -> None:
    assert find_floods(times(*seconds), START + DAY) == expected


def test_between_ten_and_five_a_flood_goes_on() -> None:
    at = times(*range(11), *range(100, 3600, 100))  # after the burst six in ten minutes, for an hour
    (flood,) = find_floods(at, START + DAY)
    assert flood.end is not None and flood.end > START + 3600 * SECOND and flood.alarms == len(at)
    assert find_floods(at, START + 3000 * SECOND)[0].end is None, "it has not ended yet"


def test_a_flood_from_before_the_window_counts_within_it() -> None:
    found = sounded(*range(-30, -10), *range(0, 600, 60))
    assert value(found, "flood_share") == 1 and value(found, "flood_count") == 1 and value(found, "annunciated") == 10


def test_how_long_it_took_until_somebody_acknowledged() -> None:
    rows = [
        Sounded("quick", START, "smelter", 1), Sounded("slow", START + MINUTE, "tank", 2), Sounded("never", START + MINUTE, "tank", 3),
        Sounded("quick", START + 5 * MINUTE, "smelter", 1, opened=False),  # came back acknowledged: it calls nobody
        Sounded("graver", START, "smelter", 1), Sounded("graver", START + 4 * MINUTE, "smelter", 1, opened=False),
    ]  # fmt: skip
    settled = [
        Settled("graver", START + MINUTE, True), Settled("quick", START + 10 * SECOND, True), Settled("graver", START + 2 * MINUTE, False),
        Settled("graver", START + 5 * MINUTE, True), Settled("slow", START + 31 * MINUTE, True),
    ]  # fmt: skip
    found = annunciations(rows, settled)
    assert found.called.tolist() == [True, True, True, False, True, True]
    waited = [None if np.isnan(w) else w for w in found.waited[found.called].tolist()]
    assert waited == [10, 1800, None, 60, 60]
    assert value(found, "acknowledged_median") == 60 and value(found, "acknowledged_maximum") == 1800
    assert value(found, "never_acknowledged") == 1
    assert value(sounded(1), "acknowledged_median") is None


def test_nobody_is_said_to_have_waited_before_a_late_alarm_was_received() -> None:
    late = [Sounded("i", START, "smelter", 2, late=7200 * SECOND), Sounded("i", START + 60 * SECOND, "smelter", 2, False)]
    answers = [Settled("i", START + 7230 * SECOND, True), Settled("i", START + 30 * SECOND, True)]
    assert annunciations(late, answers).waited.tolist() == [30, 0], "an answer from before it was received answers something else"


def test_priorities_bad_actors_and_what_stands() -> None:
    rows = [Sounded(f"i-{n}", START + n, "smelter", s) for n, s in enumerate([1, 2, 3, 3, 4, 4, 4, 4])]
    quality = assess(annunciations(rows, []), START, START + PERIOD)
    assert quality.severities == {1: 1, 2: 1, 3: 2, 4: 4}
    actors = [Actor(f"D-{n:02}", "flame", n, chatters=n % 3) for n in range(1, 15)]
    load = Load(alarms=sum(a.alarms for a in actors), pairs=14, chattering=10, actors=actors)
    assert [a.device for a in load.worst] == [f"D-{n:02}" for n in range(14, 4, -1)]
    assert [a.device for a in load.fluttering] == [f"D-{n:02}" for n in (2, 5, 8, 11, 14, 1, 4, 7, 10, 13)]
    figures = {f.name: f for f in assess(sounded(), START, START + PERIOD, load=load, now=Standing(7, 6, 2)).figures}
    assert figures["top_ten_share"].value == pytest.approx(95 / 105) and figures["top_ten_share"].verdict is Verdict.OVERLOADED
    assert figures["stale"].value == 6 and figures["stale"].verdict is Verdict.OVERLOADED and figures["standing"].verdict is None
    assert value(sounded(), "top_ten_share", load=Load()) is None
    assert value(sounded(), "top_ten_share", load=Load(alarms=3, pairs=3, actors=actors[:3])) is None, "ten of three are always all"


def test_a_zone_belongs_to_the_position_that_lists_it_or_else_to_the_first() -> None:
    positions = [Position("a", "A", ["smelter"]), Position("b", "B", ["tank", "depot"], seats=2)]
    assert [covers(positions, z).id for z in ("smelter", "tank", "depot", "unassigned")] == ["a", "b", "b", "a"]
    assert seats_of(positions) == 3


def plain_floods(at: list[int], end: int, seats: int) -> list[tuple[int, int | None, int]]:
    """The definition, moment by moment."""
    found, start, peak = list[tuple[int, int | None, int]](), None, 0
    for moment in sorted({m for a in at for m in (a, a + PERIOD) if m < end}):
        count = sum(moment - PERIOD < a <= moment for a in at)
        if start is None and count > 10 * seats:
            start, peak = moment, 0
        elif start is not None and count < 5 * seats:
            found.append((start, moment, peak))
            start = None
        peak = max(peak, count)
    return [*found, (start, None, peak)] if start is not None else found


GAPS = st.lists(st.sampled_from([0, 1, 20, 55, 61, 130, 290, 700]), max_size=120)


@given(GAPS, st.integers(1, 2), st.integers(1, 40))
def test_floods_are_what_a_plain_loop_finds_and_periods_add_up(gaps: list[int], seats: int, periods: int) -> None:
    at = [START + int(s) * SECOND for s in np.cumsum(gaps)]
    end = START + periods * PERIOD
    before = [a for a in at if a < end]
    array = np.array(before, np.int64)
    floods = find_floods(array, end, seats=seats)
    assert [(f.start, f.end, f.peak) for f in floods] == plain_floods(before, end, seats)
    counts = period_counts(array, START, end)
    assert len(counts) == periods and counts.sum() == len(before)
    quality = assess(sounded(*((a - START) / SECOND for a in before)), START, end, seats=seats)
    assert quality.total == len(before) == sum(quality.severities.values())
    borders = range(START, end, PERIOD)
    assert sum(seconds_in_flood(floods, b, b + PERIOD) for b in borders) == pytest.approx(seconds_in_flood(floods, START, end))


def test_a_target_of_at_least_goes_the_other_way_round() -> None:
    target = Target(0.8, 0.5, Basis.EEMUA_191, at_least=True, strict=True)
    assert [target.verdict(v) for v in (0.9, 0.8, 0.6, 0.5)] == ["good", "manageable", "manageable", "overloaded"]
