"""Cronbach's alpha, from ``alpha``, ``items`` and ``n``.

References
----------
Bonett DG (2002). Journal of Educational and Behavioral Statistics 27, 335-340;
    (2010) Psychological Methods 15, 368-385 (ARAW, ABT).
Hakstian AR, Whalen TE (1976). Psychometrika 41, 219-231 (AHW).
"""

from __future__ import annotations

import numpy as np

from evidence.effectsize.registry import Array, Columns, Pair, measure

_ALPHA = ("alpha", "items", "n")


def _bonett(x: Columns) -> Array:
    return 2 * x["items"] / ((x["items"] - 1) * (x["n"] - 2))


@measure("ARAW", _ALPHA)
def _araw(x: Columns, _: str) -> Pair:
    return x["alpha"], _bonett(x) * (1 - x["alpha"]) ** 2


@measure("AHW", _ALPHA)
def _ahw(x: Columns, _: str) -> Pair:
    root = np.cbrt(1 - x["alpha"])
    items, n = x["items"], x["n"]
    return 1 - root, 18 * items * (n - 1) * root**2 / ((items - 1) * (9 * n - 11) ** 2)


@measure("ABT", _ALPHA)
def _abt(x: Columns, _: str) -> Pair:
    return -np.log(1 - x["alpha"]), _bonett(x)
