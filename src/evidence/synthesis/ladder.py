"""The ladder: how much a handful of trials can carry, by their number.

One trial is shown as it is. Two stand side by side. Three or four are pooled with an informative
prior on the heterogeneity, because so few cannot tell it by themselves. From five, restricted
maximum likelihood with the Knapp-Hartung interval, never narrower than the normal one, and a
prediction interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from evidence.errors import UsageError

Form = Literal["none", "single", "side-by-side", "bayes", "reml"]

POOLED: tuple[Form, ...] = ("bayes", "reml")
"""Forms that hold an average."""
POOL_FROM = 3
"""Independent trials from which an average is shown."""
REML_FROM = 5
"""Independent trials from which the data may speak for the heterogeneity by themselves."""

# Scale of the half-normal prior on tau. With tau = 0.5 the true odds ratios of 95 % of the trials
# of one question span a factor of seven, exp(3.92 * 0.5), about as much as such trials differ; on
# standardised differences the scale is divided by the standard deviation of the logistic
# distribution, pi/sqrt(3) (Röver and others 2021).
_LOG_SCALE = 0.5
PRIOR_SCALES = {
    "log_or": _LOG_SCALE,
    "log_rr": _LOG_SCALE,
    "log_irr": _LOG_SCALE,
    "log_hr": _LOG_SCALE,
    "g": _LOG_SCALE * math.sqrt(3) / math.pi,
    # Ten percentage points between trials of one question would be much.
    "rd": 0.05,
}


@dataclass(frozen=True)
class Rung:
    """What may be said of the trials of one question.

    Attributes
    ----------
    form : str
        ``none`` (no trial), ``single``, ``side-by-side`` (two, not pooled), ``bayes`` or ``reml``.
    k : int
        Independent trials.
    estimate, se, ci_lower, ci_upper : float
        On the scale of the metric, positive in favour of the programme; 95 %. NaN where nothing
        is pooled; with ``single`` the trial's own.
    pi_lower, pi_upper : float
        95 % prediction interval for the effect in a new place; NaN below five trials.
    tau2, I2 : float
        Heterogeneity (I² in percent); NaN where nothing is pooled.
    p_benefit, p_harm : float
        Posterior probability that the mean effect is above or below zero; NaN without a posterior.
    weights : tuple of float
        Share of each trial in the estimate; NaN where nothing is pooled.
    warnings : tuple of str
        What a reader must know of the fit.
    """

    form: Form
    k: int
    estimate: float = math.nan
    se: float = math.nan
    ci_lower: float = math.nan
    ci_upper: float = math.nan
    pi_lower: float = math.nan
    pi_upper: float = math.nan
    tau2: float = math.nan
    I2: float = math.nan
    p_benefit: float = math.nan
    p_harm: float = math.nan
    weights: tuple[float, ...] = ()
    warnings: tuple[str, ...] = ()


def prior_scale(metric: str, sd: float = math.nan) -> float:
    """Scale of the half-normal prior on τ.

    Parameters
    ----------
    metric : str
        ``g``, ``md``, ``rd`` or one of the log ratios.
    sd : float
        Standard deviation of the instrument; needed for ``md``, whose scale is that of ``g``
        times it.

    Returns
    -------
    float
        NaN for ``md`` on an instrument whose standard deviation is not known.

    Raises
    ------
    UsageError
        If there is no such metric.

    References
    ----------
    Röver C, Bender R, Dias S and others (2021). On weakly informative prior distributions for the
    heterogeneity parameter in Bayesian random-effects meta-analysis. Research Synthesis Methods
    12, 448-474.
    """
    if metric == "md":
        return PRIOR_SCALES["g"] * sd
    if metric not in PRIOR_SCALES:
        raise UsageError(f"there is no metric {metric!r}: use md, {', '.join(PRIOR_SCALES)}")
    return PRIOR_SCALES[metric]


def climb(yi: ArrayLike, vi: ArrayLike, metric: str, *, sd: float = math.nan) -> Rung:
    """Say of independent effects what their number allows.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effects, positive in favour of the programme, and their sampling variances.
    metric : str
        See :func:`prior_scale`.
    sd : float
        Standard deviation of the instrument, for ``md``. Without it three or four mean
        differences are not pooled.

    Returns
    -------
    Rung
    """
    from scipy.special import ndtri

    y = np.asarray(yi, dtype=float)
    v = np.asarray(vi, dtype=float)
    k = len(y)
    if k == 0:
        return Rung("none", 0)
    if k == 1:
        se = math.sqrt(v[0])
        reach = float(ndtri(0.975)) * se
        return Rung("single", 1, float(y[0]), se, float(y[0]) - reach, float(y[0]) + reach)
    if k < POOL_FROM:
        return Rung("side-by-side", k)
    if k < REML_FROM:
        scale = prior_scale(metric, sd)
        if not math.isfinite(scale):
            why = "not pooled: the instrument's standard deviation is not known"
            return Rung("side-by-side", k, warnings=(why,))
        return _from_posterior(y, v, scale)
    return _from_reml(y, v)


def _shares(v: np.ndarray, tau2: float) -> tuple[float, ...]:
    weight = 1 / (v + tau2)
    return tuple(float(share) for share in weight / weight.sum())


def _from_posterior(y: np.ndarray, v: np.ndarray, scale: float) -> Rung:
    from evidence.synthesis.normal_normal import normal_normal
    from evidence.synthesis.priors import HalfNormal

    fit = normal_normal(y, v, tau_prior=HalfNormal(scale))
    tau2 = fit.tau2
    return Rung(
        "bayes", fit.k, fit.mean, fit.sd, fit.quantile(0.025), fit.quantile(0.975),
        tau2=tau2, I2=_i2(v, tau2), p_benefit=fit.p_benefit, p_harm=1 - fit.p_benefit,
        weights=tuple(float(share) for share in fit.study_weights),
    )  # fmt: skip


def _i2(v: np.ndarray, tau2: float) -> float:
    """I² in percent at the typical sampling variance of Higgins and Thompson (2002)."""
    w = 1 / v
    typical = (len(v) - 1) * w.sum() / (w.sum() ** 2 - (w**2).sum())
    return float(100 * tau2 / (tau2 + typical))


def _from_reml(y: np.ndarray, v: np.ndarray) -> Rung:
    from evidence.synthesis.meta import meta

    fit = meta(y, v)
    row = fit.predict().iloc[0]
    return Rung(
        "reml", fit.k, float(row["mean"]), float(row["mean_se"]), float(row["mean_ci_lower"]),
        float(row["mean_ci_upper"]), float(row["pi_lower"]), float(row["pi_upper"]), fit.tau2,
        fit.I2, weights=tuple(float(share) / 100 for share in fit.weights), warnings=fit.warnings,
    )  # fmt: skip
