"""Many comparisons at once: how many of those pointed out may be chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evidence.errors import UsageError


def benjamini_hochberg(pvalues: ArrayLike) -> NDArray[np.float64]:
    """P values adjusted so that a bound on them bounds the false-discovery rate.

    The adjusted value of the i-th smallest of m is ``min over j ≥ i of p_(j)·m/j``, at most 1.
    Rejecting where it is at most q keeps the expected share of false rejections at or below q
    for independent (and positively dependent) tests.

    Parameters
    ----------
    pvalues : array_like
        Any shape; NaN are no tests and stay NaN.

    Returns
    -------
    ndarray
        Of the same shape.

    Raises
    ------
    UsageError
        If a p value lies outside 0 to 1.

    References
    ----------
    Benjamini Y, Hochberg Y (1995). Controlling the false discovery rate: a practical and powerful
    approach to multiple testing. Journal of the Royal Statistical Society B 57, 289-300.
    """
    p = np.asarray(pvalues, dtype=float)
    test = np.isfinite(p)
    given = p[test]
    if np.any((given < 0) | (given > 1)):
        raise UsageError("a p value lies outside 0 to 1")
    order = np.argsort(given, kind="stable")
    m = len(given)
    stepped = given[order] * (m / np.arange(1, m + 1))
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    result = np.full(p.shape, np.nan)
    result[test] = adjusted
    return result
