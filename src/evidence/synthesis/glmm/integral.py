"""Likelihoods with the random effects integrated out."""

from __future__ import annotations

import numpy as np

from evidence.errors import ModelError
from evidence.synthesis.glmm.families import Family
from evidence.synthesis.least_squares import Array

_STEPS = 200
_NEAR = 1e-4


def nodes(points: int, dimensions: int) -> tuple[Array, Array]:
    """Gauss-Hermite nodes and logarithms of their weights for a standard normal variable.

    Parameters
    ----------
    points : int
        Number in each dimension; with one, the integral is Laplace's.
    dimensions : int
        Of the variable.

    Returns
    -------
    tuple of ndarray, shapes (q, dimensions) and (q,)
    """
    x, w = np.polynomial.hermite_e.hermegauss(points)
    grid = np.stack(np.meshgrid(*[x] * dimensions, indexing="ij"), axis=-1)
    logs = np.log(w / w.sum())
    weights = np.sum(np.meshgrid(*[logs] * dimensions, indexing="ij"), axis=0)
    return grid.reshape(-1, dimensions), np.asarray(weights).reshape(-1)


def log_integral(
    family: Family,
    base: Array,
    loadings: Array,
    rule: tuple[Array, Array],
    start: Array,
) -> tuple[Array, Array]:
    """Logarithm of the mean of a likelihood over standard normal random effects.

    Parameters
    ----------
    family : callable
        See :mod:`evidence.synthesis.glmm.families`.
    base : ndarray, shape (b, k, j)
        Linear predictors without random effects, for b sets of parameters.
    loadings : ndarray, shape (b, j, r)
        What the r random effects of a study add to its predictors.
    rule : tuple
        See :func:`nodes`.
    start : ndarray, shape (b or 1, k, r)
        Where to look for the modes of the random effects.

    Returns
    -------
    tuple of ndarray, shapes (b, k) and (b, k, r)
        The logarithms, and the modes.

    Raises
    ------
    ModelError
        If a mode is not found.

    References
    ----------
    Pinheiro JC, Bates DM (1995). Approximations to the log-likelihood function in the nonlinear
    mixed-effects model. Journal of Computational and Graphical Statistics 4, 12-35.
    """
    modes, factor = _modes(family, base, loadings, start)
    x, logs = rule
    # z = mode + C^-T x, where CC' is the information at the mode.
    spread = np.linalg.inv(factor)
    z = modes[:, None] + np.einsum("bksr,qs->bqkr", spread, x)
    eta = base[:, None] + np.einsum("bjr,bqkr->bqkj", loadings, z)
    heights = family(eta)[0] - 0.5 * (z**2).sum(axis=-1)
    heights += (logs + 0.5 * (x**2).sum(axis=-1))[:, None]
    top = heights.max(axis=1)
    total = top + np.log(np.exp(heights - top[:, None]).sum(axis=1))
    return total - np.log(np.einsum("bkrr->bkr", factor)).sum(axis=-1), modes


def _modes(family: Family, base: Array, loadings: Array, start: Array) -> tuple[Array, Array]:
    """Modes of the random effects and Cholesky factors of the information there."""
    b, k, _ = base.shape
    r = loadings.shape[-1]
    identity = np.eye(r)
    outer = (loadings[..., :, None] * loadings[..., None, :]).reshape(b, -1, r * r)

    def at(z: Array) -> tuple[Array, Array, Array]:
        value, score, weight = family(base + z @ loadings.mT)
        height = value - 0.5 * (z**2).sum(axis=-1)
        slope = score @ loadings - z
        information = (weight @ outer).reshape(b, k, r, r) + identity
        return height, slope, information

    # A start is a hint only: from far away a step of Newton's may be short or not finite.
    hint = np.broadcast_to(start, (b, k, r))
    centre = at(np.zeros((b, k, r)))
    z = np.where((at(hint)[0] > centre[0])[..., None], hint, 0.0)
    height, slope, information = at(z) if z.any() else centre
    part = np.ones((b, k, 1))
    for _ in range(_STEPS):
        step = np.linalg.solve(information, slope[..., None])[..., 0]
        gain = np.einsum("bkr,bkr->bk", slope, step)
        if not np.isfinite(gain).all():
            break
        # What is left to gain is a quarter of the square of this, once it is small.
        if gain.max() < 1e-12:
            factor = np.linalg.cholesky(at(z + step)[2])
            return z + step, np.asarray(factor, dtype=float)
        tried = z + part * step
        new = at(tried)
        # So near the mode a full step is right, whatever rounding does to the heights.
        with np.errstate(invalid="ignore"):
            good = (new[0] >= height) | (gain < _NEAR)
        z = np.where(good[..., None], tried, z)
        height = np.where(good, new[0], height)
        slope = np.where(good[..., None], new[1], slope)
        information = np.where(good[..., None, None], new[2], information)
        part = np.where(good[..., None], 1.0, 0.5 * part)
    raise ModelError("the random effects have no mode that can be found: check the counts")
