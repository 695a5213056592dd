"""Maximum likelihood and restricted maximum likelihood."""

from __future__ import annotations

import math

import numpy as np

from evidence.errors import ModelError
from evidence.synthesis.least_squares import Array, LeastSquares
from evidence.synthesis.tau2 import generalised_q
from evidence.synthesis.tau2.tau2 import Tau2

_STEPS = 200


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
    return float(_derivatives(LeastSquares(v, 1 / (v + tau2), X), restricted)[2] ** -0.5)


def _fit(y: Array, v: Array, X: Array, *, restricted: bool) -> Tau2:
    value = _maximise(y, v, X, restricted)
    return Tau2(value, standard_error(v, X, value, restricted=restricted))


def _maximise(y: Array, v: Array, X: Array, restricted: bool) -> float:
    """Newton's method on the score, kept between a rising and a falling point."""

    def at(tau2: float) -> tuple[float, float, float]:
        return _derivatives(LeastSquares(y, 1 / (v + tau2), X), restricted)

    # The unweighted moment estimate is a start on the right scale; where it is zero, so is this.
    start = generalised_q.solve(LeastSquares(y, np.ones_like(v), X), v).value
    rises_at_zero = at(0.0)[0] > 0
    if rises_at_zero:
        low = 0.0
        start = start or float(v.mean())
    elif start > 0 and at(start)[0] > 0:
        low = start
    else:
        return 0.0
    high = max(start, low)
    while at(high)[0] > 0:
        low, high = high, 2 * high
    value = start if low < start < high else 0.5 * (low + high)
    for _ in range(_STEPS):
        slope, observed, expected = at(value)
        if slope > 0:
            low = value
        else:
            high = value
        step = slope / (observed if observed > 0 else expected)
        if abs(step) <= 1e-14 * value or high - low <= 1e-15 * high:
            break
        value = value + step if low < value + step < high else 0.5 * (low + high)
    else:
        raise ModelError("the likelihood has no maximum that can be found: try method='PM'")
    if not rises_at_zero:
        # Two local maxima, at zero and here: take the higher.
        both = (0.0, value)
        heights = [log_likelihood(y, v, X, t, restricted=restricted) for t in both]
        return both[int(np.argmax(heights))]
    return value


__all__ = ["fit_arrays_ml", "fit_arrays_reml", "log_likelihood", "score", "standard_error"]
