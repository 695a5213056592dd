"""Trim and fill: the mean if the funnel were symmetric."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import ModelError, UsageError
from evidence.synthesis.bias.effects import effects, require_spread
from evidence.synthesis.bias.reported import Reported, few, p_text, studies
from evidence.synthesis.least_squares import Array
from evidence.synthesis.meta import fit_arrays, meta
from evidence.synthesis.results import MetaResults

ESTIMATORS = ("L0", "R0", "Q0")
SIDES = ("auto", "left", "right")
_ROUNDS = 100


@dataclass(frozen=True, eq=False)
class TrimAndFillResults(Reported):
    """A mean with studies filled in.

    Attributes
    ----------
    fit : MetaResults
        The model of the studies and of those filled in, which come last.
    observed : MetaResults
        The model of the studies alone.
    k0 : int
        Number of studies filled in.
    k0_se : float
        Standard error of the number of missing studies, at the estimate before it is rounded; NaN
        where that lies too far below zero.
    k0_pvalue : float
        P value of no missing studies, for the estimator ``R0``; else NaN.
    side : str
        Where they are missing: ``left`` (smaller effects) or ``right``.
    estimator : str
        ``L0``, ``R0`` or ``Q0``.
    filled : pandas.DataFrame
        The studies filled in: ``yi``, ``vi``, and the position of the study that each mirrors,
        ``mirrors``.
    """

    fit: MetaResults
    observed: MetaResults
    k0: int
    k0_se: float
    k0_pvalue: float
    side: str
    estimator: str
    filled: pd.DataFrame

    @property
    def params(self) -> pd.Series:
        """Mean with the studies filled in."""
        return self.fit.params

    @property
    def bse(self) -> pd.Series:
        """Its standard error."""
        return self.fit.bse

    @property
    def pvalues(self) -> pd.Series:
        """Its two-sided p value."""
        return self.fit.pvalues

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Its confidence interval; columns ``lower``, ``upper``."""
        return self.fit.conf_int(alpha)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know before trusting the numbers, in words."""
        return (
            "the studies filled in are not data: the mean with them shows how much asymmetry "
            "matters, and its interval is too narrow",
            *few(self.observed.k),
            *self.fit.warnings,
        )

    def to_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Rows ``observed``, ``filled``: estimate, se, statistic, pvalue, ci_lower, ci_upper."""
        rows = [model.to_frame(alpha) for model in (self.observed, self.fit)]
        frame = pd.concat(rows).set_axis(["observed", "filled"])
        return frame.assign(
            k=[self.observed.k, self.fit.k], tau2=[self.observed.tau2, self.fit.tau2]
        )

    def report(self) -> str:
        """What a paper needs to say."""
        before, after = self.to_frame()["estimate"]
        test = "" if math.isnan(self.k0_pvalue) else f", {p_text(self.k0_pvalue)} for none"
        return (
            f"Trim and fill ({self.estimator}, {studies(self.observed.k)}) takes {self.k0} "
            f"stud{'y' if self.k0 == 1 else 'ies'} to be missing on the {self.side}{test}; with "
            f"{'it' if self.k0 == 1 else 'them'} the mean is {after:.3f} instead of {before:.3f}. "
            "It takes a funnel to be symmetric unless results are missing, and fills in studies "
            "also where small studies truly differ from large ones."
        )  # fmt: skip


def trim_and_fill(
    yi: MetaResults | ArrayLike | str,
    vi: ArrayLike | str | None = None,
    data: pd.DataFrame | None = None,
    *,
    estimator: str = "L0",
    side: str = "auto",
    method: str | None = None,
    test: str | None = None,
    floor: bool | None = None,
) -> TrimAndFillResults:
    """Estimate how many studies are missing on one side of a funnel, and fill them in.

    Parameters
    ----------
    yi, vi, data
        A fitted model without moderators, or effects and sampling variances (arrays, or columns of
        ``data``).
    estimator : {"L0", "R0", "Q0"}
        Of the number of missing studies. ``R0`` comes with a test that there are none; ``Q0`` is
        not recommended by its authors.
    side : {"auto", "left", "right"}
        Where studies may be missing; by default the side to which the smaller studies do not lean,
        by the slope of the same model on their standard error.
    method, test, floor
        As for :func:`evidence.synthesis.meta`; by default the model's, or ``REML`` with ``knha``
        and the floor.

    Returns
    -------
    TrimAndFillResults

    Raises
    ------
    UsageError
        If an option does not exist.
    ModelError
        If there are fewer than three studies, the number of missing studies does not settle or
        cannot be estimated, or the effects cannot be used.

    References
    ----------
    Duval SJ, Tweedie RL (2000). Trim and fill: a simple funnel-plot-based method of testing and
    adjusting for publication bias in meta-analysis. Biometrics 56, 455-463.
    Duval SJ, Tweedie RL (2000). A nonparametric "trim and fill" method of accounting for
    publication bias in meta-analysis. Journal of the American Statistical Association 95, 89-98.
    Peters JL, Sutton AJ, Jones DR and others (2007). Performance of the trim and fill method in
    the presence of publication bias and between-study heterogeneity. Statistics in Medicine 26,
    4544-4562.
    """
    if estimator not in ESTIMATORS:
        raise UsageError(f"estimator is one of {', '.join(ESTIMATORS)}, not {estimator!r}")
    if side not in SIDES:
        raise UsageError(f"side is one of {', '.join(SIDES)}, not {side!r}")
    given = effects(yi, vi, data)
    if given.k < 3:
        raise ModelError(f"trim and fill needs three studies, not {given.k}")
    y, v = given.yi, given.vi
    how = method or given.method

    def model(effect: Array, variance: Array) -> MetaResults:
        return meta(
            effect, variance, method=how, test=test or given.test,
            floor=given.floor if floor is None else floor,
        )  # fmt: skip

    observed = model(y, v)
    where = _side(y, v, how) if side == "auto" else side
    # Studies are missing on the left; a funnel that lacks its right is turned round.
    turn = -1.0 if where == "right" else 1.0
    rows = np.argsort(turn * y, kind="stable")
    k0, estimate, centre = _missing(turn * y[rows], v[rows], how, estimator)
    mirrored = rows[len(y) - k0 :]
    filled = pd.DataFrame(
        {"yi": 2 * turn * centre - y[mirrored], "vi": v[mirrored], "mirrors": mirrored}
    )
    fit = model(np.append(y, filled["yi"]), np.append(v, filled["vi"])) if k0 else observed
    p = 0.5 ** (k0 + 1) if estimator == "R0" else math.nan
    return TrimAndFillResults(
        fit, observed, k0, _standard_error(len(y), estimate, estimator), p, where, estimator, filled
    )


def _side(y: Array, v: Array, method: str) -> str:
    X = np.column_stack([np.ones(len(y)), np.sqrt(v)])
    require_spread(v, "standard error")
    slope = fit_arrays(y, v, X, method=method, test="z").beta[1]
    return "left" if slope > 0 else "right"


def _missing(y: Array, v: Array, method: str, estimator: str) -> tuple[int, float, float]:
    """Studies missing on the left of sorted effects, before rounding too, and the centre."""
    k, k0, seen = len(y), 0, set()
    while k0 not in seen:
        seen.add(k0)
        kept = slice(0, k - k0)
        X = np.ones((k - k0, 1))
        centre = float(fit_arrays(y[kept], v[kept], X, method=method, test="z").beta[0])
        deviation = y - centre
        # Rounding errors have no side.
        deviation[np.abs(deviation) <= 1e-12 * float(np.abs(y).max())] = 0.0
        estimate = _estimate(deviation, estimator)
        found = max(0, round(estimate))
        if found == k0:
            return k0, estimate, centre
        if found > k - 2 or len(seen) > _ROUNDS:
            break
        k0 = found
    raise ModelError(
        f"the number of missing studies does not settle with estimator {estimator}: "
        "try another estimator or side"
    )


def _estimate(deviation: Array, estimator: str) -> float:
    k = len(deviation)
    size, above = np.abs(deviation), deviation > 0
    if estimator == "R0":
        # Length of the run of effects above the centre among the largest deviations.
        return float((size > size[~above].max(initial=0.0)).sum()) - 1
    _, place, count = np.unique(size, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - 0.5 * (count - 1)
    T = float(rank[place][above].sum())
    if estimator == "L0":
        return (4 * T - k * (k + 1)) / (2 * k - 1)
    square = 2 * k**2 - 4 * T + 0.25
    if square < 0:
        raise ModelError("the estimator Q0 is not defined for these effects: use L0")
    return k - 0.5 - math.sqrt(square)


def _standard_error(k: int, k0: float, estimator: str) -> float:
    """Standard error of the number of missing studies, by the delta method for L0 and Q0.

    Duval and Tweedie's variance of the rank sum T; L0 is linear in it, and the derivative of Q0
    is 2/(k - 1/2 - k0) where T has its mean.
    """
    if estimator == "R0":
        return math.sqrt(2 * max(0.0, k0) + 2)
    spread = (
        k * (k + 1) * (2 * k + 1)
        + 10 * k0**3 + 27 * k0**2 + 17 * k0
        - 18 * k * k0**2 - 18 * k * k0 + 6 * k**2 * k0
    ) / 24  # fmt: skip
    if spread < 0:
        return math.nan
    if estimator == "L0":
        return 4 * math.sqrt(spread) / (2 * k - 1)
    return 2 * math.sqrt(spread) / (k - 0.5 - k0)


__all__ = ["ESTIMATORS", "SIDES", "TrimAndFillResults", "trim_and_fill"]
