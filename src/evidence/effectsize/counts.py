"""Two groups and an event: measures of a two-by-two table.

Cells: ``a`` and ``b`` with and without the event in group 1, ``c`` and ``d`` in group 2.

References
----------
Fleiss JL, Berlin JA (2009). In: Cooper H et al., Handbook of research synthesis (OR, RR, RD, PHI).
Yusuf S et al. (1985). Progress in Cardiovascular Diseases 27, 335-371 (PETO).
Rücker G et al. (2009). Statistics in Medicine 28, 721-738 (AS).
Yule GU (1912). Journal of the Royal Statistical Society 75, 579-652 (YUQ, YUY);
    Kendall M, Stuart A (1979). The advanced theory of statistics, volume 2 (variance of PHI).
Sánchez-Meca J, Marín-Martínez F, Chacón-Moscoso S (2003). Psychological Methods 8, 448-467
    (OR2DN, OR2DL, PBIT).
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from evidence.effectsize.means import COX, LOGISTIC
from evidence.effectsize.registry import Array, Columns, Pair, measure, rows_to_adjust

_TABLE = ("a", "b", "c", "d")


def _cells(x: Columns, *, add: float, to: str, drop00: bool) -> Columns:
    """Add to the cells; make rows NaN in which nobody, or everybody, had the event."""
    a, b, c, d = (x[name] for name in _TABLE)
    zero = (a == 0) | (b == 0) | (c == 0) | (d == 0)
    more = np.where(rows_to_adjust(zero, to), add, 0.0)
    if drop00:
        more = np.where(((a == 0) & (c == 0)) | ((b == 0) & (d == 0)), np.nan, more)
    return {name: x[name] + more for name in _TABLE}


def _inverse(x: Columns) -> Array:
    """Sum of the inverse cells, the variance of a log odds ratio."""
    return 1 / x["a"] + 1 / x["b"] + 1 / x["c"] + 1 / x["d"]


def _risks(x: Columns) -> tuple[Array, Array, Array, Array]:
    n1, n2 = x["a"] + x["b"], x["c"] + x["d"]
    return x["a"] / n1, x["c"] / n2, n1, n2


@measure("OR", _TABLE, cells=_cells)
def _or(x: Columns, _: str) -> Pair:
    return np.log(x["a"] * x["d"] / (x["b"] * x["c"])), _inverse(x)


@measure("RR", _TABLE, cells=_cells)
def _rr(x: Columns, _: str) -> Pair:
    p1, p2, n1, n2 = _risks(x)
    return np.log(p1 / p2), 1 / x["a"] - 1 / n1 + 1 / x["c"] - 1 / n2


@measure("RD", _TABLE, cells=_cells)
def _rd(x: Columns, _: str) -> Pair:
    p1, p2, n1, n2 = _risks(x)
    return p1 - p2, p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2


@measure("PETO", _TABLE, cells=_cells)
def _peto(x: Columns, _: str) -> Pair:
    n1, n2 = _risks(x)[2:]
    n, events = n1 + n2, x["a"] + x["c"]
    information = n1 * n2 * events * (n - events) / (n**2 * (n - 1))
    return (x["a"] - events * n1 / n) / information, 1 / information


@measure("AS", _TABLE, cells=_cells)
def _as(x: Columns, _: str) -> Pair:
    p1, p2, n1, n2 = _risks(x)
    return np.arcsin(np.sqrt(p1)) - np.arcsin(np.sqrt(p2)), 1 / (4 * n1) + 1 / (4 * n2)


@measure("PHI", _TABLE, cells=_cells)
def _phi(x: Columns, _: str) -> Pair:
    a, b, c, d = (x[name] for name in _TABLE)
    n = a + b + c + d
    row, column = (a + b) / n, (a + c) / n
    rr, cc = row * (1 - row), column * (1 - column)
    phi = (a * d - b * c) / (n**2 * np.sqrt(rr * cc))
    u, v = 2 * row - 1, 2 * column - 1
    variance = (
        1
        - phi**2
        + phi * (1 + phi**2 / 2) * u * v / np.sqrt(rr * cc)
        - 0.75 * phi**2 * (u**2 / rr + v**2 / cc)
    )
    return phi, variance / n


def _yule(x: Columns, power: float) -> Pair:
    # tanh of half a log odds ratio is Yule's Q; a quarter gives Y.
    y = np.tanh(power * _or(x, "LS")[0] / 2)
    return y, (power * (1 - y**2) / 2) ** 2 * _inverse(x)


@measure("YUQ", _TABLE, cells=_cells)
def _yuq(x: Columns, _: str) -> Pair:
    return _yule(x, 1.0)


@measure("YUY", _TABLE, cells=_cells)
def _yuy(x: Columns, _: str) -> Pair:
    return _yule(x, 0.5)


@measure("OR2DN", _TABLE, cells=_cells)
def _or2dn(x: Columns, _: str) -> Pair:
    y, v = _or(x, "LS")
    return y / COX, v / COX**2


@measure("OR2DL", _TABLE, cells=_cells)
def _or2dl(x: Columns, _: str) -> Pair:
    y, v = _or(x, "LS")
    return y / LOGISTIC, v / LOGISTIC**2


@measure("PBIT", _TABLE, cells=_cells)
def _pbit(x: Columns, _: str) -> Pair:
    p1, p2, n1, n2 = _risks(x)
    z1, z2 = norm.ppf(p1), norm.ppf(p2)

    def variance(p: Array, z: Array, n: Array) -> Array:
        return 2 * np.pi * p * (1 - p) * np.exp(z**2) / n

    return z1 - z2, variance(p1, z1, n1) + variance(p2, z2, n2)
