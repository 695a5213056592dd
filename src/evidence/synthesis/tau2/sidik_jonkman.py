"""Sidik and Jonkman's two-step estimator, always above zero unless the effects are equal."""

from __future__ import annotations

import numpy as np

from evidence.synthesis.least_squares import Array, LeastSquares
from evidence.synthesis.tau2.tau2 import Tau2


def fit_arrays(y: Array, v: Array, X: Array) -> Tau2:
    """Rescale a first guess, the variance of the effects with divisor k, by its own residuals.

    References
    ----------
    Sidik K, Jonkman JN (2005). Simple heterogeneity variance estimation for meta-analysis. Journal
    of the Royal Statistical Society C 54, 367-384.
    """
    first = np.var(y, axis=-1)
    fit = LeastSquares(y, 1 / (v + first[..., None]), X)
    value = first * fit.ypy / fit.df
    return Tau2(value, first * fit.quadratic_sd(v + value[..., None]) / fit.df)
