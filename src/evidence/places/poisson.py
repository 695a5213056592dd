"""Interval of a count of events, for rates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evidence.errors import UsageError

# Byar's approximation is good to the second decimal from here on.
EXACT_BELOW = 10


def poisson(
    count: ArrayLike, level: float = 95.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interval of the expectation of a Poisson count.

    From ten events on Byar's approximation, ``O·(1 − 1/(9O) − z/(3√O))³`` and, with O + 1 in
    place of O, ``(O+1)·(1 − 1/(9(O+1)) + z/(3√(O+1)))³``; below that the exact limits
    ``χ²(α/2; 2O)/2`` and ``χ²(1 − α/2; 2O + 2)/2``. Divide by the denominator for a rate.

    Parameters
    ----------
    count : array_like
        Observed events, any shape; NaN gives NaN.
    level : float
        Percent.

    Returns
    -------
    lower, upper : ndarray
        Limits of the expected count, of the same shape.

    Raises
    ------
    UsageError
        If a count is negative, or the level is not between 0 and 100.

    References
    ----------
    Breslow NE, Day NE (1987). Statistical methods in cancer research, volume II: the design and
    analysis of cohort studies. Lyon: IARC, pages 68-71.
    """
    from scipy.special import chdtri, ndtri

    if not 0 < level < 100:
        raise UsageError(f"a level of {level} percent is not between 0 and 100")
    events = np.asarray(count, dtype=float)
    if np.any(events < 0):
        raise UsageError("a count of events is negative")
    tail = 0.5 - level / 200
    z = -float(ndtri(tail))
    with np.errstate(invalid="ignore", divide="ignore"):
        lower = events * (1 - 1 / (9 * events) - z / (3 * np.sqrt(events))) ** 3
        more = events + 1
        upper = more * (1 - 1 / (9 * more) + z / (3 * np.sqrt(more))) ** 3
        # chdtri takes the upper tail.
        exact_lower = np.where(events > 0, chdtri(2 * events, 1 - tail) / 2, 0.0)
        exact_upper = chdtri(2 * events + 2, tail) / 2
    few = events < EXACT_BELOW
    return np.where(few, exact_lower, lower), np.where(few, exact_upper, upper)
