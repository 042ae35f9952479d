"""Fits ``detectors/smoke_weights.py`` on labelled clips and their alterations: ``python -m benchmarks.train_smoke MEDIA [--write]``.

Prints figures by clip with the clips of one source left out at a time, so that no clip is judged by weights that have seen its source.
What must not go in: how figures are measured, what the detector does with the weights.
"""

import csv
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.altered import PICTURES, RATES, shots_of
from benchmarks.logistic import Fit, Values, fitted
from detectors.base import Detection, Frame
from detectors.smoke import SmokeDetector
from detectors.smoke_score import LEAST_CHANCE, NO_SMOKE, SMOKE, vector
from detectors.temporal import Condition
from ingest.labels import LabelledClip, read_labels

ALTERED = ("as it is", "brighter", "less contrast", "noise of 5 levels", "JPEG of quality 30", "704 x 576")
SLOWER = ("12 frames a second",)
SMOKES_FROM: Mapping[str, float] = {  # seconds, by eye, where it is not the first frame, or where the label does not say so
    "smoke/03_car_exhaust.mp4": 2.3, "fire/01_storage_units_fisheye_cctv.mp4": 3.5, "fire/02_motorway_tanker_cctv.mp4": 0.0,
    "fire/03_rubbish_pile.mp4": 0.0,
}  # fmt: skip
WEIGHTS_FILE = Path(__file__).parent.parent / "detectors" / "smoke_weights.py"


@dataclass(frozen=True, slots=True)
class Sample:
    """One region of one frame."""

    clip: LabelledClip
    source: str
    alteration: str
    t: float
    figures: Mapping[str, float]

    @property
    def truth(self) -> bool | None:
        """Whether it is smoke; None: the label does not say."""
        begins = SMOKES_FROM.get(self.clip.file, self.clip.onset if self.clip.label == "smoke" else None)
        if begins is not None:
            return self.t >= begins
        return None if self.clip.label == "fire" else False


def samples(clip: LabelledClip, source: str) -> Iterator[Sample]:
    """Every region that the detector measures in ``clip`` and its alterations; nothing is altered by what is measured."""
    shots, size_wh = shots_of(clip)
    variants = [(name, PICTURES[name], shots) for name in ALTERED]
    variants += [(name, PICTURES["as it is"], list(RATES[name](shots))) for name in SLOWER]
    for name, change, shown in variants:
        detector, last = SmokeDetector(), list[Detection]()
        for shot in shown:
            small = change(shot.small)
            found = detector.look(Frame(small, size_wh[0] / small.shape[1], size_wh, shot.t, shot.n))
            if found is not last:  # the detector looks at every second picture only
                yield from (Sample(clip, source, name, shot.t, x.cues) for x in found)
            last = found


def left_out(
    rows: Values, truth: NDArray[np.bool_], known: NDArray[np.bool_], clips: NDArray[np.str_], sources: NDArray[np.str_]
) -> Values:
    """The chance of each row by the weights that were fitted without its source."""
    chance = np.zeros(len(rows))
    for source in np.unique(sources):
        others = known & (sources != source)
        chance[sources == source] = fitted(rows[others], truth[others], clips[others]).chance(rows[sources == source])
    return chance


def raised(found: list[Sample], chances: Values) -> float | None:
    """When the condition is raised in one altered clip, as the detector would with these chances."""
    condition, times = Condition("smoke", SmokeDetector.timing), sorted({s.t for s in found})
    best = dict.fromkeys(times, 0.0)
    for sample, chance in zip(found, chances, strict=True):
        cues = min(c.of(sample.figures[n]) for n, c in (*SMOKE.items(), *NO_SMOKE.items()))
        best[sample.t] = max(best[sample.t], min(cues, 0.5 * chance / LEAST_CHANCE))
    for n, t in enumerate(times):
        told = condition.feed([Detection("smoke", best[t], (0, 0, 1, 1))], t, n)
        if told is not None and told.state == "raised":
            return t
    return None


def report(found: list[Sample], chances: Values, alterations: tuple[str, ...]) -> None:
    """Print what is found and what stays silent, by alteration."""
    keys = np.array([f"{s.clip.file}|{s.alteration}" for s in found])
    labels = {key: found[int(np.argmax(keys == key))].clip.label for key in np.unique(keys)}
    for name in alterations:
        at = {k: raised([found[i] for i in np.flatnonzero(keys == k)], chances[keys == k]) for k in labels if k.endswith(f"|{name}")}
        smoky = [key for key in at if labels[key] == "smoke"]
        false = [key for key in at if labels[key] in ("negative", "people") and at[key] is not None]
        print(f"{name:24s} smoke found in {sum(at[k] is not None for k in smoky)} clips of those with a candidate; false alarms {false}")


def main() -> None:
    """Collect, judge with one source left out, and with ``--write`` fit on all and write the weights."""
    cv2.setNumThreads(1)
    media = Path(sys.argv[1])
    with (media / "index.csv").open() as listed:
        sources = {row["file"]: row["source"] for row in csv.DictReader(listed)}
    found = [s for clip in read_labels(media / "index.csv", media) for s in samples(clip, sources[clip.file])]
    rows = np.array([vector(s.figures) for s in found])
    enough = np.array([s.figures["lasting"] > 0.2 and s.figures["area_share"] > 0.002 for s in found])
    known = enough & np.array([s.truth is not None for s in found])
    truth, clips = np.array([bool(s.truth) for s in found]), np.array([s.clip.file for s in found])
    chances = left_out(rows, truth, known, clips, np.array([s.source for s in found]))
    report(found, chances, (*ALTERED, *SLOWER))
    if "--write" in sys.argv:
        WEIGHTS_FILE.write_text(written(fitted(rows[known], truth[known], clips[known]), len(np.unique(clips[known]))), "utf-8")


def written(fit: Fit, clips: int) -> str:
    """``fit`` as the module that the detector reads."""

    def line(name: str, values: Values) -> str:
        return f"{name} = np.array([{', '.join(f'{v:.4f}' for v in values)}])\n"

    return (
        '"""Weights of the cues of smoke, in the order of ``detectors.smoke_score.NAMES``: written by ``benchmarks.train_smoke`` from '
        f'{clips} clips.\n\nWhat must not go in: anything by hand.\n"""\n\nimport numpy as np\n\n'
        + line("MEANS", fit.means) + line("DEVIATIONS", fit.deviations) + line("WEIGHTS", fit.weights) + f"BIAS = {fit.bias:.4f}\n"
    )  # fmt: skip


if __name__ == "__main__":
    main()
