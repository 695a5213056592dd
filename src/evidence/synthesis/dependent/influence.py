"""Residuals, and the influence of clusters of effects on a multilevel model."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import ModelError, UsageError
from evidence.synthesis.dependent.covariance import group_codes
from evidence.synthesis.dependent.likelihood import maximise
from evidence.synthesis.dependent.multilevel_results import MultilevelResults
from evidence.synthesis.least_squares import Array


@dataclass(frozen=True)
class Influence:
    """Influence on a multilevel model.

    Attributes
    ----------
    rows : pandas.DataFrame
        One row per effect: ``resid``, ``se`` and ``standardized`` residual, ``hat`` value,
        ``weight`` (row sum of the inverse marginal covariance, sum 100), ``deleted`` residual, with
        its cluster left out, over its standard error.
    clusters : pandas.DataFrame
        One row per cluster, in ascending order: ``k``, ``cook``, Cook's distance; ``chi2``, ``df``
        and ``pvalue`` of all its deleted residuals together. NaN where the model cannot be fitted
        without the cluster.
    """

    rows: pd.DataFrame
    clusters: pd.DataFrame


def influence(fit: MultilevelResults, cluster: ArrayLike | None = None) -> Influence:
    """Leave out one cluster at a time, with the variance components estimated anew.

    Parameters
    ----------
    fit : MultilevelResults
        A multilevel model.
    cluster : array_like, shape (k,), optional
        Names of the clusters; by default those that are independent under the model.

    Returns
    -------
    Influence

    References
    ----------
    Cook RD, Weisberg S (1982). Residuals and Influence in Regression. London: Chapman and Hall.
    Viechtbauer W, Cheung MWL (2010). Outlier and influence diagnostics for meta-analysis. Research
    Synthesis Methods 1, 112-125.
    """
    codes, names = group_codes(fit.clusters if cluster is None else cluster)
    if len(codes) != fit.k:
        raise UsageError(f"{fit.k} effects but {len(codes)} names of clusters")
    state = fit.state
    resid = fit.yi - fit.fittedvalues
    spread = np.einsum("ij,jk,ik->i", state.model.X, state.cov, state.model.X)
    se = np.sqrt(np.maximum(fit.marginal().variances - spread, 0.0))
    sums = state.weight_sums()
    deleted = np.full(fit.k, np.nan)
    table = np.full((len(names), 3), np.nan)
    for code in range(len(names)):
        rows = np.flatnonzero(codes == code)
        table[code], deleted[rows] = _without(fit, rows)
    frame = pd.DataFrame({
        "resid": resid, "se": se, "standardized": resid / se, "hat": state.hat(),
        "weight": 100 * sums / sums.sum(), "deleted": deleted,
    })  # fmt: skip
    clusters = pd.DataFrame(table, index=names, columns=["cook", "chi2", "pvalue"])
    size = np.bincount(codes)
    clusters.insert(0, "k", size)
    clusters.insert(3, "df", size)
    return Influence(frame, clusters)


def _without(fit: MultilevelResults, rows: np.ndarray) -> tuple[tuple[float, ...], Array]:
    """Cook's distance, χ² and its p value of some effects, and their deleted residuals."""
    from scipy.special import chdtrc

    full = fit.state
    kept = np.ones(fit.k, dtype=bool)
    kept[rows] = False
    failed = (math.nan, math.nan, math.nan), np.full(len(rows), np.nan)
    left = int(kept.sum())
    enough = left > fit.p if fit.terms else left >= fit.p
    if not enough or np.linalg.matrix_rank(full.model.X[kept]) < fit.p:
        return failed
    part = full.model.subset(kept)
    try:
        rest = maximise(part, [full.theta, *part.starts()])
    except ModelError:
        return failed
    change = full.beta - rest.beta
    cook = float(change @ full.information @ change)
    X = full.model.X[rows]
    M = full.model.at(rest.theta).marginal().submatrix(rows) + X @ rest.cov @ X.T
    resid = full.model.y[rows] - X @ rest.beta
    size = float(resid @ np.linalg.solve(M, resid))
    return (cook, size, float(chdtrc(len(rows), size))), resid / np.sqrt(np.diag(M))
