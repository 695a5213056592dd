"""Estimators of the between-study variance τ².

Each takes effects y, variances v and a design X, and returns τ² and the standard error of τ² before
truncation at zero. The moment estimators are quadratic forms y'Ay with E(y'Ay) = tr(AV) + τ² tr(A);
their variance is 2 tr(AΣAΣ) with Σ = V + τ²I (Viechtbauer 2005; Jackson and others 2014).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from evidence.errors import ModelError
from evidence.synthesis.wls import wls

Array = NDArray[np.float64]
Estimate = tuple[float, float]

_STEPS = 5000
_TOLERANCE = 1e-14


def common_effect(y: Array, v: Array, X: Array) -> Estimate:
    """No heterogeneity at all (EE)."""
    return 0.0, math.nan


def generalised_q(y: Array, v: Array, X: Array, weights: Array) -> Estimate:
    """Generalised Q of DerSimonian and Kacker (2007) with any weights."""
    fit = wls(y, X, weights)
    slope = fit.trace()
    tau2 = max(0.0, (fit.rss - fit.trace(v)) / slope)
    return tau2, math.sqrt(2 * fit.trace2(v + tau2)) / slope


def dersimonian_laird(y: Array, v: Array, X: Array) -> Estimate:
    """DerSimonian and Laird (1986): the generalised Q with weights 1/v."""
    return generalised_q(y, v, X, 1 / v)


def hedges(y: Array, v: Array, X: Array) -> Estimate:
    """Hedges (Hedges and Olkin 1985): the generalised Q with equal weights."""
    return generalised_q(y, v, X, np.ones_like(v))


def hunter_schmidt(y: Array, v: Array, X: Array) -> Estimate:
    """Hunter and Schmidt (2004): Q less k over the sum of the weights."""
    fit = wls(y, X, 1 / v)
    total = float(fit.w.sum())
    tau2 = max(0.0, (fit.rss - len(y)) / total)
    return tau2, math.sqrt(2 * fit.trace2(v + tau2)) / total


def hunter_schmidt_small(y: Array, v: Array, X: Array) -> Estimate:
    """Hunter and Schmidt with the factor k/(k - p) that makes Q unbiased for few studies."""
    fit = wls(y, X, 1 / v)
    k, p = X.shape
    total, factor = float(fit.w.sum()), k / (k - p)
    tau2 = max(0.0, (factor * fit.rss - k) / total)
    return tau2, factor * math.sqrt(2 * fit.trace2(v + tau2)) / total


def sidik_jonkman(y: Array, v: Array, X: Array) -> Estimate:
    """Sidik and Jonkman (2005), from the variance of the effects with divisor k."""
    start = float(np.mean((y - y.mean()) ** 2))
    if start == 0:
        return 0.0, 0.0
    fit = wls(y, X, 1 / (v + start))
    df = len(y) - X.shape[1]
    # The estimator is start/df times y'Py at the starting value, always above zero.
    tau2 = start * fit.rss / df
    return tau2, start / df * math.sqrt(2 * fit.trace2(v + tau2))


def _q(y: Array, v: Array, X: Array, tau2: float) -> float:
    return wls(y, X, 1 / (v + tau2)).rss


def solve_q(y: Array, v: Array, X: Array, target: float, upper: float = math.inf) -> float:
    """The τ² at which the generalised Q statistic equals a value; zero if it is below it there.

    Q(τ²) falls steadily, so there is at most one. ``upper`` ends the search and is returned where
    Q is still above the target there.
    """
    from scipy.optimize import brentq

    if _q(y, v, X, 0.0) <= target:
        return 0.0
    top = max(float(np.var(y)), float(np.median(v)))
    while _q(y, v, X, top) > target:
        top *= 4
        if top >= upper and _q(y, v, X, upper) > target:
            return upper
    return float(brentq(lambda t: _q(y, v, X, t) - target, 0.0, top, xtol=1e-15, rtol=4e-15))


def paule_mandel(y: Array, v: Array, X: Array) -> Estimate:
    """Paule and Mandel (1982): Q(τ²) equals its degrees of freedom."""
    tau2 = solve_q(y, v, X, len(y) - X.shape[1])
    return tau2, _se_empirical(v, X, tau2)


def paule_mandel_median(y: Array, v: Array, X: Array) -> Estimate:
    """Median-unbiased Paule-Mandel (Viechtbauer 2021): Q(τ²) equals the median of its χ²."""
    from scipy.special import chdtri

    tau2 = solve_q(y, v, X, float(chdtri(len(y) - X.shape[1], 0.5)))
    return tau2, _se_empirical(v, X, tau2)


def _se_empirical(v: Array, X: Array, tau2: float) -> float:
    """Standard error of Paule-Mandel and empirical Bayes (Viechtbauer and others 2015)."""
    k, p = X.shape
    return math.sqrt(2 * k**2 / (k - p)) / float((1 / (v + tau2)).sum())


def _start(y: Array, v: Array, X: Array) -> float:
    return max(hedges(y, v, X)[0], dersimonian_laird(y, v, X)[0])


def _score(step: Callable[[float], float], start: float, name: str) -> float:
    """Fisher scoring with halved steps, kept at or above zero."""
    tau2 = start
    for _ in range(_STEPS):
        change = step(tau2)
        while tau2 + change < 0:
            if tau2 == 0:
                return 0.0
            if tau2 < 1e-12:
                return 0.0
            change /= 2
        tau2 += change
        if abs(change) <= _TOLERANCE * max(tau2, 1e-4):
            return tau2
    raise ModelError(f"{name} did not converge; try method='PM' or 'DL'")


def maximum_likelihood(y: Array, v: Array, X: Array) -> Estimate:
    """Maximum likelihood by Fisher scoring (Viechtbauer 2005)."""

    def step(tau2: float) -> float:
        w = 1 / (v + tau2)
        fit = wls(y, X, w)
        return (float(fit.py @ fit.py) - float(w.sum())) / float((w**2).sum())

    tau2 = _score(step, _start(y, v, X), "maximum likelihood")
    return tau2, math.sqrt(2 / float(((v + tau2) ** -2).sum()))


def restricted_maximum_likelihood(y: Array, v: Array, X: Array) -> Estimate:
    """Restricted maximum likelihood by Fisher scoring (Viechtbauer 2005)."""

    def step(tau2: float) -> float:
        fit = wls(y, X, 1 / (v + tau2))
        return (float(fit.py @ fit.py) - fit.trace()) / fit.trace2()

    tau2 = _score(step, _start(y, v, X), "restricted maximum likelihood")
    return tau2, math.sqrt(2 / wls(y, X, 1 / (v + tau2)).trace2())


ESTIMATORS: Mapping[str, Callable[[Array, Array, Array], Estimate]] = {
    "EE": common_effect,
    "DL": dersimonian_laird,
    "HE": hedges,
    "HS": hunter_schmidt,
    "HSk": hunter_schmidt_small,
    "SJ": sidik_jonkman,
    "ML": maximum_likelihood,
    "REML": restricted_maximum_likelihood,
    # Empirical Bayes (Morris 1983) solves the same equation as Paule-Mandel.
    "EB": paule_mandel,
    "PM": paule_mandel,
    "PMM": paule_mandel_median,
}
"""From the name of a method to its estimator; GENQ takes weights as well."""
