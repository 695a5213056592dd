"""Maximum likelihood and restricted maximum likelihood."""

from __future__ import annotations

import math

import numpy as np

from evidence.errors import ModelError
from evidence.synthesis.least_squares import Array, LeastSquares
from evidence.synthesis.tau2.tau2 import Tau2

_STEPS = 200
_GRID = 40


def fit_arrays_reml(y: Array, v: Array, X: Array) -> Tau2:
    """Restricted maximum likelihood.

    Raises
    ------
    ModelError
        If the search does not converge.

    References
    ----------
    Raudenbush SW (2009). Analyzing effect sizes: random-effects models. In: The Handbook of
    Research Synthesis and Meta-Analysis, second edition, 295-315.
    Viechtbauer W (2005). Bias and efficiency of meta-analytic variance estimators in the
    random-effects model. Journal of Educational and Behavioral Statistics 30, 261-293.
    """
    return _fit(y, v, X, restricted=True)


def fit_arrays_ml(y: Array, v: Array, X: Array) -> Tau2:
    """Maximum likelihood; biased downwards when studies are few.

    Raises
    ------
    ModelError
        If the search does not converge.

    References
    ----------
    Hardy RJ, Thompson SG (1996). A likelihood approach to meta-analysis with random effects.
    Statistics in Medicine 15, 619-629.
    """
    return _fit(y, v, X, restricted=False)


def log_likelihood(y: Array, v: Array, X: Array, tau2: float, *, restricted: bool) -> float:
    """Log-likelihood of τ², the coefficients at their best, with all constants.

    Parameters
    ----------
    y, v : ndarray, shape (k,)
        Effects and sampling variances.
    X : ndarray, shape (k, p)
        Model matrix.
    tau2 : float
        Variance between studies.
    restricted : bool
        The restricted likelihood, with ½ log|X'X| so that a change of basis changes nothing.

    Returns
    -------
    float
    """
    fit = LeastSquares(y, 1 / (v + tau2), X)
    value = -0.5 * (float(np.log(v + tau2).sum()) + fit.ypy)
    if not restricted:
        return value - 0.5 * len(y) * math.log(2 * math.pi)
    basis = float(np.linalg.slogdet(X.T @ X)[1])
    return value - 0.5 * (fit.df * math.log(2 * math.pi) + fit.log_determinant - basis)


def score(y: Array, v: Array, X: Array, tau2: float, *, restricted: bool) -> float:
    """Derivative of :func:`log_likelihood` in τ²; its parameters are the same."""
    return _derivatives(LeastSquares(y, 1 / (v + tau2), X), restricted)[0]


def _derivatives(fit: LeastSquares, restricted: bool) -> tuple[float, float, float]:
    """Score, observed and expected information of τ²."""
    trace, square = fit.trace_p, fit.trace_pp
    if not restricted:
        trace, square = float(fit.w.sum()), float(fit.w @ fit.w)
    return 0.5 * (fit.yppy - trace), fit.ypppy - 0.5 * square, 0.5 * square


def standard_error(v: Array, X: Array, tau2: float, *, restricted: bool) -> float:
    """Standard error of τ² from the expected information; as for :func:`log_likelihood`."""
    expected = _derivatives(LeastSquares(v, 1 / (v + tau2), X), restricted)[2]
    # Where one weight outweighs all others by more than a double can hold, nothing is left.
    return expected**-0.5 if expected > 0 else math.inf


def _fit(y: Array, v: Array, X: Array, *, restricted: bool) -> Tau2:
    value = _maximise(y, v, X, restricted)
    return Tau2(value, standard_error(v, X, value, restricted=restricted))


def _maximise(y: Array, v: Array, X: Array, restricted: bool) -> float:
    """Highest point of a grid, then Newton's method on the score beside it.

    The likelihood can have two local maxima when one study differs much from very precise others,
    so that climbing from one start is not enough.
    """
    residual = LeastSquares(y, np.ones_like(v), X)
    # Above this point the score is negative whatever the data: there y'PPy is at most
    # RSS/(τ² + min v)² and tr(P) at least (k - p)/(τ² + max v).
    top = residual.ypy / residual.df + float(v.max())
    grid = np.concatenate([[0.0], np.geomspace(0.01 * float(v.min()), top, _GRID)])
    best = int(np.argmax(_heights(residual, v, grid, restricted)))

    def at(tau2: float) -> tuple[float, float, float]:
        return _derivatives(LeastSquares(y, 1 / (v + tau2), X), restricted)

    if at(grid[best])[0] > 0:
        low, high = grid[best], grid[min(best + 1, _GRID)]
    elif best > 0:
        low, high = grid[best - 1], grid[best]
    else:
        return 0.0
    value, last = float(grid[best]), math.inf
    for _ in range(_STEPS):
        slope, observed, expected = at(value)
        low, high = (value, high) if slope > 0 else (low, value)
        curvature = observed if observed > 0 else expected
        step = slope / curvature if curvature > 0 else math.inf
        inside = low <= value + step <= high
        if inside and abs(step) <= 1e-9 * value:
            # Newton's error after a step is of the order of its square.
            return float(value + step)
        if not inside or abs(step) > 0.5 * last:
            step = 0.5 * (low + high) - value
        value, last = value + step, abs(step)
        if high - low <= 1e-15 * high:
            return float(value)
    raise ModelError("the likelihood has no maximum that can be found: try method='PM'")


def _heights(residual: LeastSquares, v: Array, grid: Array, restricted: bool) -> Array:
    """Log-likelihoods on a grid of τ², up to a constant, all in a few products of matrices.

    Residuals of any fit have the same y'Py as the effects, and no large mean that would cancel.
    """
    r, X = residual.resid, residual.X
    p = X.shape[1]
    squares = (X[:, :, None] * X[:, None, :]).reshape(len(r), p * p)
    weights = 1 / (v + grid[:, None])
    information = (weights @ squares).reshape(-1, p, p)
    sides = weights @ (X * r[:, None])
    explained = np.einsum(
        "gi,gi->g", sides, np.linalg.solve(information, sides[:, :, None])[..., 0]
    )
    heights = np.log(weights).sum(axis=1) - (weights @ r**2 - explained)
    if restricted:
        heights -= np.linalg.slogdet(information)[1]
    return np.asarray(heights, dtype=float)


__all__ = ["fit_arrays_ml", "fit_arrays_reml", "log_likelihood", "score", "standard_error"]
