"""What rules mean for a sensor now: whose rule wins, in which unit, armed when; methane over limit whatever is configured."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hazards.declarations import Declaration, Declared
from hazards.messages import WHOLE_SITE
from hazards.methane import CEILINGS
from hazards.rule_resolution import combined, sensors_with_rules
from hazards.rules import AlarmRule, Comparison, Override, Window
from hazards.schedules import windows_of
from hazards.sensor_rules import FAR, SensorRule, common, is_armed, united, without
from hazards.sensors import Sensor, rules_of, sensors_of_site
from hazards.zones import Device, Grade, Site, Zone
from tests.hazards.test_rule_checks import methane, rule

SHANGHAI, HOUR = ZoneInfo("Asia/Shanghai"), 3600 * 1_000_000
NOW = 1_790_000_000 * 1_000_000  # a Monday, 2026-09-21 21:33 in Shanghai
ZONES = [Zone("hall", "熔炼", Grade.RED), Zone("yard", "堆场", Grade.BLUE)]


def device(zone: str = "hall", name: str = "D-1", **settings: Any) -> Device:
    return Device(id=name, zone=zone, type="sensor", settings={"metric": "temperature"} | settings)


def resolved(*rules: AlarmRule, of: Device | None = None, declared: tuple[Declaration, ...] = (), now: int = NOW) -> Sensor:
    site = Site(id="s", name="s", zones=ZONES, devices=[of or device()])
    (sensor,) = sensors_with_rules(site, rules, declared, now=now, time_zone=SHANGHAI).values()
    return sensor


def shown(*rules: AlarmRule, **more: Any) -> list[tuple[str, float]]:
    """(key, limit) of every rule that the sensor is judged by."""
    return [(r.key, r.limit) for r in rules_of(resolved(*rules, **more))]


def declaration(kind: Declared, start: float, end: float | None, zone: str = "hall", **more: Any) -> Declaration:
    """``start`` and ``end`` in hours from NOW."""
    over = None if end is None else int(NOW + end * HOUR)
    return Declaration(id=f"{kind}-{start}", kind=kind, zone=zone, starts_at=int(NOW + start * HOUR), ends_at=over, **more)


def hours(found: SensorRule) -> list[tuple[float, float]]:
    assert found.windows is not None
    return [tuple(edge if abs(edge) == FAR else (edge - NOW) / HOUR for edge in window) for window in found.windows]  # type: ignore[misc]


# --- whose rule wins ---


@pytest.mark.parametrize(
    ("rules", "of", "expected"),
    [
        ([], device(limits={"high": 70}), [("high", 70.0)]),
        ([rule()], device(), [("rule:hot", 60.0)]),
        ([rule()], device(limits={"high": 70}), [("high", 70.0)]),
        ([rule(), rule("high_high", id="hotter", limit=90.0)], device(limits={"high": 70}), [("rule:hotter", 90.0), ("high", 70.0)]),
        ([rule()], device(limits={}), [("rule:hot", 60.0)]),
        ([rule(kind="furnace_hot")], device(limits={"high": 70}), [("high", 70.0), ("rule:hot", 60.0)]),
        ([rule("rising", id="r", limit=1.0)], device(rate=2), [("rising", 2.0)]),
        ([rule("stale", id="s", limit=90.0)], device(stale_after="60s"), [("stale", 60.0)]),
        ([rule("stale", id="s", limit=90.0), rule("stale", id="t", limit=30.0)], device(), [("rule:s", 90.0)]),
        ([rule(metric="flammable_gas", limit=20.0)], device(metric="flammable_gas"), [("high_high", 50.0), ("rule:hot", 20.0)]),
        ([rule(enabled=False)], device(), []), ([rule(zones=["yard"])], device(), []), ([rule(grades=["blue"])], device(), []),
        ([rule(zones=["hall"], grades=["red"])], device(), [("rule:hot", 60.0)]),
        ([rule(), rule(id="near", limit=50.0, zones=["hall"])], device(), [("rule:near", 50.0)]),
        ([rule(source="console"), rule(id="near", limit=50.0, zones=["hall"])], device(), [("rule:hot", 60.0)]),
        ([rule(), rule(id="other", kind="furnace_hot", limit=50.0)], device(), [("rule:hot", 60.0), ("rule:other", 50.0)]),
        ([rule(overrides={"hall": Override(limit=40.0)})], device(), [("rule:hot", 40.0)]),
        ([rule(overrides={"hall": Override(enabled=False, reason="停用")})], device(), []),
        ([rule(enabled=False, overrides={"hall": Override(enabled=True)})], device(), [("rule:hot", 60.0)]),
        ([rule(unit="Cel", limit=60.0)], device(unit="K"), [("rule:hot", 333.15)]),
        ([rule()], device(unit="pH"), []), ([rule(metric="pressure")], device(), []), ([rule(limit=None)], device(), []),
        ([rule("rising", id="r", limit=1.8, unit="degF")], device(unit="Cel"), [("rule:r", 1.0)]),
    ],
)  # fmt: skip
def test_whose_rule_wins(rules: list[AlarmRule], of: Device, expected: list[tuple[str, float]]) -> None:
    found = shown(*rules, of=of)
    assert [key for key, _ in found] == [key for key, _ in expected]
    assert [limit for _, limit in found] == pytest.approx([limit for _, limit in expected])


def test_a_rule_that_was_let_in_by_mistake_stops_no_other() -> None:
    wrong = [rule(id="when", schedule=[Window([9], -5, 9999)]), rule(id="what", limit=float("nan")), rule("rising", id="how", limit=-1.0)]
    assert shown(*wrong, rule()) == [("rule:hot", 60.0)]


def test_a_site_without_rules_has_the_sensors_it_always_had() -> None:
    site = Site(id="s", name="s", zones=ZONES, devices=[device(limits={"high": 70}, rate=1, stale_after="9s"), device("yard", "D-2")])
    assert sensors_with_rules(site, (), (), now=NOW, time_zone=SHANGHAI) == sensors_of_site(site)


def test_the_console_is_over_the_site_file_and_that_over_the_pack() -> None:
    found = combined([rule(limit=1.0), rule(id="p", limit=1.0)], [rule(limit=2.0), rule(id="s", limit=2.0)], {"s": rule(id="s", limit=3.0)})
    assert {name: (r.limit, r.source) for name, r in found.items()} == {
        "hot": (2.0, "site"), "p": (1.0, "pack"), "s": (3.0, "console"),
    }  # fmt: skip


def test_a_rule_says_all_of_it_in_the_sensor_s_unit() -> None:
    given = rule("deviation", limit=5.0, reference=20.0, deadband=1.0, on_delay=7, off_delay=9, latching=True, severity=3, basis="clause")
    (found,) = rules_of(resolved(given, of=device(unit="K")))
    assert found == SensorRule(
        key="rule:hot", compares=given.compares, limit=5.0, kind="temperature_deviation", reference=pytest.approx(293.15), deadband=1.0,
        on_delay=7, off_delay=9, latching=True, severity=3, rule="hot", basis="clause",
    )  # fmt: skip


# --- when it is armed ---


def test_a_schedule_is_armed_in_the_site_s_time_and_ends_at_its_minute() -> None:
    (found,) = rules_of(resolved(rule(schedule=[Window([1, 2], 22 * 60, 6 * 60)])))
    first = datetime(2026, 9, 21, 14, tzinfo=UTC).timestamp() * 1e6  # Monday 22:00 in Shanghai
    assert found.windows is not None
    assert (first, first + 8 * HOUR) in found.windows and (first + 24 * HOUR, first + 32 * HOUR) in found.windows
    assert len(found.windows) == 4, "Monday and Tuesday of this week and of the next"


def test_a_window_under_way_where_it_was_no_longer_looked_has_no_beginning() -> None:
    week = windows_of([Window([1, 2, 3, 4, 5, 6, 7], 0, 1440)], date(2026, 9, 19), date(2026, 9, 29), SHANGHAI)
    assert week == ((-FAR, FAR),)
    night = windows_of([Window([5], 22 * 60, 6 * 60)], date(2026, 9, 19), date(2026, 9, 20), SHANGHAI)
    assert night == ((-FAR, datetime(2026, 9, 18, 22, tzinfo=UTC).timestamp() * 1e6),), "Friday's, over on Saturday at six"


def test_a_day_on_which_clocks_are_changed_is_as_long_as_it_is() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    ((start, end),) = windows_of([Window([7], 0, 1440)], date(2026, 3, 28), date(2026, 3, 30), berlin)
    assert end - start == 23 * HOUR


def test_a_key_period_tightens_the_limit_while_it_lasts() -> None:
    whole_site = declaration(Declared.KEY_PERIOD, 5, 9, WHOLE_SITE)
    declared = (declaration(Declared.KEY_PERIOD, 1, 5), whole_site, declaration(Declared.PERMIT, 0, 9))
    base, tight = rules_of(resolved(rule(key_period_limit=50.0), declared=declared))
    assert [(r.key, r.limit, r.variant, r.kind) for r in (base, tight)] == [
        ("rule:hot", 60.0, "", "temperature_high"), ("rule:hot:key_period", 50.0, "key_period", "temperature_high"),
    ]  # fmt: skip
    assert (hours(base), hours(tight)) == ([(-FAR, 1.0), (9.0, FAR)], [(1.0, 9.0)])
    assert shown(rule(key_period_limit=50.0), declared=(declaration(Declared.KEY_PERIOD, 1, 5, "yard"),)) == [("rule:hot", 60.0)]
    loose = rule(key_period_limit=50.0, overrides={"hall": Override(limit=40.0)})
    assert [limit for _, limit in shown(loose, declared=declared)] == [40.0, 40.0], "a zone's own limit is not laxer in a key period"


def test_consumption_is_armed_by_a_shutdown_or_a_stop_order_and_by_nothing_else() -> None:
    meter = device(metric="power")
    used = rule("consumption", metric="power", limit=2.0)
    assert shown(used, of=meter) == []
    declared = (declaration(Declared.SHUTDOWN, -3, -1), declaration(Declared.STOP_ORDER, 2, None), declaration(Declared.KEY_PERIOD, 0, 9))
    (found,) = rules_of(resolved(used, of=meter, declared=declared))
    assert (found.kind, hours(found), found.hourly) == ("power_consumption", [(-3.0, -1.0), (2.0, FAR)], False)
    (counted,) = rules_of(resolved(rule("consumption", metric="energy", limit=2.0), of=device(metric="energy"), declared=declared))
    assert counted.hourly, "a meter that counts up is judged by its rise"
    other = (declaration(Declared.SHUTDOWN, -3, -1, devices=["D-9"]),)
    assert shown(used, of=meter, declared=other) == []


def test_a_stop_order_arms_any_rule_that_says_so() -> None:
    broken = rule("state", id="seal", metric="seal", limit=1.0, during=[Declared.STOP_ORDER])
    (found,) = rules_of(resolved(broken, of=device(metric="seal"), declared=(declaration(Declared.STOP_ORDER, 0, 2),)))
    assert (found.kind, hours(found)) == ("seal_state", [(0.0, 2.0)])


def test_two_rules_never_raise_one_kind_at_one_time() -> None:
    night = rule(id="night", limit=50.0, zones=["hall"], schedule=[Window([1, 2, 3, 4, 5, 6, 7], 22 * 60, 6 * 60)])
    found = {r.key: r.windows for r in rules_of(resolved(rule(), night))}
    assert set(found) == {"rule:hot", "rule:night"}
    assert united([*(found["rule:hot"] or ()), *(found["rule:night"] or ())]) == ((-FAR, FAR),)
    assert common(found["rule:hot"] or (), found["rule:night"] or ()) == ()


def test_a_rule_is_worked_out_the_same_all_day() -> None:
    scheduled = rule(schedule=[Window([1, 3, 5], 8 * 60, 17 * 60)])
    assert resolved(scheduled, now=NOW) == resolved(scheduled, now=NOW - 21 * HOUR) != resolved(scheduled, now=NOW + 3 * HOUR)


WINDOWS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=5).map(united)


@given(WINDOWS, WINDOWS, st.integers(-1, 21))
def test_windows_are_sets_of_moments(first: Any, second: Any, at: int) -> None:
    inside = is_armed(first, at), is_armed(second, at)
    assert is_armed(united([*first, *second]), at) == any(inside)
    assert is_armed(common(first, second), at) == all(inside)
    assert is_armed(without(first, second), at) == (inside[0] and not inside[1])


# --- methane ---

SUPPRESSED = [
    rule("high", id="m", metric="methane", limit=5.0, enabled=False), methane(limit=9.0, on_delay=HOUR),
    methane(schedule=[Window([1], 0, 1)]),
    methane(during=[Declared.SHUTDOWN]), methane(kind="quiet_gas", severity=4), methane(overrides={"hall": Override(enabled=False)}),
    methane(overrides={"hall": Override(limit=9.0, on_delay=HOUR, severity=4)}), methane(unit="kPa"), methane(zones=["yard"]),
    methane(limit=None), methane("high_high", id="mm", limit=90.0, enabled=False), methane(unit="%LEL", limit=100.0),
]  # fmt: skip


@pytest.mark.parametrize("given", SUPPRESSED)
@pytest.mark.parametrize(
    "settings",
    [
        {}, {"limits": {}}, {"limits": {"high": 50, "high_high": 60}}, {"limits": {"low": 1}}, {"unit": "%LEL"},
        {"unit": "ppm", "limits": {}},
    ],
)  # fmt: skip
def test_methane_over_limit_is_armed_at_once_and_under_its_ceiling_whatever_is_said(given: AlarmRule, settings: dict[str, Any]) -> None:
    of = Device(id="M-1", zone="hall", type="sensor", settings={"metric": "methane", "on_delay": "1h"} | settings)
    calibrating = [declaration(kind, -9, 9) for kind in (Declared.CALIBRATION, Declared.SHELVED, Declared.KEY_PERIOD)]
    scale = {"%vol": 1.0, "%LEL": 20.0, "ppm": 10_000.0}[settings.get("unit", "%vol")]
    found = {r.compares.value: r for r in rules_of(resolved(given, of=of, declared=tuple(calibrating)))}
    for name, ceiling in CEILINGS.items():
        held = found[name]
        assert (held.kind, held.on_delay, held.windows, held.severity) == (f"methane_{name}", 0, None, None)
        assert held.limit <= ceiling * scale * (1 + 1e-9)


def test_no_other_rule_stands_in_the_place_of_methanes_limits() -> None:
    own = {"id": "shadow", "compares": Comparison.DEVIATION, "reference": 0.0, "kind": "methane_high", "zones": ["hall"]}
    shadow = structs.replace(methane(limit=90.0), **own)
    of = Device(id="M-1", zone="hall", type="sensor", settings={"metric": "methane"})
    assert {r.key for r in rules_of(resolved(shadow, of=of))} == {r.key for r in rules_of(resolved(of=of))}


def test_a_stricter_methane_limit_holds() -> None:
    of = device(metric="methane", limits={"high": 0.5})
    assert shown(of=of) == [("high_high", 1.5), ("high", 0.5)]
    assert shown(methane(limit=0.8), of=device(metric="methane")) == [("high_high", 1.5), ("rule:methane", 0.8)]
