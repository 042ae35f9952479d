"""Figures as other programs read them."""

import json

import pytest

from benchmarks.figures import Figure, percentile, rounded


def test_a_figure_is_one_json_object_a_line() -> None:
    line = Figure("latency.embedded.p99", 12.5, "ms", {"p99 allowed": 200}).line()
    assert json.loads(line) == {"figure": "latency.embedded.p99", "value": 12.5, "unit": "ms", "compared": {"p99 allowed": 200}}
    assert "\n" not in line


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([5], 50, 5), ([1, 2, 3, 4], 50, 2), ([4, 3, 2, 1], 99, 4), (list(range(1, 101)), 99, 99), ([1, 2], 0, 1)],
)
def test_a_percentile_is_a_value_that_was_measured(values: list[float], percent: float, expected: float) -> None:
    assert percentile(values, percent) == expected


@pytest.mark.parametrize(("value", "expected"), [(0.012345, 0.0123), (12.345, 12.3), (123.6, 124), (20345.2, 20345)])
def test_figures_do_not_claim_more_digits_than_they_have(value: float, expected: float) -> None:
    assert rounded(value) == expected
