"""Regression tests of whether small studies show other effects than large ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import UsageError
from evidence.synthesis.bias.effects import Effects, column, effects, require_spread
from evidence.synthesis.bias.reported import Reported, few, p_text, studies
from evidence.synthesis.least_squares import Array
from evidence.synthesis.meta import meta
from evidence.synthesis.results import METHODS, MetaResults

if TYPE_CHECKING:
    from evidence.synthesis.dependent.robust import RobustResults

PREDICTORS = {
    "sei": "standard error",
    "vi": "sampling variance",
    "ni": "sample size",
    "ninv": "inverse of the sample size",
    "sqrtni": "root of the sample size",
    "sqrtninv": "inverse root of the sample size",
}
"""What the effects are regressed on, by name."""

# Zero stands for an infinitely large study, so that the intercept is its effect.
_LIMITS = ("sei", "vi", "ninv", "sqrtninv")


@dataclass(frozen=True, eq=False)
class AsymmetryResults(Reported):
    """A regression test of funnel asymmetry.

    Attributes
    ----------
    fit : MetaResults or RobustResults
        The regression.
    predictor : str
        See :data:`PREDICTORS`.
    model : str
        ``rma`` (variance between studies added) or ``lm`` (variances multiplied by a factor).
    """

    fit: MetaResults | RobustResults
    predictor: str
    model: str

    @property
    def k(self) -> int:
        """Number of effects."""
        return self.fit.k

    @property
    def params(self) -> pd.Series:
        """Coefficients; the one that bears the predictor's name is tested."""
        return self.fit.params

    @property
    def bse(self) -> pd.Series:
        """Their standard errors."""
        return self.fit.bse

    @property
    def pvalues(self) -> pd.Series:
        """Their two-sided p values."""
        return self.fit.pvalues

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Their confidence intervals; columns ``lower``, ``upper``."""
        return self.fit.conf_int(alpha)

    @property
    def statistic(self) -> float:
        """Test statistic of no asymmetry: z, or t with ``df_resid`` degrees of freedom."""
        return float(self.fit.statistic[self.predictor])

    @property
    def pvalue(self) -> float:
        """Two-sided p value of no asymmetry."""
        return float(self.fit.pvalues[self.predictor])

    @property
    def df_resid(self) -> float:
        """Degrees of freedom of the test; infinite with the normal test."""
        if isinstance(self.fit, MetaResults):
            return self.fit.df_resid
        return float(self.fit.df[self.predictor])

    @property
    def n_studies(self) -> int:
        """Number of independent studies; of effects where no clusters were given."""
        return self.fit.k if isinstance(self.fit, MetaResults) else self.fit.n_clusters

    def limit(self, alpha: float = 0.05) -> pd.Series:
        """Effect expected of an infinitely large study.

        Returns
        -------
        pandas.Series
            ``estimate``, ``lower``, ``upper``; NaN where the predictor grows with the study, and
            where there are moderators.
        """
        if self.predictor not in _LIMITS or self.fit.p > 2:
            return pd.Series({"estimate": math.nan, "lower": math.nan, "upper": math.nan})
        ends = self.fit.conf_int(alpha).iloc[0]
        return pd.Series({"estimate": float(self.fit.params.iloc[0]), **ends.to_dict()})

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know before trusting the numbers, in words."""
        return (*few(self.n_studies), *self.fit.warnings)

    def to_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """One row per coefficient: estimate, se, statistic, pvalue, ci_lower, ci_upper."""
        return self.fit.to_frame(alpha)

    def report(self) -> str:
        """What a paper needs to say."""
        many = studies(self.n_studies)
        if not isinstance(self.fit, MetaResults):
            how = f"correlated and hierarchical effects, CR2, {self.k} effects of {many}"
        elif self.model == "lm":
            how = f"weighted regression with a multiplicative factor, {many}"
        else:
            how = f"meta-regression, {METHODS[self.fit.method]}, {many}"
        df = "z" if math.isinf(self.df_resid) else f"t({self.df_resid:.3g})"
        limit = self.limit()
        text = (
            f"Effects were regressed on their {PREDICTORS[self.predictor]} ({how}): "
            f"slope {self.params[self.predictor]:.3f}, "
            f"{df} = {self.statistic:.2f}, {p_text(self.pvalue)}. "
        )
        if not math.isnan(limit["estimate"]):
            text += (
                f"The line meets an infinitely large study at {limit['estimate']:.3f} "
                f"(95% interval {limit['lower']:.3f} to {limit['upper']:.3f}). "
            )
        return text + (
            "A slope says that small studies differ from large ones; it does not say why: besides "
            "missing results there are real differences, weaker methods of small studies, an "
            "effect measure tied to its standard error, and chance."
        )


def asymmetry(
    yi: MetaResults | ArrayLike | str,
    vi: ArrayLike | str | None = None,
    data: pd.DataFrame | None = None,
    *,
    predictor: str = "sei",
    model: str = "rma",
    ni: ArrayLike | str | None = None,
    method: str | None = None,
    test: str | None = None,
    floor: bool | None = None,
    cluster: ArrayLike | str | None = None,
    rho: float = 0.6,
) -> AsymmetryResults:
    """Test a funnel for asymmetry by regression.

    Parameters
    ----------
    yi, vi, data
        A fitted model, whose moderators stay in, or effects and sampling variances (arrays, or
        columns of ``data``).
    predictor : str
        ``sei`` (standard error), ``vi`` (variance), or, from the sample sizes, ``ni``, ``ninv``
        (inverse), ``sqrtni``, ``sqrtninv``. For ratios ``ninv`` is not tied to the effect as its
        standard error is (Peters and others 2006; Macaskill and others 2001 for ``ni``).
    model : {"rma", "lm"}
        Meta-regression with a variance between studies, or weighted least squares with a factor on
        the variances: Egger's test.
    ni : array_like or str, optional
        Sample sizes, shape (k,), for the predictors that need them.
    method, test, floor
        As for :func:`evidence.synthesis.meta`; by default the model's, or ``REML`` with ``knha``
        and the floor. They have no part in ``lm`` and with clusters.
    cluster : array_like or str, optional
        Names of the independent studies, shape (k,), where studies have several effects. The
        regression is then a multilevel one (studies, effects within studies) by REML, and its tests
        are robust (CR2 with Satterthwaite's degrees of freedom; withheld below four).
    rho : float
        Correlation assumed between sampling errors of a study's effects; with clusters only.

    Returns
    -------
    AsymmetryResults

    Raises
    ------
    UsageError
        If an option does not exist or sample sizes are missing.
    ModelError
        If all studies have the same precision, there are too few, or the effects cannot be used.

    References
    ----------
    Egger M, Davey Smith G, Schneider M, Minder C (1997). Bias in meta-analysis detected by a
    simple, graphical test. BMJ 315, 629-634.
    Sterne JAC, Egger M (2005). Regression methods to detect publication and other bias in
    meta-analysis. In: Publication Bias in Meta-Analysis, 99-110.
    Macaskill P, Walter SD, Irwig L (2001). A comparison of methods to detect publication bias in
    meta-analysis. Statistics in Medicine 20, 641-654.
    Peters JL, Sutton AJ, Jones DR and others (2006). Comparison of two methods to detect
    publication bias in meta-analysis. JAMA 295, 676-680.
    Sterne JAC, Sutton AJ, Ioannidis JPA and others (2011). Recommendations for examining and
    interpreting funnel plot asymmetry. BMJ 343, d4002.
    Rodgers MA, Pustejovsky JE (2021). Evaluating meta-analytic methods to detect selective
    reporting in the presence of dependent effect sizes. Psychological Methods 26, 141-160.
    """
    if predictor not in PREDICTORS:
        raise UsageError(f"predictor is one of {', '.join(PREDICTORS)}, not {predictor!r}")
    if model not in ("rma", "lm"):
        raise UsageError(f"model is rma or lm, not {model!r}")
    given = effects(yi, vi, data, moderators=True)
    x = _predictor(predictor, given.vi, ni, data)
    require_spread(x, PREDICTORS[predictor])
    X = pd.DataFrame(given.exog, columns=list(given.names))
    X.insert(X.shape[1] if X.shape[1] == 1 else 1, predictor, x)
    if cluster is not None:
        if model == "lm":
            raise UsageError("with clusters the model is rma")
        fit: MetaResults | RobustResults = _clustered(given, X, cluster, data, rho)
    elif model == "lm":
        fit = meta(given.yi, given.vi, exog=X, method="EE", test="knha", floor=False)
    else:
        fit = meta(
            given.yi, given.vi, exog=X, method=method or given.method, test=test or given.test,
            floor=given.floor if floor is None else floor,
        )  # fmt: skip
    return AsymmetryResults(fit, predictor, model)


def _clustered(
    given: Effects,
    X: pd.DataFrame,
    cluster: ArrayLike | str,
    data: pd.DataFrame | None,
    rho: float,
) -> RobustResults:
    from evidence.synthesis.dependent import compound_symmetric, multilevel
    from evidence.synthesis.dependent.robust import FEW, robust

    if isinstance(cluster, str):
        if data is None or cluster not in data:
            raise UsageError(f"no column {cluster!r} in the data")
        cluster = data[cluster]
    names = np.asarray(cluster)
    if names.shape != (given.k,):
        raise UsageError(f"cluster has one name for each of {given.k} effects")
    levels = pd.DataFrame({"study": names, "effect": np.arange(given.k)})
    V = compound_symmetric(given.vi, names, rho)
    working = multilevel(given.yi, V, levels, mods=X, random="~ 1 | study/effect")
    return robust(working, names, min_df=FEW)


def _predictor(
    name: str, vi: Array, ni: ArrayLike | str | None, data: pd.DataFrame | None
) -> Array:
    if name in ("sei", "vi"):
        return np.sqrt(vi) if name == "sei" else vi
    if ni is None:
        raise UsageError(f"predictor {name} needs the sample sizes ni")
    sizes = column(ni, data, len(vi), "ni")
    if name.startswith("sqrt"):
        sizes = np.sqrt(sizes)
    return 1 / sizes if name.endswith("inv") else sizes


__all__ = ["PREDICTORS", "AsymmetryResults", "asymmetry"]
