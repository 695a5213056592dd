"""Baujat's plot: which studies make the heterogeneity, and which move the result."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evidence.synthesis.diagnostics.batched import fit_subsets
from evidence.synthesis.results import MetaResults


def baujat(fit: MetaResults) -> pd.DataFrame:
    """Contribution of each study to the heterogeneity, and its influence on the result.

    Parameters
    ----------
    fit : MetaResults
        The model; τ² is estimated anew without each study unless it was given.

    Returns
    -------
    pandas.DataFrame
        One row per study. ``heterogeneity``: squared Pearson residual, (yᵢ - fitted)²/(vᵢ + τ²),
        the study's part of Q where the effect is common. ``influence``: squared change of the
        study's fitted value when it is left out, over the variance of the new value.

    References
    ----------
    Baujat B, Mahé C, Pignon JP, Hill C (2002). A graphical method for exploring heterogeneity in
    meta-analyses: application to a meta-analysis of 65 trials. Statistics in Medicine 21,
    2641-2652.
    """
    without = fit_subsets(
        fit.yi, fit.vi, fit.exog, ~np.eye(fit.k, dtype=bool), method=fit.method, test=fit.test,
        floor=fit.floor, weights=fit.fit_weights if fit.own_weights else None,
        tau2=fit.tau2 if fit.tau2_fixed else None,
    )  # fmt: skip
    change = fit.fittedvalues - np.einsum("ki,ki->k", fit.exog, without.beta)
    spread = np.einsum("ki,kij,kj->k", fit.exog, without.cov, fit.exog)
    return pd.DataFrame({
        "heterogeneity": fit.resid**2 / (fit.vi + fit.tau2),
        "influence": change**2 / spread,
    })  # fmt: skip
