"""Histories of readings for property tests: sensors with every combination of rules, packs in any order, ticks between them."""

from dataclasses import dataclass

from hypothesis import strategies as st

from hazards.sensors import Limits, Sensor
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


@st.composite
def sensors(draw: st.DrawFn, name: str, zone: str) -> Sensor:
    """A sensor with any rules."""
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
class History:
    """What happened, in order."""

    sensors: dict[str, Sensor]
    events: list[TelemetryPack | Tick]

    @property
    def packs(self) -> list[TelemetryPack]:
        """Without the ticks."""
        return [e for e in self.events if isinstance(e, TelemetryPack)]


@st.composite
def histories(draw: st.DrawFn, *, ticks: bool = True, spread: int = 12) -> History:
    """Some sensors, and packs of readings: in good order, or mostly so, then sometimes late, early or of equal time.

    Times lie on a grid of half a second, so that delays end exactly at readings. ``spread``: how far (s) one may be from its receipt."""
    known = [draw(sensors(f"T-{n}", ZONES[n % 2])) for n in range(draw(st.integers(1, 3)))]
    names = {zone: [s.series for s in known if s.zone == zone] + ["X-9/temperature"] for zone in ZONES}
    orderly = draw(st.booleans())
    levels = st.sampled_from(draw(st.lists(st.sampled_from(LEVELS), min_size=1, max_size=4)))
    back = st.sampled_from([0, 0, 1, 2, -2]) | st.integers(-4, 2 * spread)
    now, events = NOON, list[TelemetryPack | Tick]()
    for _ in range(draw(st.integers(1, 12))):
        now += draw(st.integers(0, 12)) * HALF
        if ticks and draw(st.booleans()):
            events.append(Tick(now))
            continue
        zone = draw(st.sampled_from(ZONES))
        drawn = draw(st.lists(st.tuples(st.sampled_from(names[zone]), back, levels), max_size=8))
        if orderly:
            drawn = [(series, len(drawn) - n, value) for n, (series, _, value) in enumerate(drawn)]
            now += len(drawn) * HALF
        events.append(pack_readings(zone, [Reading(series, now - b * HALF, value) for series, b, value in drawn], now))
    return History({s.series: s for s in known}, events)
