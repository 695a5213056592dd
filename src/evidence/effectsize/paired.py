"""Changes within one group: 1 after, 2 before, ``r`` their correlation over ``n`` people.

SMCR and SMCRH standardise by ``sd1``; give the standard deviation before the programme there to
follow Becker's advice.

References
----------
Becker BJ (1988). British Journal of Mathematical and Statistical Psychology 41, 257-278 (SMCR).
Gibbons RD, Hedeker DR, Davis JM (1993). Journal of Educational Statistics 18, 271-279 (SMCC).
Bonett DG (2008). Psychological Methods 13, 99-109 (SMCRH).
Lajeunesse MJ (2011). Ecology 92, 2049-2055 (ROMC).
Nakagawa S et al. (2015). Methods in Ecology and Evolution 6, 143-152 (CVRC, VRC).
"""

from __future__ import annotations

import numpy as np

from evidence.effectsize.registry import Array, Columns, Pair, measure
from evidence.effectsize.small_sample import small_sample_factor

_PAIRED = ("mean1", "sd1", "mean2", "sd2", "n", "r")


def _change_variance(x: Columns) -> Array:
    return x["sd1"] ** 2 + x["sd2"] ** 2 - 2 * x["r"] * x["sd1"] * x["sd2"]


@measure("MC", _PAIRED)
def _mc(x: Columns, _: str) -> Pair:
    return x["mean1"] - x["mean2"], _change_variance(x) / x["n"]


@measure("SMCC", _PAIRED)
def _smcc(x: Columns, _: str) -> Pair:
    d = (x["mean1"] - x["mean2"]) / np.sqrt(_change_variance(x))
    g = small_sample_factor(x["n"] - 1) * d
    return g, 1 / x["n"] + g**2 / (2 * x["n"])


def _by_sd1(x: Columns) -> Array:
    return small_sample_factor(x["n"] - 1) * (x["mean1"] - x["mean2"]) / x["sd1"]


@measure("SMCR", ("mean1", "sd1", "mean2", "n", "r"))
def _smcr(x: Columns, _: str) -> Pair:
    g = _by_sd1(x)
    return g, 2 * (1 - x["r"]) / x["n"] + g**2 / (2 * x["n"])


@measure("SMCRH", _PAIRED)
def _smcrh(x: Columns, _: str) -> Pair:
    g, f = _by_sd1(x), x["n"] - 1
    j = small_sample_factor(f)
    return g, j**2 * (_change_variance(x) / (x["sd1"] ** 2 * f) + g**2 / (2 * f))


def _relative(x: Columns) -> Array:
    """Variance of the log ratio of the means times n."""
    c1, c2 = x["sd1"] / x["mean1"], x["sd2"] / x["mean2"]
    return c1**2 + c2**2 - 2 * x["r"] * c1 * c2


@measure("ROMC", _PAIRED)
def _romc(x: Columns, _: str) -> Pair:
    return np.log(x["mean1"] / x["mean2"]), _relative(x) / x["n"]


@measure("VRC", ("sd1", "sd2", "n", "r"))
def _vrc(x: Columns, _: str) -> Pair:
    return np.log(x["sd1"] / x["sd2"]), (1 - x["r"] ** 2) / (x["n"] - 1)


@measure("CVRC", _PAIRED)
def _cvrc(x: Columns, _: str) -> Pair:
    (means, mean_variance), (sds, sd_variance) = _romc(x, "LS"), _vrc(x, "LS")
    return sds - means, sd_variance + mean_variance
