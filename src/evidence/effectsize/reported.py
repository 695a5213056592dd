"""The figure as printed: which way it points and how precise it is."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from evidence.effectsize.registry import Array

RATIOS = ("OR", "RR", "HR", "IRR")
"""Effect types that are read on the log scale."""

P_MOST = 0.9
"""An effect near zero with a p value near one says little about the variance: both are rounded."""

_P = re.compile(r"\s*(<=?|≤|=)?\s*(0?\.\d+|0|1(?:\.0*)?)\s*")


class Oriented(NamedTuple):
    """Effects with limits, positive where the programme did better.

    Attributes
    ----------
    y, low, high : ndarray of float, shape (k,)
        On the log scale for ratios; NaN where not printed.
    """

    y: Array
    low: Array
    high: Array


def orient(
    effect: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    turn: ArrayLike,
    lower_is_better: ArrayLike,
    ratio: ArrayLike,
) -> Oriented:
    """Bring printed effects to the scale on which positive favours the programme.

    First ``turn``, which makes the figure intervention against control; then the logarithm of a
    ratio; then the sign, where a lower value is better. The limits change places where the
    direction does.

    Parameters
    ----------
    effect, low, high : array_like of float, shape (k,)
        As printed; NaN where not.
    turn : array_like of str, shape (k,)
        none, negate or invert; anything else gives NaN.
    lower_is_better, ratio : array_like of bool, shape (k,)
        Whether less of the outcome is better, and whether the figure is a ratio.

    Returns
    -------
    Oriented
    """
    turn, ratio = np.asarray(turn, dtype=object), np.asarray(ratio, dtype=bool)
    lower = np.asarray(lower_is_better, dtype=bool)
    values = [np.asarray(x, dtype=float) for x in (effect, low, high)]
    with np.errstate(all="ignore"):
        values = [np.where(turn == "invert", 1 / x, x) for x in values]
        values = [np.where(turn == "negate", -x, x) for x in values]
        known = np.isin(turn, ["none", "negate", "invert"])
        values = [np.where(ratio, np.log(x), x) for x in values]
    y, one, other = (np.where(known & np.isfinite(x), np.where(lower, -x, x), np.nan)
                     for x in values)  # fmt: skip
    return Oriented(y, np.minimum(one, other), np.maximum(one, other))


def interval_se(low: ArrayLike, high: ArrayLike, level: ArrayLike = 95.0) -> Array:
    """Standard error of a symmetric normal interval.

    Parameters
    ----------
    low, high : array_like
        Limits, on the log scale for ratios.
    level : array_like
        Level of the interval in percent.

    Returns
    -------
    ndarray
        Half the width over the normal quantile; NaN where the width is not above zero.
    """
    width = np.asarray(high, dtype=float) - np.asarray(low, dtype=float)
    quantile = ndtri(0.5 + np.asarray(level, dtype=float) / 200)
    return np.where(width > 0, width, np.nan) / (2 * quantile)


def p_se(y: ArrayLike, p: ArrayLike) -> Array:
    """Standard error that a two-sided normal p value gives an effect; NaN at zero or for p = 1."""
    size, p = np.abs(np.asarray(y, dtype=float)), np.asarray(p, dtype=float)
    usable = (size > 0) & (p > 0) & (p < 1)
    return np.where(usable, size, np.nan) / -ndtri(np.where(usable, p, 0.5) / 2 + 0.0 * size)


def parse_p(printed: pd.Series) -> tuple[Array, NDArray[np.bool_]]:
    """Read p values as printed.

    Parameters
    ----------
    printed : pandas.Series of str
        For example ``0.04`` or ``<0.001``.

    Returns
    -------
    p : ndarray of float, shape (k,)
        The value or its upper bound. NaN where there is neither: ``>0.05`` and ``n.s.`` say only
        that the standard error is large.
    bound : ndarray of bool, shape (k,)
        True where p is an upper bound; also where it is printed as zero, which means less than
        half a unit of the last digit.
    """
    values, bounds = np.full(len(printed), np.nan), np.zeros(len(printed), dtype=bool)
    for place, text in enumerate(printed):
        found = _P.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            continue
        sign, digits = found.groups()
        value = float(digits)
        if value == 0:
            if "." not in digits:
                continue
            value, sign = 0.5 * 10.0 ** -len(digits.split(".")[1]), "<"
        values[place], bounds[place] = value, sign in ("<", "<=", "≤")
    return values, bounds
