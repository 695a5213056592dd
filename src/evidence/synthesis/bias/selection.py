"""Selection models: the mean, if the chance of a result to be seen depends on its p value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import UsageError
from evidence.synthesis.bias.effects import effects, require_alternative
from evidence.synthesis.bias.reported import FEW, Reported, p_text, studies
from evidence.synthesis.bias.selection_likelihood import SelectionFit, fit_selection_arrays
from evidence.synthesis.bias.weight_functions import BetaWeights, StepFunction
from evidence.synthesis.meta import meta
from evidence.synthesis.results import MetaResults

KINDS = ("stepfun", "beta")
# Studies in an interval below which its weight is little more than a guess.
_SPARSE = 4


@dataclass(frozen=True, eq=False)
class SelectionResults(Reported):
    """A selection model.

    Attributes
    ----------
    fit : SelectionFit
        The numbers.
    weight_function : StepFunction or BetaWeights
        How the chance to be seen depends on the p value.
    unadjusted : MetaResults
        The same model without selection, by maximum likelihood.
    kind : str
        ``stepfun`` or ``beta``.
    alternative : str
        Side of the studies' tests.
    method : str
        ``ML``, or ``EE`` for a common effect.
    """

    fit: SelectionFit
    weight_function: StepFunction | BetaWeights
    unadjusted: MetaResults
    kind: str
    alternative: str
    method: str

    @property
    def k(self) -> int:
        """Number of effects."""
        return self.unadjusted.k

    def _series(self, values: np.ndarray) -> pd.Series:
        return pd.Series(values, index=list(self.unadjusted.names))

    @property
    def params(self) -> pd.Series:
        """Coefficients adjusted for selection."""
        return self._series(self.fit.beta)

    @property
    def bse(self) -> pd.Series:
        """Their standard errors, from the curvature of the likelihood.

        Parameters at a bound are taken as known; NaN where the likelihood does not bend down.
        """
        return self._series(np.sqrt(np.diag(self.fit.cov)[: len(self.fit.beta)]))

    @property
    def statistic(self) -> pd.Series:
        """Coefficients over their standard errors."""
        return self.params / self.bse

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided normal p values of the coefficients."""
        from scipy.special import ndtr

        return self._series(2 * ndtr(-np.abs(self.statistic.to_numpy())))

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Normal confidence intervals of the coefficients; columns ``lower``, ``upper``."""
        reach = _quantile(alpha) * self.bse
        return pd.DataFrame({"lower": self.params - reach, "upper": self.params + reach})

    @property
    def tau2(self) -> float:
        """Variance between studies before selection."""
        return self.fit.tau2

    @property
    def tau2_se(self) -> float:
        """Its standard error; NaN at zero and for a common effect."""
        return float(math.sqrt(self.fit.cov[len(self.fit.beta), len(self.fit.beta)]))

    def weights(self, alpha: float = 0.05) -> pd.DataFrame:
        """Parameters of the weight function.

        Returns
        -------
        pandas.DataFrame
            One row per interval of p values (weight relative to the first), or for δ₁ and δ₂ of
            the beta weights: ``estimate``, ``se``, ``lower``, ``upper`` (on the log scale), and
            for intervals ``k``, the studies in it. A weight is infinite where the first interval
            is without studies, zero where its own is.
        """
        function, theta = self.weight_function, self.fit.theta
        se = np.sqrt(np.diag(self.fit.cov)[len(self.fit.beta) + 1 :])
        estimate = function.weights(theta)
        spread = function.standard_errors(theta, se)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            factor = np.exp(_quantile(alpha) * spread / estimate)
        frame = pd.DataFrame(
            {"estimate": estimate, "se": spread, "lower": estimate / factor,
             "upper": estimate * factor},
            index=function.labels,
        )  # fmt: skip
        if isinstance(function, StepFunction):
            frame["k"] = function.counts
        return frame

    @property
    def llf(self) -> float:
        """Log-likelihood, with all constants."""
        return self.fit.llf

    @property
    def LRT(self) -> float:
        """Likelihood ratio statistic against no selection; NaN where all weights are given."""
        if self.LRT_df == 0:
            return math.nan
        return max(0.0, 2 * (self.llf - self.unadjusted.llf))

    @property
    def LRT_df(self) -> int:
        """Number of weights estimated."""
        return self.weight_function.n_estimated

    @property
    def LRT_pvalue(self) -> float:
        """P value of no selection, from χ²; NaN where all weights are given."""
        from scipy.special import chdtrc

        return float(chdtrc(self.LRT_df, self.LRT)) if self.LRT_df else math.nan

    @property
    def boundary(self) -> bool:
        """Whether τ² or an estimated weight lies at the end of its range."""
        weight = self.weights()["estimate"].to_numpy()
        free = np.isnan(self.weight_function.delta)
        at_end = (weight[free] == 0) | ~np.isfinite(weight[free])
        return bool((self.method != "EE" and self.tau2 == 0) or at_end.any())

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know before trusting the numbers, in words."""
        found = []
        if self.k < FEW:
            found.append(f"with {studies(self.k)} the weights can hardly be told from the effect")
        if isinstance(self.weight_function, StepFunction):
            free = np.isnan(self.weight_function.delta)
            free[0] = free.any()
            sparse = [
                f"{label} ({n})"
                for label, n, used in zip(
                    self.weight_function.labels, self.weight_function.counts, free, strict=True
                )
                if used and n < _SPARSE
            ]
            if sparse:
                found.append(
                    f"few studies have {', '.join(sparse)}: such weights are hardly known; merge "
                    "intervals by leaving out steps"
                )
        if self.boundary:
            found.append(
                "a variance or a weight lies at the end of its range: standard errors take it as "
                "known and the likelihood ratio test is only a guide"
            )
        if math.isfinite(self.fit.second):
            found.append(
                "the likelihood has more than one maximum; the highest is shown, another is lower "
                f"by {self.llf - self.fit.second:.2g}"
            )
        if self.bse.isna().any():
            found.append("standard errors are not defined: the data hardly tell the parameters")
        return tuple(found)

    def to_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Coefficients: estimate, se, statistic, pvalue, ci_lower, ci_upper, unadjusted."""
        frame = pd.DataFrame({
            "estimate": self.params, "se": self.bse, "statistic": self.statistic,
            "pvalue": self.pvalues,
        })  # fmt: skip
        frame = frame.join(self.conf_int(alpha).add_prefix("ci_"))
        return frame.assign(unadjusted=self.unadjusted.params)

    def summary(self) -> str:
        """The sentence, the coefficients, the weights and the notes, as text."""
        weights = self.weights().to_string(float_format="{:.4f}".format, na_rep="")
        head, *notes = super().summary().partition("\nNote: ")
        se = "" if math.isnan(self.tau2_se) else f" (SE {self.tau2_se:.4f})"
        return "\n".join([head, "", weights, f"τ² = {self.tau2:.4f}{se}"]) + "".join(notes)

    def _repr_html_(self) -> str:
        return super()._repr_html_() + self.weights().to_html(border=0, na_rep="")

    def report(self) -> str:
        """What a paper needs to say."""
        side = {"greater": "one-sided (above zero)", "less": "one-sided (below zero)",
                "two.sided": "two-sided"}[self.alternative]  # fmt: skip
        function = self.weight_function
        if isinstance(function, StepFunction):
            steps = ", ".join(f"{step:g}" for step in function.steps[:-1])
            shape = f"steps at {side} p = {steps}"
        else:
            shape = f"beta weights of {side} p values"
        given = "" if self.LRT_df else ", weights given"
        text = f"A selection model ({shape}{given}; maximum likelihood, {studies(self.k)})"
        row, before = self.to_frame().iloc[0], float(self.unadjusted.params.iloc[0])
        if self.unadjusted.p == 1:
            text += (
                f" gives a mean of {row['estimate']:.3f} (95% interval {row['ci_lower']:.3f} to "
                f"{row['ci_upper']:.3f}) instead of {before:.3f}"
            )
        else:
            text += " was fitted with the moderators"
        if self.LRT_df:
            text += (
                f"; likelihood ratio test of no selection χ²({self.LRT_df}) = {self.LRT:.2f}, "
                f"{p_text(self.LRT_pvalue)}"
            )
        return (
            f"{text}. The adjustment rests on the shape assumed for the selection and on normal "
            "true effects; a test without a finding does not show that nothing is missing."
        )


def selection_model(
    yi: MetaResults | ArrayLike | str,
    vi: ArrayLike | str | None = None,
    data: pd.DataFrame | None = None,
    *,
    kind: str = "stepfun",
    steps: Sequence[float] = (0.025,),
    delta: Sequence[float | None] | None = None,
    alternative: str = "greater",
    method: str | None = None,
) -> SelectionResults:
    """Fit a model in which the chance of a result to be seen depends on its p value.

    Parameters
    ----------
    yi, vi, data
        A fitted model, whose moderators stay in, or effects and sampling variances (arrays, or
        columns of ``data``).
    kind : {"stepfun", "beta"}
        A weight for each interval of p values, or the weight p^(δ₁ - 1) (1 - p)^(δ₂ - 1), with p
        values taken no nearer to 0 or 1 than 0.00001.
    steps : sequence of float
        P values between intervals; the weight of the first interval is 1. One step, at 0.025 by
        default, makes the three-parameter model.
    delta : sequence of float or None, optional
        Given weights, one for each interval (δ₁ and δ₂ of the beta weights), None or NaN where a
        weight is to be estimated; by default all are estimated.
    alternative : {"greater", "less", "two.sided"}
        Side of the tests: the direction in which results are more likely to be seen.
    method : {"ML", "EE"}, optional
        Random effects or a common effect; by default as the model, else ``ML``.

    Returns
    -------
    SelectionResults

    Raises
    ------
    UsageError
        If an option does not exist, or steps or weights do not suit.
    ModelError
        If no maximum of the likelihood is found or the effects cannot be used.

    References
    ----------
    Hedges LV (1992). Modeling publication selection effects in meta-analysis. Statistical Science
    7, 246-255.
    Vevea JL, Hedges LV (1995). A general linear model for estimating effect size in the presence of
    publication bias. Psychometrika 60, 419-435.
    Vevea JL, Woods CM (2005). Publication bias in research synthesis: sensitivity analysis using a
    priori weight functions. Psychological Methods 10, 428-443.
    Citkowicz M, Vevea JL (2017). A parsimonious weight function for modeling publication bias.
    Psychological Methods 22, 28-41.
    """
    if kind not in KINDS:
        raise UsageError(f"kind is one of {', '.join(KINDS)}, not {kind!r}")
    if method not in (None, "ML", "EE"):
        raise UsageError(f"method is ML or EE, not {method!r}: selection has no other likelihood")
    require_alternative(alternative)
    given = effects(yi, vi, data, moderators=True)
    how = method or ("EE" if given.method == "EE" else "ML")
    y, v, X = given.yi, given.vi, given.exog
    weights = (
        BetaWeights.of(y, v, delta, alternative)
        if kind == "beta"
        else StepFunction.of(y, v, steps, delta, alternative)
    )
    unadjusted = meta(y, v, exog=pd.DataFrame(X, columns=list(given.names)), method=how, test="z")
    fit = fit_selection_arrays(y, v, X, weights, random=how != "EE")
    return SelectionResults(fit, weights, unadjusted, kind, alternative, how)


def _quantile(alpha: float) -> float:
    from scipy.special import ndtri

    if not 0 < alpha < 1:
        raise UsageError(f"alpha is between 0 and 1, not {alpha!r}")
    return float(ndtri(1 - alpha / 2))


__all__ = ["KINDS", "SelectionResults", "selection_model"]
