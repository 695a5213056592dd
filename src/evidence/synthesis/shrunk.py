"""Empirical Bayes estimates of the studies' own effects."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from evidence.errors import UsageError
from evidence.synthesis.results import MetaResults


def blup(
    fit: MetaResults, kind: Literal["blup", "ranef"] = "blup", alpha: float = 0.05
) -> pd.DataFrame:
    """Best linear unbiased predictions of the studies' own effects.

    Parameters
    ----------
    fit : MetaResults
        With inverse-variance weights.
    kind : str
        ``blup``: fitted value and random effect together; ``ranef``: the random effect alone.
    alpha : float
        One minus the level.

    Returns
    -------
    pandas.DataFrame
        One row per study: ``mean``, ``se``, ``lower``, ``upper``.

    Raises
    ------
    UsageError
        If there is no such kind, or with weights of one's own.

    References
    ----------
    Raudenbush SW, Bryk AS (1985). Empirical Bayes meta-analysis. Journal of Educational Statistics
    10, 75-98.
    """
    if fit.own_weights:
        raise UsageError("only for inverse-variance weights")
    share = fit.tau2 / (fit.tau2 + fit.vi)
    spread = np.einsum("ij,jk,ik->i", fit.exog, fit.cov_params().to_numpy(), fit.exog)
    if kind == "blup":
        mean = share * fit.yi + (1 - share) * fit.fittedvalues
        variance = share * fit.vi + (1 - share) ** 2 * spread
    elif kind == "ranef":
        mean = share * fit.resid
        # The variance of u given y, and what not knowing the coefficients adds.
        variance = share * fit.vi + share**2 * spread
    else:
        raise UsageError(f"kind is blup or ranef, not {kind!r}")
    se = np.sqrt(variance)
    reach = fit.quantile(alpha) * se
    return pd.DataFrame({"mean": mean, "se": se, "lower": mean - reach, "upper": mean + reach})
