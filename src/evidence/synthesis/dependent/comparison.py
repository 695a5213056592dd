"""Likelihood ratio tests of multilevel models."""

from __future__ import annotations

import math

import numpy as np

from evidence.errors import UsageError
from evidence.synthesis.comparison import LikelihoodRatio
from evidence.synthesis.dependent.multilevel_results import MultilevelResults


def likelihood_ratio(full: MultilevelResults, reduced: MultilevelResults) -> LikelihoodRatio:
    """Test a model against one with fewer random terms or moderators.

    A variance that is zero under the reduced model lies at the end of its range, where the p value
    from χ² is too large: about twice as large as it should be for one variance (Self and Liang).

    Parameters
    ----------
    full, reduced : MultilevelResults
        Fits of the same effects by the same method: ``REML`` for models with the same moderators,
        else ``ML``.

    Returns
    -------
    LikelihoodRatio
        R² is the relative drop of the sum of the variance components in percent, NaN where these
        are not of the same terms.

    Raises
    ------
    UsageError
        If the effects or methods differ or do not suit, or the second model is not the smaller.

    References
    ----------
    Self SG, Liang KY (1987). Asymptotic properties of maximum likelihood estimators and likelihood
    ratio tests under nonstandard conditions. Journal of the American Statistical Association 82,
    605-610.
    """
    from scipy.special import chdtrc

    if not (np.array_equal(full.yi, reduced.yi) and np.array_equal(full.vi, reduced.vi)
            and np.array_equal(full.V.values, reduced.V.values)):  # fmt: skip
        raise UsageError("the models are not of the same effects")
    if full.method != reduced.method:
        raise UsageError("fit both models with the same method")
    both = int(np.linalg.matrix_rank(np.column_stack([full.exog, reduced.exog])))
    if both > full.p:
        raise UsageError("the second model has some of the moderators of the first, and no others")
    if full.p > reduced.p and full.method == "REML":
        raise UsageError("the models differ in their moderators: fit both with method='ML'")
    df = full.n_parameters - reduced.n_parameters
    if df < 1:
        raise UsageError("the second model has fewer parameters than the first")
    statistic = max(0.0, 2 * (full.llf - reduced.llf))
    return LikelihoodRatio(statistic, df, float(chdtrc(df, statistic)), _drop(full, reduced))


def _drop(full: MultilevelResults, reduced: MultilevelResults) -> float:
    if [t.name for t in full.terms] != [t.name for t in reduced.terms]:
        return math.nan
    total = float(reduced.sigma2.sum() + reduced.tau2.sum())
    left = float(full.sigma2.sum() + full.tau2.sum())
    return max(0.0, 100 * (total - left) / total) if total > 0 else 0.0
