"""Maximum likelihood and restricted maximum likelihood."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from evidence.errors import ModelError
from evidence.synthesis.least_squares import Array, LeastSquares, Value
from evidence.synthesis.tau2.tau2 import Tau2

_STEPS = 200
_GRID = 18
_POWERS = np.linspace(-1 / (_GRID - 2), 1, _GRID)
_CLOSE = 1e-8
_AT_ONCE = 2**18
_NO_MAXIMUM = "the likelihood has no maximum that can be found: try method='PM'"


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


def _derivatives(fit: LeastSquares, restricted: bool) -> tuple[Value, Value, Value]:
    """Score, observed and expected information of τ²."""
    if restricted:
        trace, square = fit.trace_p, fit.trace_pp
    else:
        trace, square = fit.w.sum(-1), np.vecdot(fit.w, fit.w)
    return 0.5 * (fit.yppy - trace), fit.ypppy - 0.5 * square, 0.5 * square


def _slope(fit: LeastSquares, restricted: bool) -> Value:
    return fit.yppy - (fit.trace_p if restricted else fit.w.sum(-1))


def standard_error(v: Array, X: Array, tau2: float, *, restricted: bool) -> Value:
    """Standard error of τ² from the expected information; as for :func:`log_likelihood`."""
    return _root(_derivatives(LeastSquares(v, 1 / (v + tau2), X), restricted)[2])


def _root(information: Value) -> Value:
    # Where one weight outweighs all others by more than a double can hold, nothing is left.
    with np.errstate(divide="ignore"):
        return np.maximum(information, 0.0) ** -0.5


def _fit(y: Array, v: Array, X: Array, *, restricted: bool) -> Tau2:
    if max(y.ndim, v.ndim, X.ndim - 1) > 1:
        return _fit_many(y, v, X, restricted)
    low, high, start = (float(end) for end in _bracket(y, v, X, restricted))
    value, information = _climb(y, v, X, low, high, start, restricted)
    return Tau2(value, float(_root(information)))


def _bracket(y: Array, v: Array, X: Array, restricted: bool) -> tuple[Array, Array, Array]:
    """Lower and upper end of where the likelihood is highest, and a first guess between them.

    The likelihood can have two local maxima when one study differs much from very precise others,
    so that climbing from one start is not enough: the score is looked at over a grid, and where it
    changes its sign more than once the heights decide.
    """
    residual = LeastSquares(y, np.ones_like(v), X)
    widest, narrowest = v.max(-1), v.min(-1)
    # Above this point the score is negative whatever the data: there y'PPy is at most
    # RSS/(τ² + min v)² and tr(P) at least (k - p)/(τ² + max v).
    top = residual.ypy / residual.df + widest
    start = 0.01 * narrowest
    grid = start * (top / start) ** (_POWERS[:, None] if np.ndim(top) else _POWERS)
    grid[0] = 0.0
    slopes = _over(grid, y, v, lambda w: _slope(LeastSquares(y, w, X), restricted))
    up, down = slopes[:-1] > 0, slopes[1:] <= 0
    down[-1] = True
    peaks = np.concatenate([slopes[:1] <= 0, up & down])
    at = np.argmax(peaks, axis=0)
    if bool((peaks.sum(axis=0) > 1).any()):
        heights = _over(grid, y, v, lambda w: _height(LeastSquares(y, w, X), restricted))
        best = np.maximum(heights, np.concatenate([heights[:1], heights[:-1]]))
        at = np.argmax(np.where(peaks, best, -np.inf), axis=0)
    sets = np.arange(len(top)) if np.ndim(top) else ...
    before, at = (np.maximum(at - 1, 0), sets), (at, sets)
    low, high, rise, fall = grid[before], grid[at], slopes[before], slopes[at]
    gap = rise - fall
    return low, high, low + (high - low) * np.where(gap > 0, rise / np.where(gap > 0, gap, 1), 0.5)


def _over(grid: Array, y: Array, v: Array, function: Callable[[Array], Value]) -> Array:
    """A function of the weights at each point of a grid, without large arrays for many effects."""
    if grid.size * v.shape[-1] <= _AT_ONCE:
        return np.asarray(function(1 / (v + grid[..., None])))
    return np.array([function(1 / (v + point[..., None])) for point in grid])


def _height(fit: LeastSquares, restricted: bool) -> Value:
    """Twice the log-likelihood, up to a constant."""
    height = np.log(fit.w).sum(-1) - fit.ypy
    return height - fit.log_determinant if restricted else height


def _climb(
    y: Array, v: Array, X: Array, low: float, high: float, value: float, restricted: bool
) -> tuple[float, float]:
    """Newton's method on the score of one data set; τ² and the expected information there."""
    last = math.inf
    for _ in range(_STEPS):
        fit = LeastSquares(y, 1 / (v + value), X)
        slope, observed, expected = _derivatives(fit, restricted)
        if low == high:
            return low, expected
        low, high = (value, high) if slope > 0 else (low, value)
        curvature = observed if observed > 0 else expected
        step = slope / curvature if curvature > 0 else math.inf
        inside = low <= value + step <= high
        if (inside and abs(step) <= _CLOSE * value) or high - low <= 1e-15 * high:
            # Newton's error after a step is of the order of its square.
            return (float(value + step) if inside else value), expected
        if not inside or abs(step) > 0.5 * last:
            step = 0.5 * (low + high) - value
        value, last = float(value + step), abs(step)
    raise ModelError(_NO_MAXIMUM)


def _climb_many(
    y: Array, v: Array, X: Array, low: Array, high: Array, value: Array, restricted: bool
) -> tuple[Array, Array]:
    """The same on many data sets, of which those that have not arrived go on."""
    left = np.arange(len(value))
    found, information = value.copy(), np.empty_like(value)
    last = np.full_like(value, math.inf)
    for _ in range(_STEPS):
        fit = LeastSquares(y, 1 / (v + value[:, None]), X)
        slope, observed, expected = map(np.asarray, _derivatives(fit, restricted))
        low = np.where((slope > 0) & (low < high), value, low)
        high = np.where((slope > 0) | (low == high), high, value)
        curvature = np.where(observed > 0, observed, expected)
        step = slope / np.where(curvature > 0, curvature, math.nan)
        target = value + step
        inside = (low <= target) & (target <= high)
        done = (inside & (np.abs(step) <= _CLOSE * value)) | (high - low <= 1e-15 * high)
        moved = np.where(inside, target, value)
        found[left[done]], information[left[done]] = moved[done], expected[done]
        if done.all():
            return found, information
        halve = ~inside | (np.abs(step) > 0.5 * last)
        target = np.where(halve, 0.5 * (low + high), target)
        last, go = np.abs(target - value), ~done
        left, low, high, value, last = left[go], low[go], high[go], target[go], last[go]
        y, v, X = y[go], v[go], X[go] if X.ndim > 2 else X
    raise ModelError(_NO_MAXIMUM)


def _fit_many(y: Array, v: Array, X: Array, restricted: bool) -> Tau2:
    """As many data sets at a time as stay close to the processor."""
    n = max(len(a) if a.ndim > d else 1 for a, d in ((y, 1), (v, 1), (X, 2)))
    k = X.shape[-2]
    size = max(1, _AT_ONCE // (_GRID * k))
    y, v = (np.broadcast_to(a, (n, k)) for a in (y, v))
    value, information = np.empty(n), np.empty(n)
    for first in range(0, n, size):
        part = slice(first, first + size)
        rows = (y[part], v[part], X[part] if X.ndim > 2 else X)
        value[part], information[part] = _climb_many(
            *rows, *_bracket(*rows, restricted), restricted
        )
    return Tau2(value, _root(information))


__all__ = ["fit_arrays_ml", "fit_arrays_reml", "log_likelihood", "score", "standard_error"]
