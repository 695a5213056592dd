"""Cluster-robust inference on any working model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import UsageError
from evidence.synthesis.dependent.covariance import (
    Covariance,
    Places,
    diagonal,
    group_codes,
)
from evidence.synthesis.dependent.multilevel_results import MultilevelResults
from evidence.synthesis.dependent.sandwich import KINDS, Sandwich, sandwich
from evidence.synthesis.dependent.wald_tests import wald
from evidence.synthesis.least_squares import Array
from evidence.synthesis.meta import _orthonormal
from evidence.synthesis.results import MetaResults, WaldTest

DF = {
    "Satterthwaite": "t with Satterthwaite's degrees of freedom",
    "J-1": "t with one degree of freedom less than clusters",
    "J-p": "t with clusters less coefficients as degrees of freedom",
    "z": "normal",
}
"""Degrees of freedom of tests and intervals of single coefficients, by name."""

FEW = 4.0
"""Satterthwaite degrees of freedom below which a robust interval is not to be relied on."""


@dataclass(frozen=True, eq=False)
class RobustResults:
    """Coefficients with cluster-robust tests and intervals.

    Attributes
    ----------
    names : tuple of str
        Names of the coefficients.
    vcov, df_type : str
        See :data:`~evidence.synthesis.dependent.sandwich.KINDS` and :data:`DF`.
    k : int
        Number of effects.
    working_model : str
        What was fitted, in words.
    between : float
        Variance of true effects about their mean under the working model; NaN where it has none.
    min_df : float
        Coefficients of fewer degrees of freedom are left without p value and interval.
    notes : tuple of str
        Warnings of the working model.
    """

    names: tuple[str, ...]
    vcov: str
    df_type: str
    k: int
    working_model: str
    between: float
    min_df: float
    notes: tuple[str, ...]
    _sandwich: Sandwich
    # Combinations of the coefficients of the basis in which the sandwich was made.
    _back: Array
    _intercept: int | None

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return self._sandwich.n_clusters

    @property
    def p(self) -> int:
        """Number of coefficients."""
        return len(self.names)

    @cached_property
    def beta(self) -> Array:
        """Coefficients, shape (p,)."""
        return np.asarray(self._back @ self._sandwich.beta, dtype=float)

    @cached_property
    def cov(self) -> Array:
        """Their robust covariance, shape (p, p)."""
        return self._sandwich.covariance(self._back)

    @cached_property
    def _se(self) -> Array:
        return np.sqrt(np.diag(self.cov))

    @cached_property
    def _df(self) -> Array:
        return self._df_of(np.eye(self.p))

    def _se_of(self, rows: Array) -> Array:
        return np.sqrt(np.einsum("ij,jk,ik->i", rows, self.cov, rows))

    def _df_of(self, rows: Array) -> Array:
        if self.df_type == "Satterthwaite":
            return self._sandwich.satterthwaite(rows @ self._back)
        fixed = {"J-1": self.n_clusters - 1, "J-p": self.n_clusters - self.p, "z": math.inf}
        return np.full(len(rows), float(fixed[self.df_type]))

    def _enough(self, df: Array) -> Array:
        return np.where(df < self.min_df, np.nan, df)

    def _quantile(self, df: Array, alpha: float) -> Array:
        from scipy.special import stdtrit

        if not 0 < alpha < 1:
            raise UsageError(f"alpha is between 0 and 1, not {alpha!r}")
        return np.asarray(stdtrit(self._enough(df), 1 - alpha / 2), dtype=float)

    def _series(self, values: Array) -> pd.Series:
        return pd.Series(values, index=list(self.names))

    @property
    def params(self) -> pd.Series:
        """Coefficients."""
        return self._series(self.beta)

    @property
    def bse(self) -> pd.Series:
        """Robust standard errors of the coefficients."""
        return self._series(self._se)

    @property
    def df(self) -> pd.Series:
        """Degrees of freedom of each coefficient; NaN where they are not defined."""
        return self._series(self._df)

    @property
    def statistic(self) -> pd.Series:
        """Coefficients over their standard errors."""
        return self._series(self.beta / self._se)

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p values of the coefficients; NaN below ``min_df``."""
        from scipy.special import stdtr

        return self._series(2 * stdtr(self._enough(self._df), -np.abs(self.beta / self._se)))

    def cov_params(self) -> pd.DataFrame:
        """Robust covariance of the coefficients."""
        return pd.DataFrame(self.cov, index=list(self.names), columns=list(self.names))

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Robust confidence intervals of the coefficients.

        Parameters
        ----------
        alpha : float
            One minus the level.

        Returns
        -------
        pandas.DataFrame
            One row per coefficient; columns ``lower``, ``upper``; NaN below ``min_df``.
        """
        reach = self._quantile(self._df, alpha) * self._se
        return pd.DataFrame(
            {"lower": self.beta - reach, "upper": self.beta + reach}, index=list(self.names)
        )

    def predict(self, exog: ArrayLike | None = None, alpha: float = 0.05) -> pd.DataFrame:
        """Mean effect, and effect in a new study.

        Parameters
        ----------
        exog : array_like, shape (n, p), optional
            Rows of a model matrix; by default each coefficient by itself.
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        pandas.DataFrame
            ``mean``, ``mean_se``, ``df``, ``mean_ci_lower``, ``mean_ci_upper``, ``pi_lower``,
            ``pi_upper``. The prediction interval is t with the degrees of freedom of the mean, its
            variance the robust one of the mean plus ``between``; NaN where the model has none.
            Intervals are NaN below ``min_df``.
        """
        rows = np.eye(self.p) if exog is None else np.atleast_2d(np.asarray(exog, dtype=float))
        if rows.ndim != 2 or rows.shape[1] != self.p:
            raise UsageError(f"exog has {self.p} columns ({', '.join(self.names)})")
        mean, se, df = rows @ self.beta, self._se_of(rows), self._df_of(rows)
        q = self._quantile(df, alpha)
        sd = np.sqrt(se**2 + self.between)
        return pd.DataFrame({
            "mean": mean, "mean_se": se, "df": df,
            "mean_ci_lower": mean - q * se, "mean_ci_upper": mean + q * se,
            "pi_lower": mean - q * sd, "pi_upper": mean + q * sd,
        })  # fmt: skip

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know of the fit, in words."""
        few = [
            f"{name} ({df:.1f})" for name, df in zip(self.names, self._df, strict=True)
            if df < FEW or math.isnan(df)
        ]  # fmt: skip
        if not few:
            return self.notes
        withheld = self.min_df >= FEW
        tail = "no interval is given" if withheld else "do not rely on the interval"
        return (
            *self.notes,
            f"fewer than {FEW:g} degrees of freedom for {', '.join(few)}: {tail}",
        )

    def wald_test(self, constraints: ArrayLike | None = None, test: str = "HTZ") -> WaldTest:
        """Test that coefficients, or linear combinations of them, are all zero.

        Parameters
        ----------
        constraints : list of str, list of int, or array_like of shape (q, p), optional
            Names or positions of coefficients, the first being 0, or one combination in each row;
            by default all coefficients but the intercept (all where there is no other).
        test : str
            ``HTZ`` (default), ``HTA``, ``HTB``, ``EDF``, ``EDT``, ``Naive-F`` or ``chi-sq``: see
            :data:`~evidence.synthesis.dependent.wald_tests.TESTS`.

        Returns
        -------
        WaldTest
            F; its second degrees of freedom are infinite where the test is by χ²/q. NaN where the
            test does not exist, for want of clusters.

        Raises
        ------
        UsageError
            If there is no such test or coefficient, or the combinations depend on each other.
        """
        if constraints is None:
            constraints = self._moderators or list(range(self.p))
        L = self._combinations(constraints)
        if np.linalg.matrix_rank(L) < len(L):
            raise UsageError("the combinations depend on each other")
        return wald(self._sandwich, L @ self._back, test)

    @property
    def _moderators(self) -> list[int]:
        return [place for place in range(self.p) if place != self._intercept]

    def _combinations(self, constraints: Any) -> Array:
        given = np.asarray(list(constraints))
        if given.size == 0:
            raise UsageError("there is nothing to test")
        if given.dtype.kind == "U":
            missing = sorted(set(given) - set(self.names))
            if missing:
                raise UsageError(
                    f"no coefficient {missing[0]!r}; there are {', '.join(self.names)}"
                )
            given = np.array([self.names.index(name) for name in given])
        L = np.eye(self.p)[given] if given.ndim == 1 else given.astype(float)
        if L.ndim != 2 or L.shape[1] != self.p:
            raise UsageError(f"a combination has one number for each of {self.p} coefficients")
        return L

    def to_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """One row per coefficient: estimate, se, statistic, df, pvalue, ci_lower, ci_upper."""
        frame = pd.DataFrame({
            "estimate": self.params, "se": self.bse, "statistic": self.statistic, "df": self.df,
            "pvalue": self.pvalues,
        })  # fmt: skip
        return frame.join(self.conf_int(alpha).add_prefix("ci_"))

    def to_dict(self) -> dict[str, Any]:
        """All results as plain numbers and text."""
        return {
            "params": self.to_frame().to_dict("index"),
            "working_model": self.working_model,
            "vcov": self.vcov,
            "df_type": self.df_type,
            "k": self.k,
            "n_clusters": self.n_clusters,
            "warnings": list(self.warnings),
        }

    def summary(self, alpha: float = 0.05) -> str:
        """What a paper needs, as text."""
        parts = [self.report(), "", self.to_frame(alpha).to_string(float_format="{:.4f}".format)]
        if self._moderators:
            joint = self.wald_test()
            parts.append(
                f"Moderators: F({joint.df[0]:g}, {joint.df[1]:.1f}) = {joint.statistic:.3f}, "
                f"p = {joint.pvalue:.4f} (HTZ)"
            )
        return "\n".join(parts + [f"Note: {warning}." for warning in self.warnings])

    def report(self) -> str:
        """The sentence that a methods section needs."""
        return (
            f"{self.working_model}. Standard errors are robust to dependence within "
            f"{self.n_clusters} clusters, {KINDS[self.vcov]}; tests and intervals are "
            f"{DF[self.df_type]}."
        )

    def __repr__(self) -> str:
        values = ", ".join(f"{n}={b:.4g}" for n, b in zip(self.names, self.beta, strict=True))
        return f"<{type(self).__name__} {self.vcov}, {self.n_clusters} clusters: {values}>"

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from html import escape

        notes = "".join(f"<p>{escape(warning)}</p>" for warning in self.warnings)
        return f"<p>{escape(self.report())}</p>{self.to_frame().to_html(border=0)}{notes}"


def robust(
    fit: MetaResults | MultilevelResults,
    cluster: ArrayLike,
    *,
    vcov: str = "CR2",
    df: str = "Satterthwaite",
    min_df: float = 0.0,
) -> RobustResults:
    """Cluster-robust tests and intervals of a fitted model, which need not have V right.

    Parameters
    ----------
    fit : MetaResults or MultilevelResults
        Working model: it gives the weights and, by its marginal covariance, the target of the
        small-sample correction.
    cluster : array_like, shape (k,)
        Names of the independent clusters, one for each effect of the fit.
    vcov : {"CR2", "CR0", "CR1", "CR1p", "CR1S"}
        See :data:`~evidence.synthesis.dependent.sandwich.KINDS`.
    df : {"Satterthwaite", "J-1", "J-p", "z"}
        See :data:`DF`.
    min_df : float
        Coefficients of fewer degrees of freedom are left without p value and interval.

    Returns
    -------
    RobustResults

    Raises
    ------
    UsageError
        If an option does not exist, or the clusters are not as many as the effects or part effects
        that the working model ties together.
    ModelError
        If there are too few clusters, or the cluster of an effect is missing.

    References
    ----------
    Bell RM, McCaffrey DF (2002). Bias reduction in standard errors for linear regression with
    multi-stage samples. Survey Methodology 28, 169-181.
    Tipton E (2015). Small sample adjustments for robust variance estimation with meta-regression.
    Psychological Methods 20, 375-393.
    Pustejovsky JE, Tipton E (2018). Small-sample methods for cluster-robust variance estimation and
    hypothesis testing in fixed effects models. Journal of Business and Economic Statistics 36,
    672-683.
    """
    codes = group_codes(cluster)[0]
    if len(codes) != fit.k:
        raise UsageError(f"{fit.k} effects but {len(codes)} names of clusters")
    if isinstance(fit, MultilevelResults):
        covariance, weights, notes = fit.marginal(), None, fit.warnings
        # Effects of several outcomes have no common variance.
        between = math.nan if len(fit.tau2) else float(fit.sigma2.sum())
        if len(np.unique(fit.clusters * len(codes) + codes)) > fit.n_studies:
            raise UsageError(
                "the working model ties effects of different clusters together: choose clusters "
                "that hold whole levels of its outermost random term"
            )
    else:
        # Its warnings are of its own tests.
        covariance, notes = diagonal(fit.vi + fit.tau2), ()
        between = math.nan if fit.method == "EE" else fit.tau2
        weights = fit.fit_weights if fit.own_weights else None
    words = fit.report().split("; tests and intervals")[0]
    made = make(fit.yi, fit.exog, fit.names, codes, covariance, weights, vcov)
    df = _known(df, DF, "df")
    return RobustResults(fit.names, vcov, df, fit.k, words, between, min_df, notes, *made)


def make(
    y: Array,
    X: Array,
    names: tuple[str, ...],
    codes: Places,
    covariance: Covariance,
    weights: Array | None,
    vcov: str,
) -> tuple[Sandwich, Array, int | None]:
    """The sandwich in an orthonormal basis of the model matrix, the way back, and the intercept."""
    basis, triangle = _orthonormal(X, names)
    made = sandwich(y, basis, codes, covariance, weights, _known(vcov, KINDS, "vcov"))
    constant = np.flatnonzero((X == 1).all(axis=0))
    intercept = int(constant[0]) if len(constant) else None
    return made, np.asarray(np.linalg.inv(triangle), dtype=float), intercept


def _known(value: str, allowed: dict[str, str], name: str) -> str:
    if value not in allowed:
        raise UsageError(f"{name} is one of {', '.join(allowed)}, not {value!r}")
    return value
