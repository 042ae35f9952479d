"""Keys of cameras in the site file: what is wrong is named with its place, what is right reaches the detectors."""

from pathlib import Path

import pytest

from bihuan.site_file import parse_site
from hazards.errors import InvalidFile
from ingest.cameras.process import order_of

SITE = """
site: {{id: park, name: 园区}}
zones: [{{id: depot, name: 危废库, grade: orange, polygon: [[0, 0], [9, 0], [9, 9]]}}]
devices:
  - {{id: CAM-1, zone: depot, type: camera, url: "rtsp://192.0.2.1/1", detectors: [loitering, line_crossing, onnx], {keys}}}
"""


def parsed(tmp_path: Path, keys: str) -> tuple[dict[str, object], list[str]]:
    """The settings of the camera, and the warnings."""
    found = parse_site(SITE.format(keys=keys).encode(), file="site.yaml", folder=tmp_path)
    (device,) = found.site.devices
    return device.settings, [str(w) for w in found.warnings]


def test_masks_settings_and_transport_reach_the_eye(tmp_path: Path) -> None:
    keys = """masks: [[[0, 0], [0.5, 0], [0.5, 0.5]]], transport: udp,
      detector_settings: {loitering: {stay: 20},
        line_crossing: {line: [[0.2, 0.5], [0.8, 0.5]], forbidden: out}, onnx: {model: helmet.onnx}}"""
    found = parse_site(SITE.format(keys=keys).encode(), file="site.yaml", folder=tmp_path)
    order = order_of(found.site.devices[0], [])
    assert order.masks == [[(0.0, 0.0), (0.5, 0.0), (0.5, 0.5)]] and order.transport == "udp"
    assert order.parameters["loitering"] == {"stay": 20}
    assert order.parameters["onnx"]["model"] == str(tmp_path / "helmet.onnx"), "relative paths start at the site file"


@pytest.mark.parametrize(
    ("keys", "place", "words"),
    [
        ("transport: pigeon", "transport", "'pigeon' is no transport"),
        ("masks: [0, 0]", "masks", "a list of polygons is expected"),
        ("masks: [[[0, 0], [1, 0]]]", "masks[0]", "2 points are too few"),
        ("masks: [[[0, 0], [100, 0], [100, 80]]]", "masks[0]", "fractions of the picture"),
        ("masks: [[[0, 0], [1, 1], [1, 0], [0, 1]]]", "masks[0]", "crosses itself"),
        ("detector_settings: [1]", "detector_settings", "settings by detector are expected"),
        ("detector_settings: {loitering: {stay: -1}}", "detector_settings.loitering", "> 0"),
        ("detector_settings: {loitering: {sekunden: 9}}", "detector_settings.loitering", "sekunden"),
        ("detector_settings: {line_crossing: {line: [[0, 0]]}}", "detector_settings.line_crossing", "line"),
        ("detector_settings: {loitering: 9}", "detector_settings.loitering", "object"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, keys: str, place: str, words: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        parsed(tmp_path, keys)
    (problem,) = caught.value.problems
    assert problem.where.endswith(place) and problem.line
    assert words in f"{problem.what} {problem.hint}"


def test_settings_of_a_detector_that_is_not_there_are_a_warning(tmp_path: Path) -> None:
    settings, warnings = parsed(tmp_path, "detector_settings: {teleport: {far: true}}")
    assert settings["detector_settings"] == {}
    assert any("teleport" in w for w in warnings)
