"""Differences and ratios of the means and standard deviations of two independent groups.

Group 1 against group 2, from ``mean1, sd1, n1, mean2, sd2, n2``.

References
----------
Hedges LV (1981). Journal of Educational Statistics 6, 107-128 (SMD).
Hedges LV, Olkin I (1985). Statistical methods for meta-analysis. Academic Press (variances).
Bonett DG (2008). Confidence intervals for standardized linear contrasts of means.
    Psychological Methods 13, 99-109; (2009) Meta-analytic interval estimation for standardized and
    unstandardized mean differences. Psychological Methods 14, 225-238 (SMDH, SMD1H).
Glass GV (1976). Educational Researcher 5, 3-8 (SMD1).
Hedges LV, Gurevitch J, Curtis PS (1999). Ecology 80, 1150-1156 (ROM).
Nakagawa S et al. (2015). Methods in Ecology and Evolution 6, 143-152 (CVR, VR).
Cox DR, Snell EJ (1989). Analysis of binary data (D2ORN); Hasselblad V, Hedges LV (1995).
    Psychological Bulletin 117, 167-178 (D2ORL).
Soper HE (1914). Biometrika 10, 384-390; Jacobs P, Viechtbauer W (2017). Research Synthesis
    Methods 8, 161-180 (RPB, RBIS).
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from evidence.effectsize.registry import Array, Columns, Pair, measure
from evidence.effectsize.small_sample import small_sample_factor

COX = 1.65
"""Log odds per standard deviation, Cox's approximation to the normal."""
LOGISTIC = float(np.pi / np.sqrt(3))
"""Log odds per standard deviation where the distribution is logistic."""

_TWO_GROUPS = ("mean1", "sd1", "n1", "mean2", "sd2", "n2")


def pooled_sd(sd1: Array, n1: Array, sd2: Array, n2: Array) -> Array:
    """Standard deviation within two groups, with n1 + n2 - 2 degrees of freedom."""
    return np.sqrt(((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / (n1 + n2 - 2))


def smd_variance(g: Array, n1: Array, n2: Array) -> Array:
    """Large-sample variance of a standardised mean difference."""
    return 1 / n1 + 1 / n2 + g**2 / (2 * (n1 + n2))


def _pooled(x: Columns) -> Array:
    return pooled_sd(x["sd1"], x["n1"], x["sd2"], x["n2"])


def _cohen(x: Columns) -> Array:
    return (x["mean1"] - x["mean2"]) / _pooled(x)


@measure("SMD", _TWO_GROUPS, vtypes=("LS", "LS2", "UB", "AV"))
def _smd(x: Columns, vtype: str) -> Pair:
    n1, n2 = x["n1"], x["n2"]
    return standardised(_cohen(x), n1, n2, vtype)


def standardised(d: Array, n1: Array, n2: Array, vtype: str) -> Pair:
    """Hedges' g and its variance of a Cohen's d on n1 + n2 - 2 degrees of freedom."""
    m = n1 + n2 - 2
    j = small_sample_factor(m)
    g = j * d
    if vtype == "LS2":
        return g, j**2 * smd_variance(d, n1, n2)
    if vtype == "UB":
        return g, 1 / n1 + 1 / n2 + (1 - (m - 2) / (m * j**2)) * g**2
    if vtype == "AV":
        known = np.isfinite(g)
        mean = np.average(g[known], weights=(n1 + n2)[known]) if known.any() else np.nan
        return g, smd_variance(np.where(known, mean, np.nan), n1, n2)
    return g, smd_variance(g, n1, n2)


@measure("SMDH", _TWO_GROUPS)
def _smdh(x: Columns, _: str) -> Pair:
    v1, v2, f1, f2 = x["sd1"] ** 2, x["sd2"] ** 2, x["n1"] - 1, x["n2"] - 1
    mean = (v1 + v2) / 2
    j = small_sample_factor(f1 + f2)
    g = j * (x["mean1"] - x["mean2"]) / np.sqrt(mean)
    spread = g**2 * (v1**2 / f1 + v2**2 / f2) / (8 * mean**2)
    return g, j**2 * (spread + (v1 / f1 + v2 / f2) / mean)


def _glass(x: Columns) -> Array:
    return small_sample_factor(x["n2"] - 1) * (x["mean1"] - x["mean2"]) / x["sd2"]


@measure("SMD1", _TWO_GROUPS)
def _smd1(x: Columns, _: str) -> Pair:
    g = _glass(x)
    return g, 1 / x["n1"] + 1 / x["n2"] + g**2 / (2 * x["n2"])


@measure("SMD1H", _TWO_GROUPS)
def _smd1h(x: Columns, _: str) -> Pair:
    g, n1, n2 = _glass(x), x["n1"], x["n2"]
    return g, (x["sd1"] / x["sd2"]) ** 2 / n1 + 1 / n2 + g**2 / (2 * n2)


@measure("MD", _TWO_GROUPS, vtypes=("LS", "HO"))
def _md(x: Columns, vtype: str) -> Pair:
    s1, s2 = (_pooled(x),) * 2 if vtype == "HO" else (x["sd1"], x["sd2"])
    return x["mean1"] - x["mean2"], s1**2 / x["n1"] + s2**2 / x["n2"]


@measure("ROM", _TWO_GROUPS, vtypes=("LS", "HO"))
def _rom(x: Columns, vtype: str) -> Pair:
    s1, s2 = (_pooled(x),) * 2 if vtype == "HO" else (x["sd1"], x["sd2"])
    variance = s1**2 / (x["n1"] * x["mean1"] ** 2) + s2**2 / (x["n2"] * x["mean2"] ** 2)
    return np.log(x["mean1"] / x["mean2"]), variance


def _log_sd_ratio(x: Columns) -> Pair:
    h1, h2 = 1 / (2 * (x["n1"] - 1)), 1 / (2 * (x["n2"] - 1))
    return np.log(x["sd1"] / x["sd2"]) + h1 - h2, h1 + h2


@measure("VR", _TWO_GROUPS)
def _vr(x: Columns, _: str) -> Pair:
    return _log_sd_ratio(x)


@measure("CVR", _TWO_GROUPS)
def _cvr(x: Columns, _: str) -> Pair:
    means, mean_variance = _rom(x, "LS")
    sds, sd_variance = _log_sd_ratio(x)
    return sds - means, sd_variance + mean_variance


def _log_odds(x: Columns, factor: float) -> Pair:
    d = _cohen(x)
    return factor * d, factor**2 * smd_variance(d, x["n1"], x["n2"])


@measure("D2ORN", _TWO_GROUPS)
def _d2orn(x: Columns, _: str) -> Pair:
    return _log_odds(x, COX)


@measure("D2ORL", _TWO_GROUPS)
def _d2orl(x: Columns, _: str) -> Pair:
    return _log_odds(x, LOGISTIC)


@measure("RPB", _TWO_GROUPS)
def _rpb(x: Columns, _: str) -> Pair:
    d, n1, n2 = _cohen(x), x["n1"], x["n2"]
    h = (n1 + n2 - 2) * (1 / n1 + 1 / n2)
    return d / np.sqrt(d**2 + h), h**2 / (h + d**2) ** 3 * smd_variance(d, n1, n2)


@measure("RBIS", _TWO_GROUPS)
def _rbis(x: Columns, _: str) -> Pair:
    n = x["n1"] + x["n2"]
    p = x["n1"] / n
    z = norm.ppf(p)
    f = norm.pdf(z)
    r = np.sqrt(p * (1 - p)) / f * _rpb(x, "LS")[0]
    # Soper's variance is one of a correlation: the estimate itself may lie beyond one.
    inside = np.clip(r, -1, 1)
    slope = 1.5 + (1 + p * z / f) * (1 - (1 - p) * z / f)
    return r, (p * (1 - p) / f**2 - slope * inside**2 + inside**4) / (n - 1)
