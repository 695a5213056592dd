"""Hedges' estimator, from the unweighted variance of the effects."""

from __future__ import annotations

import numpy as np

from evidence.synthesis.least_squares import Array, LeastSquares
from evidence.synthesis.tau2 import generalised_q
from evidence.synthesis.tau2.tau2 import Tau2


def fit_arrays(y: Array, v: Array, X: Array) -> Tau2:
    """Take the mean sampling variance from the unweighted residual variance.

    References
    ----------
    Hedges LV (1983). A random effects model for effect sizes. Psychological Bulletin 93, 388-395.
    """
    return generalised_q.solve(LeastSquares(y, np.ones_like(v), X), v)
