"""How flame and smoke detection bear changes of the picture: labelled clips, each altered (``python -m benchmarks.altered MEDIA [NAME]…``).

Each clip is decoded once, and watched once as it is and once with each alteration. What must not go in: thresholds, training.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from detectors.base import Frame, Picture
from detectors.evaluation import ClipOutcome, evaluated
from detectors.watch import Watch
from ingest.cameras.source import VideoSource
from ingest.labels import LabelledClip, read_labels

KINDS = ("flame", "smoke")


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame of a clip at the level of analysis."""

    small: Picture
    t: float
    n: int


def _levels(gain: float, offset: float) -> Callable[[Picture], Picture]:
    return lambda picture: cv2.convertScaleAbs(picture, alpha=gain, beta=offset).astype(np.uint8)


def _hue(degrees: float) -> Callable[[Picture], Picture]:
    def shifted(picture: Picture) -> Picture:
        hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)
        hsv[:, :, 0] = (hsv[:, :, 0].astype(np.int16) + round(degrees / 2)) % 180
        return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), np.uint8)

    return shifted


_NOISE = np.random.default_rng(1).normal(0, 5, (400, 400, 3)).astype(np.int16)


def _noisy(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    down, across = int(picture[::7, ::7].sum()) % (401 - height), int(picture[::5, ::5].sum()) % (401 - width)  # another piece each time
    noise = _NOISE[down : down + height, across : across + width]
    return np.asarray(np.clip(picture.astype(np.int16) + noise, 0, 255), np.uint8)


def _pressed(picture: Picture) -> Picture:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 30])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _sub_stream(picture: Picture) -> Picture:
    """704 x 576, whatever the shape was, and the level of that."""
    return np.asarray(cv2.resize(picture, (320, 262), interpolation=cv2.INTER_AREA), np.uint8)


PICTURES: Mapping[str, Callable[[Picture], Picture]] = {
    "as it is": lambda picture: picture,
    "mirrored": lambda picture: np.ascontiguousarray(picture[:, ::-1]),
    "darker": _levels(0.75, 0),
    "brighter": _levels(1.2, 8),
    "less contrast": _levels(0.75, 32),
    "hue -10 degrees": _hue(-10),
    "hue +10 degrees": _hue(10),
    "noise of 5 levels": _noisy,
    "JPEG of quality 30": _pressed,
    "704 x 576": _sub_stream,
}
RATES: Mapping[str, Callable[[list[Shot]], Iterator[Shot]]] = {
    "12 frames a second": lambda shots: _slower(shots, 12),
    "8 frames a second": lambda shots: _slower(shots, 8),
    "every third frame lost": lambda shots: (shot for n, shot in enumerate(shots) if n % 3),
}


def _slower(shots: list[Shot], rate: float) -> Iterator[Shot]:
    due = float("-inf")
    for shot in shots:
        if shot.t >= due - 0.01:
            due = max(due + 1 / rate, shot.t)
            yield shot


def shots_of(clip: LabelledClip) -> tuple[list[Shot], tuple[int, int]]:
    """The frames of ``clip`` that a camera's watch would look at, and the size of its frames."""
    watch, shots, size_wh = Watch([]), [], (1, 1)
    for frame in VideoSource(str(clip.path)).frames():
        if watch.due(frame.t):
            shots.append(Shot(frame.small(), frame.t, frame.n))
            size_wh = frame.size_wh
    return shots, size_wh


def outcomes(
    clip: LabelledClip, shots: Iterator[Shot], size_wh: tuple[int, int], change: Callable[[Picture], Picture]
) -> dict[str, ClipOutcome]:
    """What both detectors raise on the altered clip."""
    watch, raised, until = Watch(KINDS), {kind: list[float]() for kind in KINDS}, 0.0
    for shot in shots:
        small, until = change(shot.small), shot.t
        for told in watch.feed(Frame(small, size_wh[0] / small.shape[1], size_wh, shot.t, shot.n)):
            if told.state == "raised":
                raised[told.kind].append(told.t)
    return {kind: ClipOutcome(clip.file, clip.label, clip.onset, until, times) for kind, times in raised.items()}


def main() -> None:
    """Print recall and silence under each alteration, and what went wrong."""
    cv2.setNumThreads(1)
    media, wanted = Path(sys.argv[1]), sys.argv[2:]
    found: dict[str, list[dict[str, ClipOutcome]]] = {}
    labels = next(path for path in (media / "labels.csv", media / "index.csv") if path.exists())
    for clip in read_labels(labels, media):
        shots, size_wh = shots_of(clip)
        for name, change in PICTURES.items():
            if not wanted or name in wanted:
                found.setdefault(name, []).append(outcomes(clip, iter(shots), size_wh, change))
        for name, slower in RATES.items():
            if not wanted or name in wanted:
                found.setdefault(name, []).append(outcomes(clip, slower(shots), size_wh, PICTURES["as it is"]))
    for name, clips in found.items():
        for kind in KINDS:
            e = evaluated(kind, [clip[kind] for clip in clips])
            wrong = [o[kind].file for o in clips if (o[kind].holds(kind) and not o[kind].found(kind)) or o[kind].false_alarms(kind)]
            figures = f"found {e.found:2d} of {e.clips_with:2d}, {e.in_time:2d} in time; silent {e.silent:2d} of {e.clips_without}"
            print(f"{name:24s} {kind:6s} {figures}  {wrong}")


if __name__ == "__main__":
    main()
