"""Frame in, detections out. To add a detector: one file beside this one, one line in ``DETECTORS``.

What must not go in: decoding, files, sockets.
"""

from detectors.base import Detector
from detectors.flame import FlameDetector

DETECTORS: dict[str, type[Detector]] = {
    "flame": FlameDetector,
}
"""Every detector by the name that site files and ``--detector`` use."""
