"""Weights of the cues of smoke, in the order of ``detectors.smoke_score.NAMES``: written by ``benchmarks.train_smoke`` from 22 clips.

What must not go in: anything by hand.
"""

import numpy as np

MEANS = np.array([-3.7498, 0.3121, 0.7015, 0.8715, 0.3849, 0.5134, 1.5347, 1.5642, 1.2683, 0.2990, 0.0730])
DEVIATIONS = np.array([1.6006, 0.0719, 0.1823, 0.2704, 0.1644, 0.2574, 0.7021, 1.2154, 1.0903, 0.3739, 0.1746])
WEIGHTS = np.array([-0.3338, 0.7572, -0.0609, -0.4169, 1.0614, 0.1920, 0.1036, -0.3860, -0.6262, -0.5337, -0.3656])
BIAS = 0.0745
