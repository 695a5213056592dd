"""Empirical Bayes: many places measured with noise, drawn towards what places have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evidence.errors import UsageError

_ROUNDS = 500


@dataclass(frozen=True)
class Shrunken:
    """What each place's true value is likely to be.

    Attributes
    ----------
    mean : ndarray, shape (n_places,)
        Posterior means.
    se : ndarray, shape (n_places,)
        Posterior standard deviations.
    centre : float
        Mean of the distribution of places, μ.
    between : float
        Variance between places, τ².
    weight : ndarray, shape (n_places,)
        Share B of the way from the place's own value to the centre.
    """

    mean: NDArray[np.float64]
    se: NDArray[np.float64]
    centre: float
    between: float
    weight: NDArray[np.float64]


def shrink(values: ArrayLike, variances: ArrayLike) -> Shrunken:
    """Parametric empirical Bayes estimates under a normal model at both levels.

    ``y_i ~ N(θ_i, v_i)``, ``θ_i ~ N(μ, τ²)``. μ and τ² solve Morris's equations
    ``μ = Σ W_i y_i / Σ W_i`` and ``τ² = Σ W_i {k/(k − 1)·(y_i − μ)² − v_i} / Σ W_i`` with
    ``W_i = 1/(v_i + τ²)``, τ² not below zero. With ``B_i = (k − 3)/(k − 1)·v_i/(v_i + τ²)`` the
    posterior mean is ``(1 − B_i) y_i + B_i μ`` and its variance
    ``v_i (1 − (k − w_i)/k · B_i) + 2 B_i²/(k − 3) · (v̄ + τ²)/(v_i + τ²) · (y_i − μ)²`` where
    ``w_i = k W_i/Σ W`` and v̄ is the weighted mean of the v_i: the second term is for B being
    estimated.

    Parameters
    ----------
    values, variances : array_like, shape (n_places,)
        Observed values and their sampling variances, taken as known; places where either is NaN
        take no part and get NaN.

    Raises
    ------
    UsageError
        With fewer than five places, or a variance that is not positive.

    References
    ----------
    Morris CN (1983). Parametric empirical Bayes inference: theory and applications. Journal of
    the American Statistical Association 78, 47-55 (section 5).
    """
    y_all, v_all = np.broadcast_arrays(
        np.asarray(values, dtype=float), np.asarray(variances, dtype=float)
    )
    use = np.isfinite(y_all) & np.isfinite(v_all)
    y, v = y_all[use], v_all[use]
    k = len(y)
    if k < 5:
        raise UsageError(f"shrinkage over places needs at least five of them, not {k}")
    if np.any(v <= 0):
        raise UsageError("sampling variances must be positive")
    between = max(float(np.var(y, ddof=1) - np.mean(v)), 0.0)
    for _ in range(_ROUNDS):
        w = 1 / (v + between)
        centre = float(np.sum(w * y) / np.sum(w))
        new = float(np.sum(w * (k / (k - 1) * (y - centre) ** 2 - v)) / np.sum(w))
        new = max(new, 0.0)
        settled = abs(new - between) <= 1e-12 * (1e-300 + np.mean(v) + between)
        between = new
        if settled:
            break
    w = 1 / (v + between)
    centre = float(np.sum(w * y) / np.sum(w))
    b = (k - 3) / (k - 1) * v * w
    share = k * w / np.sum(w)
    usual = float(np.sum(w * v) / np.sum(w))
    spread = 2 * b**2 / (k - 3) * (usual + between) * w
    variance = v * (1 - (k - share) / k * b) + spread * (y - centre) ** 2
    mean_all, se_all, weight = (np.full(y_all.shape, np.nan) for _ in range(3))
    mean_all[use] = (1 - b) * y + b * centre
    se_all[use] = np.sqrt(variance)
    weight[use] = b
    return Shrunken(mean_all, se_all, centre, between, weight)
