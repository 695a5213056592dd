"""Rank correlation test of funnel asymmetry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import ModelError, UsageError
from evidence.synthesis.bias.effects import effects
from evidence.synthesis.bias.reported import Reported, few, p_text, studies
from evidence.synthesis.least_squares import Array
from evidence.synthesis.results import MetaResults

# Work on an exact p value grows with the cube of the number of studies: a second for a thousand,
# where the approximation differs by less than one in a thousand.
_EXACT_UP_TO = 1000


@dataclass(frozen=True)
class RankCorrelationResults(Reported):
    """A rank correlation of effects and variances.

    Attributes
    ----------
    tau : float
        Kendall's τ_b.
    pvalue : float
        Two-sided p value.
    exact : bool
        Whether it is exact; else from the normal approximation.
    k : int
        Number of effects.
    """

    tau: float
    pvalue: float
    exact: bool
    k: int

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know before trusting the numbers, in words."""
        return few(self.k)

    def to_frame(self) -> pd.DataFrame:
        """One row: tau, pvalue."""
        return pd.DataFrame({"tau": [self.tau], "pvalue": [self.pvalue]}, index=["rank test"])

    def report(self) -> str:
        """What a paper needs to say."""
        return (
            f"Standardised effects and their variances were compared by rank ({studies(self.k)}): "
            f"Kendall's τ = {self.tau:.2f}, {p_text(self.pvalue)} "
            f"({'exact' if self.exact else 'normal approximation'}). The test has less power than "
            "regression tests, and a correlation does not say why small studies differ."
        )


def rank_correlation(
    yi: MetaResults | ArrayLike | str,
    vi: ArrayLike | str | None = None,
    data: pd.DataFrame | None = None,
    *,
    exact: bool | None = None,
) -> RankCorrelationResults:
    """Test a funnel for asymmetry by rank correlation.

    Parameters
    ----------
    yi, vi, data
        A fitted model without moderators, or effects and sampling variances (arrays, or columns of
        ``data``).
    exact : bool, optional
        Whether the p value is exact; by default where there are no ties and at most 1,000 studies.

    Returns
    -------
    RankCorrelationResults

    Raises
    ------
    UsageError
        If an exact p value is wanted and there are ties.
    ModelError
        If there are fewer than two studies, all have the same variance, or the effects cannot be
        used.

    References
    ----------
    Begg CB, Mazumdar M (1994). Operating characteristics of a rank correlation test for publication
    bias. Biometrics 50, 1088-1101.
    """
    given = effects(yi, vi, data)
    tau, p, used = rank_correlation_arrays(given.yi, given.vi, exact)
    return RankCorrelationResults(tau, p, used, given.k)


def rank_correlation_arrays(
    y: Array, v: Array, exact: bool | None = None
) -> tuple[float, float, bool]:
    """Kendall's τ, its p value and whether that is exact, on plain arrays of shape (k,)."""
    from scipy.stats import kendalltau

    if len(y) < 2 or np.ptp(v) == 0:
        raise ModelError("ranks need studies with different variances")
    w = 1 / v
    mean = float(w @ y / w.sum())
    # The variance of an effect about the mean of which it is a part.
    deviates = (y - mean) / np.sqrt(v - 1 / w.sum())
    tied = len(np.unique(deviates)) < len(y) or len(np.unique(v)) < len(v)
    if exact and tied:
        raise UsageError("with ties there is no exact p value: use exact=False")
    use = (len(y) <= _EXACT_UP_TO and not tied) if exact is None else exact
    found = kendalltau(deviates, v, method="exact" if use else "asymptotic")
    return float(found.statistic), float(found.pvalue), use


__all__ = ["RankCorrelationResults", "rank_correlation", "rank_correlation_arrays"]
