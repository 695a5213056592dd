"""Results of a multilevel meta-analysis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from evidence.errors import UsageError
from evidence.synthesis.dependent.coefficients import Coefficients
from evidence.synthesis.dependent.covariance import Covariance
from evidence.synthesis.dependent.likelihood import Model, State, Term, maximise
from evidence.synthesis.heterogeneity import Interval
from evidence.synthesis.least_squares import Array


@dataclass(frozen=True, eq=False)
class MultilevelResults(Coefficients):
    """A fitted multilevel meta-analysis.

    Attributes
    ----------
    exog : ndarray, shape (k, p)
        Model matrix.
    names : tuple of str
        Names of its columns.
    test : {"z", "t"}
        Normal, or t with k - p degrees of freedom.
    method : {"REML", "ML"}
        Restricted or full maximum likelihood.
    state : State
        The numbers of the fit, in an orthonormal basis of the model matrix.
    triangle : ndarray, shape (p, p)
        R of exog = QR, where Q is that basis.
    labels : dict
        For each random term the levels of its group and of its inner factor.
    warnings : tuple of str
        What a reader must know of the fit, in words.
    """

    exog: Array
    names: tuple[str, ...]
    test: str
    method: str
    state: State
    triangle: Array
    labels: dict[str, tuple[pd.Index, pd.Index]]
    warnings: tuple[str, ...]

    @property
    def yi(self) -> Array:
        """Effects, shape (k,)."""
        return self.state.model.y

    @property
    def V(self) -> Covariance:
        """Covariance of the sampling errors."""
        return self.state.model.V

    @property
    def vi(self) -> Array:
        """Sampling variances, shape (k,)."""
        return self.V.variances

    @property
    def clusters(self) -> NDArray[np.intp]:
        """Number of the independent cluster of each effect, shape (k,)."""
        return self.state.model.clusters

    @property
    def n_studies(self) -> int:
        """Number of independent clusters of effects."""
        return int(self.clusters.max()) + 1

    @property
    def model(self) -> str:
        """What was fitted: ``multilevel`` or ``multilevel meta-regression``."""
        plain = self.p == 1 and self._intercept == 0
        return "multilevel" if plain else "multilevel meta-regression"

    @cached_property
    def beta(self) -> Array:  # type: ignore[override]
        """Coefficients, shape (p,)."""
        return np.asarray(np.linalg.solve(self.triangle, self.state.beta), dtype=float)

    @cached_property
    def cov(self) -> Array:  # type: ignore[override]
        """Covariance of the coefficients, (X'M⁻¹X)⁻¹."""
        back = np.linalg.inv(self.triangle)
        return np.asarray(back @ self.state.cov @ back.T, dtype=float)

    @property
    def fittedvalues(self) -> Array:
        """Mean effects of the rows, shape (k,)."""
        return self.exog @ self.beta

    # Variance components.

    @property
    def terms(self) -> tuple[Term, ...]:
        """Random terms, in the order of the formulas and the outer level first."""
        return self.state.model.terms

    def _parts(self) -> list[tuple[Term, Array]]:
        model = self.state.model
        return [(t, self.state.theta[place])
                for t, place in zip(model.terms, model.places, strict=True)]  # fmt: skip

    def _is_intercept(self, term: Term) -> bool:
        return len(term.structure.cell) == 1

    @property
    def sigma2(self) -> pd.Series:
        """Variances of the random intercepts by term."""
        found = {t.name: float(part[0]) for t, part in self._parts() if self._is_intercept(t)}
        return pd.Series(found, dtype=float)

    def n_levels(self) -> pd.Series:
        """Number of levels of each random term."""
        return pd.Series({name: len(levels) for name, (levels, _) in self.labels.items()})

    @property
    def tau2(self) -> pd.Series:
        """Variances of ``~ x | g`` terms by group and level of x; by group where equal."""
        found: dict[str, float] = {}
        for term, part in self._parts():
            if self._is_intercept(term):
                continue
            values = term.structure.variances(part)
            inner = self.labels[term.name][1]
            names = [f"{term.name}: {level}" for level in inner]
            found |= dict(zip(names if len(values) > 1 else [term.name], values, strict=True))
        return pd.Series(found, dtype=float)

    @property
    def rho(self) -> pd.Series:
        """Correlations of ``~ x | g`` terms, the pairs in the order of the upper triangle."""
        found: dict[str, float] = {}
        for term, part in self._parts():
            if self._is_intercept(term):
                continue
            values = term.structure.correlations(part)
            inner = self.labels[term.name][1]
            names = [f"{term.name}: {a}, {b}" for a, b in combinations(inner, 2)]
            found |= dict(zip(names if len(values) > 1 else [term.name], values, strict=True))
        return pd.Series(found, dtype=float)

    def covariance_of(self, term: str) -> pd.DataFrame:
        """Covariance matrix of the random effects of a ``~ x | g`` term within a group."""
        place = self._place(term)
        inner = self.labels[self.terms[place].name][1]
        found, part = self._parts()[place]
        return pd.DataFrame(found.structure.matrix(part), index=inner, columns=inner)

    def _place(self, term: str | int) -> int:
        names = [t.name for t in self.terms]
        if isinstance(term, str) and term in names:
            return names.index(term)
        if isinstance(term, int) and 0 <= term < len(names):
            return term
        raise UsageError(f"no random term {term!r}; there are {', '.join(names) or 'none'}")

    @cached_property
    def _common(self) -> State:
        """The model without random terms: weights are the inverse of V."""
        model = self.state.model
        return Model(model.y, model.X, model.V, (), restricted=model.restricted).at(np.empty(0))

    @property
    def Q(self) -> float:
        """Cochran's Q of the residual heterogeneity, with the inverse of V as weights."""
        return self._common.ypy

    @property
    def Q_df(self) -> int:
        """Degrees of freedom of Q."""
        return self.k - self.p

    @property
    def Q_pvalue(self) -> float:
        """P value of Q; NaN without degrees of freedom."""
        from scipy.special import chdtrc

        return float(chdtrc(self.Q_df, self.Q)) if self.Q_df > 0 else math.nan

    @property
    def typical_variance(self) -> float:
        """Sampling variance of a typical effect, (k - p)/tr(P) with V alone.

        References
        ----------
        Higgins JPT, Thompson SG (2002). Quantifying heterogeneity in a meta-analysis. Statistics in
        Medicine 21, 1539-1558.
        """
        return self.Q_df / self._common.trace_p()

    @property
    def I2(self) -> pd.Series:
        """Percent of the variation that each term accounts for, and their ``total``.

        NaN where the variance of a term depends on the level of x.

        References
        ----------
        Cheung MWL (2014). Modeling dependent effect sizes with three-level meta-analyses: a
        structural equation modeling approach. Psychological Methods 19, 211-229.
        """
        parts = self._variances()
        found = 100 * parts / (parts.sum(skipna=False) + self.typical_variance)
        return pd.concat([found, pd.Series({"total": found.sum(skipna=False)})])

    def _variances(self) -> pd.Series:
        """One variance for each term; NaN where there are several."""
        found = {}
        for term, part in self._parts():
            values = np.diag(term.structure.matrix(part))
            found[term.name] = float(values[0]) if np.ptp(values) == 0 else math.nan
        return pd.Series(found, dtype=float)

    def marginal(self) -> Covariance:
        """Covariance of the effects about their mean: of sampling errors and random effects."""
        return self.state.marginal()

    # Likelihood.

    @property
    def n_parameters(self) -> int:
        """Number of coefficients and variance parameters."""
        return self.p + len(self.state.theta)

    @property
    def llf(self) -> float:
        """Log-likelihood of the method, restricted for REML, with all constants."""
        return self.state.llf

    def information_criteria(self) -> dict[str, float]:
        """Log-likelihood, deviance, AIC, BIC and AICc.

        With REML the number of observations is k - p and the deviance -2 times the log-likelihood;
        with ML it is against the model with one parameter per effect.

        References
        ----------
        Hurvich CM, Tsai CL (1989). Regression and time series model selection in small samples.
        Biometrika 76, 297-307.
        """
        value, m = self.llf, self.n_parameters
        restricted = self.state.model.restricted
        n = self.k - self.p if restricted else self.k
        log_size = self.k * math.log(2 * math.pi) + self._common.log_determinant
        saturated = 0.0 if restricted else -0.5 * log_size
        # AICc is not defined for fewer observations than its divisor needs.
        corrected = 2 * m * max(n, m + 2) / (max(n, m + 2) - m - 1)
        return {
            "logLik": value,
            "deviance": -2 * (value - saturated),
            "AIC": -2 * value + 2 * m,
            "BIC": -2 * value + m * math.log(n) if n > 0 else math.nan,
            "AICc": -2 * value + corrected,
        }

    def profile_interval(self, term: str | int, alpha: float = 0.05) -> Interval:
        """Profile likelihood interval of the variance of a random term.

        Parameters
        ----------
        term : str or int
            Name or position of a term with one variance.
        alpha : float
            One minus the level.

        Returns
        -------
        Interval
            Values at which the log-likelihood, all else at its best, is near its maximum.

        Raises
        ------
        UsageError
            If there is no such term or it has several variances.

        References
        ----------
        Hardy RJ, Thompson SG (1996). A likelihood approach to meta-analysis with random effects.
        Statistics in Medicine 15, 619-629.
        Viechtbauer W, López-López JA (2022). Location-scale models for meta-analysis. Research
        Synthesis Methods 13, 697-715.
        """
        from scipy.optimize import brentq
        from scipy.special import chdtri

        place = self._place(term)
        kind = self.terms[place].structure
        if len(kind.variances(kind.start(1.0))) > 1 or kind.name == "UN":
            raise UsageError(f"{self.terms[place].name} has several variances")
        model, best = self.state.model, self.state
        at = model.places[place].start
        fixed = np.arange(len(best.theta)) == at
        allowed = 0.5 * float(chdtri(1, alpha))

        def below(value: float) -> float:
            start = np.where(fixed, value, best.theta)
            return best.llf - maximise(model, [start], fixed).llf - allowed

        estimate = float(best.theta[at])
        unit = estimate + float(self.vi.mean())

        def root(low: float, high: float) -> float:
            return float(brentq(below, low, high, xtol=1e-13 * unit, rtol=1e-12))

        lower = 0.0
        if estimate > 0 and below(0.0) > 0:
            lower = root(0.0, estimate)
        low, high = estimate, estimate + unit
        while below(high) < 0:
            if high > 1e6 * unit:
                return Interval(lower, high, open_above=True)
            low, high = high, 2 * high
        return Interval(lower, root(low, high))

    # Predictions.

    def predict(
        self,
        exog: ArrayLike | None = None,
        alpha: float = 0.05,
        prob: float | None = None,
        level: Sequence[Any] | None = None,
    ) -> pd.DataFrame:
        """Mean effect, and true effect in a new cluster: all random terms add up.

        Parameters
        ----------
        exog : array_like, shape (n, p), optional
            Rows of a model matrix. By default the mean effect, or every row where there are
            moderators.
        alpha : float
            One minus the level of the intervals.
        prob : float, optional
            A value; adds the column ``prob``: probability that the effect in a new cluster exceeds
            it.
        level : sequence, optional
            Level of x of each row, for a ``~ x | g`` term whose variances differ; without it there
            are no prediction intervals unless the rows are those of the data.

        Returns
        -------
        pandas.DataFrame
            ``mean``, ``mean_se``, ``mean_ci_lower``, ``mean_ci_upper``, ``pi_lower``, ``pi_upper``
            and perhaps ``prob``. The predictive distribution is normal with the normal test, else t
            with k - p degrees of freedom.

        References
        ----------
        Higgins JPT, Thompson SG, Spiegelhalter DJ (2009). A re-evaluation of random-effects
        meta-analysis. Journal of the Royal Statistical Society A 172, 137-159.
        """
        from scipy.special import ndtr, stdtr

        of_data = exog is None and not (self.p == 1 and self._intercept == 0)
        if of_data:
            rows = self.exog
        else:
            rows = np.ones((1, 1)) if exog is None else np.atleast_2d(np.asarray(exog, float))
        if rows.ndim != 2 or rows.shape[1] != self.p:
            raise UsageError(f"exog has {self.p} columns ({', '.join(self.names)})")
        mean = rows @ self.beta
        se = np.sqrt(np.einsum("ij,jk,ik->i", rows, self.cov, rows))
        reach = self.quantile(alpha)
        sd = np.sqrt(se**2 + self._new_variance(len(rows), level, of_data))
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

    def _new_variance(self, n: int, level: Sequence[Any] | None, of_data: bool) -> Array:
        """Sum of the variances of the random terms, for each row."""
        total = np.zeros(n)
        for term, part in self._parts():
            variances = np.diag(term.structure.matrix(part))
            if np.ptp(variances) == 0:
                total += variances[0]
                continue
            inner = self.labels[term.name][1]
            if level is not None:
                place = inner.get_indexer(pd.Index(list(level)))
                if len(place) != n or (place < 0).any():
                    known = ", ".join(map(str, inner))
                    raise UsageError(f"level is one of {known} for each of {n} rows")
                total += variances[place]
            else:
                total += variances[term.inner] if of_data else np.nan
        return total

    def random_effects(self, term: str | int, alpha: float = 0.05) -> pd.DataFrame:
        """Predicted random effects of a term (best linear unbiased predictions).

        Parameters
        ----------
        term : str or int
            Name or position of the term.
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        pandas.DataFrame
            One row for each level (each pair of group and level of x); columns ``mean``, ``se``,
            ``lower``, ``upper``.

        References
        ----------
        Robinson GK (1991). That BLUP is a good thing: the estimation of random effects. Statistical
        Science 6, 15-32.
        """
        place = self._place(term)
        found = self.terms[place]
        levels, inner = self.labels[found.name]
        mean, variance = self.state.random_effects(place)
        pair = found.group * len(inner) + found.inner
        code, first = np.unique(pair, return_index=True)
        se = np.sqrt(np.maximum(variance[first], 0.0))
        reach = self.quantile(alpha) * se
        group = levels[code // len(inner)]
        index = (
            pd.Index(group, name=found.name) if self._is_intercept(found)
            else pd.MultiIndex.from_arrays([group, inner[code % len(inner)]])
        )  # fmt: skip
        mean = mean[first]
        return pd.DataFrame(
            {"mean": mean, "se": se, "lower": mean - reach, "upper": mean + reach}, index=index
        )

    # Words.

    def to_dict(self) -> dict[str, Any]:
        """All results as plain numbers and text."""
        names = ("method", "test", "model", "k", "n_studies", "df_resid", "Q", "Q_df", "Q_pvalue",
                 "QM", "QM_df", "QM_pvalue")  # fmt: skip
        return {
            "params": self.to_frame().to_dict("index"),
            **{name: getattr(self, name) for name in names},
            **{name: getattr(self, name).to_dict() for name in ("sigma2", "tau2", "rho", "I2")},
            "warnings": list(self.warnings),
        }

    def summary(self, alpha: float = 0.05) -> str:
        """What a paper needs, as text."""
        level = f"{100 * (1 - alpha):g} %"
        parts = [self.report(), "", self.to_frame(alpha).to_string(float_format="{:.4f}".format)]
        if self._omnibus:
            df = ", ".join(f"{n:g}" for n in self._omnibus.df)
            parts.append(
                f"Moderators: {'χ²' if self.test == 'z' else 'F'}({df}) = {self.QM:.3f}, "
                f"p = {self.QM_pvalue:.4f}"
            )
        parts.append(f"Q({self.Q_df}) = {self.Q:.3f}, p = {self.Q_pvalue:.4f}")
        I2, levels = self.I2.to_dict(), self.n_levels().to_dict()
        for name, value in self.sigma2.to_dict().items():
            share = f", I² = {I2[name]:.1f} %" if math.isfinite(I2[name]) else ""
            parts.append(f"σ² of {name} ({levels[name]} levels) = {value:.4f}{share}")
        parts += [f"τ² of {name} = {value:.4f}" for name, value in self.tau2.items()]
        parts += [f"ρ of {name} = {value:.4f}" for name, value in self.rho.items()]
        if self.model == "multilevel":
            row = self.predict(alpha=alpha).iloc[0]
            if math.isfinite(row["pi_lower"]):
                parts.append(
                    f"{level} prediction interval: {row['pi_lower']:.4f} to {row['pi_upper']:.4f}"
                )
        return "\n".join(parts + [f"Note: {warning}." for warning in self.warnings])

    def report(self) -> str:
        """The sentence that a methods section needs."""
        likelihood = {"REML": "restricted maximum likelihood", "ML": "maximum likelihood"}
        terms = " and ".join(term.name for term in self.terms)
        what = f"random effects of {terms}" if terms else "no random effects"
        errors = "independent" if not len(self.V.values) else "correlated within studies"
        test = "normal" if self.test == "z" else f"t with {self.df_resid:g} degrees of freedom"
        return (
            f"A multilevel model with {what} was fitted by {likelihood[self.method]} to {self.k} "
            f"effects in {self.n_studies} independent clusters, sampling errors taken as {errors}; "
            f"tests and intervals are {test}."
        )

    def __repr__(self) -> str:
        values = ", ".join(f"{n}={b:.4g}" for n, b in self.params.items())
        return f"<MultilevelResults {self.method}, k={self.k}: {values}>"

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(self.report())}</p>{self.to_frame().to_html(border=0)}"
