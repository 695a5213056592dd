"""Compare models of the same effects, and the moderators of one model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evidence.errors import UsageError
from evidence.synthesis.least_squares import Array
from evidence.synthesis.results import MetaResults


@dataclass(frozen=True)
class LikelihoodRatio:
    """A likelihood ratio test of two nested models.

    Attributes
    ----------
    statistic : float
        Twice the difference of the log-likelihoods.
    df : int
        Difference of the numbers of parameters.
    pvalue : float
        From χ².
    R2 : float
        Relative drop of τ² in percent; NaN where either effect is common.
    """

    statistic: float
    df: int
    pvalue: float
    R2: float


def likelihood_ratio(full: MetaResults, reduced: MetaResults) -> LikelihoodRatio:
    """Test a model against one with fewer moderators.

    Parameters
    ----------
    full, reduced : MetaResults
        Fits of the same effects by the same method, ``ML`` or ``EE``. Restricted likelihoods of
        models with different moderators are of different data and cannot be compared.

    Returns
    -------
    LikelihoodRatio

    Raises
    ------
    UsageError
        If the effects or methods differ or do not suit, or the second model is not the smaller.

    References
    ----------
    Huizenga HM, Visser I, Dolan CV (2011). Testing overall and moderator effects in random effects
    meta-regression. British Journal of Mathematical and Statistical Psychology 64, 1-19.
    """
    from scipy.special import chdtrc

    if not (np.array_equal(full.yi, reduced.yi) and np.array_equal(full.vi, reduced.vi)):
        raise UsageError("the models are not of the same effects")
    if full.method != reduced.method or full.method not in ("ML", "EE"):
        raise UsageError("fit both models with method='ML' (or both with 'EE')")
    df = full.p - reduced.p
    both = np.linalg.matrix_rank(np.column_stack([full.exog, reduced.exog]))
    if df < 1 or both > full.p:
        raise UsageError("the second model has some of the moderators of the first, and no others")
    statistic = max(0.0, 2 * (full.llf - reduced.llf))
    R2 = math.nan
    if full.method != "EE":
        drop = reduced.tau2 - full.tau2
        R2 = max(0.0, 100 * drop / reduced.tau2) if reduced.tau2 > 0 else 0.0
    return LikelihoodRatio(statistic, df, float(chdtrc(df, statistic)), R2)


def variance_inflation(fit: MetaResults) -> Array:
    """Variance inflation of each coefficient but the intercept.

    Parameters
    ----------
    fit : MetaResults
        A meta-regression.

    Returns
    -------
    ndarray, shape (m,)
        One where a moderator is not correlated with the others.

    References
    ----------
    Belsley DA, Kuh E, Welsch RE (1980). Regression Diagnostics. New York: Wiley.
    """
    return np.diag(np.linalg.inv(_correlation(fit))).copy()


def generalised_variance_inflation(fit: MetaResults, coefficients: Sequence[int]) -> float:
    """Generalised variance inflation of several coefficients together, such as those of a factor.

    Parameters
    ----------
    fit : MetaResults
        A meta-regression.
    coefficients : sequence of int
        Positions of the coefficients, the first being 0.

    Returns
    -------
    float

    Raises
    ------
    UsageError
        If the intercept is among them.

    References
    ----------
    Fox J, Monette G (1992). Generalized collinearity diagnostics. Journal of the American
    Statistical Association 87, 178-183.
    """
    places = [_moderators(fit).index(i) for i in coefficients if i in _moderators(fit)]
    if len(places) < len(coefficients):
        raise UsageError("coefficients are positions of moderators, not of the intercept")
    R = _correlation(fit)
    others = [i for i in range(len(R)) if i not in places]
    parts = [float(np.linalg.slogdet(R[np.ix_(part, part)])[1]) for part in (places, others)]
    return math.exp(sum(parts) - float(np.linalg.slogdet(R)[1]))


def _moderators(fit: MetaResults) -> list[int]:
    return [i for i in range(fit.p) if not (fit.exog[:, i] == 1).all()]


def _correlation(fit: MetaResults) -> Array:
    """Correlation of the coefficients of the moderators."""
    if not (places := _moderators(fit)):
        raise UsageError("the model has no moderators")
    cov = fit.cov_params().to_numpy()[np.ix_(places, places)]
    sd = np.sqrt(np.diag(cov))
    return np.asarray(cov / np.outer(sd, sd), dtype=float)
