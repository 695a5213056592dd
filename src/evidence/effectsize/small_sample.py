"""The exact correction that takes the small-sample bias out of a standardised difference."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from evidence.effectsize.registry import Array


def small_sample_factor(df: ArrayLike) -> Array:
    """Hedges' exact J(m), by which d is multiplied to give g.

    Parameters
    ----------
    df : array_like
        Degrees of freedom m of the standard deviation; more than 1.

    Returns
    -------
    ndarray
        J between 0 and 1; NaN where df is 1 or less.

    References
    ----------
    Hedges LV (1981). Distribution theory for Glass's estimator of effect size and related
    estimators. Journal of Educational Statistics 6, 107-128.
    """
    m = np.asarray(df, dtype=float)
    m = np.where(m > 1, m, np.nan)
    return np.exp(gammaln(m / 2) - 0.5 * np.log(m / 2) - gammaln((m - 1) / 2))
