"""What the methods that pool counts directly return."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evidence.errors import ModelError, UsageError
from evidence.synthesis.least_squares import Array


@dataclass(frozen=True)
class ChiSquare:
    """A χ² test.

    Attributes
    ----------
    statistic, df, pvalue : float
        NaN, all or some, where the test does not apply.
    """

    statistic: float
    df: float
    pvalue: float

    @classmethod
    def of(cls, statistic: float, df: float) -> ChiSquare:
        """Make the test from its statistic; the p value is NaN without degrees of freedom."""
        from scipy.special import chdtrc

        return cls(statistic, df, float(chdtrc(df, statistic)) if df > 0 else math.nan)


@dataclass(frozen=True, eq=False)
class PooledCounts:
    """A common effect pooled from counts.

    Attributes
    ----------
    measure : str
        Effect measure; ratios are on the log scale.
    estimate, se : float
        Pooled effect and its standard error.
    k : int
        Studies given.
    k_informative : int
        Studies that have both events and people without; the others say nothing of an odds ratio.
    k_effects : int
        Studies whose own effect enters Q.
    heterogeneity : ChiSquare
        Cochran's Q of the studies' own effects about the pooled one.
    association : ChiSquare or None
        Test of no effect from the margins (Cochran-Mantel-Haenszel).
    breslow_day, tarone : ChiSquare or None
        Tests of a common odds ratio.
    """

    measure: str
    estimate: float
    se: float
    k: int
    k_informative: int
    k_effects: int
    heterogeneity: ChiSquare
    association: ChiSquare | None = None
    breslow_day: ChiSquare | None = None
    tarone: ChiSquare | None = None

    @property
    def params(self) -> pd.Series:
        """The pooled effect."""
        return pd.Series({self.measure: self.estimate})

    @property
    def bse(self) -> pd.Series:
        """Its standard error."""
        return pd.Series({self.measure: self.se})

    @property
    def statistic(self) -> pd.Series:
        """Effect over standard error."""
        return self.params / self.bse

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p value of the normal test."""
        from scipy.special import ndtr

        return pd.Series({self.measure: 2 * float(ndtr(-abs(self.estimate / self.se)))})

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Normal confidence interval; columns ``lower``, ``upper``."""
        from scipy.special import ndtri

        if not 0 < alpha < 1:
            raise UsageError(f"alpha is between 0 and 1, not {alpha!r}")
        reach = float(ndtri(1 - alpha / 2)) * self.se
        ends = {"lower": self.estimate - reach, "upper": self.estimate + reach}
        return pd.DataFrame(ends, index=[self.measure])

    @property
    def H2(self) -> float:
        """Q over its degrees of freedom; NaN without any."""
        test = self.heterogeneity
        return test.statistic / test.df if test.df > 0 else math.nan

    @property
    def I2(self) -> float:
        """Percent of Q beyond its degrees of freedom; NaN without any."""
        return max(0.0, 100 * (1 - 1 / self.H2)) if self.H2 != 0 else 0.0

    def to_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """One row: estimate, se, statistic, pvalue, ci_lower, ci_upper."""
        frame = pd.DataFrame({
            "estimate": self.params, "se": self.bse, "statistic": self.statistic,
            "pvalue": self.pvalues,
        })  # fmt: skip
        return frame.join(self.conf_int(alpha).add_prefix("ci_"))

    def to_dict(self) -> dict[str, Any]:
        """All results as plain numbers."""
        row = {str(name): float(value) for name, value in self.to_frame().iloc[0].items()}
        return {
            "measure": self.measure, "k": self.k, "I2": self.I2, "H2": self.H2,
            "Q": self.heterogeneity.statistic, "Q_df": self.heterogeneity.df,
            "Q_pvalue": self.heterogeneity.pvalue, **row,
        }  # fmt: skip

    def _repr_html_(self) -> str:
        return self.to_frame().to_html(border=0)


def counts(**columns: Any) -> dict[str, Array]:
    """Check columns of counts or person-time and return them as arrays of one length.

    Raises
    ------
    UsageError
        If they are not of one length.
    ModelError
        If there are none, or a number is missing or below zero; the row is named.
    """
    arrays = {name: np.asarray(values, dtype=float) for name, values in columns.items()}
    if len({array.shape for array in arrays.values()}) > 1 or next(iter(arrays.values())).ndim != 1:
        raise UsageError(f"{', '.join(arrays)} are lists of one length")
    if not len(next(iter(arrays.values()))):
        raise ModelError("there are no studies to pool")
    for name, array in arrays.items():
        wrong = ~(np.isfinite(array) & (array >= 0))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ModelError(f"row {row}: {name} is {array[row]:g}; counts are zero or above")
    return arrays


def spread_about(estimate: float, yi: Array, vi: Array) -> tuple[ChiSquare, int]:
    """Cochran's Q of effects about a pooled one, and how many effects there are."""
    known = np.isfinite(yi) & np.isfinite(vi) & (vi > 0)
    k = int(known.sum())
    Q = float(((yi[known] - estimate) ** 2 / vi[known]).sum())
    return ChiSquare.of(Q, k - 1), k


__all__ = ["ChiSquare", "PooledCounts", "counts", "spread_about"]
