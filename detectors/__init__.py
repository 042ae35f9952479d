"""Frame in, detections out. To add a detector: one file beside this one, one line in ``DETECTORS``.

The names are known without loading a detector, so that reading a site file needs no OpenCV.
What must not go in: decoding, files, sockets.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detectors.base import Detector


class _Detectors(Mapping[str, "type[Detector]"]):
    """Names and where their classes are; a class is loaded when it is asked for."""

    def __init__(self, places: dict[str, str]) -> None:
        self._places = places

    def __getitem__(self, name: str) -> "type[Detector]":
        module, _, kind = self._places[name].partition(":")
        found: type[Detector] = getattr(import_module(module), kind)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


DETECTORS: Mapping[str, "type[Detector]"] = _Detectors(
    {
        "flame": "detectors.flame:FlameDetector",
        "smoke": "detectors.smoke:SmokeDetector",
        "intrusion": "detectors.intrusion:IntrusionDetector",
        "loitering": "detectors.loitering:LoiteringDetector",
        "line_crossing": "detectors.line_crossing:LineCrossingDetector",
        "overcrowding": "detectors.overcrowding:OvercrowdingDetector",
        "absent_from_post": "detectors.absent_from_post:AbsentFromPostDetector",
        "object_left": "detectors.object_left:ObjectLeftDetector",
        "exit_blocked": "detectors.object_left:ExitBlockedDetector",
        "onnx": "detectors.onnx:OnnxDetector",
        "tamper": "detectors.tamper:TamperDetector",
        "frozen": "detectors.frozen:FrozenDetector",
    }
)
"""Every detector by the name that site files and ``--detector`` use."""
