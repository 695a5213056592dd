"""Confidence intervals of the heterogeneity: Q-profile and profile likelihood."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evidence.errors import UsageError
from evidence.synthesis.likelihood import log_likelihood
from evidence.synthesis.tau2 import solve_q

Array = NDArray[np.float64]


def typical_variance(v: Array, X: Array) -> float:
    """Sampling variance of a typical study (Higgins and Thompson 2002), (k - p)/tr(P)."""
    from evidence.synthesis.wls import wls

    k, p = X.shape
    return (k - p) / wls(np.zeros(k), X, 1 / v).trace()


def tau2_interval(
    y: Array,
    v: Array,
    X: Array,
    *,
    tau2: float,
    method: str = "REML",
    kind: Literal["QP", "PL"] = "QP",
    alpha: float = 0.05,
    upper: float = math.inf,
) -> tuple[float, float]:
    """Confidence interval of τ².

    Parameters
    ----------
    y, v : ndarray, shape (k,)
        Effects and variances.
    X : ndarray, shape (k, p)
        Design.
    tau2 : float
        The estimate; the profile likelihood starts from it.
    method : str
        ``ML`` or ``REML``, whose likelihood is profiled; no matter for the Q-profile.
    kind : {"QP", "PL"}
        Q-profile (Viechtbauer 2007; Jackson and others 2014) or profile likelihood (Hardy and
        Thompson 1996).
    alpha : float
        One minus the level.
    upper : float
        Where the search ends.

    Returns
    -------
    lower, upper : float
        Both zero where the Q-profile holds no value at all.

    Raises
    ------
    UsageError
        If a likelihood is asked for that was not maximised.
    """
    from scipy.special import chdtri

    df = len(y) - X.shape[1]
    if kind == "QP":
        return (
            solve_q(y, v, X, float(chdtri(df, alpha / 2)), upper),
            solve_q(y, v, X, float(chdtri(df, 1 - alpha / 2)), upper),
        )
    if method not in ("ML", "REML"):
        raise UsageError(f"{method} maximises no likelihood: use method='REML', or kind='QP'")
    restricted = method == "REML"
    cut = log_likelihood(y, v, X, tau2, restricted=restricted) - float(chdtri(1, alpha)) / 2

    def excess(t: float) -> float:
        return log_likelihood(y, v, X, t, restricted=restricted) - cut

    from scipy.optimize import brentq

    low = 0.0 if excess(0.0) >= 0 else float(brentq(excess, 0.0, tau2, xtol=1e-15, rtol=4e-15))
    top = max(2 * tau2, float(np.median(v)))
    while excess(top) > 0:
        if top >= upper:
            return low, upper
        top *= 4
    high = float(brentq(excess, tau2, top, xtol=1e-15, rtol=4e-15))
    return low, min(high, upper)


def heterogeneity_frame(
    estimate: float, limits: tuple[float, float], typical: float
) -> pd.DataFrame:
    """τ², τ, I² (percent) and H² with their limits.

    Parameters
    ----------
    estimate : float
        Of τ².
    limits : tuple of float
        Interval of τ².
    typical : float
        From :func:`typical_variance`.

    Returns
    -------
    pandas.DataFrame
        Rows ``tau2``, ``tau``, ``I2``, ``H2``; columns ``estimate``, ``lower``, ``upper``.
    """
    values = np.array([estimate, *limits])
    return pd.DataFrame(
        [values, np.sqrt(values), 100 * values / (values + typical), values / typical + 1],
        index=["tau2", "tau", "I2", "H2"],
        columns=["estimate", "lower", "upper"],
    )
