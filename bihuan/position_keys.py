"""The operating positions of a site file: ``positions: [{id, name, zones, seats}]``, every mistake named by its line.

What must not go in: the load of a position (``hazards/alarm_quality.py``).
"""

from collections.abc import Collection

from bihuan.yaml_lines import Fields, Problems
from hazards.zones import Position

MOST_SEATS = 50


def read_positions(top: Fields, zones: Collection[str], problems: Problems) -> list[Position]:
    """The positions (操作岗位); a zone belongs to one of them at most."""
    found, taken = list[Position](), dict[str, str]()
    for n, node in enumerate(top.items("positions")):
        fields = top.document.fields(node, f"positions[{n}]", problems)
        if fields is None:
            continue
        seats = fields.whole("seats", 1, MOST_SEATS) or 1
        position = Position(fields.text("id", None), fields.text("name", None), fields.texts("zones"), seats)
        if position.id in {p.id for p in found}:
            problems.error(fields.at("id"), fields.place("id"), "the id is used twice")
        for zone in position.zones:
            if zone not in zones:
                problems.error(fields.at("zones"), fields.place("zones"), f"there is no zone {zone!r}")
            elif zone in taken:
                problems.error(fields.at("zones"), fields.place("zones"), f"zone {zone!r} belongs to position {taken[zone]!r} already")
            taken.setdefault(zone, position.id)
        if n and not position.zones:
            problems.warn(fields.node, fields.where, "has no zones: no alarm is its own", "what no position lists belongs to the first")
        for key, extra in fields.rest().items():
            problems.warn(extra, fields.place(key), "is not known here and is ignored")
        found.append(position)
    return found
