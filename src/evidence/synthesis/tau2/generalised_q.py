"""The moment estimator with weights of one's own."""

from __future__ import annotations

import numpy as np

from evidence.synthesis.least_squares import Array, LeastSquares
from evidence.synthesis.tau2.tau2 import Tau2


def fit_arrays(y: Array, v: Array, X: Array, weights: Array) -> Tau2:
    """Solve Q = E(Q) for the generalised Q statistic with the given weights, shape (k,).

    References
    ----------
    DerSimonian R, Kacker R (2007). Random-effects model for meta-analysis of clinical trials: an
    update. Contemporary Clinical Trials 28, 105-114.
    Jackson D (2013). Confidence intervals for the between-study variance in random effects
    meta-analysis using generalised Cochran heterogeneity statistics. Research Synthesis Methods 4,
    220-229.
    """
    return solve(LeastSquares(y, weights, X), v)


def solve(fit: LeastSquares, v: Array) -> Tau2:
    """Solve Q = E(Q), where Q = y'Py and E(Q) = tr(P diag(v)) + τ² tr(P)."""
    value = np.maximum(0.0, (fit.ypy - fit.trace_pd(v)) / fit.trace_p)
    return Tau2(value, fit.quadratic_sd(v + value[..., None]) / fit.trace_p)
