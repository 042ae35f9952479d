"""Outlines of zones and camera areas: closed polygons and lines, and what makes one unusable.

What must not go in: reading files, what an outline is for.
"""

from yaml.nodes import Node

from bihuan.yaml_lines import Problems
from hazards.zones import Point, crossing_edges


def sound_outline(corners: list[Point], least: int, node: Node, where: str, problems: Problems) -> list[Point]:
    """``corners`` if they make a polygon (least 3) or a line (least 2) that does not cross itself, else [] after noting why."""
    if least == 3 and len(corners) > 3 and corners[0] == corners[-1]:
        corners = corners[:-1]  # GeoJSON closes its rings
    if len(corners) < least:
        problems.error(node, where, f"{len(corners)} points are too few", f"at least {least}")
        return []
    twins = [i for i in range(len(corners)) if corners[i] == corners[i - 1]]
    if twins and (least == 3 or twins != [0]):
        problems.error(node, where, f"point {twins[-1]} repeats the one before it", "points are counted from 0")
        return []
    if least == 3 and (crossing := crossing_edges(corners)) is not None:
        (i, j), n = crossing, len(corners)
        edges = " and ".join(f"edge {e} ({_show(corners[e])} to {_show(corners[(e + 1) % n])})" for e in (i, j))
        problems.error(node, where, f"the polygon crosses itself: {edges}", "give the corners in order around it")
        return []
    return corners


def _show(point: Point) -> str:
    return f"{point[0]:g},{point[1]:g}"
