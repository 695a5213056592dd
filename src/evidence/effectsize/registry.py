"""The measures that :func:`evidence.effectsize.escalc` knows, each with what it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from evidence.errors import UsageError

Array: TypeAlias = NDArray[np.float64]
Columns: TypeAlias = Mapping[str, Array]
Pair: TypeAlias = tuple[Array, Array]


@dataclass(frozen=True)
class Measure:
    """One kind of effect size.

    Attributes
    ----------
    name : str
        Short name, for example ``"SMD"``.
    compute : callable
        From columns and the type of variance to effects and variances.
    needs : tuple of str
        Names of the columns that it takes.
    vtypes : tuple of str
        Types of variance, the default first.
    cells : callable or None
        Puts ``add`` into the cells of the rows that hold a zero; None where the measure counts
        nothing.
    """

    name: str
    compute: Callable[[Columns, str], Pair]
    needs: tuple[str, ...]
    vtypes: tuple[str, ...]
    cells: Callable[..., Columns] | None


MEASURES: dict[str, Measure] = {}


def measure(
    name: str,
    needs: tuple[str, ...],
    *,
    vtypes: tuple[str, ...] = ("LS",),
    cells: Callable[..., Columns] | None = None,
) -> Callable[[Callable[[Columns, str], Pair]], Callable[[Columns, str], Pair]]:
    """Enter the decorated function as the measure ``name``."""

    def enter(compute: Callable[[Columns, str], Pair]) -> Callable[[Columns, str], Pair]:
        MEASURES[name] = Measure(name, compute, needs, vtypes, cells)
        return compute

    return enter


def rows_to_adjust(zero: NDArray[np.bool_], to: str) -> NDArray[np.bool_]:
    """Rows whose cells take the addition.

    Parameters
    ----------
    zero : ndarray of bool, shape (k,)
        Rows with a zero cell.
    to : {"only0", "all", "if0all", "none"}
        Rows with a zero; every row; every row if one of them has a zero; no row.
    """
    if to == "only0":
        return zero
    if to == "all":
        return np.ones_like(zero)
    if to == "if0all":
        return np.full_like(zero, bool(zero.any()))
    if to == "none":
        return np.zeros_like(zero)
    raise UsageError(f'to="{to}" is not one of only0, all, if0all, none')
