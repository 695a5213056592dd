"""Bayesian meta-analysis of independent effects: exact, with labels, densities and evidence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import UsageError
from evidence.synthesis.meta import look_up
from evidence.synthesis.normal_normal import NormalNormalResults, normal_normal
from evidence.synthesis.priors import Normal, TauPrior

if TYPE_CHECKING:
    from evidence.plots.figure import Figure


@dataclass(frozen=True, eq=False)
class BayesResults:
    """A Bayesian meta-analysis.

    Attributes
    ----------
    exact : NormalNormalResults
        The posterior itself, on plain arrays.
    labels : pandas.Index
        Names of the studies.
    """

    exact: NormalNormalResults
    labels: pd.Index

    @property
    def k(self) -> int:
        """Number of effects."""
        return self.exact.k

    @property
    def params(self) -> pd.Series[float]:
        """Posterior means of μ and τ."""
        return self.exact.params

    @property
    def bse(self) -> pd.Series[float]:
        """Posterior standard deviations of μ and τ."""
        return self.exact.bse

    @property
    def tau2(self) -> float:
        """Posterior mean of τ²."""
        return self.exact.tau2

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Central credible intervals; rows mu, tau and prediction, columns lower and upper."""
        _require_alpha(alpha)
        return self.exact.conf_int(alpha)

    def predict(self, alpha: float = 0.05) -> pd.Series[float]:
        """The effect in a new study: mean, sd and the ends of a central interval.

        Parameters
        ----------
        alpha : float
            One minus the level.
        """
        _require_alpha(alpha)
        exact = self.exact
        return pd.Series({
            "mean": exact.mean, "sd": exact.prediction_sd,
            "lower": exact.prediction_quantile(alpha / 2),
            "upper": exact.prediction_quantile(1 - alpha / 2),
        })  # fmt: skip

    def probability_above(self, value: float = 0.0) -> pd.Series[float]:
        """Posterior probabilities that the mean effect, and that of a new study, exceed a value.

        Parameters
        ----------
        value : float
            In the unit of the effects.
        """
        return pd.Series({
            "mu": self.exact.probability_above(value),
            "prediction": self.exact.prediction_probability_above(value),
        })  # fmt: skip

    def probability_between(self, lower: float, upper: float) -> pd.Series[float]:
        """Posterior probabilities of an effect between two values, such as one of no matter."""
        if not lower < upper:
            raise UsageError(f"the lower limit {lower!r} is not below the upper {upper!r}")
        return self.probability_above(lower) - self.probability_above(upper)

    def bayes_factor(self, null: float = 0.0) -> float:
        """How many times likelier the data are with an effect than with none.

        The ratio of the marginal likelihoods of the model with its prior on μ and of that with μ
        at the null value; both have the same prior on τ.

        Parameters
        ----------
        null : float
            Value of μ that the effect is compared with.

        Raises
        ------
        UsageError
            If the prior on μ is flat: it has no density, so that the ratio means nothing.

        References
        ----------
        Kass RE, Raftery AE (1995). Bayes factors. Journal of the American Statistical Association
        90, 773-795.
        """
        if self.exact.mu_prior is None:
            raise UsageError(
                "a Bayes factor needs a proper prior on the mean effect, such as "
                "mu_prior=Normal(0, 1); with a flat one it is not defined"
            )
        gain = self.exact.log_marginal_likelihood - self.exact.log_marginal_likelihood_at(null)
        # Beyond this the exponential is no number.
        return math.exp(gain) if gain < 709 else math.inf

    def shrinkage(self, alpha: float = 0.05) -> pd.DataFrame:
        """The studies' own effects, drawn towards the mean.

        Parameters
        ----------
        alpha : float
            One minus the level.

        Returns
        -------
        pandas.DataFrame
            One row per study: yi, vi, mean, sd, lower, upper, and weight, the share that it has
            in μ.
        """
        _require_alpha(alpha)
        exact = self.exact
        return pd.DataFrame(
            {
                "yi": exact.yi,
                "vi": exact.vi,
                "mean": exact.shrinkage_means,
                "sd": exact.shrinkage_sds,
                "lower": exact.shrinkage_quantiles(alpha / 2),
                "upper": exact.shrinkage_quantiles(1 - alpha / 2),
                "weight": exact.study_weights,
            },
            index=self.labels,
        )

    def densities(self, points: int = 401) -> pd.DataFrame:
        """Posterior densities on an even grid of effects.

        Parameters
        ----------
        points : int
            Length of the grid, which holds all but one in a thousand of each distribution.

        Returns
        -------
        pandas.DataFrame
            ``effect``, ``mean`` (density of μ) and ``prediction`` (of the effect of a new study).
        """
        if points < 3:
            raise UsageError(f"a grid has three points or more, not {points!r}")
        tail = 0.0005
        ends = [
            find(p)
            for p in (tail, 1 - tail)
            for find in (self.exact.quantile, self.exact.prediction_quantile)
        ]
        effect = np.linspace(min(ends), max(ends), points)
        return pd.DataFrame({
            "effect": effect, "mean": self.exact.density(effect),
            "prediction": self.exact.prediction_density(effect),
        })  # fmt: skip

    def posterior(self, **options: Any) -> Figure:
        """Draw the densities; options as for :func:`evidence.plots.research.posterior`."""
        from evidence.plots.research.posterior import posterior_figure

        return posterior_figure(self.densities(), **options)

    @cached_property
    def _table(self) -> pd.DataFrame:
        return self.exact.summary()

    def to_frame(self) -> pd.DataFrame:
        """Mean, standard deviation and central 95 % interval of μ, τ and a new effect."""
        return self._table.copy()

    def to_dict(self) -> dict[str, Any]:
        """The summary and the probability of benefit as plain numbers."""
        return self.exact.to_dict()

    def summary(self) -> str:
        """Posterior and probabilities as text."""
        above = self.probability_above()
        lines = [
            f"Bayesian random-effects model, {self.k} effect{'' if self.k == 1 else 's'}",
            f"Prior on τ: {self.exact.tau_prior}; on μ: {self._mu_prior}",
            self._table.to_string(float_format="{:.4f}".format),
            f"Probability above 0: mean effect {above['mu']:.4f}, "
            f"new study {above['prediction']:.4f}",
        ]
        if self.exact.mu_prior is not None:
            lines.append(f"Bayes factor for an effect against none: {self.bayes_factor():.4g}")
        return "\n".join(lines)

    @property
    def _mu_prior(self) -> str:
        return "flat" if self.exact.mu_prior is None else str(self.exact.mu_prior)

    def report(self) -> str:
        """The sentence that a methods section needs."""
        return (
            "A Bayesian random-effects model was fitted by numerical integration "
            f"({self.k} effect{'' if self.k == 1 else 's'}; prior on the heterogeneity "
            f"{self.exact.tau_prior}, on the mean effect {self._mu_prior}); intervals are central "
            "credible intervals."
        )

    def __repr__(self) -> str:
        mu, tau = self.params
        return f"<BayesResults k={self.k}: mu={mu:.4g}, tau={tau:.4g}>"

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(self.report())}</p>{self._table.to_html(border=0)}"


def bayes_meta(
    yi: ArrayLike | str,
    vi: ArrayLike | str,
    data: pd.DataFrame | None = None,
    *,
    tau_prior: TauPrior,
    mu_prior: Normal | None = None,
    labels: ArrayLike | str | None = None,
) -> BayesResults:
    """Combine independent effects with a prior on the variance between studies.

    Parameters
    ----------
    yi, vi : array_like of shape (k,), or str
        Effects and sampling variances, or names of columns in ``data``.
    data : pandas.DataFrame, optional
        Where the columns are.
    tau_prior : TauPrior
        Prior on τ: :class:`HalfNormal`, :class:`HalfCauchy`, :class:`HalfT`, :class:`Uniform`, or
        on τ²: :class:`InverseGamma`, :class:`LogNormal` (the form of Turner and others 2012),
        :class:`LogT` (that of Rhodes and others 2015). There is no default: with few studies the
        result depends on it.
    mu_prior : Normal, optional
        Prior on the mean effect; flat by default.
    labels : array_like of shape (k,), or str, optional
        Names of the studies; by default the index of ``yi`` or of ``data``.

    Returns
    -------
    BayesResults

    Raises
    ------
    ModelError
        If an effect is not finite, a variance is not above zero, or there are no effects.
    UsageError
        If a column does not exist or the number of labels is another than that of effects.

    References
    ----------
    Röver C (2020). Bayesian random-effects meta-analysis using the bayesmeta R package. Journal of
    Statistical Software 93(6).
    Higgins JPT, Thompson SG, Spiegelhalter DJ (2009). A re-evaluation of random-effects
    meta-analysis. Journal of the Royal Statistical Society A 172, 137-159.
    """
    effects = look_up(yi, data)
    exact = normal_normal(effects, look_up(vi, data), tau_prior=tau_prior, mu_prior=mu_prior)
    if labels is not None:
        names = pd.Index(np.asarray(look_up(labels, data)))
    elif isinstance(effects, pd.Series):
        names = effects.index
    else:
        names = pd.RangeIndex(exact.k)
    if len(names) != exact.k:
        raise UsageError(f"{exact.k} effects but {len(names)} labels")
    return BayesResults(exact, names)


def _require_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise UsageError(f"alpha is between 0 and 1, not {alpha!r}")
