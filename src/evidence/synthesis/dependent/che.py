"""Correlated and hierarchical effects: the recommended model of dependent effects in one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike

from evidence.synthesis.dependent.covariance import compound_symmetric
from evidence.synthesis.dependent.multilevel import multilevel
from evidence.synthesis.dependent.multilevel_results import MultilevelResults
from evidence.synthesis.dependent.robust import FEW, RobustResults, robust
from evidence.synthesis.meta import _column, look_up


@dataclass(frozen=True, eq=False, repr=False)
class CheResults(RobustResults):
    """Robust inference on a model of correlated and hierarchical effects.

    Attributes
    ----------
    rho : float
        Correlation of the sampling errors of a study.
    fit : MultilevelResults
        The working model: variance components, I², likelihood, model-based inference.
    """

    rho: float
    fit: MultilevelResults

    @property
    def tau2(self) -> float:
        """Variance between studies."""
        return float(self.fit.sigma2.iloc[0])

    @property
    def omega2(self) -> float:
        """Variance between effects of a study."""
        return float(self.fit.sigma2.iloc[1])

    @property
    def I2(self) -> pd.Series:
        """Percent of the variation that is not sampling error, in total and by level."""
        return self.fit.I2

    def to_dict(self) -> dict[str, Any]:
        """All results as plain numbers and text."""
        more = {"rho": self.rho, "tau2": self.tau2, "omega2": self.omega2}
        return super().to_dict() | more

    def summary(self, alpha: float = 0.05) -> str:
        """What a paper needs, as text."""
        parts = [
            super().summary(alpha),
            f"Between studies τ² = {self.tau2:.4f}, within studies ω² = {self.omega2:.4f} "
            f"(ρ = {self.rho:g})",
        ]
        if self.p == 1:
            row = self.predict(alpha=alpha).iloc[0]
            parts.append(
                f"{100 * (1 - alpha):g} % prediction interval: {row['pi_lower']:.4f} to "
                f"{row['pi_upper']:.4f}"
            )
        return "\n".join(parts)


def che(
    yi: ArrayLike | str,
    vi: ArrayLike | str,
    cluster: ArrayLike | str,
    data: pd.DataFrame | None = None,
    *,
    mods: str | pd.DataFrame | ArrayLike | None = None,
    rho: float = 0.6,
    method: str = "REML",
    vcov: str = "CR2",
    min_df: float = FEW,
    missing: str = "raise",
) -> CheResults:
    """Fit the correlated-and-hierarchical-effects model, with robust tests and intervals.

    Sampling errors of effects of a study have the correlation ``rho``; studies, and effects within
    studies, have random effects. As neither need be right, inference is cluster-robust by study.

    Parameters
    ----------
    yi, vi : array_like of shape (k,), or str
        Effects and their sampling variances, or the names of their columns in ``data``.
    cluster : array_like of shape (k,), or str
        Names of the studies, or their column.
    data : pandas.DataFrame, optional
        Where the columns are.
    mods : str, DataFrame or array_like, optional
        Moderators: a formula or a model matrix, as in
        :func:`~evidence.synthesis.dependent.multilevel.multilevel`.
    rho : float
        Assumed correlation of sampling errors within studies; try others.
    method : {"REML", "ML"}
        Likelihood of the variance components.
    vcov : str
        As in :func:`~evidence.synthesis.dependent.robust.robust`.
    min_df : float
        Below so many degrees of freedom a coefficient has no p value and interval, as a robust one
        would not hold its level (Tipton 2015); a warning says so. With 0 they are given, with the
        warning.
    missing : {"raise", "drop"}
        Whether a missing number is an error, or its row is left out.

    Returns
    -------
    CheResults

    Raises
    ------
    UsageError, ModelError
        As in ``multilevel`` and ``robust``.

    References
    ----------
    Pustejovsky JE, Tipton E (2022). Meta-analysis with robust variance estimation: expanding the
    range of working models. Prevention Science 23, 425-438.
    Tipton E (2015). Small sample adjustments for robust variance estimation with meta-regression.
    Psychological Methods 20, 375-393.
    """
    studies = pd.Series(look_up(cluster, data)).reset_index(drop=True)
    V = compound_symmetric(_column(vi, data, "vi"), studies, rho)
    y = _column(yi, data, "yi")
    frame = pd.DataFrame(index=range(len(studies))) if data is None else data.reset_index(drop=True)
    named = isinstance(cluster, str) and not set(cluster) & set("/|~")
    study = str(cluster) if named else _free("study", frame)
    effect = _free("effect", frame)
    frame = frame.assign(**{study: studies, effect: range(len(frame))})
    fit = multilevel(
        y, V, frame, mods=mods, random=f"~ 1 | {study}/{effect}", method=method, missing=missing
    )  # fmt: skip
    # Studies of the rows that are left.
    found = robust(fit, fit.terms[0].group, vcov=vcov, min_df=min_df)
    return CheResults(**vars(found), rho=rho, fit=fit)


def _free(name: str, frame: pd.DataFrame) -> str:
    """A name that no column has."""
    while name in frame:
        name += "_"
    return name
