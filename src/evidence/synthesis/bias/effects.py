"""The effects that a method of this package looks at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import ModelError, UsageError
from evidence.synthesis.least_squares import Array
from evidence.synthesis.meta import meta
from evidence.synthesis.results import MetaResults

ALTERNATIVES = ("greater", "less", "two.sided")
"""Effects that a study's own test looks for: above zero, below zero, or either."""


@dataclass(frozen=True, eq=False)
class Effects:
    """Effects with their sampling variances, checked.

    Attributes
    ----------
    yi, vi : ndarray, shape (k,)
        Effects and sampling variances.
    index : pandas.Index
        Names of the rows.
    exog : ndarray, shape (k, p)
        Model matrix; the constant alone where no model was given.
    names : tuple of str
        Names of its columns.
    method, test : str
        Of the model that was given, else ``REML`` and ``knha``.
    floor : bool
        Whether the Knapp-Hartung factor may not fall below one.
    """

    yi: Array
    vi: Array
    index: pd.Index
    exog: Array
    names: tuple[str, ...]
    method: str
    test: str
    floor: bool

    @property
    def k(self) -> int:
        """Number of effects."""
        return len(self.yi)


def effects(
    yi: MetaResults | ArrayLike | str,
    vi: ArrayLike | str | None = None,
    data: pd.DataFrame | None = None,
    *,
    moderators: bool = False,
) -> Effects:
    """Take the effects out of a model, or check them as :func:`evidence.synthesis.meta` does.

    Parameters
    ----------
    yi : MetaResults, array_like of shape (k,), or str
        A fitted model, or effects, or the name of their column in ``data``.
    vi : array_like of shape (k,) or str, optional
        Sampling variances; not with a model.
    data : pandas.DataFrame, optional
        Where the columns are.
    moderators : bool
        Whether a model with moderators will do.

    Raises
    ------
    ModelError
        If an effect is not finite or a variance not above zero.
    UsageError
        If the variances are missing, or the model has moderators or weights of its own.
    """
    if isinstance(yi, MetaResults):
        if vi is not None or data is not None:
            raise UsageError("a model has its own effects: give no others")
        if yi.own_weights:
            raise UsageError("only for models with inverse-variance weights")
        if not moderators and (yi.p > 1 or not (yi.exog == 1).all()):
            raise UsageError("only for models without moderators")
        return Effects(
            yi.yi, yi.vi, pd.RangeIndex(yi.k), yi.exog, yi.names, yi.method, yi.test, yi.floor
        )
    if vi is None:
        raise UsageError("effects need their sampling variances vi")
    fit = meta(yi, vi, data, method="EE", test="z")
    owner = data if isinstance(yi, str) else yi
    index = owner.index if isinstance(owner, pd.DataFrame | pd.Series) else pd.RangeIndex(fit.k)
    return Effects(fit.yi, fit.vi, index, fit.exog, fit.names, "REML", "knha", True)


def column(values: ArrayLike | str, data: pd.DataFrame | None, k: int, name: str) -> Array:
    """One number above zero for each effect, from an array or a column of ``data``."""
    if isinstance(values, str):
        if data is None or values not in data:
            raise UsageError(f"no column {values!r} in the data")
        values = data[values]
    array = np.asarray(values, dtype=float)
    if array.shape != (k,):
        raise UsageError(f"{name} has one number for each of {k} effects")
    if not (np.isfinite(array) & (array > 0)).all():
        row = int(np.argmin(np.isfinite(array) & (array > 0)))
        raise UsageError(f"row {row}: {name} is {array[row]:g}; it is above zero")
    return array


def require_spread(x: Array, what: str) -> None:
    """Raise ModelError if the studies do not differ in x."""
    if np.ptp(x) <= 1e-10 * float(np.abs(x).max()):
        raise ModelError(f"all studies have the same {what}: a funnel has no shape to look at")


def require_alternative(alternative: str) -> None:
    """Raise UsageError if there is no such alternative."""
    if alternative not in ALTERNATIVES:
        raise UsageError(f"alternative is one of {', '.join(ALTERNATIVES)}, not {alternative!r}")


__all__ = ["ALTERNATIVES", "Effects", "column", "effects", "require_alternative", "require_spread"]
