"""Fits of a model for counts and the tests of its heterogeneity, on plain arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from evidence.errors import ModelError
from evidence.synthesis.glmm.models import Case
from evidence.synthesis.least_squares import Array

_GAIN = 1e-9
_FLAT = 1e-6
_WIDEST = 1e3


@dataclass(frozen=True, eq=False)
class Fit:
    """The numbers of a fit, without labels; named as in :class:`GlmmResults`."""

    beta: Array
    cov: Array
    tau2: float
    tau2_se: float
    sigma2: float
    rho: float
    wald: float
    likelihood_ratio: float
    llf: float
    conditional_llf: float
    n_params: int


def fit_case(case: Case, X: Array, *, method: str = "ML") -> Fit:
    """Fit a model.

    Parameters
    ----------
    case : Case
        The model, set up.
    X : ndarray, shape (k, p)
        Model matrix of the effects, of full column rank.
    method : {"ML", "EE"}
        As in :func:`evidence.synthesis.glmm.glmm`.

    Returns
    -------
    Fit

    Raises
    ------
    ModelError
        If a search does not converge, or ends where the likelihood is flat.
    """
    like = case.likelihood
    random = like.baseline == "random"
    unit = math.sqrt(float(case.vi.min()))
    root = 1 / np.sqrt(case.vi)
    centre = X @ np.linalg.lstsq(X * root[:, None], case.yi * root, rcond=None)[0]
    excess = float(((case.yi - centre) ** 2 - case.vi).mean())
    tau = math.sqrt(max(excess, 0.25 * float(np.median(case.vi))))
    sigma = max(float(case.baseline.std()), 0.1)
    none, some = np.zeros(like.spreads), np.full(like.spreads, tau)
    if random:
        none[0] = some[0] = sigma
    if like.correlated:
        # A little correlation to start from: with none at all there is no slope.
        some[2] = 0.1 * tau
    equal = like.maximise(X, centre, case.baseline, none, unit)
    best = equal
    if method == "ML":
        found = like.maximise(X, centre, case.baseline, some, unit)
        best = found if found.value > equal.value + _GAIN else equal
    wald, height = _saturated(case, X, none, unit)
    p, first = X.shape[1], X.shape[1] + 2 * int(random)
    parts = best.shared[first:]
    tau2, tau2_se, rho = float(parts @ parts), math.nan, math.nan
    if tau2 > _WIDEST:
        raise ModelError(
            "the heterogeneity is infinite: studies have all events in one group or the other; "
            "try method='EE'"
        )
    if np.linalg.eigvalsh(best.information)[0] <= 0:
        raise ModelError(
            "the likelihood is flat at its highest point: the counts do not determine the model; "
            "try method='EE' or another model"
        )
    cov = np.asarray(np.linalg.inv(best.information), dtype=float)
    if tau2 > 0:
        slope = np.zeros(len(cov))
        slope[first:] = 2 * parts
        tau2_se = math.sqrt(float(slope @ cov @ slope))
        if like.correlated:
            rho = float(np.sign(best.shared[first - 1]) * parts[1] / math.sqrt(tau2))
    return Fit(
        beta=best.shared[:p], cov=cov[:p, :p], tau2=tau2, tau2_se=tau2_se,
        sigma2=float(best.shared[first - 1] ** 2) if random else math.nan, rho=rho, wald=wald,
        likelihood_ratio=2 * (height - equal.value), llf=best.value,
        conditional_llf=like.given_modes(best.inputs),
        n_params=p + len(best.own) + 2 * int(random) + (
            1 + int(like.correlated) if method == "ML" else 0
        ),
    )  # fmt: skip


def _saturated(case: Case, X: Array, none: Array, unit: float) -> tuple[float, float]:
    """Wald statistic of one effect a study against X, and log-likelihood of the former."""
    like = case.likelihood
    if like.baseline != "random":
        return _weighted(case.own, case.own_information, X, np.zeros((len(X), 0))), case.saturated
    # Effects of one's own say nothing unless it is said whose baseline is random: group 2's.
    control = replace(like, code=np.array([1.0, 0.0]))
    start = np.clip(case.yi, -5, 5)
    full = control.maximise(X, start, case.baseline - start / 2, none, unit, saturated=True)
    # Effects that are infinite, where group 1 has no events or nothing else, have no information.
    known = full.own_information > _FLAT
    weights, cross = full.own_information[known], full.cross[:, known]
    # Information of the shared parameters before the effects were eliminated from it.
    shared = full.information + (cross / weights) @ cross.T
    factor = np.linalg.solve(np.linalg.cholesky(shared), cross).T
    return _weighted(full.own[known], weights, X[known], factor), full.value


def _weighted(own: Array, weights: Array, X: Array, factor: Array) -> float:
    """Weighted squares of effects about their regression on X, which is a Wald statistic.

    The information of the effects is diag(weights) - factor factor'.
    """

    def product(left: Array, right: Array) -> Array:
        return left.T @ (weights[:, None] * right) - (left.T @ factor) @ (factor.T @ right)

    y = own[:, None]
    explained = product(X, y)
    slope = np.linalg.lstsq(product(X, X), explained, rcond=None)[0]
    return max(0.0, float((product(y, y) - explained.T @ slope)[0, 0]))
