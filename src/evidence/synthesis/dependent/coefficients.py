"""Tests and intervals of the coefficients of a model, from their estimates and covariance."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import UsageError
from evidence.synthesis.least_squares import Array
from evidence.synthesis.results import WaldTest


class Coefficients:
    """Inference on coefficients, for results to inherit.

    Attributes
    ----------
    names : tuple of str
        Names of the coefficients.
    exog : ndarray, shape (k, p)
        Model matrix.
    test : {"z", "t"}
        Normal, or t with k - p degrees of freedom.
    beta, cov : ndarray, shapes (p,) and (p, p)
        Coefficients and their covariance.
    """

    names: tuple[str, ...]
    exog: Array
    test: str
    beta: Array
    cov: Array

    @property
    def k(self) -> int:
        """Number of effects."""
        return self.exog.shape[0]

    @property
    def p(self) -> int:
        """Number of coefficients."""
        return self.exog.shape[1]

    @property
    def df_resid(self) -> float:
        """Degrees of freedom of tests and intervals: k - p, or infinite with the normal test."""
        return math.inf if self.test == "z" else float(self.k - self.p)

    @cached_property
    def _se(self) -> Array:
        return np.sqrt(np.diag(self.cov))

    def _series(self, values: Array) -> pd.Series:
        return pd.Series(values, index=list(self.names))

    @property
    def params(self) -> pd.Series:
        """Coefficients."""
        return self._series(self.beta)

    @property
    def bse(self) -> pd.Series:
        """Standard errors of the coefficients."""
        return self._series(self._se)

    @property
    def statistic(self) -> pd.Series:
        """Coefficients over their standard errors."""
        return self._series(self.beta / self._se)

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p values of the coefficients."""
        from scipy.special import ndtr, stdtr

        size = -np.abs(self.beta / self._se)
        tail = ndtr(size) if self.test == "z" else stdtr(self.df_resid, size)
        return self._series(np.asarray(2 * tail, dtype=float))

    def cov_params(self) -> pd.DataFrame:
        """Covariance of the coefficients."""
        return pd.DataFrame(self.cov, index=list(self.names), columns=list(self.names))

    def quantile(self, alpha: float) -> float:
        """Quantile of the normal or t distribution by which an interval stretches to each side."""
        from scipy.special import ndtri, stdtrit

        if not 0 < alpha < 1:
            raise UsageError(f"alpha is between 0 and 1, not {alpha!r}")
        p = 1 - alpha / 2
        return float(ndtri(p) if self.test == "z" else stdtrit(self.df_resid, p))

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Confidence intervals of the coefficients.

        Parameters
        ----------
        alpha : float
            One minus the level.

        Returns
        -------
        pandas.DataFrame
            One row per coefficient; columns ``lower``, ``upper``.
        """
        reach = self.quantile(alpha) * self._se
        return pd.DataFrame(
            {"lower": self.beta - reach, "upper": self.beta + reach}, index=list(self.names)
        )

    def to_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """One row per coefficient: estimate, se, statistic, pvalue, ci_lower, ci_upper."""
        frame = pd.DataFrame({
            "estimate": self.params, "se": self.bse, "statistic": self.statistic,
            "pvalue": self.pvalues,
        })  # fmt: skip
        return frame.join(self.conf_int(alpha).add_prefix("ci_"))

    @property
    def _intercept(self) -> int | None:
        constant = np.flatnonzero((self.exog == 1).all(axis=0))
        return int(constant[0]) if len(constant) else None

    @cached_property
    def _omnibus(self) -> WaldTest | None:
        tested = [i for i in range(self.p) if i != self._intercept]
        return self.wald_test(tested) if tested else None

    @property
    def QM(self) -> float:
        """Joint test of all coefficients but the intercept (of all where there is none).

        χ² with the normal test, else F with (``QM_df``, ``df_resid``) degrees of freedom; NaN
        without moderators.
        """
        return self._omnibus.statistic if self._omnibus else math.nan

    @property
    def QM_df(self) -> int:
        """Number of coefficients that QM tests."""
        return int(self._omnibus.df[0]) if self._omnibus else 0

    @property
    def QM_pvalue(self) -> float:
        """P value of QM; NaN without moderators."""
        return self._omnibus.pvalue if self._omnibus else math.nan

    def wald_test(self, coefficients: ArrayLike) -> WaldTest:
        """Test that coefficients, or linear combinations of them, are all zero.

        Parameters
        ----------
        coefficients : list of int or array_like, shape (m, p)
            Positions of coefficients, the first being 0, or one combination in each row.

        Returns
        -------
        WaldTest
            χ² with m degrees of freedom, or F with m and k - p.
        """
        from scipy.special import chdtrc, fdtrc

        given = np.asarray(coefficients)
        L = np.eye(self.p)[given] if given.ndim == 1 else given.astype(float)
        if L.ndim != 2 or L.shape[1] != self.p:
            raise UsageError(f"a combination has one number for each of {self.p} coefficients")
        m = L.shape[0]
        if m == 0 or np.linalg.matrix_rank(L) < m:
            raise UsageError("the combinations depend on each other")
        estimate = L @ self.beta
        size = float(estimate @ np.linalg.solve(L @ self.cov @ L.T, estimate))
        if self.test == "z":
            return WaldTest(size, (float(m),), float(chdtrc(m, size)))
        df = (float(m), self.df_resid)
        return WaldTest(size / m, df, float(fdtrc(m, self.df_resid, size / m)))
