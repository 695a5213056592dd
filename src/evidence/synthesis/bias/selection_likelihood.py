"""Likelihood of a selection model, and its maximum.

The density of an effect that was seen is w(p) N(y; μ, σ²)/A with A the mean weight. A is a sum of
normal probabilities over cells; as the normal density obeys the heat equation, ∂/∂σ² = ½ ∂²/∂μ²,
four derivatives in μ give the gradient and the matrix of second derivatives in all parameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evidence.errors import ModelError
from evidence.synthesis.bias.weight_functions import WeightFunction
from evidence.synthesis.least_squares import Array
from evidence.synthesis.meta import fit_arrays

_ROUNDS = 200
_HALVINGS = 40
# A Newton step of this many standard errors is no step.
_DONE = 1e-9
# Below this many the step is taken without looking whether the likelihood rises.
_NEAR = 1e-5
_POLISH = 4
# Maxima of heights that differ by less are one.
_DIFFERENT = 1e-6


@dataclass(frozen=True, eq=False)
class SelectionFit:
    """The numbers of a fit, without labels.

    Attributes
    ----------
    beta : ndarray, shape (p,)
        Coefficients.
    tau2 : float
        Variance between studies.
    theta : ndarray, shape (m,)
        Parameters of the weight function.
    cov : ndarray, shape (p + 1 + m, p + 1 + m)
        Covariance of all of them, in this order; NaN for those at a bound.
    llf : float
        Log-likelihood.
    second : float
        Log-likelihood of the next highest maximum that was met; minus infinity if there was none.
    """

    beta: Array
    tau2: float
    theta: Array
    cov: Array
    llf: float
    second: float


@dataclass(frozen=True, eq=False)
class Likelihood:
    """Log-likelihood of effects y with variances v, shape (k,), and model matrix X, shape (k, p).

    Parameters are stacked: coefficients, τ², parameters of the weight function.
    """

    y: Array
    v: Array
    X: Array
    weights: WeightFunction

    def __call__(self, x: Array) -> tuple[float, Array, Array]:
        """Value, gradient and second derivatives."""
        p = self.X.shape[1]
        mean, theta = self.X @ x[:p], x[p + 1 :]
        variance = self.v + x[p]
        resid = self.y - mean
        weights = self.weights
        log_weight = weights.offset + weights.design @ theta
        top = float(log_weight.max())
        weight = np.exp(log_weight - top)
        mass = weights.mass(mean, np.sqrt(variance))
        seen = mass[0] @ weight
        if not (seen > 0).all():
            return -math.inf, np.zeros_like(x), np.zeros((len(x), len(x)))
        own = weights.observed_offset + weights.observed_design @ theta - top
        value = float(
            own.sum() - np.log(seen).sum()
            - 0.5 * (np.log(2 * math.pi * variance) + resid**2 / variance).sum()
        )  # fmt: skip
        a1, a2, a3, a4 = ((m @ weight) / seen for m in mass[1:])
        share = [(m * weight / seen[:, None]) for m in mass[:3]]
        e0, e1, e2 = (s @ weights.design for s in share)
        precision = 1 / variance
        scaled = resid * precision
        slope_mean = scaled - a1
        slope_variance = 0.5 * (scaled**2 - precision - a2)
        gradient = np.concatenate([
            self.X.T @ slope_mean,
            [slope_variance.sum()],
            (weights.observed_design - e0).sum(axis=0),
        ])  # fmt: skip
        mm = -precision - a2 + a1**2
        ms = -scaled * precision - 0.5 * (a3 - a1 * a2)
        ss = 0.5 * precision**2 - scaled**2 * precision - 0.25 * (a4 - a2**2)
        mt = a1[:, None] * e0 - e1
        st = 0.5 * (a2[:, None] * e0 - e2)
        design = weights.design
        tt = e0.T @ e0 - design.T @ (share[0].sum(axis=0)[:, None] * design)
        H = np.empty((len(x), len(x)))
        H[:p, :p] = self.X.T @ (mm[:, None] * self.X)
        H[:p, p] = H[p, :p] = self.X.T @ ms
        H[p, p] = ss.sum()
        H[:p, p + 1 :] = self.X.T @ mt
        H[p + 1 :, :p] = H[:p, p + 1 :].T
        H[p, p + 1 :] = H[p + 1 :, p] = st.sum(axis=0)
        H[p + 1 :, p + 1 :] = tt
        return value, gradient, H


def fit_selection_arrays(
    y: Array, v: Array, X: Array, weights: WeightFunction, *, random: bool = True
) -> SelectionFit:
    """Maximise the likelihood on plain arrays, which are not checked.

    Newton's method with bounds (τ² ≥ 0), from several starts, since the likelihood may have more
    than one maximum. With one step and 50 studies it takes about a millisecond or two, most of it
    the overhead of some forty calls to NumPy at each of about thirty evaluations.

    Parameters
    ----------
    y, v : ndarray, shape (k,)
        Effects and sampling variances.
    X : ndarray, shape (k, p)
        Model matrix of full column rank.
    weights : WeightFunction
        How the chance to be seen depends on the p value.
    random : bool
        Whether τ² is estimated rather than zero.

    Returns
    -------
    SelectionFit

    Raises
    ------
    ModelError
        If no start leads to a maximum.
    """
    p, m = X.shape[1], weights.design.shape[1]
    likelihood = Likelihood(y, v, X, weights)
    lower = np.concatenate([np.full(p, -np.inf), [0.0], np.full(m, weights.lower)])
    held = np.zeros(p + 1 + m, dtype=bool)
    held[p] = not random
    tops: list[Top] = []
    for start in _starts(y, v, X, weights, random):
        top = _climb(likelihood, start, lower, held, tops)
        if top is not None:
            tops.append(top)
    if not tops:
        raise ModelError(
            "the likelihood of the selection model has no maximum that can be found: use fewer "
            "steps, or give the weights (delta)"
        )
    best = max(tops, key=lambda top: top.value)
    others = [top for top in tops if top.value < best.value - _DIFFERENT]
    x = best.x
    inside = ~held & (x > lower)
    cov = np.full((len(x), len(x)), np.nan)
    information = -best.H[np.ix_(inside, inside)]
    if _positive(information):
        cov[np.ix_(inside, inside)] = np.linalg.inv(information)
    second = max((top.value for top in others), default=-math.inf)
    return SelectionFit(x[:p], float(x[p]), x[p + 1 :], cov, best.value, second)


def _starts(y: Array, v: Array, X: Array, weights: WeightFunction, random: bool) -> list[Array]:
    """The fit without selection; nearer to zero and further, more spread; with no τ²."""
    m = weights.design.shape[1]
    common = fit_arrays(y, v, X, method="EE", test="z").beta
    if not random:
        return [np.concatenate([c * common, [0.0], np.zeros(m)]) for c in (1.0, 0.5)]
    plain = fit_arrays(y, v, X, method="DL", test="z")
    spread = 2 * plain.tau2 + 0.5 * float(np.median(v))
    return [
        np.concatenate([beta, [tau2], np.zeros(m)])
        for beta, tau2 in (
            (plain.beta, plain.tau2), (0.5 * plain.beta, spread), (2 * plain.beta, 2 * spread),
            (0.8 * common, 0.0),
        )
    ]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Top:
    """A local maximum: its height, place and second derivatives."""

    value: float
    x: Array
    H: Array
    # Whether no parameter is at a bound, so that H tells how far its neighbourhood reaches.
    inside: bool


def _climb(f: Likelihood, x: Array, lower: Array, held: np.ndarray, known: list[Top]) -> Top | None:
    """Newton's method uphill; None where it does not arrive, or arrives where others did."""
    value, gradient, H = f(x)
    if not math.isfinite(value):
        return None
    near = 0
    for _ in range(_ROUNDS):
        if any(_beside(x, top) for top in known):
            return None
        free = ~held & ((x > lower) | (gradient > 0))
        step = np.zeros_like(x)
        step[free], decrement = _newton(gradient[free], -H[np.ix_(free, free)])
        near += decrement < _NEAR
        if decrement < _DONE or near > _POLISH:
            inside = bool((x[~held] > lower[~held]).all()) and _positive(-H[np.ix_(~held, ~held)])
            return Top(value, x, H, inside)
        length = 1.0
        for _ in range(_HALVINGS):
            there = np.maximum(x + length * step, lower)
            found = f(there)
            # So near the top rounding hides the rise, and Newton's step can be trusted.
            if found[0] > value or decrement < _NEAR:
                break
            length *= 0.5
        else:
            return None
        x, (value, gradient, H) = there, found
    return None


def _beside(x: Array, top: Top) -> bool:
    """Whether x is within a third of a standard error of a maximum, in all directions."""
    if not top.inside:
        return False
    way = x - top.x
    return float(-way @ top.H @ way) < 0.1


def _newton(gradient: Array, information: Array) -> tuple[Array, float]:
    """Step uphill and how far it leads in standard errors."""
    if not len(gradient):
        return gradient, 0.0
    unit = np.sqrt(np.abs(np.diag(information)))
    unit[unit == 0] = 1.0
    scaled = information / np.outer(unit, unit)
    g = gradient / unit
    try:
        np.linalg.cholesky(scaled)
        step = np.linalg.solve(scaled, g)
    except np.linalg.LinAlgError:
        # Where the surface bends upwards, go as far as a bend downwards of that size would say.
        values, vectors = np.linalg.eigh(scaled)
        size = np.maximum(np.abs(values), 1e-3)
        step = vectors @ ((vectors.T @ g) / size)
    return step / unit, math.sqrt(max(float(g @ step), 0.0))


def _positive(information: Array) -> bool:
    try:
        np.linalg.cholesky(information)
    except np.linalg.LinAlgError:
        return False
    return True


__all__ = ["Likelihood", "SelectionFit", "fit_selection_arrays"]
