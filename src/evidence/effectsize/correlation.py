"""Correlations of two variables in one group, from ``r`` and ``n``.

References
----------
Olkin I, Pratt JW (1958). Unbiased estimation of certain correlation coefficients. Annals of
    Mathematical Statistics 29, 201-211 (UCOR).
Hedges LV (1989). An unbiased correction for sampling error in validity generalization studies.
    Journal of Applied Psychology 74, 469-477 (UCOR, type UB).
Fisher RA (1921). Metron 1, 3-32 (ZCOR).
"""

from __future__ import annotations

import numpy as np
from scipy.special import hyp2f1

from evidence.effectsize.registry import Array, Columns, Pair, measure

_ONE = ("r", "n")


def _gauss(a: float, c: Array, z: Array) -> Array:
    """Gauss's hypergeometric function F(a, a; c; z) for 0 <= z <= 1.

    SciPy gives NaN for a large c with z near 1; the series is short where c is large.
    """
    term = total = np.ones_like(z)
    for k in range(200):
        term = term * (a + k) ** 2 / ((c + k) * (k + 1)) * z
        total = total + term
    return np.where(c > 20, total, hyp2f1(a, a, c, z))


@measure("COR", _ONE, vtypes=("LS", "AV"))
def _cor(x: Columns, vtype: str) -> Pair:
    r, n = x["r"], x["n"]
    known = np.isfinite(r)
    rho = np.average(r[known], weights=n[known]) if vtype == "AV" and known.any() else r
    return r, (1 - rho**2) ** 2 / (n - 1)


@measure("UCOR", _ONE, vtypes=("LS", "UB"))
def _ucor(x: Columns, vtype: str) -> Pair:
    r, n = x["r"], x["n"]
    rest = 1 - r**2
    unbiased = r * _gauss(0.5, n / 2 - 1, rest)
    if vtype == "UB":
        square = 1 - (n - 3) / (n - 2) * rest * _gauss(1.0, n / 2, rest)
        return unbiased, unbiased**2 - square
    return unbiased, (1 - unbiased**2) ** 2 / (n - 1)


@measure("ZCOR", _ONE)
def _zcor(x: Columns, _: str) -> Pair:
    return np.arctanh(x["r"]), 1 / (x["n"] - 3)
