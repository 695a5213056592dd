"""How much one year's value of a place swings by itself, from the years before it.

Most indicators are published without counts and without an interval. What is left is the series:
the distance of a place from the country in the same year, and how much that distance jumps from
one year to the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evidence.errors import UsageError

_MINIMUM_PLACES = 10


@dataclass(frozen=True)
class Scatter:
    """Variance of one value of each place.

    Attributes
    ----------
    variance : ndarray, shape (n_places,)
        Variance of one period's value, in squared units of the values; NaN where a place has no
        two periods that can be compared.
    df : ndarray, shape (n_places,)
        Degrees of freedom behind it; may be infinite after :func:`moderate`.
    """

    variance: NDArray[np.float64]
    df: NDArray[np.float64]


def successive_differences(
    values: ArrayLike, years: ArrayLike, segments: ArrayLike, window: int = 1
) -> Scatter:
    """Variance of one value from differences between neighbouring periods.

    Half the mean square of successive differences estimates the variance of a single value and,
    unlike the variance about a mean, takes hardly any notice of a slow drift (von Neumann and
    others 1941). Periods that pool several years overlap; only periods ``window`` years apart
    share no year, so only those are subtracted. The degrees of freedom match the mean and the
    variance of the estimate to a scaled χ² (Satterthwaite 1946) under independent years: with C
    the correlation of the P differences, scaled so that each has variance 2, they are
    ``4P² / Σ C²``; for yearly values without gaps that is ``2(n − 1)² / (3n − 4)``.

    Parameters
    ----------
    values : array_like, shape (n_places, n_periods)
        Distances from a reference of the same period; NaN where there is none.
    years : array_like, shape (n_periods,)
        Year in which each period ends.
    segments : array_like, shape (n_periods,)
        Label of the stretch between breaks in series; no difference crosses a break.
    window : int
        Years that one period pools.

    References
    ----------
    von Neumann J, Kent RH, Bellinson HR, Hart BI (1941). The mean square successive difference.
    Annals of Mathematical Statistics 12, 153-162.
    Satterthwaite FE (1946). An approximate distribution of estimates of variance components.
    Biometrics Bulletin 2, 110-114.
    """
    table = np.asarray(values, dtype=float)
    when = np.asarray(years, dtype=int)
    stretch = np.asarray(segments)
    if table.ndim != 2 or table.shape[1] != len(when) or len(when) != len(stretch) or window < 1:
        raise UsageError("values must be places by periods, with a year and a segment per period")
    pairs = [
        (early, late)
        for early in range(len(when))
        for late in range(len(when))
        if when[late] - when[early] == window and stretch[early] == stretch[late]
    ]
    nothing = np.full(len(table), np.nan)
    if not pairs:
        return Scatter(nothing, nothing.copy())
    early, late = np.array(pairs).T
    jumps = table[:, late] - table[:, early]
    there = np.isfinite(jumps)
    count = there.sum(axis=1)

    def shared(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
        """Correlation of two pooled periods: the share of years that both hold."""
        apart = np.abs(when[one][:, None] - when[other][None, :])
        return np.clip(1 - apart / window, 0, None)

    tie = shared(late, late) - shared(late, early) - shared(early, late) + shared(early, early)
    mask = there.astype(float)
    spread = np.einsum("ip,pq,iq->i", mask, tie**2, mask)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.where(there, jumps, 0.0) ** 2 @ np.ones(len(pairs)) / (2 * count)
        df = 4 * count**2 / spread
    return Scatter(np.where(count > 0, variance, np.nan), np.where(count > 0, df, np.nan))


def moderate(scatter: Scatter, size: ArrayLike, floor: float = 0.0) -> Scatter:
    """Steady each place's variance by those of places of its size.

    Two or three differences say little about a variance. Each is therefore drawn towards what is
    usual at the place's size: the variances are taken as scaled χ² around values whose logarithm
    is linear in the logarithm of size and whose own spread is an inverse χ² with d₀ degrees of
    freedom, both estimated from all places by the moments of log variances. The result has
    ``(d₀s₀² + ds²)/(d₀ + d)`` as its variance and d₀ + d degrees of freedom (Smyth 2004, with a
    trend in the prior as in Sartor and others 2006).

    Parameters
    ----------
    scatter : Scatter
        From :func:`successive_differences`.
    size : array_like, shape (n_places,)
        Population; a place without one keeps its own variance.
    floor : float
        Smallest variance a value can have, that of its rounding; in squared units.

    Returns
    -------
    Scatter
        NaN where the place had no variance of its own: nothing is made from the others alone.

    References
    ----------
    Smyth GK (2004). Linear models and empirical Bayes methods for assessing differential
    expression in microarray experiments. Statistical Applications in Genetics and Molecular
    Biology 3(1), article 3, section 6.2.
    Sartor MA and others (2006). Intensity-based hierarchical Bayes method improves testing for
    differentially expressed genes in microarray experiments. BMC Bioinformatics 7, 538.
    """
    from scipy.special import digamma, polygamma

    people = np.asarray(size, dtype=float)
    own = np.maximum(scatter.variance, floor)
    use = np.isfinite(own) & (own > 0) & np.isfinite(people) & (people > 0)
    if use.sum() < _MINIMUM_PLACES:
        return Scatter(own, scatter.df)
    half = scatter.df[use] / 2
    level = np.log(own[use]) - digamma(half) + np.log(half)
    trend = np.column_stack([np.ones(use.sum()), np.log(people[use])])
    coefficients, *_ = np.linalg.lstsq(trend, level, rcond=None)
    residual = level - trend @ coefficients
    excess = float(np.sum(residual**2) / (use.sum() - trend.shape[1]) - np.mean(polygamma(1, half)))
    prior_df = 2 * _trigamma_inverse(excess) if excess > 0 else np.inf
    usual = np.full(len(own), np.nan)
    usual[use] = trend @ coefficients
    if np.isinf(prior_df):
        variance, df = np.exp(usual), np.full(len(own), np.inf)
    else:
        prior = np.exp(usual + digamma(prior_df / 2) - np.log(prior_df / 2))
        df = prior_df + scatter.df
        variance = (prior_df * prior + scatter.df * own) / df
    return Scatter(np.where(use, np.maximum(variance, floor), own), np.where(use, df, scatter.df))


def _trigamma_inverse(value: float) -> float:
    """Solve ψ′(x) = value for x > 0 by Newton's method on 1/ψ′, which is convex (Smyth 2004)."""
    from scipy.special import polygamma

    if value > 1e7:
        return 1 / float(np.sqrt(value))
    if value < 1e-6:
        return 1 / value
    x = 0.5 + 1 / value
    for _ in range(50):
        slope = float(polygamma(1, x))
        step = slope * (1 - slope / value) / float(polygamma(2, x))
        x += step
        if -step / x < 1e-10:
            break
    return x
