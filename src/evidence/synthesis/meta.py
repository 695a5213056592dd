"""Fit a meta-analysis of independent effects: common effect, random effects, meta-regression."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from evidence.errors import ModelError, UsageError
from evidence.synthesis.heterogeneity import typical_variance
from evidence.synthesis.results import MetaResults
from evidence.synthesis.tau2 import ESTIMATORS, generalised_q
from evidence.synthesis.wls import wls

Array = NDArray[np.float64]

TESTS = ("z", "t", "knha")
METHODS = (*ESTIMATORS, "GENQ")


@dataclass(frozen=True, eq=False)
class Fit:
    """The numbers of a fit, without labels.

    Attributes
    ----------
    beta, cov : ndarray, shapes (p,) and (p, p)
        Coefficients and their covariance.
    tau2, tau2_se : float
        Between-study variance and its standard error.
    df : float
        Degrees of freedom of the tests; infinite for normal ones.
    weights : ndarray, shape (k,)
        Of the studies in the estimate.
    floored : bool
        Whether the Knapp-Hartung factor was below one and was set to one.
    """

    beta: Array
    cov: Array
    tau2: float
    tau2_se: float
    df: float
    weights: Array
    floored: bool = False


def fit_arrays(
    y: Array,
    v: Array,
    X: Array,
    *,
    method: str = "REML",
    test: str = "knha",
    floor: bool = True,
    weights: Array | None = None,
    tau2: float | None = None,
) -> Fit:
    """Fit on plain arrays; see :func:`meta` for what the options mean.

    Parameters
    ----------
    y, v : ndarray, shape (k,)
        Effects and variances.
    X : ndarray, shape (k, p)
        Design.
    method, test, floor, weights, tau2
        As in :func:`meta`.
    """
    k, p = X.shape
    if method == "GENQ":
        if weights is None:
            raise UsageError("method GENQ needs weights")
        estimate, se = generalised_q(y, v, X, weights)
    elif tau2 is not None:
        estimate, se = tau2, _se_of_given(method, v, X, tau2)
    else:
        estimate, se = ESTIMATORS[method](y, v, X)
    total = v + estimate
    best = wls(y, X, 1 / total)
    fit = best if weights is None else wls(y, X, weights)
    if weights is None:
        cov = best.B
    else:
        half = (fit.w[:, None] * X) @ fit.B
        cov = half.T @ (total[:, None] * half)
    floored = False
    if test == "knha":
        # Knapp and Hartung (2003): the generalised Q over its degrees of freedom.
        factor = float((1 / total) @ fit.resid**2) / (k - p)
        floored = factor < 1
        cov = cov * (max(factor, 1.0) if floor else factor)
    return Fit(
        fit.beta, cov, estimate, se, math.inf if test == "z" else k - p, fit.w,
        floored and floor and method != "EE",
    )  # fmt: skip


def _se_of_given(method: str, v: Array, X: Array, tau2: float) -> float:
    """Standard error that the method would give if τ² were what it is said to be."""
    fit = wls(np.zeros(len(v)), X, 1 / (v + tau2))
    if method == "ML":
        return math.sqrt(2 / float((fit.w**2).sum()))
    return math.sqrt(2 / fit.trace2())


def meta(
    yi: ArrayLike | str,
    vi: ArrayLike | str,
    data: pd.DataFrame | None = None,
    *,
    exog: pd.DataFrame | ArrayLike | None = None,
    method: str = "REML",
    test: str = "knha",
    floor: bool = True,
    weights: ArrayLike | str | None = None,
    tau2: float | None = None,
) -> MetaResults:
    """Combine independent effects.

    Parameters
    ----------
    yi, vi : array_like of shape (k,), or str
        Effects and their sampling variances, or the names of their columns in ``data``.
    data : pandas.DataFrame, optional
        Where the columns are.
    exog : DataFrame or array_like, shape (k, p), optional
        Design of a meta-regression, with a constant column if an intercept is wanted; by default
        the constant alone.
    method : str
        Estimator of τ²: ``REML`` (default), ``DL``, ``PM``, ``PMM`` (median-unbiased PM), ``ML``,
        ``EB``, ``HE``, ``HS``, ``HSk``, ``SJ``, ``GENQ`` (with weights), or ``EE`` for a common
        effect.
    test : {"knha", "t", "z"}
        Knapp-Hartung, t without their factor, or normal.
    floor : bool
        Whether the Knapp-Hartung factor may not fall below one, so that the interval is never
        narrower than without it (Röver, Knapp and Friede 2015).
    weights : array_like or str, optional
        Weights of the studies; by default 1/(vᵢ + τ²).
    tau2 : float, optional
        A given τ² instead of an estimate.

    Returns
    -------
    MetaResults

    Raises
    ------
    ModelError
        If an effect is not finite or a variance not above zero (the row is named), there are not
        more effects than coefficients, moderators depend on each other, or an iteration fails.
    UsageError
        If an option does not exist.

    References
    ----------
    Viechtbauer W (2005). Bias and efficiency of meta-analytic variance estimators in the
    random-effects model. Journal of Educational and Behavioral Statistics 30, 261-293.
    Knapp G, Hartung J (2003). Improved tests for a random effects meta-regression with a single
    covariate. Statistics in Medicine 22, 2693-2710.
    Röver C, Knapp G, Friede T (2015). Hartung-Knapp-Sidik-Jonkman approach and its modification
    for random-effects meta-analysis with few studies. BMC Medical Research Methodology 15, 99.
    Higgins JPT, Thompson SG (2002). Quantifying heterogeneity in a meta-analysis. Statistics in
    Medicine 21, 1539-1558.
    """
    if method not in METHODS:
        raise UsageError(f"there is no method {method!r}: use {', '.join(METHODS)}")
    if test not in TESTS:
        raise UsageError(f"there is no test {test!r}: use {', '.join(TESTS)}")
    y, v = _column(yi, data, "yi"), _column(vi, data, "vi")
    X, names = _design(exog, len(y))
    own = None if weights is None else _column(weights, data, "weights")
    _require(y, v, X, method, tau2)
    if own is not None and (len(own) != len(y) or not (own > 0).all()):
        raise UsageError("weights are above zero, one for each effect")
    fit = fit_arrays(y, v, X, method=method, test=test, floor=floor, weights=own, tau2=tau2)
    return _label(fit, y, v, X, names, method, test, floor)


def _column(values: ArrayLike | str, data: pd.DataFrame | None, what: str) -> Array:
    if isinstance(values, str):
        if data is None or values not in data.columns:
            raise UsageError(f"{what} names the column {values!r}, which data does not have")
        values = data[values]
    array = np.asarray(values, dtype=float)
    if array.ndim != 1:
        raise UsageError(f"{what} is one list of numbers, not of shape {array.shape}")
    return array


def _design(exog: pd.DataFrame | ArrayLike | None, k: int) -> tuple[Array, list[str]]:
    if exog is None:
        return np.ones((k, 1)), ["const"]
    X = np.asarray(exog, dtype=float)
    if X.ndim == 1:
        X = X[:, None]
    names = [str(name) for name in exog.columns] if isinstance(exog, pd.DataFrame) else [
        f"x{place}" for place in range(X.shape[1])
    ]  # fmt: skip
    return X, names


def _require(y: Array, v: Array, X: Array, method: str, tau2: float | None) -> None:
    if len(y) != len(v) or len(X) != len(y):
        raise UsageError(f"{len(y)} effects, {len(v)} variances and {len(X)} rows of moderators")
    if not len(y):
        raise ModelError("there are no effects")
    for row, (effect, variance) in enumerate(zip(y, v, strict=True)):
        if not math.isfinite(effect):
            raise ModelError(f"row {row}: the effect is {effect:g}; leave the row out")
        if not (math.isfinite(variance) and variance > 0):
            raise ModelError(
                f"row {row}: the variance is {variance:g}; a variance is finite and above zero"
            )
    if not np.isfinite(X).all():
        row = int(np.flatnonzero(~np.isfinite(X).all(axis=1))[0])
        raise ModelError(f"row {row}: a moderator is missing; leave the row out")
    k, p = X.shape
    if np.linalg.matrix_rank(X) < p:
        raise ModelError("the moderators are not independent of each other: leave one out")
    if k <= p and not (k == p and method == "EE") and tau2 is None:
        raise ModelError(
            f"{k} effects cannot tell {p} coefficients and the heterogeneity apart; show them one "
            "by one, or use method='EE' or a prior (normal_normal)"
        )
    if tau2 is not None and not (math.isfinite(tau2) and tau2 >= 0):
        raise UsageError(f"a given tau2 is 0 or more, not {tau2!r}")


def _label(
    fit: Fit, y: Array, v: Array, X: Array, names: list[str], method: str, test: str, floor: bool
) -> MetaResults:
    from scipy.special import chdtrc, fdtrc, ndtr, stdtr

    k, p = X.shape
    df = k - p
    se = np.sqrt(np.diag(fit.cov))
    statistic = fit.beta / se
    size = np.abs(statistic)
    pvalues = 2 * (ndtr(-size) if math.isinf(fit.df) else stdtr(fit.df, -size))
    Q = wls(y, X, 1 / v).rss
    if df > 0:
        typical = typical_variance(v, X)
        if method == "EE":
            I2, H2 = (100 * max(0.0, (Q - df) / Q) if Q > 0 else 0.0), Q / df
        else:
            I2, H2 = 100 * fit.tau2 / (fit.tau2 + typical), fit.tau2 / typical + 1
    else:
        # Meaningless without a degree of freedom.
        I2 = H2 = math.nan
    tested = _moderators(X)
    QM = QM_p = R2 = math.nan
    if tested:
        part = fit.beta[tested]
        wald = float(part @ np.linalg.solve(fit.cov[np.ix_(tested, tested)], part))
        if math.isinf(fit.df):
            QM, QM_p = wald, float(chdtrc(len(tested), wald))
        else:
            QM = wald / len(tested)
            QM_p = float(fdtrc(len(tested), fit.df, QM))
        R2 = _explained(y, v, X, fit.tau2, method)
    warnings = []
    if fit.floored:
        warnings.append(
            "the Knapp-Hartung factor was below one and was set to one: the effects differ less "
            "than chance alone would make them"
        )
    index = pd.Index(names)
    return MetaResults(
        params=pd.Series(fit.beta, index), bse=pd.Series(se, index),
        statistic=pd.Series(statistic, index), pvalues=pd.Series(pvalues, index),
        df_resid=fit.df, tau2=fit.tau2, tau2_se=fit.tau2_se, Q=Q, Q_df=df,
        Q_pvalue=float(chdtrc(df, Q)) if df else math.nan, I2=I2, H2=H2, QM=QM, QM_df=len(tested),
        QM_pvalue=QM_p, R2=R2, k=k, n_studies=k, method=method,
        test="knha (floored)" if test == "knha" and floor else test,
        model="meta-regression" if tested
        else "common effect" if method == "EE" else "random effects",
        warnings=tuple(warnings), yi=y, vi=v, exog=X, fit_weights=fit.weights, _cov=fit.cov,
    )  # fmt: skip


def _moderators(X: Array) -> list[int]:
    """Columns that the omnibus test is of: all but the constant; none without moderators."""
    constant = [place for place in range(X.shape[1]) if (X[:, place] == 1).all()]
    return [place for place in range(X.shape[1]) if place not in constant]


def _explained(y: Array, v: Array, X: Array, tau2: float, method: str) -> float:
    """Drop of τ² in percent from the model with the constant alone (Raudenbush 2009)."""
    if method in ("EE", "GENQ") or not (X == 1).all(axis=0).any():
        return math.nan
    alone = ESTIMATORS[method](y, v, np.ones((len(y), 1)))[0]
    return 100 * max(0.0, (alone - tau2) / alone) if alone > 0 else math.nan
