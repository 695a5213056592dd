"""Events per person-time: ``x1, time1, x2, time2`` for two groups, ``x, time`` for one.

References
----------
Rothman KJ, Greenland S, Lash TL (2008). Modern epidemiology, chapter 14 (IRR, IRD).
Freeman MF, Tukey JW (1950). Annals of Mathematical Statistics 21, 607-611 (IRFT).
"""

from __future__ import annotations

import numpy as np

from evidence.effectsize.registry import Columns, Pair, measure, rows_to_adjust

_TWO = ("x1", "time1", "x2", "time2")
_ONE = ("x", "time")


def _two_cells(x: Columns, *, add: float, to: str, drop00: bool) -> Columns:
    more = np.where(rows_to_adjust((x["x1"] == 0) | (x["x2"] == 0), to), add, 0.0)
    if drop00:
        more = np.where((x["x1"] == 0) & (x["x2"] == 0), np.nan, more)
    return {**x, "x1": x["x1"] + more, "x2": x["x2"] + more}


def _one_cell(x: Columns, *, add: float, to: str, drop00: bool) -> Columns:
    return {**x, "x": x["x"] + np.where(rows_to_adjust(x["x"] == 0, to), add, 0.0)}


@measure("IRR", _TWO, cells=_two_cells)
def _irr(x: Columns, _: str) -> Pair:
    ratio = (x["x1"] / x["time1"]) / (x["x2"] / x["time2"])
    return np.log(ratio), 1 / x["x1"] + 1 / x["x2"]


@measure("IRD", _TWO, cells=_two_cells)
def _ird(x: Columns, _: str) -> Pair:
    difference = x["x1"] / x["time1"] - x["x2"] / x["time2"]
    return difference, x["x1"] / x["time1"] ** 2 + x["x2"] / x["time2"] ** 2


@measure("IRSD", _TWO, cells=_two_cells)
def _irsd(x: Columns, _: str) -> Pair:
    difference = np.sqrt(x["x1"] / x["time1"]) - np.sqrt(x["x2"] / x["time2"])
    return difference, 1 / (4 * x["time1"]) + 1 / (4 * x["time2"])


@measure("IR", _ONE, cells=_one_cell)
def _ir(x: Columns, _: str) -> Pair:
    return x["x"] / x["time"], x["x"] / x["time"] ** 2


@measure("IRLN", _ONE, cells=_one_cell)
def _irln(x: Columns, _: str) -> Pair:
    return np.log(x["x"] / x["time"]), 1 / x["x"]


@measure("IRS", _ONE, cells=_one_cell)
def _irs(x: Columns, _: str) -> Pair:
    return np.sqrt(x["x"] / x["time"]), 1 / (4 * x["time"])


@measure("IRFT", _ONE, cells=_one_cell)
def _irft(x: Columns, _: str) -> Pair:
    both = np.sqrt(x["x"] / x["time"]) + np.sqrt((x["x"] + 1) / x["time"])
    return both / 2, 1 / (4 * x["time"])
