"""Robust variance estimation with approximate weights for correlated or hierarchical effects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import ModelError, UsageError
from evidence.synthesis.dependent.covariance import Places, diagonal, group_codes
from evidence.synthesis.dependent.robust import RobustResults, make
from evidence.synthesis.least_squares import Array
from evidence.synthesis.meta import _column, _design, _orthonormal, _require_data, look_up

WEIGHTS = {
    "CORR": "correlated effects",
    "HIER": "hierarchical effects",
}
"""Working models by name."""


@dataclass(frozen=True, eq=False, repr=False)
class RobuResults(RobustResults):
    """Robust variance estimation in the manner of Hedges, Tipton and Johnson.

    Attributes
    ----------
    tau2 : float
        Variance between studies.
    omega2 : float
        Variance between effects of a study; NaN with correlated effects.
    I2 : float
        Percent of the weighted variation that is beyond sampling; NaN with hierarchical effects.
    """

    tau2: float
    omega2: float
    I2: float

    def to_dict(self) -> dict[str, Any]:
        """All results as plain numbers and text."""
        more = {"tau2": self.tau2, "omega2": self.omega2, "I2": self.I2}
        return super().to_dict() | more

    def summary(self, alpha: float = 0.05) -> str:
        """What a paper needs, as text."""
        more = f"I² = {self.I2:.1f} %" if math.isnan(self.omega2) else f"ω² = {self.omega2:.4f}"
        return f"{super().summary(alpha)}\nτ² = {self.tau2:.4f}, {more}"


def robu(
    yi: ArrayLike | str,
    vi: ArrayLike | str,
    cluster: ArrayLike | str,
    data: pd.DataFrame | None = None,
    *,
    exog: pd.DataFrame | ArrayLike | None = None,
    weights: str = "CORR",
    rho: float = 0.8,
    small: bool = True,
    min_df: float = 0.0,
) -> RobuResults:
    """Pool dependent effects with approximate weights and a robust variance.

    Parameters
    ----------
    yi, vi : array_like of shape (k,), or str
        Effects and their sampling variances, or the names of their columns in ``data``.
    cluster : array_like of shape (k,), or str
        Names of the studies, or their column.
    data : pandas.DataFrame, optional
        Where the columns are.
    exog : DataFrame or array_like, shape (k, p), optional
        Model matrix; by default the constant alone.
    weights : {"CORR", "HIER"}
        For effects whose sampling errors are correlated within studies: the same weight
        1/(kⱼ(v̄ⱼ + τ²)) for all effects of a study; for effects nested in studies:
        1/(v + τ² + ω²).
    rho : float
        Correlation of the sampling errors that the estimate of τ² assumes, with CORR.
    small : bool
        Whether to use the small-sample adjustment (CR2 with the inverse weights as target) and
        Satterthwaite degrees of freedom; else CR1p and J - p degrees of freedom.
    min_df : float
        Coefficients of fewer degrees of freedom are left without p value and interval.

    Returns
    -------
    RobuResults

    Raises
    ------
    UsageError
        If an option does not exist or lengths differ.
    ModelError
        If a number is not finite or a variance not above zero (the row is named), moderators depend
        on each other, or there are too few studies.

    References
    ----------
    Hedges LV, Tipton E, Johnson MC (2010). Robust variance estimation in meta-regression with
    dependent effect size estimates. Research Synthesis Methods 1, 39-65.
    Tipton E (2015). Small sample adjustments for robust variance estimation with meta-regression.
    Psychological Methods 20, 375-393.
    Fisher Z, Tipton E (2015). robumeta: an R-package for robust variance estimation in
    meta-analysis. arXiv 1503.02220.
    """
    if weights not in WEIGHTS:
        raise UsageError(f"weights is one of {', '.join(WEIGHTS)}, not {weights!r}")
    if not 0 <= rho <= 1:
        raise UsageError(f"rho is a correlation from 0 to 1, not {rho!r}")
    y, v = _column(yi, data, "yi"), _column(vi, data, "vi")
    X, names = _design(exog, len(y))
    codes = group_codes(look_up(cluster, data))[0]
    for what, other in (("variances", v), ("rows of moderators", X), ("names of studies", codes)):
        if len(other) != len(y):
            raise UsageError(f"{len(y)} effects but {len(other)} {what}")
    _require_data(y, v, X, None, np.arange(len(y)))
    studies = int(codes.max()) + 1
    if studies <= X.shape[1]:
        raise ModelError(f"{studies} studies cannot tell {X.shape[1]} coefficients")
    basis = _orthonormal(X, names)[0]
    omega2, I2 = math.nan, math.nan
    if weights == "CORR":
        size = np.bincount(codes)[codes].astype(float)
        mean = (np.bincount(codes, v) / np.bincount(codes))[codes]
        tau2, I2 = _correlated(y, basis, codes, size, mean, rho)
        target = size * (mean + tau2)
        words = f"effects were taken as correlated within studies (ρ = {rho:g})"
    else:
        tau2, omega2 = _hierarchical(y, basis, codes, v)
        target = v + tau2 + omega2
        words = "effects were taken as nested in studies"
    vcov, df = ("CR2", "Satterthwaite") if small else ("CR1p", "J-p")
    made = make(y, X, names, codes, diagonal(target), None, vcov)
    words = f"{len(y)} effects of {studies} studies were pooled with approximate weights; {words}"
    between = tau2 if weights == "CORR" else tau2 + omega2
    return RobuResults(
        names, vcov, df, len(y), words, between, min_df, (), *made, tau2, omega2, I2
    )  # fmt: skip


def _totals(codes: Places, values: Array) -> Array:
    """Sums by study, shape (J, ...)."""
    total = np.zeros((int(codes.max()) + 1, *values.shape[1:]))
    np.add.at(total, codes, values)
    return total


def _correlated(
    y: Array, X: Array, codes: Places, size: Array, mean: Array, rho: float
) -> tuple[float, float]:
    """τ² by the method of moments and I², equation 15 of Hedges, Tipton and Johnson (2010)."""
    w = 1 / (size * mean)
    WX = w[:, None] * X
    inverse = np.linalg.inv(X.T @ WX)
    resid = y - X @ (inverse @ (WX.T @ y))
    Q = float(w @ resid**2)
    total, weighted = _totals(codes, X), _totals(codes, WX)
    studies = len(total)
    alone = np.trace(inverse @ ((w / size)[:, None] * X).T @ X)
    per = _totals(codes, w / size)[:, None] / np.bincount(codes)[:, None]
    together = np.trace(inverse @ (per * total).T @ total)
    expected = float(studies - alone - rho * (together - alone))
    slope = float(w.sum() - np.trace(inverse @ weighted.T @ weighted))
    tau2 = max(0.0, (Q - expected) / slope)
    # I² compares Q with what it would be without heterogeneity.
    return tau2, max(0.0, 100 * (Q - expected) / Q) if Q > 0 else 0.0


def _hierarchical(y: Array, X: Array, codes: Places, v: Array) -> tuple[float, float]:
    """τ² and ω² by the method of moments.

    The weighted sum of squared residuals and the sum of the squared totals of the residuals of the
    studies are set equal to their expectations, which are linear in both.
    """
    w = 1 / v
    WX = w[:, None] * X
    inverse = np.linalg.inv(X.T @ WX)
    resid = y - X @ (inverse @ (WX.T @ y))
    size = np.bincount(codes)
    total, weighted = _totals(codes, X), _totals(codes, WX)
    Q = float(w @ resid**2)
    Q1 = float((_totals(codes, resid) ** 2).sum())
    k, p = X.shape
    # (X'WX)⁻¹ times sums of w²xx', of products of weighted totals, and of products of totals.
    squares = inverse @ (WX.T @ WX)
    crossed = inverse @ (weighted.T @ weighted)
    sums = inverse @ (total.T @ total)
    mixed = inverse @ (weighted.T @ total)
    larger = inverse @ ((size[:, None] * weighted).T @ total)
    # How Q and Q1 grow with ω² and τ².
    q_omega, q_tau = w.sum() - np.trace(squares), w.sum() - np.trace(crossed)
    q1_omega = k - 2 * np.trace(mixed) + np.trace(sums @ squares)
    q1_tau = size @ size - 2 * np.trace(larger) + np.trace(sums @ crossed)
    excess, excess1 = Q - (k - p), Q1 - (v.sum() - np.trace(sums))
    determinant = q_omega * q1_tau - q_tau * q1_omega
    # Where each study has one effect the two variances cannot be told apart: all is τ².
    apart = determinant > 1e-10 * q_omega * q1_tau
    omega2 = (excess * q1_tau - q_tau * excess1) / determinant if apart else 0.0
    omega2 = max(0.0, float(omega2))
    return max(0.0, float((excess - q_omega * omega2) / q_tau)), omega2
