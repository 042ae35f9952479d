"""How far the measured figures of a region speak for smoke: every cue must speak, and their weighed sum must be high.

What must not go in: how a figure is measured, training (``benchmarks.train_smoke`` makes ``detectors.smoke_weights``).
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from detectors.cue import Cue, weighed
from detectors.smoke_weights import BIAS, DEVIATIONS, MEANS, WEIGHTS

SMOKE: Mapping[str, Cue] = {
    "area_share": Cue(0.002, 0.0036),  # of the picture
    "lasting": Cue(0.2, 0.24),  # share of the last seconds in which the same place changed softly
    "soft": Cue(0.35, 0.43),  # soft changes among all changes of the region
    "grey": Cue(0.2, 0.32),  # share of the region without strong colour
    "unbroken": Cue(0.33, 0.358),  # share of the time in which it changes, the less the more its changes come in bursts
    "uneven": Cue(0.25, 0.318),  # of each change, the share that is the smoke's own texture: a flat thing that passes has none
    "turbulent": Cue(1.5, 2.0),  # the same in grey levels
    "beyond_motion": Cue(0.9, 1.14),  # grey levels of the change for each pixel that the camera moved meanwhile, and one
    "paled": Cue(0.12, 0.2),  # logarithm by which contrast and brightness changed: a shadow, a lamp or headlights change both alike
}
"""What speaks for smoke."""
NO_SMOKE: Mapping[str, Cue] = {
    "replaced": Cue(2.4, 2.16),  # the same: a veil pales what lies behind, a thing replaces it
    "plain": Cue(0.9, 0.78),  # share of the region without texture, where veil and shadow can't be told apart
    "dragged": Cue(0.4, 0.28),  # how well one shift of the whole region explains it, where the camera moves
}
"""What speaks against it: less is more."""
NAMES = tuple(name for name in (*SMOKE, *NO_SMOKE) if name != "paled")
"""Those that are weighed; one of the two for the same figure."""
LEAST_CHANCE = 0.6
"""Of the weighed sum, 0..1, from which on it counts as evidence."""


def vector(figures: Mapping[str, float]) -> NDArray[np.float64]:
    """``figures`` in the order of NAMES, sizes as logarithms, what has a long tail cut off."""
    known = dict(figures)
    known["area_share"] = math.log(max(known["area_share"], 0.001))
    for name in ("turbulent", "beyond_motion"):
        known[name] = math.log(min(20.0, max(known[name], 0.3)))
    known["replaced"], known["uneven"] = min(known["replaced"], 3.0), min(known["uneven"], 1.0)
    return np.array([known[name] for name in NAMES])


def judged(figures: Mapping[str, float]) -> tuple[float, list[str]]:
    """The score 0..1, from 0.5 on evidence, and the cues that decided, the strongest first."""
    parts = (vector(figures) - MEANS) / DEVIATIONS * WEIGHTS
    chance = 1 / (1 + math.exp(-float(parts.sum()) - BIAS))
    least, spoke = weighed(figures, SMOKE)
    part_of = dict(zip(NAMES, parts.tolist(), strict=True))
    fired = sorted(spoke, key=lambda name: -part_of.get(name, 0.0))
    return min(least, weighed(figures, NO_SMOKE)[0], _stretched(chance)), fired


def _stretched(chance: float) -> float:
    """``chance`` with LEAST_CHANCE at 0.5."""
    return 0.5 * chance / LEAST_CHANCE if chance < LEAST_CHANCE else 0.5 + 0.5 * (chance - LEAST_CHANCE) / (1 - LEAST_CHANCE)
