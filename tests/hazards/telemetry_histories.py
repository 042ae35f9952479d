"""Histories of readings for property tests: sensors with every combination of rules, packs in any order, ticks between them."""

from dataclasses import dataclass

from hypothesis import strategies as st
from msgspec import structs

from hazards.rules import Comparison
from hazards.sensor_rules import SensorRule, Windows, united
from hazards.sensors import Limits, Sensor, own_rules
from hazards.telemetry import Reading, TelemetryPack, pack_readings

SECOND = 1_000_000
NOON = 1_790_000_000 * SECOND
HALF = SECOND // 2
ZONES = ("hall", "yard")
METRIC = "temperature"
LEVELS = (0.0, 4.0, 5.0, 6.0, 10.0, 14.0, 15.0, 16.0, 20.0, 25.0, 30.0)
"""Values at, beside and between the limits."""


def sensor(series: str = "T-1", zone: str = "hall", **more: object) -> Sensor:
    """A temperature sensor; ``more`` as in ``Sensor``."""
    return Sensor(series=f"{series}/{METRIC}", device=series, metric=METRIC, zone=zone, unit="Cel", **more)  # type: ignore[arg-type]


def file_rule(compares: str, limit: float, **more: object) -> SensorRule:
    """A rule of a file; ``more`` as in ``SensorRule``."""
    given = {"key": "rule:r", "rule": "r", "kind": f"{METRIC}_{compares}"} | more
    return SensorRule(compares=Comparison(compares), limit=limit, **given)  # type: ignore[arg-type]


@st.composite
def windows(draw: st.DrawFn) -> Windows | None:
    """When a rule is armed: always, or now and then, on the grid of the readings."""
    edges = st.integers(-8, 80).map(lambda half: NOON + half * HALF)
    return draw(st.none() | st.lists(st.tuples(edges, edges), min_size=1, max_size=3).map(united).filter(bool))


@st.composite
def file_rules(draw: st.DrawFn, number: int) -> SensorRule:
    """A rule as the resolution of the rule files makes it, of any comparison but silence."""
    values = [(compares, False) for compares in Comparison if compares is not Comparison.STALE]
    compares, hourly = draw(st.sampled_from([*values, (Comparison.CONSUMPTION, True)]))
    by_rate = hourly or compares is Comparison.RISING
    limit = draw(st.sampled_from([3600.0, 18_000.0] if hourly else [1.0, 5.0] if by_rate else LEVELS[1:]))
    has_band = not by_rate and compares is not Comparison.STATE
    return SensorRule(
        key=f"rule:r{number}", rule=f"r{number}", kind=f"{METRIC}_{number}", compares=compares, limit=limit, hourly=hourly,
        reference=draw(st.sampled_from([0.0, 10.0])) if compares is Comparison.DEVIATION else 0.0,
        deadband=draw(st.sampled_from([0.0, 1.0, 3.0])) if has_band else 0.0, on_delay=draw(st.sampled_from([0, 2, 5])) * SECOND,
        off_delay=draw(st.sampled_from([0, 3])) * SECOND, windows=draw(windows()),
    )  # fmt: skip


@st.composite
def ruled(draw: st.DrawFn, sensor: Sensor) -> Sensor:
    """``sensor`` with some rules of files, and its own ones always or in windows."""
    own = [r if r.compares is Comparison.STALE else structs.replace(r, windows=draw(windows())) for r in own_rules(sensor)]
    others = [draw(file_rules(n)) for n in range(draw(st.integers(1, 3)))]
    return structs.replace(sensor, rules=(*own, *others))


@st.composite
def sensors(draw: st.DrawFn, name: str, zone: str) -> Sensor:
    """A sensor with any rules, half of them of its own alone."""
    plain = draw(_own_sensors(name, zone))
    return draw(ruled(plain)) if draw(st.booleans()) else plain


@st.composite
def _own_sensors(draw: st.DrawFn, name: str, zone: str) -> Sensor:
    limit = st.none() | st.sampled_from(LEVELS)
    low_low, low, high, high_high = (draw(limit) for _ in range(4))
    return sensor(
        name, zone, limits=Limits(low_low, low, high, high_high), rate=draw(st.sampled_from([None, 1.0, 5.0])),
        deadband=draw(st.sampled_from([0.0, 1.0, 7.0])), on_delay=draw(st.sampled_from([0, 2, 5])) * SECOND,
        off_delay=draw(st.sampled_from([0, 3])) * SECOND, stale_after=draw(st.sampled_from([None, 4 * SECOND, 60 * SECOND])),
    )  # fmt: skip


@dataclass(frozen=True)
class Tick:
    """Time passes."""

    now: int


@dataclass(frozen=True)
class Change:
    """Other rules hold from now on."""

    now: int
    sensors: dict[str, Sensor]


@dataclass(frozen=True)
class History:
    """What happened, in order."""

    sensors: dict[str, Sensor]
    events: list[TelemetryPack | Tick | Change]

    @property
    def packs(self) -> list[TelemetryPack]:
        """Without the ticks."""
        return [e for e in self.events if isinstance(e, TelemetryPack)]


@st.composite
def histories(draw: st.DrawFn, *, ticks: bool = True, spread: int = 12, changes: bool = False) -> History:
    """Some sensors, and packs of readings: in good order, or mostly so, then sometimes late, early or of equal time.

    ``changes``: rules may come, go and be armed at other times. Times lie on a grid of half a second, so that delays end exactly at
    readings. ``spread``: how far (s) one may be from its receipt."""
    known = [draw(sensors(f"T-{n}", ZONES[n % 2])) for n in range(draw(st.integers(1, 3)))]
    names = {zone: [s.series for s in known if s.zone == zone] + ["X-9/temperature"] for zone in ZONES}
    orderly = draw(st.booleans())
    levels = st.sampled_from(draw(st.lists(st.sampled_from(LEVELS), min_size=1, max_size=4)))
    back = st.sampled_from([0, 0, 1, 2, -2]) | st.integers(-4, 2 * spread)
    now, events = NOON, list[TelemetryPack | Tick | Change]()
    for _ in range(draw(st.integers(1, 12))):
        now += draw(st.integers(0, 12)) * HALF
        if ticks and draw(st.booleans()):
            events.append(Tick(now))
            continue
        if changes and draw(st.integers(0, 3)) == 0:
            events.append(Change(now, {s.series: draw(ruled(s)) for s in known}))
            continue
        zone = draw(st.sampled_from(ZONES))
        drawn = draw(st.lists(st.tuples(st.sampled_from(names[zone]), back, levels), max_size=8))
        if orderly:
            drawn = [(series, len(drawn) - n, value) for n, (series, _, value) in enumerate(drawn)]
            now += len(drawn) * HALF
        events.append(pack_readings(zone, [Reading(series, now - b * HALF, value) for series, b, value in drawn], now))
    return History({s.series: s for s in known}, events)


@st.composite
def walks(draw: st.DrawFn) -> History:
    """One sensor with rules of files, one reading after the other in good order, sometimes under way for longer than a tick waits."""
    of = draw(ruled(sensor(stale_after=draw(st.sampled_from([None, 4 * SECOND])))))
    levels = st.sampled_from(draw(st.lists(st.sampled_from(LEVELS), min_size=2, max_size=4)))
    steps = st.tuples(st.integers(0, 8), st.sampled_from(["reading"] * 5 + ["tick", "change"]), levels, st.integers(0, 4))
    now, newest, events = NOON, NOON, list[TelemetryPack | Tick | Change]()
    for gap, what, value, under_way in draw(st.lists(steps, min_size=3, max_size=25)):
        now += gap * HALF
        if what == "tick":
            events.append(Tick(now))
        elif what == "change":
            events.append(Change(now, {of.series: draw(ruled(of))}))
        else:
            newest = max(newest, now - under_way * HALF)
            events.append(pack_readings("hall", [Reading(of.series, newest, value)], now))
    return History({of.series: of}, events)
