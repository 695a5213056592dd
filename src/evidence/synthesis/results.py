"""Results of a univariate meta-analysis or meta-regression."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import ModelError, UsageError
from evidence.synthesis.formula import Design
from evidence.synthesis.heterogeneity import (
    Interval,
    profile_likelihood,
    q_profile,
    typical_variance,
)
from evidence.synthesis.least_squares import Array, LeastSquares
from evidence.synthesis.tau2.likelihood import log_likelihood

METHODS = {
    "EE": "common effect",
    "DL": "DerSimonian-Laird",
    "HE": "Hedges",
    "HS": "Hunter-Schmidt",
    "HSk": "Hunter-Schmidt with the correction for few studies",
    "SJ": "Sidik-Jonkman",
    "ML": "maximum likelihood",
    "REML": "restricted maximum likelihood",
    "EB": "empirical Bayes",
    "PM": "Paule-Mandel",
    "PMM": "median-unbiased Paule-Mandel",
    "GENQ": "generalised Q",
}
"""Models by name: the common effect, and random effects by the estimator of τ²."""

TESTS = {
    "z": "normal",
    "t": "t",
    "knha": "Knapp-Hartung",
}
"""Tests and intervals of the coefficients by name."""


@dataclass(frozen=True, eq=False)
class MetaResults:
    """A fitted meta-analysis.

    Attributes
    ----------
    yi, vi : ndarray, shape (k,)
        Effects and sampling variances.
    exog : ndarray, shape (k, p)
        Model matrix.
    names : tuple of str
        Names of its columns.
    fit_weights : ndarray, shape (k,)
        Weights in the estimate.
    own_weights : bool
        Whether the caller chose the weights rather than 1/(vi + τ²).
    tau2, tau2_se : float
        Variance between studies and its standard error; NaN where nothing was estimated or given.
    tau2_fixed : bool
        Whether τ² was given rather than estimated.
    scale : float
        Factor by which the Knapp-Hartung test multiplies the covariance; 1 with the other tests.
    method, test : str
        See :data:`METHODS` and :data:`TESTS`.
    floor : bool
        Whether the Knapp-Hartung factor may not fall below one.
    n_studies : int
        Number of independent studies; the number of effects if nothing else was said.
    warnings : tuple of str
        What a reader must know of the fit, in words.
    basis : tuple of ndarray, shapes (k, p) and (p, p)
        Orthonormal columns and the triangle that make the model matrix, X = QR.
    design : Design, optional
        The formula, if there was one.
    """

    yi: Array
    vi: Array
    exog: Array
    names: tuple[str, ...]
    fit_weights: Array
    own_weights: bool
    tau2: float
    tau2_se: float
    tau2_fixed: bool
    scale: float
    method: str
    test: str
    floor: bool
    n_studies: int
    warnings: tuple[str, ...]
    basis: tuple[Array, Array]
    design: Design | None = None

    # Estimates are found in an orthonormal basis X = QR of the model matrix, where years or sums
    # of money do no harm to the inverse, and carried back.
    @cached_property
    def _fit(self) -> LeastSquares:
        return LeastSquares(self.yi, self.fit_weights, self.basis[0])

    @property
    def k(self) -> int:
        """Number of effects."""
        return len(self.yi)

    @property
    def p(self) -> int:
        """Number of coefficients."""
        return self.exog.shape[1]

    @property
    def model(self) -> str:
        """What was fitted: ``common effect``, ``random effects`` or ``meta-regression``."""
        if self.p > 1 or self._intercept is None:
            return "meta-regression"
        return "random effects" if self._random else "common effect"

    @property
    def _random(self) -> bool:
        return self.method != "EE"

    @property
    def df_resid(self) -> float:
        """Degrees of freedom of tests and intervals: k - p, or infinite with the normal test."""
        return math.inf if self.test == "z" else float(self.k - self.p)

    @property
    def sigma2(self) -> pd.Series:
        """Variance components by name; here τ² alone."""
        return pd.Series({"tau2": self.tau2})

    @cached_property
    def beta(self) -> Array:
        """Coefficients, shape (p,)."""
        return np.asarray(np.linalg.solve(self.basis[1], self._fit.beta), dtype=float)

    @cached_property
    def _cov(self) -> Array:
        cov = self._fit.sandwich(self.vi + self.tau2) if self.own_weights else self._fit.cov
        back = np.linalg.inv(self.basis[1])
        return self.scale * (back @ cov @ back.T)

    @cached_property
    def _se(self) -> Array:
        return np.sqrt(np.diag(self._cov))

    def cov_params(self) -> pd.DataFrame:
        """Covariance of the coefficients."""
        return pd.DataFrame(self._cov, index=self.names, columns=self.names)

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

    @cached_property
    def _common(self) -> LeastSquares:
        return LeastSquares(self.yi, 1 / self.vi, self.basis[0])

    @property
    def Q(self) -> float:
        """Cochran's Q of the residual heterogeneity."""
        return self._common.ypy

    @property
    def Q_df(self) -> int:
        """Degrees of freedom of Q."""
        return self._common.df

    @property
    def Q_pvalue(self) -> float:
        """P value of Q; NaN without degrees of freedom."""
        from scipy.special import chdtrc

        return float(chdtrc(self.Q_df, self.Q)) if self.Q_df > 0 else math.nan

    @cached_property
    def _typical(self) -> float:
        return typical_variance(self.vi, self.basis[0])

    @property
    def I2(self) -> float:
        """Percent of the variation of effects that is between studies; from Q for common effects.

        NaN without degrees of freedom.

        References
        ----------
        Higgins JPT, Thompson SG (2002). Quantifying heterogeneity in a meta-analysis. Statistics
        in Medicine 21, 1539-1558.
        """
        if self.method == "EE":
            return max(0.0, 100 * (1 - 1 / self.H2)) if self.Q > 0 else 0.0 * self._typical
        return 100 * self.tau2 / (self.tau2 + self._typical)

    @property
    def H2(self) -> float:
        """Total over sampling variance; NaN without degrees of freedom."""
        if self.method == "EE":
            return self.Q / self.Q_df if self.Q_df > 0 else math.nan
        return self.tau2 / self._typical + 1

    @cached_property
    def _null(self) -> MetaResults | None:
        """The model without moderators; None if this is one or has no intercept."""
        from evidence.synthesis.meta import meta

        if self.p == 1 or self._intercept is None:
            return None
        weights = self.fit_weights if self.method == "GENQ" else None
        return meta(self.yi, self.vi, method=self.method, test="z", weights=weights)

    @property
    def _intercept(self) -> int | None:
        constant = np.flatnonzero((self.exog == 1).all(axis=0))
        return int(constant[0]) if len(constant) else None

    @property
    def R2(self) -> float:
        """Percent of the heterogeneity that the moderators account for; NaN without moderators.

        From τ², or from H² where the effect is common; 0 where there is nothing to explain, NaN
        where τ² was given.

        References
        ----------
        Raudenbush SW (2009). Analyzing effect sizes: random-effects models. In: The Handbook of
        Research Synthesis and Meta-Analysis, second edition, 295-315.
        """
        if self._null is None or self.tau2_fixed:
            return math.nan
        total, left = (
            (self._null.H2, self.H2) if self.method == "EE" else (self._null.tau2, self.tau2)
        )
        return max(0.0, 100 * (total - left) / total) if total > 0 else 0.0

    @property
    def tested(self) -> list[int]:
        """Positions of all coefficients but the intercept."""
        return [i for i in range(self.p) if i != self._intercept]

    @cached_property
    def _omnibus(self) -> WaldTest | None:
        return self.wald_test(self.tested) if self.tested else None

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

    def wald_test(self, coefficients: list[int] | Array) -> WaldTest:
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
        if L.shape[1] != self.p:
            raise UsageError(f"a combination has one number for each of {self.p} coefficients")
        value = L @ self.beta
        statistic = float(value @ np.linalg.solve(L @ self._cov @ L.T, value))
        m = len(L)
        if self.test == "z":
            return WaldTest(statistic, (float(m),), float(chdtrc(m, statistic)))
        df = (float(m), self.df_resid)
        return WaldTest(statistic / m, df, float(fdtrc(*df, statistic / m)))

    @property
    def fittedvalues(self) -> Array:
        """Fitted values, shape (k,)."""
        return self.exog @ self.beta

    @property
    def resid(self) -> Array:
        """Residuals, shape (k,)."""
        return self.yi - self.fittedvalues

    @property
    def weights(self) -> Array:
        """Weights in the estimate, summing to 100; shape (k,)."""
        return 100 * self.fit_weights / self.fit_weights.sum()

    def residuals(self, kind: Literal["standardized", "deleted"] = "standardized") -> pd.DataFrame:
        """Residuals with their standard errors.

        Parameters
        ----------
        kind : str
            ``standardized`` (internally) or ``deleted``: from the model fitted without the study.

        Returns
        -------
        pandas.DataFrame
            One row per effect: ``resid``, ``se``, ``z``; NaN where a model cannot be fitted
            without the study.

        Raises
        ------
        UsageError
            If there is no such kind, or with weights of one's own.

        References
        ----------
        Viechtbauer W, Cheung MWL (2010). Outlier and influence diagnostics for meta-analysis.
        Research Synthesis Methods 1, 112-125.
        """
        if kind == "standardized":
            # With H the hat matrix and M the variance, Var((I - H)y) = (I - H)M(I - H)'.
            Q = self.basis[0]
            total = self.vi + self.tau2
            cov = self._fit.sandwich(total)
            hat = np.einsum("ij,jk,ik->i", Q, self._fit.cov, Q) * self.fit_weights
            spread = np.einsum("ij,jk,ik->i", Q, cov, Q)
            se = np.sqrt(total * (1 - 2 * hat) + spread)
            resid = self.resid
        elif kind == "deleted":
            resid, se = self._deleted()
        else:
            raise UsageError(f"kind is standardized or deleted, not {kind!r}")
        return pd.DataFrame({"resid": resid, "se": se, "z": resid / se})

    def _deleted(self) -> tuple[Array, Array]:
        from evidence.synthesis.meta import fit_arrays

        if self.own_weights:
            raise UsageError("deleted residuals are for inverse-variance weights")
        resid, se = np.full(self.k, np.nan), np.full(self.k, np.nan)
        given = self.tau2 if self.tau2_fixed else None
        for i in range(self.k):
            rest = np.arange(self.k) != i
            X = self.basis[0][rest]
            if np.linalg.matrix_rank(X) < self.p or (self.k - 1 <= self.p and self._random):
                continue
            fit = fit_arrays(
                self.yi[rest], self.vi[rest], X, method=self.method, test=self.test,
                floor=self.floor, tau2=given,
            )  # fmt: skip
            row = self.basis[0][i]
            resid[i] = self.yi[i] - row @ fit.beta
            se[i] = math.sqrt(self.vi[i] + fit.tau2 + row @ fit.cov @ row)
        return resid, se

    @property
    def llf(self) -> float:
        """Log-likelihood of the method: restricted for REML, else the full one."""
        return self.log_likelihood()

    def log_likelihood(self, *, restricted: bool | None = None) -> float:
        """Log-likelihood at the fit, with all constants.

        Parameters
        ----------
        restricted : bool, optional
            The restricted likelihood; by default that of the method, REML's being restricted.
        """
        which = self.method == "REML" if restricted is None else restricted
        return log_likelihood(self.yi, self.vi, self.exog, self.tau2, restricted=which)

    def information_criteria(self, *, restricted: bool | None = None) -> dict[str, float]:
        """Log-likelihood, deviance, AIC, BIC and AICc.

        Parameters
        ----------
        restricted : bool, optional
            As for :meth:`log_likelihood`. With the restricted likelihood the number of
            observations is k - p and the deviance is -2 times the log-likelihood; else it is
            against the model with one parameter per effect.

        References
        ----------
        Hurvich CM, Tsai CL (1989). Regression and time series model selection in small samples.
        Biometrika 76, 297-307.
        """
        which = self.method == "REML" if restricted is None else restricted
        value = self.log_likelihood(restricted=which)
        n = self.k - self.p if which else self.k
        m = self.p + (0 if self.method == "EE" else 1)
        saturated = 0.0 if which else -0.5 * float(np.log(2 * math.pi * self.vi).sum())
        # AICc is not defined for fewer observations than its divisor needs.
        corrected = 2 * m * max(n, m + 2) / (max(n, m + 2) - m - 1)
        return {
            "logLik": value,
            "deviance": -2 * (value - saturated),
            "AIC": -2 * value + 2 * m,
            "BIC": -2 * value + m * math.log(n) if n > 0 else math.nan,
            "AICc": -2 * value + corrected,
        }

    def tau2_interval(
        self,
        alpha: float = 0.05,
        *,
        kind: Literal["QP", "PL"] = "QP",
        upper: float = math.inf,
    ) -> Interval:
        """Confidence interval of τ².

        Parameters
        ----------
        alpha : float
            One minus the level.
        kind : str
            ``QP``, Q-profile, or ``PL``, profile likelihood (for ML and REML).
        upper : float
            End of the search.

        Raises
        ------
        UsageError
            If the kind does not exist or does not suit the method.
        ModelError
            If there are no residual degrees of freedom.
        """
        if self.Q_df == 0:
            raise ModelError("no interval of the heterogeneity: as many coefficients as effects")
        if kind == "QP":
            return q_profile(self.yi, self.vi, self.basis[0], alpha, upper)
        if kind != "PL" or self.method not in ("ML", "REML"):
            raise UsageError("kind is QP, or PL with method ML or REML")
        return profile_likelihood(
            self.yi, self.vi, self.basis[0], self.tau2, alpha, upper,
            restricted=self.method == "REML",
        )  # fmt: skip

    def heterogeneity(
        self, alpha: float = 0.05, *, kind: Literal["QP", "PL"] = "QP", upper: float = math.inf
    ) -> pd.DataFrame:
        """Heterogeneity with confidence intervals.

        Parameters
        ----------
        alpha, kind, upper
            As for :meth:`tau2_interval`.

        Returns
        -------
        pandas.DataFrame
            Rows ``tau2``, ``tau``, ``I2`` (percent), ``H2``; columns ``estimate``, ``lower``,
            ``upper``, ``note``.
        """
        interval = self.tau2_interval(alpha, kind=kind, upper=upper)
        tau2 = np.array([self.tau2, interval.lower, interval.upper])
        s2 = self._typical
        rows = [tau2, np.sqrt(tau2), 100 * tau2 / (tau2 + s2), tau2 / s2 + 1]
        frame = pd.DataFrame(
            np.array(rows),
            index=["tau2", "tau", "I2", "H2"],
            columns=["estimate", "lower", "upper"],
        )
        return frame.assign(note=interval.note)

    def predict(
        self,
        exog: ArrayLike | None = None,
        alpha: float = 0.05,
        prob: float | None = None,
    ) -> pd.DataFrame:
        """Mean effect and effect in a new study.

        Parameters
        ----------
        exog : DataFrame or array_like, shape (n, p), optional
            Rows of a model matrix, or values of the moderators of a formula (see
            :func:`evidence.synthesis.formula.grid`). By default the mean effect, or every row
            where there are moderators.
        alpha : float
            One minus the level of the intervals.
        prob : float, optional
            A value; adds the column ``prob``: probability that the effect in a new study exceeds
            it.

        Returns
        -------
        pandas.DataFrame
            ``mean``, ``mean_se``, ``mean_ci_lower``, ``mean_ci_upper``, ``pi_lower``,
            ``pi_upper`` (NaN for a common effect) and perhaps ``prob``. The predictive
            distribution is normal with the normal test, else t with k - p degrees of freedom.

        References
        ----------
        Higgins JPT, Thompson SG, Spiegelhalter DJ (2009). A re-evaluation of random-effects
        meta-analysis. Journal of the Royal Statistical Society A 172, 137-159.
        """
        from scipy.special import ndtr, stdtr

        if exog is None:
            rows = np.ones((1, 1)) if self.p == 1 and self._intercept == 0 else self.exog
        elif self.design is not None and isinstance(exog, pd.DataFrame):
            rows = self.design.matrix(exog)
        else:
            rows = np.atleast_2d(np.asarray(exog, dtype=float))
        if rows.ndim != 2 or rows.shape[1] != self.p:
            raise UsageError(f"exog has {self.p} columns ({', '.join(self.names)})")
        mean = rows @ self.beta
        se = np.sqrt(np.einsum("ij,jk,ik->i", rows, self._cov, rows))
        reach = self.quantile(alpha)
        sd = np.sqrt(se**2 + self.tau2) if self._random else np.full_like(se, np.nan)
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
            "method", "test", "model", "k", "n_studies", "df_resid", "tau2", "tau2_se", "Q", "Q_df",
            "Q_pvalue", "I2", "H2", "QM", "QM_df", "QM_pvalue", "R2",
        )  # fmt: skip
        return {
            "params": self.to_frame().to_dict("index"),
            **{name: getattr(self, name) for name in names},
            "warnings": list(self.warnings),
        }

    def _test_in_words(self) -> str:
        words = TESTS[self.test]
        return f"{words} with the floor" if self.test == "knha" and self.floor else words

    def summary(self, alpha: float = 0.05) -> str:
        """What a paper needs, as text."""
        level = f"{100 * (1 - alpha):g} %"
        parts = [self.report(), "", self.to_frame(alpha).to_string(float_format="{:.4f}".format)]
        if self._omnibus:
            df = ", ".join(f"{n:g}" for n in self._omnibus.df)
            parts.append(
                f"Moderators: {'χ²' if self.test == 'z' else 'F'}({df}) = {self.QM:.3f}, "
                f"p = {self.QM_pvalue:.4f}"
                + ("" if math.isnan(self.R2) else f"; R² = {self.R2:.1f} %")
            )
        parts.append(f"Q({self.Q_df}) = {self.Q:.3f}, p = {self.Q_pvalue:.4f}")
        if self._random:
            se = "given" if self.tau2_fixed else f"SE {self.tau2_se:.4f}"
            parts.append(f"τ² = {self.tau2:.4f} ({se}), I² = {self.I2:.1f} %")
        if self.model == "random effects":
            row = self.predict(alpha=alpha).iloc[0]
            parts.append(
                f"{level} prediction interval: {row['pi_lower']:.4f} to {row['pi_upper']:.4f}"
            )
        return "\n".join(parts + [f"Note: {warning}." for warning in self.warnings])

    def report(self) -> str:
        """The sentence that a methods section needs."""
        if not self._random:
            what = "A common-effect model was fitted with inverse-variance weights"
        elif self.tau2_fixed:
            what = f"A random-effects model was fitted with the variance τ² set to {self.tau2:g}"
        else:
            what = (
                "A random-effects model was fitted; the variance between studies was estimated by "
                f"{METHODS[self.method]}"
            )
        effects = f"{self.k} effect{'' if self.k == 1 else 's'}"
        return f"{what} ({effects}); tests and intervals are {self._test_in_words()}."

    def __repr__(self) -> str:
        values = ", ".join(f"{n}={b:.4g}" for n, b in zip(self.names, self.beta, strict=True))
        return f"<MetaResults {self.method}, k={self.k}: {values}, tau2={self.tau2:.4g}>"

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(self.report())}</p>{self.to_frame().to_html(border=0)}"


@dataclass(frozen=True)
class WaldTest:
    """A joint test of coefficients.

    Attributes
    ----------
    statistic : float
        χ², or F where there are two degrees of freedom.
    df : tuple of float
        Degrees of freedom.
    pvalue : float
        Its p value.
    """

    statistic: float
    df: tuple[float, ...]
    pvalue: float
