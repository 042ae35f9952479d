"""The keys of a camera in the site file that are about its detectors, checked by line; the values are kept in ``Device.settings``.

What must not go in: detectors (each says itself which parameters it has), addresses (``site_file``).
"""

from pathlib import Path
from typing import Any

import msgspec
from yaml.nodes import MappingNode, Node, SequenceNode

from bihuan.outlines import sound_outline
from bihuan.yaml_lines import Fields, Problems, points
from detectors import DETECTORS

TRANSPORTS = ("tcp", "udp")
MOST_MASKS = 50
_MODEL = "model"
"""The parameter that names a file; a relative path starts at the site file."""


def camera_settings(fields: Fields, folder: Path, problems: Problems) -> dict[str, Any]:
    """What ``masks``, ``detector_settings`` and ``transport`` are to be kept as, after noting what is wrong with them."""
    nodes, kept = fields.rest(), dict[str, Any]()
    if (node := nodes.get("transport")) is not None and fields.document.plain(node) not in TRANSPORTS:
        problems.error(node, fields.place("transport"), f"{fields.document.plain(node)!r} is no transport", " or ".join(TRANSPORTS))
    if (node := nodes.get("masks")) is not None:
        kept["masks"] = _masks(fields, node, problems)
    if (node := nodes.get("detector_settings")) is not None:
        kept["detector_settings"] = _settings(fields, node, folder, problems)
    return kept


def _masks(fields: Fields, node: Node, problems: Problems) -> list[list[tuple[float, float]]]:
    place = fields.place("masks")
    if not isinstance(node, SequenceNode) or not all(isinstance(n, SequenceNode) for n in node.value):
        problems.error(node, place, "a list of polygons is expected", "[[[x, y], [x, y], [x, y]]], fractions of the picture")
        return []
    if len(node.value) > MOST_MASKS:
        problems.error(node, place, f"{len(node.value)} masks", f"at most {MOST_MASKS}")
    found = []
    for number, polygon in enumerate(node.value[:MOST_MASKS]):
        where = f"{place}[{number}]"
        corners = points(fields.document, polygon.value, where, problems)
        if corners is None:
            continue
        if any(not 0 <= v <= 1 for corner in corners for v in corner):
            problems.error(polygon, where, "a mask is given in fractions of the picture", "0 to 1")
        elif outline := sound_outline(corners, 3, polygon, where, problems):
            found.append(outline)
    return found


def _settings(fields: Fields, node: Node, folder: Path, problems: Problems) -> dict[str, Any]:
    place = fields.place("detector_settings")
    if not isinstance(node, MappingNode):
        problems.error(node, place, "settings by detector are expected", "{loitering: {seconds: 30}}")
        return {}
    given, found = fields.document.plain(node), dict[str, Any]()
    for key, value in node.value:
        name = str(fields.document.plain(key))
        where = f"{place}.{name}"
        if name not in DETECTORS:
            problems.warn(key, where, f"there is no detector {name!r} in this version: its settings are left out", ", ".join(DETECTORS))
            continue
        found[name] = _with_model(given[name], folder) if isinstance(given[name], dict) else given[name]
        try:
            msgspec.convert(found[name], DETECTORS[name].Parameters)
        except msgspec.ValidationError as e:
            known = ", ".join(f.name for f in msgspec.structs.fields(DETECTORS[name].Parameters)) or "none"
            problems.error(value, where, str(e).replace(" - at `$", " at `"), f"its parameters: {known}")
    return found


def _with_model(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    path = values.get(_MODEL)
    if not isinstance(path, str) or not path or Path(path).is_absolute():
        return values
    return values | {_MODEL: str(folder / path)}
