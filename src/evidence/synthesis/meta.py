"""Univariate meta-analysis and meta-regression."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import ModelError, UsageError
from evidence.synthesis.formula import Design
from evidence.synthesis.least_squares import Array, LeastSquares, Value
from evidence.synthesis.results import METHODS, TESTS, MetaResults
from evidence.synthesis.tau2 import ESTIMATORS, Tau2
from evidence.synthesis.tau2.likelihood import standard_error

_SLACK = 1e-10


@dataclass(frozen=True, eq=False)
class Fit:
    """The numbers of a fit, without labels.

    Attributes
    ----------
    beta, cov : ndarray, shapes (p,) and (p, p)
        Coefficients and their covariance.
    tau2, tau2_se : float
        Variance between studies and its standard error; NaN with a common effect.
    weights : ndarray, shape (k,)
        Of the studies in the estimate.
    scale : float
        Knapp-Hartung factor in the covariance, 1 with other tests.
    floored : bool
        Whether that factor was below one and was set to one.
    """

    beta: Array
    cov: Array
    tau2: Value
    tau2_se: Value
    weights: Array
    scale: Value
    floored: Value


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
    """Fit on plain arrays, which are not checked; see :func:`meta` for the options.

    Parameters
    ----------
    y, v : ndarray, shape (k,)
        Effects and sampling variances. Axes before these are data sets, all of which are fitted
        at once; each quantity of the result then has these axes first.
    X : ndarray, shape (k, p)
        Model matrix of full column rank, the same for all data sets or one for each.
    method, test, floor, weights, tau2
        As in :func:`meta`.

    Raises
    ------
    ModelError
        If the search for τ² does not converge.
    """
    if method == "EE":
        found = Tau2(0.0, math.nan)
    elif tau2 is not None:
        found = Tau2(tau2, standard_error(v, X, tau2, restricted=method != "ML"))
    elif method == "GENQ":
        found = ESTIMATORS[method](y, v, X, weights)
    else:
        found = ESTIMATORS[method](y, v, X)
    total = v + np.asarray(found.value)[..., None]
    fit = LeastSquares(y, 1 / total if weights is None else weights, X)
    cov = fit.cov if weights is None else fit.sandwich(total)
    scale: Value = 1.0
    floored: Value = False
    if test == "knha":
        scale = fit.ypy / fit.df
        if floor:
            # With equal variances REML makes the factor one, but for rounding.
            floored = scale < 1 - _SLACK
            scale = np.maximum(scale, 1.0)
        cov = np.asarray(scale)[..., None, None] * cov
    return Fit(fit.beta, cov, found.value, found.se, fit.w, scale, floored)


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
    cluster: ArrayLike | str | None = None,
    missing: str = "raise",
) -> MetaResults:
    """Combine independent effects.

    Parameters
    ----------
    yi, vi : array_like of shape (k,), or str
        Effects and their sampling variances, or the names of their columns in ``data``. In the
        place of ``yi`` a formula names effects and moderators: ``"yi ~ year + C(group)"``.
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
        Weights of the studies; by default 1/(vᵢ + τ²). They do not go with ``knha``, which is
        derived for those.
    tau2 : float, optional
        A given τ² instead of an estimate.
    cluster : array_like or str, optional
        Names of independent studies. They are counted, and effects that share a study are warned
        of: this model takes all effects as independent.
    missing : {"raise", "drop"}
        Whether a missing number is an error, or its row is left out with a warning.

    Returns
    -------
    MetaResults

    Raises
    ------
    ModelError
        If an effect is not finite or a variance not above zero (the row is named), there are not
        more effects than coefficients, moderators depend on each other, or an iteration fails.
    UsageError
        If an option does not exist or does not go with another.

    References
    ----------
    Viechtbauer W (2005). Bias and efficiency of meta-analytic variance estimators in the
    random-effects model. Journal of Educational and Behavioral Statistics 30, 261-293.
    Knapp G, Hartung J (2003). Improved tests for a random effects meta-regression with a single
    covariate. Statistics in Medicine 22, 2693-2710.
    Röver C, Knapp G, Friede T (2015). Hartung-Knapp-Sidik-Jonkman approach and its modification
    for random-effects meta-analysis with few studies. BMC Medical Research Methodology 15, 99.
    """
    _require_options(method, test, missing, weights, tau2)
    v = _column(vi, data, "vi")
    own = None if weights is None else _column(weights, data, "weights")
    design = None
    if isinstance(yi, str) and "~" in yi:
        y, X, design = _by_formula(yi, data, exog, v, own)
        names = design.names
    else:
        y = _column(yi, data, "yi")
        X, names = _design(exog, len(y))
    groups = None if cluster is None else np.asarray(look_up(cluster, data)).astype(str)
    for what, other in (("variances", v), ("rows of moderators", X), ("weights", own),
                        ("names of studies", groups)):  # fmt: skip
        if other is not None and len(other) != len(y):
            raise UsageError(f"{len(y)} effects but {len(other)} {what}")
    rows = np.arange(len(y))
    notes = []
    if missing == "drop":
        columns = [y, v, X] if own is None else [y, v, X, own]
        rows = np.flatnonzero(~np.isnan(np.column_stack(columns)).any(axis=1))
        if len(rows) < len(y):
            lost = sorted(set(range(len(y))) - set(rows.tolist()))
            notes.append(f"left out for missing numbers: row {', '.join(map(str, lost))}")
        y, v, X = y[rows], v[rows], X[rows]
        own = None if own is None else own[rows]
        groups = None if groups is None else groups[rows]
    _require_data(y, v, X, own, rows)
    _require_enough(X, method, test, tau2)
    basis, triangle = _orthonormal(X, names)
    fit = fit_arrays(
        y, v, basis, method=method, test=test, floor=floor, weights=own, tau2=tau2
    )  # fmt: skip
    n_studies = len(y) if groups is None else len(set(groups))
    if n_studies < len(y):
        notes.append(
            f"{len(y)} effects come from {n_studies} studies, but this model takes them as "
            "independent: its intervals are too narrow"
        )
    if fit.floored and method != "EE":
        notes.append(
            "the Knapp-Hartung factor was below one and was set to one: the effects differ less "
            "than chance alone would make them"
        )
    if fit.scale == 0:
        notes.append("the effects are all as fitted, so the Knapp-Hartung standard error is zero")
    return MetaResults(
        y, v, X, names, fit.weights, own is not None, float(fit.tau2), float(fit.tau2_se),
        tau2 is not None, float(fit.scale), method, test, floor, n_studies,
        tuple(notes), (basis, triangle), design,
    )  # fmt: skip


def _require_enough(X: Array, method: str, test: str, tau2: float | None) -> None:
    k, p = X.shape
    if k < p:
        raise ModelError(f"{k} effects cannot tell {p} coefficients: use fewer moderators")
    if k == p and method != "EE" and tau2 is None:
        what = "one effect cannot" if k == 1 else f"{k} effects cannot tell {p} coefficients and"
        raise ModelError(
            f"{what} tell the variance between studies: use method='EE', give tau2, or use a prior "
            "(normal_normal)"
        )
    if k == p and test != "z":
        raise ModelError(f"no degrees of freedom are left for test={test!r}: use test='z'")


def _orthonormal(X: Array, names: tuple[str, ...]) -> tuple[Array, Array]:
    """X = QR, after a check that no column is a combination of the columns before it."""
    size = np.linalg.norm(X, axis=0)
    if not size.all():
        raise ModelError(
            f"moderator {names[int(np.argmin(size))]} is zero throughout: leave it out"
        )
    Q, R = np.linalg.qr(X / size)
    own = np.abs(np.diag(R))
    if (own < _SLACK).any():
        name = names[int(np.argmin(own))]
        raise ModelError(f"moderator {name} is determined by the others: leave it out")
    return Q, R * size


def _by_formula(
    text: str, data: pd.DataFrame | None, exog: object, v: Array, own: Array | None
) -> tuple[Array, Array, Design]:
    from evidence.synthesis import formula

    if data is None or exog is not None:
        raise UsageError("a formula takes its variables from data, and goes without exog")
    used = ~np.isnan(v) if own is None else ~np.isnan(v) & ~np.isnan(own)
    if len(used) != len(data):
        raise UsageError(f"{len(data)} rows of data but {len(used)} variances")
    y, X, design = formula.read(text, data, used)
    if y is None:
        raise UsageError("the effects stand left of ~ in the formula")
    return y, X, design


def _column(values: ArrayLike | str, data: pd.DataFrame | None, role: str) -> Array:
    found = look_up(values, data)
    try:
        array = np.asarray(found, dtype=float)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{role} are numbers: {error}") from error
    if array.ndim != 1:
        raise UsageError(f"{role} is one list of numbers, not an array of shape {array.shape}")
    return array


def look_up(values: ArrayLike | str, data: pd.DataFrame | None) -> ArrayLike:
    """The column of that name, or the values themselves."""
    if not isinstance(values, str):
        return values
    if data is None or values not in data:
        known = "there is no data" if data is None else f"there are {', '.join(map(str, data))}"
        raise UsageError(f"no column {values!r} in the data; {known}")
    return data[values]


def _design(exog: pd.DataFrame | ArrayLike | None, k: int) -> tuple[Array, tuple[str, ...]]:
    if exog is None:
        return np.ones((k, 1)), ("const",)
    X = np.asarray(exog, dtype=float)
    X = X[:, None] if X.ndim == 1 else X
    if X.ndim != 2:
        raise UsageError(f"exog is a table, not of shape {X.shape}")
    if isinstance(exog, pd.DataFrame):
        return X, tuple(str(name) for name in exog.columns)
    return X, tuple(f"x{place}" for place in range(X.shape[1]))


def _require_options(
    method: str,
    test: str,
    missing: str,
    weights: object,
    tau2: float | None,
) -> None:
    choices: Sequence[tuple[str, str, Sequence[str]]] = (
        ("method", method, tuple(METHODS)),
        ("test", test, tuple(TESTS)),
        ("missing", missing, ("raise", "drop")),
    )
    for name, value, allowed in choices:
        if value not in allowed:
            raise UsageError(f"{name} is one of {', '.join(allowed)}, not {value!r}")
    if method == "GENQ" and weights is None:
        raise UsageError("method GENQ needs weights")
    if weights is not None and test == "knha":
        raise UsageError("Knapp and Hartung's test is for inverse-variance weights: use test='t'")
    if tau2 is not None and not (math.isfinite(tau2) and tau2 >= 0):
        raise UsageError(f"tau2 is zero or above, not {tau2!r}")
    if tau2 is not None and method == "EE":
        raise UsageError("a common effect has no tau2: choose another method")


def _require_data(y: Array, v: Array, X: Array, own: Array | None, rows: np.ndarray) -> None:
    if not len(y):
        raise ModelError("there are no effects to pool")
    faults = [
        (~np.isfinite(y), "the effect is {:g}; an effect is finite", y),
        (~(np.isfinite(v) & (v > 0)), "the variance is {:g}; a variance is above zero", v),
        (~np.isfinite(X).all(axis=1), "a moderator is missing", y),
    ]
    if own is not None:
        faults.append(
            (~(np.isfinite(own) & (own > 0)), "the weight is {:g}; weights are above zero", own)
        )
    for wrong, words, values in faults:
        if wrong.any():
            row = int(np.argmax(wrong))
            more = int(wrong.sum()) - 1
            tail = f" (and {more} more row{'s' if more > 1 else ''})" if more else ""
            raise ModelError(f"row {rows[row]}: {words.format(values[row])}{tail}")
