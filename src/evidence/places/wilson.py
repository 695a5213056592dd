"""Interval of a proportion from its counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evidence.errors import UsageError


def wilson(
    count: ArrayLike, total: ArrayLike, level: float = 95.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Score interval of a proportion, without continuity correction.

    With p = count/total, n = total and z the normal quantile, the limits are
    ``(2np + z² ± z·sqrt(z² + 4np(1 − p))) / (2(n + z²))``.

    Parameters
    ----------
    count, total : array_like
        Cases and those who could have been cases, any common shape; NaN gives NaN.
    level : float
        Percent.

    Returns
    -------
    lower, upper : ndarray
        Proportions between 0 and 1, of the common shape.

    Raises
    ------
    UsageError
        If a count is negative or exceeds its total, or the level is not between 0 and 100.

    References
    ----------
    Wilson EB (1927). Probable inference, the law of succession, and statistical inference.
    Journal of the American Statistical Association 22, 209-212.
    Newcombe RG (1998). Two-sided confidence intervals for the single proportion: comparison of
    seven methods. Statistics in Medicine 17, 857-872 (method 3).
    """
    from scipy.special import ndtri

    if not 0 < level < 100:
        raise UsageError(f"a level of {level} percent is not between 0 and 100")
    cases, n = np.broadcast_arrays(np.asarray(count, dtype=float), np.asarray(total, dtype=float))
    if np.any(cases < 0) or np.any(cases > n):
        raise UsageError("a count lies outside 0 to its total")
    z = float(ndtri(0.5 + level / 200))
    n = np.where(n > 0, n, np.nan)
    p = cases / n
    middle = 2 * cases + z**2
    half = z * np.sqrt(z**2 + 4 * cases * (1 - p))
    lower = (middle - half) / (2 * (n + z**2))
    upper = (middle + half) / (2 * (n + z**2))
    # At the ends the two terms cancel except for rounding.
    return np.where((cases == 0) & (n > 0), 0.0, lower), np.where(cases == n, 1.0, upper)
