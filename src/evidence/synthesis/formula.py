"""Model matrices from formulas such as ``yi ~ year + C(group) + year:C(group)``."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evidence.errors import UsageError
from evidence.synthesis.least_squares import Array


@dataclass(frozen=True, eq=False)
class Design:
    """A formula with the levels and codings it found in the data.

    Attributes
    ----------
    formula : str
        As given.
    names : tuple of str
        Columns of the model matrix.
    spec : formulaic.ModelSpec
        Builds the same columns from other data.
    """

    formula: str
    names: tuple[str, ...]
    spec: Any

    def matrix(self, data: pd.DataFrame) -> Array:
        """Model matrix of other data, shape (n, p).

        Raises
        ------
        UsageError
            If a variable is missing in the data or has a level that the model does not know.
        """
        needed = _moderators(self.spec)
        _require_columns(needed, data, self.formula)
        if data[needed].isna().to_numpy().any():
            raise UsageError("a moderator is missing: predictions need all of them")
        for name, (_, state) in self.spec.encoder_state.items():
            known = state.get("categories")
            inside = name.removeprefix("C(").removesuffix(")").split(",")[0].strip()
            if known is not None and inside in data:
                strange = set(data[inside]) - set(known)
                if strange:
                    level = sorted(map(str, strange))[0]
                    raise UsageError(f"the model has no level {level!r} of {inside}")
        with np.errstate(all="ignore"):
            return np.asarray(self.spec.get_model_matrix(data), dtype=float)


def read(
    formula: str, data: pd.DataFrame, usable: np.ndarray | None = None
) -> tuple[Array | None, Array, Design]:
    """Effects and model matrix that a formula asks for.

    Text columns and ``C(...)`` are factors with treatment contrasts whose first level, in
    alphabetical or numerical order, is the reference; without an intercept (``- 1``) the first
    factor keeps all of its levels.

    Parameters
    ----------
    formula : str
        ``effect ~ moderators`` or ``~ moderators``, in the language of formulaic.
    data : pandas.DataFrame
        Where the variables are.
    usable : ndarray of bool, shape (k,), optional
        Rows that count; levels found in others only get no column.

    Returns
    -------
    effects : ndarray, shape (k,), or None
        None if the formula has no left side.
    matrix : ndarray, shape (k, p)
        NaN in the rows that miss a moderator or do not count.
    design : Design

    Raises
    ------
    UsageError
        If the formula cannot be read, names what is not in the data, or has no moderator.
    """
    from formulaic import Formula  # type: ignore[import-untyped]
    from formulaic.errors import FormulaicError  # type: ignore[import-untyped]

    try:
        parsed = Formula(formula)
        right = parsed.rhs if hasattr(parsed, "rhs") else parsed
        left = parsed.lhs if hasattr(parsed, "lhs") else None
        needed = sorted(map(str, right.required_variables))
    except FormulaicError as error:
        why = str(error).splitlines()[0]
        raise UsageError(f"cannot read the formula {formula!r}: {why}") from error
    effect = None
    if left is not None:
        outcome = sorted(map(str, left.required_variables))
        _require_columns(outcome, data, formula)
        if len(left) != 1:
            raise UsageError(f"one effect stands left of ~, not {len(left)}")
    _require_columns(needed, data, formula)
    complete = data[needed].notna().all(axis=1).to_numpy()
    rows = complete if usable is None else complete & usable
    part = data.loc[rows].copy() if not rows.all() else data.copy()
    for name in needed:
        if isinstance(part[name].dtype, pd.CategoricalDtype):
            part[name] = part[name].cat.remove_unused_categories()
    try:
        if left is not None:
            found = left.get_model_matrix(data, na_action="ignore", context={})
            effect = np.asarray(found, dtype=float)[:, 0]
        matrix = right.get_model_matrix(part, na_action="ignore", context={})
    except (FormulaicError, ValueError, TypeError) as error:
        why = str(error).splitlines()[0]
        raise UsageError(f"cannot work out the formula {formula!r}: {why}") from error
    names = tuple(str(name) for name in matrix.columns)
    if not names:
        raise UsageError("the formula has neither an intercept nor a moderator")
    X = np.full((len(data), len(names)), np.nan)
    X[rows] = np.asarray(matrix, dtype=float)
    return effect, X, Design(formula, names, matrix.model_spec)


def grid(**values: Sequence[Any]) -> pd.DataFrame:
    """All combinations of values of moderators, to predict at.

    Parameters
    ----------
    **values : sequence
        Values by the name of a moderator.

    Returns
    -------
    pandas.DataFrame
        One row per combination; the last moderator changes fastest.
    """
    return pd.DataFrame(list(itertools.product(*values.values())), columns=list(values))


def _moderators(spec: Any) -> list[str]:
    return sorted(map(str, spec.required_variables))


def _require_columns(names: list[str], data: pd.DataFrame, formula: str) -> None:
    if strange := [name for name in names if name not in data]:
        there = ", ".join(map(str, data)) or "none"
        raise UsageError(
            f"{strange[0]!r} of the formula {formula!r} is not a column; there are {there}"
        )
