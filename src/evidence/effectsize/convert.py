"""From one statistic to another.

The first part reads other statistics as effect sizes: t, F, p, intervals, correlations. The second
part, ``convert_...``, changes one metric into another; it rests on assumptions about distributions
or base rates and is for sensitivity analyses only. A rate ratio or a hazard ratio has no conversion
to a standardised difference, and none is offered.

References
----------
Chinn S (2000). A simple method for converting an odds ratio to effect size for use in
    meta-analysis. Statistics in Medicine 19, 3127-3131 (logistic).
Hasselblad V, Hedges LV (1995). Meta-analysis of screening and diagnostic tests. Psychological
    Bulletin 117, 167-178 (logistic).
Sánchez-Meca J, Marín-Martínez F, Chacón-Moscoso S (2003). Effect-size indices for dichotomized
    outcomes in meta-analysis. Psychological Methods 8, 448-467 (Cox).
Grant RL (2014). Converting an odds ratio to a range of plausible relative risks for better
    communication of research findings. BMJ 348, f7450 (control risk).
Borenstein M et al. (2009). Introduction to meta-analysis, chapter 7. Wiley (r to d).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from evidence.effectsize.calculate import EffectSizes
from evidence.effectsize.means import COX, LOGISTIC, standardised
from evidence.effectsize.registry import Array
from evidence.effectsize.reported import interval_se, p_se
from evidence.errors import UsageError

_FACTORS = {"logistic": LOGISTIC, "cox": COX}


def _floats(*values: ArrayLike) -> list[Array]:
    return [np.asarray(value, dtype=float) for value in values]


def t_from_p(p: ArrayLike, sign: ArrayLike, df: ArrayLike) -> Array:
    """T statistic of a two-sided p value.

    Parameters
    ----------
    p, sign, df : array_like
        Exact p value; sign of the difference; degrees of freedom.
    """
    p, sign, df = _floats(p, sign, df)
    return np.sign(sign) * -stdtrit(df, p / 2)


def t_from_f(f: ArrayLike, sign: ArrayLike) -> Array:
    """T statistic of an F with one numerator degree of freedom, with the sign given."""
    f, sign = _floats(f, sign)
    return np.sign(sign) * np.sqrt(f)


def t_interval_se(low: ArrayLike, high: ArrayLike, df: ArrayLike, level: ArrayLike = 95.0) -> Array:
    """Standard error of a difference of means with a t interval.

    Parameters
    ----------
    low, high, df : array_like
        Limits and degrees of freedom.
    level : array_like
        Level of the interval in percent.
    """
    low, high, df, level = _floats(low, high, df, level)
    return (high - low) / (2 * stdtrit(df, 0.5 + level / 200))


def g_from_t(t: ArrayLike, n1: ArrayLike, n2: ArrayLike, vtype: str = "LS") -> EffectSizes:
    """Hedges' g of an unadjusted comparison of two independent groups.

    Parameters
    ----------
    t, n1, n2 : array_like
        T statistic with n1 + n2 - 2 degrees of freedom, and the sizes of the groups.
    vtype : {"LS", "LS2", "UB", "AV"}
        Type of variance as in :func:`evidence.escalc`.
    """
    t, n1, n2 = _floats(t, n1, n2)
    return EffectSizes(*standardised(t * np.sqrt(1 / n1 + 1 / n2), n1, n2, vtype))


def sd_from_se(se: ArrayLike, n1: ArrayLike, n2: ArrayLike) -> Array:
    """Standard deviation within two groups of the standard error of their difference."""
    se, n1, n2 = _floats(se, n1, n2)
    return se / np.sqrt(1 / n1 + 1 / n2)


def log_ratio_from_interval(
    ratio: ArrayLike, low: ArrayLike, high: ArrayLike, level: ArrayLike = 95.0
) -> EffectSizes:
    """Log ratio and variance of a ratio with a normal interval of ``level`` percent."""
    ratio, low, high = _floats(ratio, low, high)
    return EffectSizes(np.log(ratio), interval_se(np.log(low), np.log(high), level) ** 2)


def log_ratio_from_p(ratio: ArrayLike, p: ArrayLike) -> EffectSizes:
    """Log ratio and variance of a ratio with an exact two-sided normal p value."""
    y = np.log(np.asarray(ratio, dtype=float))
    return EffectSizes(y, p_se(y, p) ** 2)


def r_from_t(t: ArrayLike, df: ArrayLike) -> Array:
    """Correlation of its t statistic on ``df`` degrees of freedom."""
    t, df = _floats(t, df)
    return t / np.sqrt(t**2 + df)


def d_from_r(r: ArrayLike, n: ArrayLike) -> EffectSizes:
    """Standardised difference that a correlation over ``n`` people stands for."""
    r, n = _floats(r, n)
    rest = 1 - r**2
    return EffectSizes(2 * r / np.sqrt(rest), 4 * (rest**2 / (n - 1)) / rest**3)


def _factor(method: str) -> float:
    if method not in _FACTORS:
        raise UsageError(f'no method "{method}"; there are {", ".join(_FACTORS)}')
    return _FACTORS[method]


def convert_log_or_to_g(yi: ArrayLike, vi: ArrayLike, method: str = "logistic") -> EffectSizes:
    """Log odds ratios as standardised differences, for sensitivity analyses.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Log odds ratios and variances.
    method : {"logistic", "cox"}
        Divisor π/√3 (Chinn: a logistic distribution behind the event) or 1.65 (Cox: about normal).
    """
    yi, vi = _floats(yi, vi)
    factor = _factor(method)
    return EffectSizes(yi / factor, vi / factor**2)


def convert_g_to_log_or(yi: ArrayLike, vi: ArrayLike, method: str = "logistic") -> EffectSizes:
    """Standardised differences as log odds ratios: the reverse of :func:`convert_log_or_to_g`."""
    yi, vi = _floats(yi, vi)
    factor = _factor(method)
    return EffectSizes(yi * factor, vi * factor**2)


def convert_log_rr_to_log_or(yi: ArrayLike, vi: ArrayLike, control_risk: ArrayLike) -> EffectSizes:
    """Log risk ratios as log odds ratios at a known control risk, for sensitivity analyses.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Log risk ratios of the event, programme over control, and variances.
    control_risk : array_like
        Risk of the event without the programme, between 0 and 1.

    Returns
    -------
    EffectSizes
        NaN where the programme's risk would reach one.
    """
    yi, vi, risk = _floats(yi, vi, control_risk)
    with np.errstate(invalid="ignore", divide="ignore"):
        rest = 1 - risk * np.exp(yi)
        rest = np.where((risk > 0) & (risk < 1) & (rest > 0), rest, np.nan)
        return EffectSizes(yi + np.log((1 - risk) / rest), vi / rest**2)


def convert_log_or_to_log_rr(yi: ArrayLike, vi: ArrayLike, control_risk: ArrayLike) -> EffectSizes:
    """Log odds ratios as log risk ratios: the reverse of :func:`convert_log_rr_to_log_or`."""
    yi, vi, risk = _floats(yi, vi, control_risk)
    risk = np.where((risk > 0) & (risk < 1), risk, np.nan)
    mixed = 1 - risk + risk * np.exp(yi)
    return EffectSizes(yi - np.log(mixed), vi * ((1 - risk) / mixed) ** 2)


def convert_effect_sizes(
    sizes: pd.DataFrame,
    to: str,
    *,
    method: str = "logistic",
    control_risk: float | pd.Series | None = None,
) -> pd.DataFrame:
    """Effect sizes in another metric, for a labelled sensitivity analysis.

    Parameters
    ----------
    sizes : pandas.DataFrame
        From :func:`evidence.effect_sizes`, all in one metric.
    to : {"g", "log_or", "log_rr"}
        The metric wanted: g and log_or into one another; log_rr and log_or into one another.
    method : {"logistic", "cox"}
        Between g and log_or.
    control_risk : float or pandas.Series, optional
        Risk of the event in the control group, needed between log_rr and log_or; a series has the
        index of ``sizes``.

    Returns
    -------
    pandas.DataFrame
        ``sizes`` with yi, vi, sei and metric converted, and ``converted_from``.

    Raises
    ------
    evidence.errors.UsageError
        For any other pair of metrics, and without a control risk where one is needed.
    """
    metrics = sorted(set(sizes["metric"]))
    if len(metrics) != 1:
        raise UsageError(f"effect sizes of one metric are needed, not of {len(metrics)}")
    pair = (metrics[0], to)
    yi, vi = (sizes[name].to_numpy(dtype=float) for name in ("yi", "vi"))
    if pair == ("log_or", "g"):
        found = convert_log_or_to_g(yi, vi, method)
    elif pair == ("g", "log_or"):
        found = convert_g_to_log_or(yi, vi, method)
    elif pair in (("log_rr", "log_or"), ("log_or", "log_rr")):
        if control_risk is None:
            raise UsageError(f"{pair[0]} becomes {to} only with the risk in the control group")
        # The risk is that of the event, so the effect must be that of the event as well.
        sign = np.where(sizes["lower_is_better"] == "yes", -1.0, 1.0)
        risk: Any = control_risk
        if isinstance(risk, pd.Series):
            risk = risk.reindex(sizes.index).to_numpy(dtype=float)
        turn = convert_log_rr_to_log_or if to == "log_or" else convert_log_or_to_log_rr
        found = turn(sign * yi, vi, risk)
        found = EffectSizes(sign * found.yi, found.vi)
    else:
        raise UsageError(f"there is no conversion from {pair[0]} to {to}")
    return sizes.assign(
        yi=found.yi, vi=found.vi, sei=np.sqrt(found.vi), metric=to, converted_from=pair[0]
    )
