"""Units: what converts into what, and what never does."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazards.errors import MalformedMessage
from hazards.metrics import METRICS
from hazards.units import UNITS, conversion, convert


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (100, "Cel", "K", 373.15), (212, "degF", "Cel", 100), (25, "℃", "Cel", 25), (-40, "degF", "Cel", -40),
        (1, "bar", "kPa", 100), (36, "km/h", "m/s", 10), (50, "%", "/", 0.5), (1, "%vol", "ppm", 10_000), (3600, "m3/h", "m3/s", 1),
        (1, "kWh", "J", 3.6e6), (30, "dBm", "dBW", 0), (180, "deg", "rad", math.pi), (1, "mg/m3", "ug/m3", 1000),
    ],
)  # fmt: skip
def test_a_value_keeps_its_meaning_in_another_unit(value: float, unit: str, to: str, expected: float) -> None:
    assert convert(value, unit, to) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("unit", "to"),
    [
        ("%vol", "%LEL"),
        ("%", "%LEL"),
        ("%", "%vol"),
        ("%RH", "%"),
        ("Cel", "kPa"),
        ("kg", "kg/m3"),
        ("foot", "m"),
        ("m", "foot"),
        ("Cel", ""),
    ],
)
def test_what_means_something_else_is_refused_where_it_stands(unit: str, to: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        convert(1.0, unit, to, where="/3/u")
    assert caught.value.where == "/3/u" and caught.value.hint


def test_a_unit_that_nobody_knows_is_equal_to_itself() -> None:
    assert conversion("furlong", "furlong") == (1.0, 0.0)
    assert convert(0.1, "Cel", "Cel") == 0.1


@given(
    value=st.floats(-1e9, 1e9),
    pair=st.sampled_from([(a.name, b.name) for a in UNITS.values() for b in UNITS.values() if a.quantity == b.quantity]),
)
def test_there_and_back_is_the_same_value(value: float, pair: tuple[str, str]) -> None:
    there = convert(value, *pair)
    scale, _ = conversion(*pair)
    assert convert(there, pair[1], pair[0]) == pytest.approx(value, rel=1e-9, abs=1e-6 / abs(scale) + 1e-6)


def test_the_unit_of_every_metric_is_known_and_its_limits_rise() -> None:
    for metric in METRICS.values():
        assert metric.unit in UNITS
        limits = [limit for limit in metric.limits if limit is not None]
        assert limits == sorted(limits) and bool(limits) == bool(metric.basis)
