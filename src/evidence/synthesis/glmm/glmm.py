"""Generalised linear mixed models for counts of events."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import ModelError, UsageError
from evidence.synthesis.glmm.fit import fit_case
from evidence.synthesis.glmm.models import COLUMNS, MODELS, Counts, case, informative
from evidence.synthesis.glmm.results import GlmmResults
from evidence.synthesis.heterogeneity import typical_variance
from evidence.synthesis.least_squares import Array
from evidence.synthesis.pooled_counts import ChiSquare, counts

_BOUND = 0.999


def glmm(
    measure: str,
    *,
    model: str | None = None,
    exog: pd.DataFrame | ArrayLike | None = None,
    points: int | None = None,
    coding: float = 0.5,
    correlated: bool = False,
    drop00: bool = True,
    method: str = "ML",
    test: str = "z",
    **columns: ArrayLike,
) -> GlmmResults:
    """Pool counts by their exact distribution, with nothing added to zeros.

    Parameters
    ----------
    measure : str
        ``OR``: log odds ratio from ``a, b, c, d`` (with and without the event in group 1, then in
        group 2); ``IRR``: log rate ratio from ``x1, time1, x2, time2`` (events and person-time);
        ``PLO``: log odds from ``x, n`` (events, people); ``IRLN``: log rate from ``x, time``.
    model : str, optional
        For two groups. ``UM.FS`` (default): unconditional, each study with a baseline of its own.
        ``UM.RS``: unconditional with random baselines. ``CM.EL``: conditional on the total of
        events, exact: non-central hypergeometric for odds ratios, binomial for rate ratios.
        ``CM.AL``: for odds ratios, the binomial approximation to it that is good for rare events.
    exog : DataFrame or array_like, shape (k, p), optional
        Model matrix of the effects, with a constant column if an intercept is wanted.
    points : int, optional
        Points of the adaptive Gauss-Hermite quadrature; 1 is Laplace's approximation. By default 7,
        and 1 for ``UM.RS``, which integrates over two random effects.
    coding : {0.5, 1, 0}
        Of the groups in the random part of the unconditional models: the heterogeneity is shared by
        both groups (±1/2), or all in group 1 (1), or in group 2 (0).
    correlated : bool
        For ``UM.RS``: whether random baselines and effects are correlated.
    drop00 : bool
        Leave out studies in which nobody, or everybody, had the event. Only ``UM.RS`` learns
        anything from them.
    method : {"ML", "EE"}
        Maximum likelihood, or the same without heterogeneity (equal effects).
    test : {"z", "t"}
        Normal, or t with k - p degrees of freedom.
    **columns : array_like, shape (k,)
        The counts.

    Returns
    -------
    GlmmResults

    Raises
    ------
    UsageError
        If an option does not exist or does not go with another, or columns are missing.
    ModelError
        If a count is impossible, the counts do not determine the effect, or the search for the
        maximum fails.

    References
    ----------
    Stijnen T, Hamza TH, Özdemir P (2010). Random effects meta-analysis of event outcome in the
    framework of the generalized linear mixed model with applications in sparse data. Statistics in
    Medicine 29, 3046-3067.
    Jackson D, Law M, Stijnen T, Viechtbauer W, White IR (2018). A comparison of seven
    random-effects models for meta-analyses that estimate the summary odds ratio. Statistics in
    Medicine 37, 1059-1085.
    """
    chosen = _require_options(measure, model, points, coding, correlated, method, test)
    if set(columns) != set(COLUMNS[measure]):
        raise UsageError(
            f"{measure} takes {', '.join(COLUMNS[measure])}, not {', '.join(columns) or 'nothing'}"
        )
    x = counts(**{name: columns[name] for name in COLUMNS[measure]})
    _require_counts(measure, x)
    k_given = len(next(iter(x.values())))
    X, names = _design(exog, k_given)
    use = informative(measure, chosen, drop00, x)
    x, X = {name: values[use] for name, values in x.items()}, X[use]
    _require_enough(measure, x, X, method, test)
    points = points or (1 if chosen == "UM.RS" else 7)
    setting = case(measure, chosen, x, points=points, coding=coding, correlated=correlated)
    fit = fit_case(setting, X, method=method)
    notes = []
    if not use.all():
        lost = k_given - len(X)
        notes.append(f"{lost} of {k_given} studies say nothing of the effect and were left out")
    if method == "ML" and fit.tau2 == 0:
        notes.append("the likelihood is highest without heterogeneity")
    if abs(fit.rho) > _BOUND:
        notes.append("the correlation is at its bound: there are too few studies to estimate it")
    df = len(X) - X.shape[1]
    return GlmmResults(
        measure=measure, model_name=chosen, names=names, exog=X, beta=fit.beta, cov=fit.cov,
        tau2=fit.tau2, tau2_se=fit.tau2_se, sigma2=fit.sigma2, rho=fit.rho,
        typical=typical_variance(setting.vi, X), wald=ChiSquare.of(fit.wald, df),
        likelihood_ratio=ChiSquare.of(fit.likelihood_ratio, df), llf=fit.llf,
        conditional_llf=fit.conditional_llf, n_params=fit.n_params, k_given=k_given,
        points=points, method=method, test=test, warnings=tuple(notes),
    )  # fmt: skip


def _require_options(
    measure: str,
    model: str | None,
    points: int | None,
    coding: float,
    correlated: bool,
    method: str,
    test: str,
) -> str:
    if measure not in MODELS:
        raise UsageError(f"measure is one of {', '.join(MODELS)}, not {measure!r}")
    known = MODELS[measure]
    if model is None:
        model = known[0] if known else ""
    elif model not in known:
        there = f"is one of {', '.join(known)}" if known else "cannot be chosen"
        raise UsageError(f"the model for {measure} {there}, not {model!r}")
    if points is not None and points < 1:
        raise UsageError(f"quadrature takes one point or more, not {points}")
    if coding not in (0.5, 1, 0):
        raise UsageError(f"coding is 0.5, 1 or 0, not {coding!r}")
    if correlated and model != "UM.RS":
        raise UsageError("only UM.RS has random baselines that can be correlated with the effects")
    for name, value, allowed in (("method", method, ("ML", "EE")), ("test", test, ("z", "t"))):
        if value not in allowed:
            raise UsageError(f"{name} is one of {', '.join(allowed)}, not {value!r}")
    return model


def _require_counts(measure: str, x: Counts) -> None:
    for name, values in x.items():
        wrong = values <= 0 if name.startswith("time") else values != np.floor(values)
        if wrong.any():
            row = int(np.argmax(wrong))
            words = "person-time is above zero" if name.startswith("time") else "counts are whole"
            raise ModelError(f"row {row}: {name} is {values[row]:g}; {words}")
    if measure == "PLO" and (x["x"] > x["n"]).any():
        row = int(np.argmax(x["x"] > x["n"]))
        raise ModelError(f"row {row}: {x['x'][row]:g} events among {x['n'][row]:g} people")


def _design(exog: pd.DataFrame | ArrayLike | None, k: int) -> tuple[Array, tuple[str, ...]]:
    if exog is None:
        return np.ones((k, 1)), ("const",)
    X = np.asarray(exog, dtype=float)
    X = X[:, None] if X.ndim == 1 else X
    if X.ndim != 2 or len(X) != k:
        raise UsageError(f"exog is a table with one row for each of {k} studies")
    if not np.isfinite(X).all():
        raise ModelError(
            f"row {int(np.argmin(np.isfinite(X).all(axis=1)))}: a moderator is missing"
        )
    if isinstance(exog, pd.DataFrame):
        return X, tuple(str(name) for name in exog.columns)
    return X, tuple(f"x{place}" for place in range(X.shape[1]))


def _require_enough(measure: str, x: Counts, X: Array, method: str, test: str) -> None:
    k, p = X.shape
    if k < p or not k:
        raise ModelError(f"{k} studies that say something cannot tell {p} coefficients")
    if k == p and (method == "ML" or test == "t"):
        raise ModelError(
            "no degrees of freedom are left for the variance between studies: use method='EE' and "
            "test='z'"
        )
    if np.linalg.matrix_rank(X / np.maximum(np.linalg.norm(X, axis=0), 1e-300)) < p:
        raise ModelError("moderators depend on each other: leave one out")
    pairs = {
        "OR": [("a", "no events in group 1"), ("b", "no people without event in group 1"),
               ("c", "no events in group 2"), ("d", "no people without event in group 2")],
        "IRR": [("x1", "no events in group 1"), ("x2", "no events in group 2")],
        "PLO": [("x", "no events")],
        "IRLN": [("x", "no events")],
    }  # fmt: skip
    for name, words in pairs[measure]:
        if not x[name].any():
            raise ModelError(f"there are {words}: the effect is infinite")
    if measure == "PLO" and (x["x"] == x["n"]).all():
        raise ModelError("everybody had the event: the effect is infinite")
