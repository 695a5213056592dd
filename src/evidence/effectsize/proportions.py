"""Single proportions: ``x`` events among ``n``.

References
----------
Freeman MF, Tukey JW (1950). Annals of Mathematical Statistics 21, 607-611 (PFT).
Stijnen T, Hamza TH, Özdemir P (2010). Statistics in Medicine 29, 3046-3067 (PLO).
"""

from __future__ import annotations

import numpy as np

from evidence.effectsize.registry import Columns, Pair, measure, rows_to_adjust

_ONE = ("x", "n")


def _cells(x: Columns, *, add: float, to: str, drop00: bool) -> Columns:
    """Add to those with the event and to those without."""
    zero = (x["x"] == 0) | (x["x"] == x["n"])
    more = np.where(rows_to_adjust(zero, to), add, 0.0)
    return {"x": x["x"] + more, "n": x["n"] + 2 * more}


@measure("PR", _ONE, cells=_cells)
def _pr(x: Columns, _: str) -> Pair:
    p = x["x"] / x["n"]
    return p, p * (1 - p) / x["n"]


@measure("PLN", _ONE, cells=_cells)
def _pln(x: Columns, _: str) -> Pair:
    return np.log(x["x"] / x["n"]), 1 / x["x"] - 1 / x["n"]


@measure("PLO", _ONE, cells=_cells)
def _plo(x: Columns, _: str) -> Pair:
    rest = x["n"] - x["x"]
    return np.log(x["x"] / rest), 1 / x["x"] + 1 / rest


@measure("PAS", _ONE, cells=_cells)
def _pas(x: Columns, _: str) -> Pair:
    return np.arcsin(np.sqrt(x["x"] / x["n"])), 1 / (4 * x["n"])


@measure("PFT", _ONE, cells=_cells)
def _pft(x: Columns, _: str) -> Pair:
    n = x["n"] + 1
    both = np.arcsin(np.sqrt(x["x"] / n)) + np.arcsin(np.sqrt((x["x"] + 1) / n))
    return both / 2, 1 / (4 * x["n"] + 2)
