"""A weighed sum of cues fitted to labelled rows (logistic regression, ridge, Newton's method). What must not go in: which cues."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
RIDGE = 0.03
MOST_ROWS = 300
"""Rows of one clip that count in full: a long clip must not outvote the others."""


@dataclass(frozen=True, slots=True)
class Fit:
    """``weights`` of the cues once ``means`` are taken away and they are divided by ``deviations``."""

    means: Values
    deviations: Values
    weights: Values
    bias: float

    def chance(self, rows: Values) -> Values:
        """0..1 for each of ``rows`` (rows, cues)."""
        total = ((rows - self.means) / self.deviations) @ self.weights + self.bias
        result: Values = 1 / (1 + np.exp(-np.clip(total, -30, 30)))
        return result


def fitted(rows: Values, truth: NDArray[np.bool_], clips: NDArray[np.str_]) -> Fit:
    """``rows`` (rows, cues) whose ``truth`` is known; both answers weigh the same, and so do clips of at least MOST_ROWS rows."""
    weight = np.empty(len(rows))
    for clip in np.unique(clips):
        weight[clips == clip] = min(1.0, MOST_ROWS / np.count_nonzero(clips == clip))
    for answer in (True, False):
        weight[truth == answer] /= weight[truth == answer].sum()
    means = np.average(rows, axis=0, weights=weight)
    deviations = np.sqrt(np.average((rows - means) ** 2, axis=0, weights=weight)) + 1e-6
    scaled = np.c_[(rows - means) / deviations, np.ones(len(rows))]
    ridge = np.diag([RIDGE] * rows.shape[1] + [0.0])
    solution = np.zeros(scaled.shape[1])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-np.clip(scaled @ solution, -30, 30)))
        slope = scaled.T @ (weight * (chance - truth)) + ridge @ solution
        bend = (scaled.T * (weight * chance * (1 - chance))) @ scaled + ridge
        solution -= np.linalg.solve(bend, slope)
    return Fit(means, deviations, solution[:-1], float(solution[-1]))
