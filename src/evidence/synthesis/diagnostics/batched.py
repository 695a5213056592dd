"""The same model on many subsets of the studies at once.

A subset is a row of zeros and ones over all studies. Weighted sums over all subsets are then
products of matrices, so that a thousand refits cost little more than one. The estimators of
:mod:`evidence.synthesis.tau2` also take many data sets at once, but sets of one size with effects
of their own; to copy the effects for each subset would cost several times as much.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evidence.errors import ModelError
from evidence.synthesis.least_squares import Array, LeastSquares

Mask = NDArray[np.bool_]

_STEPS = 200
_GRID = 40
_CELLS = 200_000
_SINGULAR = 1e-12
_SLACK = 1e-10


@dataclass(frozen=True, eq=False)
class SubsetFits:
    """Fits of subsets; NaN where a subset cannot be fitted.

    Attributes
    ----------
    n : ndarray, shape (b,)
        Number of studies.
    beta, cov : ndarray, shapes (b, p) and (b, p, p)
        Coefficients and their covariance, which includes ``scale``.
    tau2 : ndarray, shape (b,)
        Variance between studies; zero where there are no degrees of freedom to estimate it.
    Q : ndarray, shape (b,)
        Cochran's Q of the residual heterogeneity.
    typical : ndarray, shape (b,)
        Sampling variance of a typical study; NaN without degrees of freedom.
    scale : ndarray, shape (b,)
        Knapp-Hartung factor; 1 with other tests.
    """

    n: Array
    beta: Array
    cov: Array
    tau2: Array
    Q: Array
    typical: Array
    scale: Array


def fit_subsets(
    y: Array,
    v: Array,
    X: Array,
    subsets: Mask,
    *,
    method: str = "REML",
    test: str = "z",
    floor: bool = True,
    weights: Array | None = None,
    tau2: float | None = None,
) -> SubsetFits:
    """Fit a model to subsets of the studies.

    Parameters
    ----------
    y, v : ndarray, shape (k,)
        Effects and sampling variances.
    X : ndarray, shape (k, p)
        Model matrix of full column rank.
    subsets : ndarray of bool, shape (b, k)
        Which studies are in.
    method, test, floor, weights, tau2
        As in :func:`evidence.synthesis.meta.meta`.

    Returns
    -------
    SubsetFits

    Raises
    ------
    ModelError
        If the search for τ² does not converge.
    """
    # An orthonormal basis, and residuals of one fit to all in place of the effects, so that
    # neither the units of moderators nor a large mean can harm.
    basis, triangle = np.linalg.qr(X)
    start = basis.T @ y
    # Blocks that fit into the processor's cache, and never more memory than a few of them.
    block = max(1, _CELLS // max(len(y), _GRID * X.shape[1] ** 2))
    parts = [
        _fit(_Problem(y, y - basis @ start, v, basis, subsets[i : i + block].astype(float)),
             method, test, floor, weights, tau2)
        for i in range(0, len(subsets), block)
    ]  # fmt: skip
    joined = SubsetFits(
        *(np.concatenate([getattr(part, name) for part in parts])
          for name in SubsetFits.__dataclass_fields__)
    )  # fmt: skip
    back = np.linalg.inv(triangle)
    return SubsetFits(
        joined.n, (joined.beta + start) @ back.T, back @ joined.cov @ back.T, joined.tau2, joined.Q,
        joined.typical, joined.scale,
    )  # fmt: skip


def _squares(X: Array) -> Array:
    """Products of the columns of X, shape (k, p²)."""
    return (X[:, :, None] * X[:, None, :]).reshape(len(X), -1)


def _inverse(a: Array) -> Array:
    return np.asarray(1 / a if a.shape[-1] == 1 else np.linalg.inv(a), dtype=float)


@dataclass(frozen=True, eq=False)
class _Problem:
    """Effects, their residuals from some fit, variances, model matrix, and subsets as 0 and 1."""

    effects: Array
    y: Array
    v: Array
    X: Array
    inside: Array

    @cached_property
    def n(self) -> Array:
        return self.inside.sum(axis=1)

    @cached_property
    def df(self) -> Array:
        return self.n - self.X.shape[1]

    def at(self, tau2: Array) -> LeastSquares:
        """Least squares with weights 1/(v + τ²), a τ² for each subset."""
        return LeastSquares(self.y, self.inside / (self.v + tau2[:, None]), self.X)

    def weighted(self, weights: Array) -> LeastSquares:
        """Least squares with the same weights in each subset."""
        return LeastSquares(self.y, self.inside * weights, self.X)

    def part(self, rows: NDArray[Any]) -> _Problem:
        return replace(self, inside=self.inside[rows])


def _fit(
    every: _Problem,
    method: str,
    test: str,
    floor: bool,
    weights: Array | None,
    given: float | None,
) -> SubsetFits:
    v, p = every.v, every.X.shape[1]
    usable = every.df >= 0
    if p > 1:
        gram = LeastSquares(every.y, every.inside, every.X).information
        usable &= np.linalg.eigvalsh(gram)[:, 0] > _SINGULAR
    whole = every.part(usable)
    tau2 = np.zeros(len(whole.n))
    spare = whole.df > 0
    if method != "EE" and given is not None:
        tau2[:] = given
    elif method != "EE" and spare.any():
        tau2[spare] = _TAU2[method](whole.part(spare), weights)
    common, total = whole.weighted(1 / v), v + tau2[:, None]
    fit = whole.at(tau2) if weights is None else whole.weighted(weights)
    cov = fit.cov if weights is None else fit.sandwich(total)
    scale = np.ones(len(tau2))
    with np.errstate(divide="ignore", invalid="ignore"):
        typical = np.where(spare, whole.df / common.trace_p, np.nan)
        if test == "knha":
            scale = fit.ypy / whole.df
            scale = np.maximum(scale, 1) if floor else scale
    found = (fit.beta, scale[:, None, None] * cov, tau2, common.ypy, typical, scale)

    def spread(values: Array) -> Array:
        full = np.full((len(usable), *values.shape[1:]), np.nan)
        full[usable] = values
        return full

    return SubsetFits(every.n, *(spread(values) for values in found))


# What follows solves the equations of evidence.synthesis.tau2, which cites the papers.


def _moments(fit: LeastSquares, v: Array) -> Array:
    return np.maximum(0.0, (fit.ypy - fit.trace_pd(v)) / fit.trace_p)


def _dersimonian_laird(problem: _Problem, weights: Array | None) -> Array:
    return _moments(problem.weighted(1 / problem.v), problem.v)


def _hedges(problem: _Problem, weights: Array | None) -> Array:
    return _moments(problem.weighted(np.ones_like(problem.v)), problem.v)


def _generalised_q(problem: _Problem, weights: Array | None) -> Array:
    assert weights is not None
    return _moments(problem.weighted(weights), problem.v)


def _hunter_schmidt(problem: _Problem, weights: Array | None) -> Array:
    fit = problem.weighted(1 / problem.v)
    return np.maximum(0.0, (fit.ypy - problem.n) / fit.w.sum(axis=1))


def _hunter_schmidt_corrected(problem: _Problem, weights: Array | None) -> Array:
    fit = problem.weighted(1 / problem.v)
    return np.maximum(0.0, (fit.ypy * problem.n / problem.df - problem.n) / fit.w.sum(axis=1))


def _sidik_jonkman(problem: _Problem, weights: Array | None) -> Array:
    # The variance of the effects themselves; the residuals of a regression would not do.
    y, inside, n = problem.effects, problem.inside, problem.n
    mean = inside @ y / n
    first = np.einsum("bk,bk->b", inside, (y - mean[:, None]) ** 2) / n
    return np.where(first > 0, first * problem.at(first).ypy / problem.df, 0.0)


def _paule_mandel(problem: _Problem, weights: Array | None) -> Array:
    return _solve_q(problem, problem.df)


def _paule_mandel_median(problem: _Problem, weights: Array | None) -> Array:
    from scipy.special import chdtri

    return _solve_q(problem, np.asarray(chdtri(problem.df, 0.5)))


def _solve_q(problem: _Problem, target: Array) -> Array:
    """Newton's steps from below, as :func:`evidence.synthesis.tau2.paule_mandel.solve_q`."""
    value = np.zeros(len(target))
    open_ = np.ones(len(target), dtype=bool)
    for _ in range(_STEPS):
        part, aim = problem.part(open_), target[open_]
        fit = part.at(value[open_])
        excess = fit.ypy - aim
        with np.errstate(divide="ignore", invalid="ignore"):
            step = excess / fit.yppy
            longer = step * fit.ypy / aim
        longer = np.where(np.isfinite(longer), longer, 0.0)
        short = part.at(value[open_] + np.maximum(longer, 0.0)).ypy >= aim
        step = np.where(short, longer, step)
        on = (excess > 0) & (fit.yppy > 0) & (step > 1e-15 * (value[open_] + step))
        rows = np.flatnonzero(open_)
        value[rows[on]] += step[on]
        open_[rows[~on]] = False
        if not open_.any():
            break
    return value


def _restricted(problem: _Problem, weights: Array | None) -> Array:
    return _maximise(problem, restricted=True)


def _full(problem: _Problem, weights: Array | None) -> Array:
    return _maximise(problem, restricted=False)


def _maximise(problem: _Problem, *, restricted: bool) -> Array:
    """Highest point of a grid that all share, then Newton's method beside it, as for one set."""
    v = problem.v
    residual = problem.weighted(np.ones_like(v))
    top = float((residual.ypy / problem.df).max()) + float(v.max())
    grid = np.concatenate([[0.0], np.geomspace(0.01 * float(v.min()), top, _GRID)])
    best = np.argmax(_heights(problem, grid, restricted), axis=1)

    value = grid[best]
    rising = _derivatives(problem.at(value), restricted)[0] > 0
    low = np.where(rising, value, grid[np.maximum(best - 1, 0)])
    high = np.where(rising, grid[np.minimum(best + 1, _GRID)], value)
    rows = np.flatnonzero(rising | (best > 0))
    last = np.full(len(rows), math.inf)
    part = problem.part(rows)
    low, high, at = low[rows], high[rows], value[rows]
    for _ in range(_STEPS):
        if not len(rows):
            return value
        slope, observed, expected = _derivatives(part.at(at), restricted)
        low, high = np.where(slope > 0, at, low), np.where(slope > 0, high, at)
        curvature = np.where(observed > 0, observed, expected)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(curvature > 0, slope / curvature, math.inf)
            inside = (low <= at + step) & (at + step <= high)
            # Newton's error after a step is of the order of its square.
            done = inside & (np.abs(step) <= 1e-9 * at)
            halve = ~done & (~inside | (np.abs(step) > 0.5 * last))
        step = np.where(halve, 0.5 * (low + high) - at, step)
        at, last = at + step, np.abs(step)
        done |= high - low <= 1e-15 * high
        if done.any():
            value[rows[done]] = at[done]
            left = ~done
            rows, part = rows[left], part.part(left)
            low, high, at, last = low[left], high[left], at[left], last[left]
    raise ModelError("the likelihood of a subset has no maximum that can be found: try method='PM'")


def _derivatives(fit: LeastSquares, restricted: bool) -> tuple[Array, Array, Array]:
    if restricted:
        trace, square = fit.trace_p, fit.trace_pp
    else:
        trace, square = fit.w.sum(axis=1), np.einsum("bk,bk->b", fit.w, fit.w)
    return 0.5 * (fit.yppy - trace), fit.ypppy - 0.5 * square, 0.5 * square


def _heights(problem: _Problem, grid: Array, restricted: bool) -> Array:
    """Log-likelihoods of all subsets on a grid of τ², up to a constant; shape (b, g)."""
    y, X, inside = problem.y, problem.X, problem.inside
    g, p = len(grid), X.shape[1]
    weights = 1 / (problem.v + grid[:, None])

    def sums(columns: Array) -> Array:
        """Weighted sums of columns, shape (b, g, number of columns)."""
        each = weights.T[:, :, None] * columns[:, None, :]
        return (inside @ each.reshape(len(y), -1)).reshape(-1, g, columns.shape[1])

    information = sums(_squares(X)).reshape(-1, g, p, p)
    sides = sums(X * y[:, None])
    explained = np.einsum("bgi,bgij,bgj->bg", sides, _inverse(information), sides)
    heights = inside @ np.log(weights).T - (inside @ (weights * y**2).T - explained)
    if restricted:
        heights -= np.log(information[..., 0, 0]) if p == 1 else np.linalg.slogdet(information)[1]
    return np.asarray(heights, dtype=float)


_TAU2: dict[str, Callable[[_Problem, Array | None], Array]] = {
    "DL": _dersimonian_laird,
    "HE": _hedges,
    "HS": _hunter_schmidt,
    "HSk": _hunter_schmidt_corrected,
    "SJ": _sidik_jonkman,
    "ML": _full,
    "REML": _restricted,
    "EB": _paule_mandel,
    "PM": _paule_mandel,
    "PMM": _paule_mandel_median,
    "GENQ": _generalised_q,
}

__all__ = ["SubsetFits", "fit_subsets"]
