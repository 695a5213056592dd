"""Mantel and Haenszel's pooled odds ratio, risk ratio, risk difference and rates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from evidence.effectsize import escalc
from evidence.errors import ModelError, UsageError
from evidence.synthesis.least_squares import Array
from evidence.synthesis.pooled_counts import ChiSquare, PooledCounts, counts, spread_about

_TABLES = ("OR", "RR", "RD")
_RATES = ("IRR", "IRD")


def mantel_haenszel(
    measure: str,
    *,
    correct: bool = True,
    add: float = 0.5,
    to: str = "only0",
    drop00: bool = True,
    **columns: ArrayLike,
) -> PooledCounts:
    """Pool counts without adding anything to empty cells.

    Parameters
    ----------
    measure : str
        ``OR``, ``RR`` or ``RD`` from ``a, b, c, d`` (with and without the event in group 1, then in
        group 2); ``IRR`` or ``IRD`` from ``x1, time1, x2, time2`` (events and person-time).
    correct : bool
        Whether the test of association has a continuity correction of a half.
    add, to, drop00
        Rules for zero cells in the studies' own effects, which only Q uses; as in
        :func:`evidence.effectsize.escalc`.
    **columns : array_like, shape (k,)
        The counts.

    Returns
    -------
    PooledCounts
        With the test of association for ``OR`` and ``IRR``, and for ``OR`` the tests of Breslow and
        Day, and of Tarone, of a common odds ratio.

    Raises
    ------
    UsageError
        If there is no such measure or the columns are not those that it takes.
    ModelError
        If a count is missing or below zero, or the counts do not determine the effect.

    References
    ----------
    Robins J, Breslow N, Greenland S (1986). Estimators of the Mantel-Haenszel variance consistent
    in both sparse data and large-strata limiting models. Biometrics 42, 311-323 (OR).
    Greenland S, Robins JM (1985). Estimation of a common effect parameter from sparse follow-up
    data. Biometrics 41, 55-68 (RR, rates).
    Sato T, Greenland S, Robins JM (1989). On the variance estimator for the Mantel-Haenszel risk
    difference. Biometrics 45, 1323-1324 (RD).
    Breslow NE, Day NE (1980). Statistical Methods in Cancer Research, volume 1. Lyon: IARC.
    Tarone RE (1985). On heterogeneity tests based on efficient scores. Biometrika 72, 91-95.
    """
    if measure not in _TABLES + _RATES:
        raise UsageError(f"measure is one of {', '.join(_TABLES + _RATES)}, not {measure!r}")
    needed = ("a", "b", "c", "d") if measure in _TABLES else ("x1", "time1", "x2", "time2")
    if set(columns) != set(needed):
        raise UsageError(f"{measure} takes {', '.join(needed)}, not {', '.join(columns)}")
    x = counts(**columns)
    own = escalc(measure, vtype=None, add=add, to=to, drop00=drop00, **x)
    if measure in _TABLES:
        estimate, variance = _table(measure, **x)
    else:
        estimate, variance = _rate(measure, **x)
    if not (math.isfinite(estimate) and variance > 0):
        raise ModelError(f"the counts do not determine a pooled {measure}: a group has no events")
    heterogeneity, k_effects = spread_about(estimate, own.yi, own.vi)
    tests: dict[str, Any] = {}
    informative = np.ones(len(x[needed[0]]), dtype=bool)
    if measure == "OR":
        informative = (x["a"] + x["c"] > 0) & (x["b"] + x["d"] > 0)
        inside = {name: array[informative] for name, array in x.items()}
        tests = _odds_ratio_tests(math.exp(estimate), correct, **inside)
    elif measure == "IRR":
        tests = {"association": _rate_association(correct, **x)}
    return PooledCounts(
        measure, estimate, math.sqrt(variance), len(informative), int(informative.sum()),
        k_effects, heterogeneity, **tests,
    )  # fmt: skip


def _log_ratio(top: float, bottom: float) -> float:
    return math.log(top / bottom) if top > 0 and bottom > 0 else math.nan


def _table(measure: str, a: Array, b: Array, c: Array, d: Array) -> tuple[float, float]:
    """Pooled effect and variance from two-by-two tables."""
    n1, n2 = a + b, c + d
    use = (n1 > 0) & (n2 > 0)
    a, b, c, d, n1, n2 = (array[use] for array in (a, b, c, d, n1, n2))
    n = n1 + n2
    if measure == "OR":
        r, s = a * d / n, b * c / n
        p, q = (a + d) / n, (b + c) / n
        R, S = r.sum(), s.sum()
        if R == 0 or S == 0:
            return math.nan, math.nan
        parts = (p * r).sum() / R**2 + (p * s + q * r).sum() / (R * S) + (q * s).sum() / S**2
        return _log_ratio(R, S), float(parts / 2)
    if measure == "RR":
        R, S = (a * n2 / n).sum(), (c * n1 / n).sum()
        if R == 0 or S == 0:
            return math.nan, math.nan
        spread = ((n1 * n2 * (a + c) - a * c * n) / n**2).sum()
        return _log_ratio(R, S), float(spread / (R * S))
    weight = (n1 * n2 / n).sum()
    difference = float(((a * n2 - c * n1) / n).sum() / weight)
    p = (c * n1**2 - a * n2**2 + n1 * n2 * (n2 - n1) / 2) / n**2
    q = (a * d + c * b) / (2 * n)
    return difference, float((difference * p.sum() + q.sum()) / weight**2)


def _rate(measure: str, x1: Array, time1: Array, x2: Array, time2: Array) -> tuple[float, float]:
    """Pooled effect and variance from events and person-time."""
    total = time1 + time2
    if not (total > 0).all():
        row = int(np.argmin(total))
        raise ModelError(f"row {row}: there is no person-time")
    shared = time1 * time2 / total
    if measure == "IRR":
        R, S = float((x1 * time2 / total).sum()), float((x2 * time1 / total).sum())
        if R == 0 or S == 0:
            return math.nan, math.nan
        return _log_ratio(R, S), float(((x1 + x2) * shared / total).sum() / (R * S))
    weight = shared.sum()
    difference = float(((x1 * time2 - x2 * time1) / total).sum() / weight)
    # (t1 t2 / T)² (x1/t1² + x2/t2²), written so that no time is divided by.
    spread = (x1 * time2**2 + x2 * time1**2) / total**2
    return difference, float(spread.sum() / weight**2)


def _association(excess: float, variance: float, correct: bool) -> ChiSquare:
    size = max(0.0, abs(excess) - 0.5) if correct else abs(excess)
    return ChiSquare.of(size**2 / variance, 1)


def _rate_association(correct: bool, x1: Array, time1: Array, x2: Array, time2: Array) -> ChiSquare:
    total = time1 + time2
    excess = float((x1 - (x1 + x2) * time1 / total).sum())
    return _association(excess, float(((x1 + x2) * time1 * time2 / total**2).sum()), correct)


def _odds_ratio_tests(
    ratio: float, correct: bool, a: Array, b: Array, c: Array, d: Array
) -> dict[str, ChiSquare]:
    n1, n2, events = a + b, c + d, a + c
    n = n1 + n2
    excess = float((a - n1 * events / n).sum())
    variance = float((n1 * n2 * events * (n - events) / (n**2 * (n - 1))).sum())
    expected = _expected(ratio, n1, n2, events)
    cells = 1 / expected + 1 / (n1 - expected) + 1 / (events - expected)
    spread = 1 / (cells + 1 / (n2 - events + expected))
    breslow_day = float(((a - expected) ** 2 / spread).sum())
    surplus = float((a - expected).sum())
    tarone = breslow_day - surplus**2 / float(spread.sum())
    return {
        "association": _association(excess, variance, correct),
        "breslow_day": ChiSquare.of(breslow_day, len(a) - 1),
        "tarone": ChiSquare.of(tarone, len(a) - 1),
    }


def _expected(ratio: float, n1: Array, n2: Array, events: Array) -> Array:
    """Events of group 1 that give each table the odds ratio, its margins kept.

    The root of (1 - ψ)x² + (n2 - m + ψ(n1 + m))x - ψ n1 m = 0 in the range that the margins allow,
    in the form that does not cancel where ψ is near one.
    """
    middle = n2 - events + ratio * (n1 + events)
    root = np.sqrt(middle**2 + 4 * (1 - ratio) * ratio * n1 * events)
    return np.asarray(2 * ratio * n1 * events / (middle + root), dtype=float)
