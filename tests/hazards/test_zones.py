"""Polygons that cross themselves."""

import pytest

from hazards.zones import Point, crossing_edges


@pytest.mark.parametrize(
    ("polygon", "expected"),
    [
        ([(0, 0), (60, 0), (60, 40), (0, 40)], None),
        ([(0, 0), (2, 2), (2, 0), (0, 2)], (0, 2)),  # a bow tie
        ([(0, 0), (4, 0), (4, 4), (2, 0), (0, 4)], (0, 2)),  # a corner touches an edge
        ([(0, 0), (4, 0), (2, 0)], (0, 1)),  # folds back on itself
        ([(0, 0), (4, 0), (4, 4), (3, 1), (0, 4)], None),  # not convex, and right
        ([(0, 0), (1, 0), (1, 1)], None),
    ],
)
def test_crossing_edges(polygon: list[Point], expected: tuple[int, int] | None) -> None:
    assert crossing_edges(polygon) == expected
