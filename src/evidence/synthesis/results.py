"""What a fitted meta-analysis knows about itself, with the names that statsmodels uses."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from evidence.errors import UsageError
from evidence.synthesis.heterogeneity import (
    heterogeneity_frame,
    tau2_interval,
    typical_variance,
)
from evidence.synthesis.likelihood import log_likelihood

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MetaResults:
    """A fitted common-effect, random-effects or meta-regression model.

    Attributes
    ----------
    params, bse, statistic, pvalues : pandas.Series, shape (p,)
        Coefficients, their standard errors, z or t values and two-sided p values.
    df_resid : float
        Degrees of freedom of the t tests; infinite for normal ones.
    tau2, tau2_se : float
        Between-study variance and its standard error; NaN with a common effect.
    Q, Q_df, Q_pvalue : float
        Cochran's test of (residual) heterogeneity.
    I2, H2 : float
        Percent of the variance that is heterogeneity, and the ratio of total to sampling variance.
    QM, QM_df, QM_pvalue : float
        Omnibus test of the moderators (of all coefficients where there is no intercept): χ², or F
        with (QM_df, df_resid) degrees of freedom; NaN without moderators.
    R2 : float
        Percent of τ² that the moderators explain; NaN without moderators.
    k, n_studies : int
        Effects, and independent studies behind them.
    method, test : str
        As asked for.
    model : {"common effect", "random effects", "meta-regression"}
        What was fitted.
    warnings : tuple of str
        What a reader must know of the fit.
    yi, vi : ndarray, shape (k,)
        Effects and sampling variances.
    exog : ndarray, shape (k, p)
        Design.
    """

    params: pd.Series[float]
    bse: pd.Series[float]
    statistic: pd.Series[float]
    pvalues: pd.Series[float]
    df_resid: float
    tau2: float
    tau2_se: float
    Q: float
    Q_df: int
    Q_pvalue: float
    I2: float
    H2: float
    QM: float
    QM_df: int
    QM_pvalue: float
    R2: float
    k: int
    n_studies: int
    method: str
    test: str
    model: Literal["common effect", "random effects", "meta-regression"]
    warnings: tuple[str, ...]
    yi: Array
    vi: Array
    exog: Array
    fit_weights: Array
    _cov: Array

    @property
    def sigma2(self) -> pd.Series[float]:
        """Variance components by name; here τ² alone."""
        return pd.Series({"tau2": self.tau2})

    def cov_params(self) -> pd.DataFrame:
        """Covariance matrix of the coefficients."""
        return pd.DataFrame(self._cov, index=self.params.index, columns=self.params.index)

    def _quantile(self, alpha: float) -> float:
        from scipy.special import ndtri, stdtrit

        if not 0 < alpha < 1:
            raise UsageError(f"alpha lies between 0 and 1, not at {alpha!r}")
        if math.isinf(self.df_resid):
            return float(ndtri(1 - alpha / 2))
        return float(stdtrit(self.df_resid, 1 - alpha / 2))

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Confidence intervals of the coefficients.

        Parameters
        ----------
        alpha : float
            One minus the level.

        Returns
        -------
        pandas.DataFrame
            Columns ``lower``, ``upper``.
        """
        half = self._quantile(alpha) * self.bse
        return pd.DataFrame({"lower": self.params - half, "upper": self.params + half})

    def heterogeneity(
        self, alpha: float = 0.05, *, kind: Literal["QP", "PL"] = "QP", upper: float = math.inf
    ) -> pd.DataFrame:
        """τ², τ, I² and H² with confidence intervals.

        Parameters
        ----------
        alpha : float
            One minus the level.
        kind : {"QP", "PL"}
            Q-profile, or profile likelihood (with ML and REML).
        upper : float
            Where the search for the upper limit of τ² ends.

        Returns
        -------
        pandas.DataFrame
            Rows ``tau2``, ``tau``, ``I2``, ``H2``; columns ``estimate``, ``lower``, ``upper``.

        Raises
        ------
        UsageError
            For a common-effect model.
        """
        if self.method == "EE":
            raise UsageError("a common-effect model has no heterogeneity: use method='REML'")
        limits = tau2_interval(
            self.yi, self.vi, self.exog, tau2=self.tau2, method=self.method, kind=kind,
            alpha=alpha, upper=upper,
        )  # fmt: skip
        return heterogeneity_frame(self.tau2, limits, typical_variance(self.vi, self.exog))

    def predict(
        self, exog: ArrayLike | None = None, alpha: float = 0.05, prob: float | None = None
    ) -> pd.DataFrame:
        """Mean effect with its confidence interval, and the interval for a new study's effect.

        Parameters
        ----------
        exog : array_like, shape (m, p), optional
            Rows of the design; by default the mean of a model without moderators, else every
            study's own row.
        alpha : float
            One minus the level.
        prob : float, optional
            A value; adds the column ``prob``: probability that a new study's true effect exceeds
            it.

        Returns
        -------
        pandas.DataFrame
            mean, mean_se, mean_ci_lower, mean_ci_upper, pi_lower, pi_upper (NaN with a common
            effect) and perhaps prob.
        """
        from scipy.special import ndtr, stdtr

        if exog is None:
            rows = np.ones((1, 1)) if self.exog.shape[1] == 1 and self._constant else self.exog
        else:
            rows = np.atleast_2d(np.asarray(exog, dtype=float))
        if rows.shape[1] != len(self.params):
            raise UsageError(f"a row of the design has {len(self.params)} columns")
        mean = rows @ self.params.to_numpy()
        se = np.sqrt(np.einsum("ij,jk,ik->i", rows, self._cov, rows))
        q = self._quantile(alpha)
        spread = np.sqrt(se**2 + self.tau2) if self.method != "EE" else np.full(len(se), np.nan)
        frame = pd.DataFrame({
            "mean": mean, "mean_se": se, "mean_ci_lower": mean - q * se,
            "mean_ci_upper": mean + q * se, "pi_lower": mean - q * spread,
            "pi_upper": mean + q * spread,
        })  # fmt: skip
        if prob is not None:
            z = (mean - prob) / spread
            frame["prob"] = ndtr(z) if math.isinf(self.df_resid) else stdtr(self.df_resid, z)
        return frame

    @cached_property
    def _constant(self) -> bool:
        return bool((self.exog == 1).all())

    @property
    def fittedvalues(self) -> Array:
        """Fitted means of the studies, shape (k,)."""
        return self.exog @ self.params.to_numpy()

    @property
    def weights(self) -> Array:
        """Share of each study in the estimate in percent, shape (k,)."""
        return 100 * self.fit_weights / self.fit_weights.sum()

    @property
    def llf(self) -> float:
        """Log-likelihood: restricted for REML, else the full one."""
        return log_likelihood(
            self.yi, self.vi, self.exog, self.tau2, restricted=self.method == "REML"
        )

    def summary(self) -> str:
        """The fit as a table of text."""
        lines = [self.report(), "", self.to_frame().to_string(float_format=lambda x: f"{x:.4f}")]
        return "\n".join([*lines, *(f"Note: {text}." for text in self.warnings)])

    def report(self) -> str:
        """The fit in a sentence or two."""
        how = {"EE": "a common effect"}.get(self.method, f"τ² by {self.method}")
        text = f"{self.model.capitalize()} of {self.k} effects, {how}, test {self.test}."
        if self.method != "EE":
            text += f" τ² = {self.tau2:.4g}, I² = {self.I2:.1f} %."
        return text + f" Q({self.Q_df}) = {self.Q:.2f}, p = {self.Q_pvalue:.3g}."

    def to_frame(self) -> pd.DataFrame:
        """One row per coefficient: estimate, standard error, test and 95 % interval."""
        limits = self.conf_int()
        return pd.DataFrame({
            "estimate": self.params, "se": self.bse, "statistic": self.statistic,
            "pvalue": self.pvalues, "ci_lower": limits["lower"], "ci_upper": limits["upper"],
        })  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """The fit as plain numbers and text."""
        numbers = {
            name: getattr(self, name)
            for name in ("df_resid", "tau2", "tau2_se", "Q", "Q_df", "Q_pvalue", "I2", "H2", "QM",
                         "QM_df", "QM_pvalue", "R2", "k", "n_studies", "method", "test", "model")
        }  # fmt: skip
        return {
            "params": self.to_frame().to_dict("index"), **numbers, "warnings": list(self.warnings)
        }  # fmt: skip

    def _repr_html_(self) -> str:
        import html

        return f"<p>{html.escape(self.report())}</p>{self.to_frame().to_html(border=0)}"

    def __str__(self) -> str:
        return self.summary()
