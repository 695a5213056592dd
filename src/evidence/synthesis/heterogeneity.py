"""Confidence intervals of the variance between studies."""

from __future__ import annotations

import math
from dataclasses import dataclass

from evidence.synthesis.least_squares import Array, LeastSquares
from evidence.synthesis.tau2.likelihood import log_likelihood
from evidence.synthesis.tau2.paule_mandel import solve_q


@dataclass(frozen=True)
class Interval:
    """A confidence interval of τ².

    Attributes
    ----------
    lower, upper : float
        Its ends.
    empty : bool
        The effects differ by less than chance alone allows at this level; both ends are zero.
    open_above : bool
        The true end lies beyond ``upper``, where the search was told to stop.
    """

    lower: float
    upper: float
    empty: bool = False
    open_above: bool = False

    @property
    def note(self) -> str:
        """What a reader must know of the interval, in words; empty where it is an ordinary one."""
        if self.empty:
            return "empty: the effects differ by less than chance alone allows"
        return "the upper end lies beyond the end of the search" if self.open_above else ""


def q_profile(
    y: Array, v: Array, X: Array, alpha: float = 0.05, upper_end: float = math.inf
) -> Interval:
    """Interval of τ² from the generalised Q statistic, whose distribution is exactly χ²(k - p).

    Parameters
    ----------
    y, v : ndarray, shape (k,)
        Effects and sampling variances.
    X : ndarray, shape (k, p)
        Model matrix.
    alpha : float
        One minus the level.
    upper_end : float
        End of the search.

    Returns
    -------
    Interval

    References
    ----------
    Viechtbauer W (2007). Confidence intervals for the amount of heterogeneity in meta-analysis.
    Statistics in Medicine 26, 37-52.
    """
    from scipy.special import chdtri

    at_zero = LeastSquares(y, 1 / v, X)
    lower, upper = (
        float(solve_q(y, v, X, float(chdtri(at_zero.df, p)))) for p in (alpha / 2, 1 - alpha / 2)
    )
    empty = bool(at_zero.ypy < float(chdtri(at_zero.df, 1 - alpha / 2)))
    return Interval(min(lower, upper_end), min(upper, upper_end), empty, upper > upper_end)


def profile_likelihood(
    y: Array,
    v: Array,
    X: Array,
    estimate: float,
    alpha: float = 0.05,
    upper_end: float = math.inf,
    *,
    restricted: bool = True,
) -> Interval:
    """Interval of τ² where the (restricted) log-likelihood is near its maximum.

    Parameters
    ----------
    y, v : ndarray, shape (k,)
        Effects and sampling variances.
    X : ndarray, shape (k, p)
        Model matrix.
    estimate : float
        τ² at the maximum.
    alpha : float
        One minus the level.
    upper_end : float
        End of the search.
    restricted : bool
        Whether the estimate is REML rather than ML.

    Returns
    -------
    Interval

    References
    ----------
    Hardy RJ, Thompson SG (1996). A likelihood approach to meta-analysis with random effects.
    Statistics in Medicine 15, 619-629.
    """
    from scipy.optimize import brentq
    from scipy.special import chdtri

    top = log_likelihood(y, v, X, estimate, restricted=restricted)
    allowed = 0.5 * float(chdtri(1, alpha))

    def below(tau2: float) -> float:
        return top - log_likelihood(y, v, X, tau2, restricted=restricted) - allowed

    unit = estimate + float(v.mean())
    lower = 0.0
    if estimate > 0 and below(0.0) > 0:
        lower = float(brentq(below, 0.0, estimate, xtol=1e-14 * unit, rtol=1e-13))
    high = estimate + unit
    while below(high) < 0 and high < upper_end:
        high *= 2
    if high >= upper_end and below(upper_end) < 0:
        return Interval(lower, upper_end, open_above=True)
    return Interval(lower, float(brentq(below, estimate, high, xtol=1e-14 * unit, rtol=1e-13)))


def typical_variance(v: Array, X: Array) -> float:
    """Sampling variance of a typical study, (k - p)/tr(P); NaN without degrees of freedom.

    References
    ----------
    Higgins JPT, Thompson SG (2002). Quantifying heterogeneity in a meta-analysis. Statistics in
    Medicine 21, 1539-1558.
    """
    fit = LeastSquares(v, 1 / v, X)
    return fit.df / fit.trace_p if fit.df > 0 else math.nan
