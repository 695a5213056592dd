"""Paule and Mandel's estimator, which is also the empirical Bayes one, and its median variant."""

from __future__ import annotations

import math

import numpy as np

from evidence.synthesis.least_squares import Array, LeastSquares, Value
from evidence.synthesis.tau2.tau2 import Tau2

_STEPS = 500


def fit_arrays(y: Array, v: Array, X: Array) -> Tau2:
    """Find the τ² at which the generalised Q statistic equals its degrees of freedom.

    References
    ----------
    Paule RC, Mandel J (1982). Consensus values and weighting factors. Journal of Research of the
    National Bureau of Standards 87, 377-385.
    Morris CN (1983). Parametric empirical Bayes inference: theory and applications. Journal of the
    American Statistical Association 78, 47-55.
    """
    return _with_se(y, v, X, solve_q(y, v, X, X.shape[-2] - X.shape[-1]))


def fit_arrays_median(y: Array, v: Array, X: Array) -> Tau2:
    """Find the τ² at which the generalised Q statistic equals the median of its distribution.

    References
    ----------
    Viechtbauer W (2021). Median-unbiased estimators for the amount of heterogeneity in
    meta-analysis. European Congress of Methodology.
    """
    from scipy.special import chdtri

    return _with_se(y, v, X, solve_q(y, v, X, float(chdtri(X.shape[-2] - X.shape[-1], 0.5))))


def solve_q(y: Array, v: Array, X: Array, target: float) -> Value:
    """Solve Q(τ²) = target; zero where Q(0) is below it.

    Q is the least over b of a sum of terms r(b)²/(v + τ²). These are convex in b and τ² together,
    so Q is convex and falls in τ²: Newton's steps from zero come from below and cannot pass the
    root.

    Parameters
    ----------
    y, v : ndarray, shape (..., k)
        Effects and sampling variances.
    X : ndarray, shape (..., k, p)
        Model matrix.
    target : float
        Above zero.

    Returns
    -------
    float or ndarray
    """
    value = np.zeros(np.broadcast_shapes(y.shape[:-1], v.shape[:-1], X.shape[:-2]))
    for _ in range(_STEPS):
        fit = LeastSquares(y, 1 / (v + value[..., None]), X)
        excess = fit.ypy - target
        moving = (excess > 0) & (fit.yppy > 0)
        if not moving.any():
            break
        # A step on the scale 1/Q, which is nearly straight where τ² is large against v, is as safe
        # there and far longer; it is used where it still falls short of the root.
        step = np.where(moving, excess / np.where(moving, fit.yppy, 1.0), 0.0)
        longer = step * fit.ypy / target
        ahead = LeastSquares(y, 1 / (v + (value + longer)[..., None]), X)
        step = np.where(ahead.ypy >= target, longer, step)
        if (step <= 1e-15 * (value + step)).all():
            break
        value = value + step
    return value


def _with_se(y: Array, v: Array, X: Array, value: Value) -> Tau2:
    total = (1 / (v + value[..., None])).sum(-1)
    k, p = X.shape[-2:]
    return Tau2(value, math.sqrt(2 * k**2 / (k - p)) / total)
