"""Results of a generalised linear mixed model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import UsageError
from evidence.synthesis.least_squares import Array
from evidence.synthesis.pooled_counts import ChiSquare

NAMES = {
    "OR": "log odds ratio",
    "IRR": "log rate ratio",
    "PLO": "log odds",
    "IRLN": "log rate",
}
"""Measures in words."""

MODEL_NAMES = {
    "UM.FS": "unconditional model with fixed study effects",
    "UM.RS": "unconditional model with random study effects",
    "CM.EL": "conditional model with exact likelihood",
    "CM.AL": "conditional model with approximate likelihood",
    "": "model for one group",
}
"""Models in words."""


@dataclass(frozen=True, eq=False)
class GlmmResults:
    """A fitted generalised linear mixed model.

    Attributes
    ----------
    measure, model_name : str
        Effect measure, on the log scale, and model; no name where there is one group.
    names : tuple of str
        Names of the coefficients.
    exog : ndarray, shape (k, p)
        Model matrix of the effects.
    beta, cov : ndarray, shapes (p,) and (p, p)
        Coefficients and their covariance, from the observed information of all parameters.
    tau2, tau2_se : float
        Variance of the effects between studies, and its standard error; NaN at zero.
    sigma2, rho : float
        Variance of random baselines, and their correlation with the effects; NaN in other models.
    typical : float
        Sampling variance of a typical study by the usual formula, a half added to zeros.
    wald, likelihood_ratio : ChiSquare
        Tests of heterogeneity: the model with one effect for each study against equal effects.
    llf : float
        Maximised log-likelihood, constants included.
    conditional_llf : float
        Log-likelihood of the counts with the random effects at their modes; the same where there
        are none. It tells how well the studies are fitted, not how good the model is.
    n_params : int
        Number of parameters, baselines included.
    k_given : int
        Studies given; those that say nothing are not in the model.
    points : int
        Points of the quadrature.
    method, test : str
        ``ML`` or ``EE``; ``z`` or ``t``.
    warnings : tuple of str
        What a reader must know of the fit, in words.
    """

    measure: str
    model_name: str
    names: tuple[str, ...]
    exog: Array
    beta: Array
    cov: Array
    tau2: float
    tau2_se: float
    sigma2: float
    rho: float
    typical: float
    wald: ChiSquare
    likelihood_ratio: ChiSquare
    llf: float
    conditional_llf: float
    n_params: int
    k_given: int
    points: int
    method: str
    test: str
    warnings: tuple[str, ...]

    @property
    def model(self) -> str:
        """The model in words."""
        return MODEL_NAMES[self.model_name]

    @property
    def k(self) -> int:
        """Number of studies in the model."""
        return len(self.exog)

    @property
    def p(self) -> int:
        """Number of coefficients."""
        return len(self.beta)

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
        return pd.DataFrame(self.cov, index=self.names, columns=self.names)

    def quantile(self, alpha: float) -> float:
        """Quantile of the normal or t distribution by which an interval stretches to each side."""
        from scipy.special import ndtri, stdtrit

        if not 0 < alpha < 1:
            raise UsageError(f"alpha is between 0 and 1, not {alpha!r}")
        p = 1 - alpha / 2
        return float(ndtri(p) if self.test == "z" else stdtrit(self.df_resid, p))

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Confidence intervals of the coefficients; columns ``lower``, ``upper``."""
        reach = self.quantile(alpha) * self._se
        return pd.DataFrame(
            {"lower": self.beta - reach, "upper": self.beta + reach}, index=list(self.names)
        )

    @property
    def Q(self) -> float:
        """Wald statistic of the heterogeneity; :attr:`likelihood_ratio` is the other one."""
        return self.wald.statistic

    @property
    def Q_df(self) -> int:
        """Degrees of freedom of both tests of heterogeneity."""
        return int(self.wald.df)

    @property
    def Q_pvalue(self) -> float:
        """P value of :attr:`Q`."""
        return self.wald.pvalue

    @property
    def I2(self) -> float:
        """Percent of the variation of effects that is between studies.

        References
        ----------
        Higgins JPT, Thompson SG (2002). Quantifying heterogeneity in a meta-analysis. Statistics
        in Medicine 21, 1539-1558.
        """
        return 100 * self.tau2 / (self.tau2 + self.typical)

    @property
    def H2(self) -> float:
        """Total over sampling variance."""
        return 1 + self.tau2 / self.typical

    @property
    def aic(self) -> float:
        """Akaike's information criterion."""
        return 2 * self.n_params - 2 * self.llf

    def predict(
        self,
        exog: ArrayLike | None = None,
        alpha: float = 0.05,
        prob: float | None = None,
    ) -> pd.DataFrame:
        """Mean effect and effect in a new study, on the log scale.

        Parameters
        ----------
        exog : array_like, shape (n, p), optional
            Rows of a model matrix. By default the mean effect, or every row where there are
            moderators.
        alpha : float
            One minus the level of the intervals.
        prob : float, optional
            A value; adds the column ``prob``: probability that the effect in a new study exceeds
            it.

        Returns
        -------
        pandas.DataFrame
            ``mean``, ``mean_se``, ``mean_ci_lower``, ``mean_ci_upper``, ``pi_lower``, ``pi_upper``
            (NaN for equal effects) and perhaps ``prob``.
        """
        from scipy.special import ndtr, stdtr

        if exog is None:
            rows = np.ones((1, 1)) if self.p == 1 and (self.exog == 1).all() else self.exog
        else:
            rows = np.atleast_2d(np.asarray(exog, dtype=float))
        if rows.ndim != 2 or rows.shape[1] != self.p:
            raise UsageError(f"exog has {self.p} columns ({', '.join(self.names)})")
        mean = rows @ self.beta
        se = np.sqrt(np.einsum("ij,jk,ik->i", rows, self.cov, rows))
        reach = self.quantile(alpha)
        sd = np.sqrt(se**2 + self.tau2) if self.method == "ML" else np.full_like(se, np.nan)
        columns = {
            "mean": mean,
            "mean_se": se,
            "mean_ci_lower": mean - reach * se,
            "mean_ci_upper": mean + reach * se,
            "pi_lower": mean - reach * sd,
            "pi_upper": mean + reach * sd,
        }
        if prob is not None:
            at = (mean - prob) / sd
            columns["prob"] = ndtr(at) if self.test == "z" else stdtr(self.df_resid, at)
        return pd.DataFrame(columns)

    def to_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """One row per coefficient: estimate, se, statistic, pvalue, ci_lower, ci_upper."""
        frame = pd.DataFrame({
            "estimate": self.params, "se": self.bse, "statistic": self.statistic,
            "pvalue": self.pvalues,
        })  # fmt: skip
        return frame.join(self.conf_int(alpha).add_prefix("ci_"))

    def to_dict(self) -> dict[str, Any]:
        """All results as plain numbers and text."""
        names = (
            "measure", "model", "method", "test", "k", "k_given", "points", "df_resid", "tau2",
            "tau2_se", "sigma2", "rho", "I2", "H2", "llf", "aic",
        )  # fmt: skip
        tests = {"wald": self.wald, "likelihood_ratio": self.likelihood_ratio}
        return {
            "params": self.to_frame().to_dict("index"),
            **{name: getattr(self, name) for name in names},
            **{f"Q_{name}": test.statistic for name, test in tests.items()},
            **{f"Q_{name}_pvalue": test.pvalue for name, test in tests.items()},
            "Q_df": self.Q_df,
            "warnings": list(self.warnings),
        }

    def summary(self, alpha: float = 0.05) -> str:
        """What a paper needs, as text."""
        parts = [self.report(), "", self.to_frame(alpha).to_string(float_format="{:.4f}".format)]
        for name, test in (("Wald", self.wald), ("likelihood ratio", self.likelihood_ratio)):
            parts.append(
                f"Heterogeneity, {name} test: χ²({test.df:g}) = {test.statistic:.3f}, "
                f"p = {test.pvalue:.4f}"
            )
        if self.method == "ML":
            se = f" (SE {self.tau2_se:.4f})" if self.tau2 > 0 else ""
            parts.append(f"τ² = {self.tau2:.4f}{se}, I² = {self.I2:.1f} %")
            row = self.predict(self.exog[:1], alpha).iloc[0]
            if self.p == 1:
                level = f"{100 * (1 - alpha):g} %"
                parts.append(
                    f"{level} prediction interval: {row['pi_lower']:.4f} to {row['pi_upper']:.4f}"
                )
        if not math.isnan(self.sigma2):
            parts.append(f"Variance of baselines: {self.sigma2:.4f}")
        if not math.isnan(self.rho):
            parts.append(f"Correlation of baselines and effects: {self.rho:.3f}")
        return "\n".join(parts + [f"Note: {warning}." for warning in self.warnings])

    def report(self) -> str:
        """The sentence that a methods section needs."""
        what = "mixed model" if self.method == "ML" else "model with equal effects"
        how = (
            "Laplace's approximation" if self.points == 1
            else f"adaptive quadrature with {self.points} points"
        )  # fmt: skip
        by = f", by {how}" if self.method == "ML" else ""
        studies = f"{self.k} stud{'y' if self.k == 1 else 'ies'}"
        test = "normal" if self.test == "z" else "t"
        return (
            f"A generalised linear {what} was fitted by maximum likelihood{by} "
            f"({self.model}; {NAMES[self.measure]}; {studies}); tests and intervals are {test}."
        )

    def __repr__(self) -> str:
        values = ", ".join(f"{n}={b:.4g}" for n, b in zip(self.names, self.beta, strict=True))
        return (
            f"<GlmmResults {self.measure} {self.model_name}, k={self.k}: {values}, "
            f"tau2={self.tau2:.4g}>"
        )

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(self.report())}</p>{self.to_frame().to_html(border=0)}"
