"""Multilevel meta-analysis: effects that share studies, programmes, follow-ups.

What a fit gives to other methods (robust variance, for one):

- ``fit.yi`` (k,), ``fit.exog`` (k, p), ``fit.names``, ``fit.params`` and ``fit.beta`` (p,);
- ``fit.cov`` (p, p), the model-based covariance (X'M⁻¹X)⁻¹ of the coefficients;
- ``fit.V``, the sampling covariance, and ``fit.marginal()``, the marginal covariance M = V + random
  effects, both a ``Covariance``: its ``blocks(cluster)`` lists (positions, matrix) of each cluster
  in ascending order of the cluster's name, its ``in_batch(batch)`` the matrices of a batch of
  clusters (``batches.make_batches(codes)``), padded to one size;
- ``fit.clusters`` (k,), number of the independent cluster of each effect: M is block-diagonal in
  these, and in every grouping that is coarser.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import ModelError, UsageError
from evidence.synthesis.dependent.covariance import (
    Covariance,
    Places,
    diagonal,
    group_codes,
)
from evidence.synthesis.dependent.likelihood import Model, State, Term, maximise
from evidence.synthesis.dependent.multilevel_results import MultilevelResults
from evidence.synthesis.dependent.structures import intercept, structure
from evidence.synthesis.least_squares import Array
from evidence.synthesis.meta import _column, _design, _orthonormal

_METHODS = ("REML", "ML")
_TESTS = ("z", "t")


def multilevel_arrays(
    y: Array, V: Covariance, X: Array, terms: Sequence[Term], *, method: str = "REML"
) -> State:
    """Fit on plain arrays, which are not checked.

    Parameters
    ----------
    y : ndarray, shape (k,)
        Effects.
    V : Covariance
        Of their sampling errors.
    X : ndarray, shape (k, p)
        Model matrix of full column rank.
    terms : sequence of Term
        Random terms; see :func:`random_intercepts`.
    method : {"REML", "ML"}
        As in :func:`multilevel`.

    Returns
    -------
    State
        ``theta``, the variance components; ``beta``, ``cov``, ``llf``.

    Raises
    ------
    ModelError
        If the search does not converge.
    """
    return maximise(Model(y, X, V, terms, restricted=method == "REML"))


def random_intercepts(*groups: ArrayLike) -> list[Term]:
    """Terms of random intercepts, one of each grouping.

    Parameters
    ----------
    *groups : array_like, shape (k,)
        Names of the levels. For levels within others, names that tell them all apart.
    """
    codes = [group_codes(group)[0] for group in groups]
    return [
        Term(str(i), code, np.zeros(len(code), dtype=np.intp), intercept())
        for i, code in enumerate(codes)
    ]


def multilevel(
    yi: ArrayLike | str,
    V: Covariance | ArrayLike | str,
    data: pd.DataFrame | None = None,
    *,
    mods: str | pd.DataFrame | ArrayLike | None = None,
    random: str | Sequence[str] | None = None,
    struct: str | Sequence[str] = "CS",
    method: str = "REML",
    test: str = "t",
    missing: str = "raise",
) -> MultilevelResults:
    """Combine effects that depend on each other.

    Parameters
    ----------
    yi : array_like of shape (k,), or str
        Effects, or the name of their column in ``data``.
    V : Covariance, array_like, or str
        Sampling covariance (see :mod:`~evidence.synthesis.dependent.covariance` for ways to make
        one), or sampling variances of independent errors, shape (k,), or their column, or a matrix
        of shape (k, k).
    data : pandas.DataFrame, optional
        Where the columns are.
    mods : str, DataFrame or array_like, optional
        Moderators: a formula (``"~ year + C(design)"``) or a model matrix, with a constant column
        if an intercept is wanted; by default the constant alone.
    random : str or sequence of str, optional
        Random terms. ``"~ 1 | study/effect"`` gives studies and effects within studies an effect
        each, ``["~ 1 | study", "~ 1 | country"]`` crosses the two, ``"~ outcome | study"`` gives
        each study one effect for each outcome, with the covariance ``struct``.
    struct : str or sequence of str
        Structure of each ``~ x | g`` term: ``CS`` (default), ``HCS``, ``UN``, ``DIAG``, ``ID``,
        ``AR``, ``CAR``; see :data:`~evidence.synthesis.dependent.structures.STRUCTURES`.
    method : {"REML", "ML"}
        Restricted or full maximum likelihood.
    test : {"t", "z"}
        t with k - p degrees of freedom, or normal.
    missing : {"raise", "drop"}
        Whether a missing number is an error, or its row is left out with a warning.

    Returns
    -------
    MultilevelResults

    Raises
    ------
    ModelError
        If a number is not finite or a variance not above zero (the row is named), V is not positive
        definite, there are not more effects than coefficients, moderators depend on each other, or
        the search does not converge.
    UsageError
        If an option does not exist or a column is missing.

    References
    ----------
    Konstantopoulos S (2011). Fixed effects and variance components estimation in three-level
    meta-analysis. Research Synthesis Methods 2, 61-76.
    Berkey CS, Hoaglin DC, Antczak-Bouckoms A, Mosteller F, Colditz GA (1998). Meta-analysis of
    multiple outcomes by regression with random effects. Statistics in Medicine 17, 2537-2550.
    Van den Noortgate W, López-López JA, Marín-Martínez F, Sánchez-Meca J (2013). Three-level
    meta-analysis of dependent effect sizes. Behavior Research Methods 45, 576-594.
    """
    for name, value, allowed in (("method", method, _METHODS), ("test", test, _TESTS),
                                 ("missing", missing, ("raise", "drop"))):  # fmt: skip
        if value not in allowed:
            raise UsageError(f"{name} is one of {', '.join(allowed)}, not {value!r}")
    y = _column(yi, data, "yi")
    sampling = _covariance(V, data)
    X, names = _moderators(mods, data, len(y))
    for what, other in (("variances", len(sampling)), ("rows of moderators", len(X)),
                        *([("rows of data", len(data))] if data is not None else [])):  # fmt: skip
        if other != len(y):
            raise UsageError(f"{len(y)} effects but {other} {what}")
    notes: list[str] = []
    numbers = np.column_stack([y, sampling.variances, X])
    kept = np.ones(len(y), dtype=bool)
    if missing == "drop":
        kept = np.asarray(~np.isnan(numbers).any(axis=1))
    _require_numbers(numbers, kept)
    if not kept.all():
        lost = ", ".join(map(str, np.flatnonzero(~kept)))
        notes.append(f"left out for missing numbers: row {lost}")
        y, X, sampling = y[kept], X[kept], sampling.subset(kept)
        data = None if data is None else data[kept]
    sampling.require_positive()
    terms, labels = _terms(random, struct, data, len(y))
    k, p = X.shape
    if k < p or (k == p and (terms or test == "t")):
        raise ModelError(f"{k} effects cannot tell {p} coefficients and the variance between them")
    notes += _notes(terms, k)
    basis, triangle = _orthonormal(X, names)
    state = multilevel_arrays(y, sampling, basis, terms, method=method)
    return MultilevelResults(X, names, test, method, state, triangle, labels, tuple(notes))


def _covariance(V: Covariance | ArrayLike | str, data: pd.DataFrame | None) -> Covariance:
    if isinstance(V, Covariance):
        return V
    if isinstance(V, str) or np.ndim(V) != 2:
        return diagonal(_column(V, data, "V"))
    matrix = np.asarray(V, dtype=float)
    if matrix.shape[0] != matrix.shape[1] or not np.allclose(matrix, matrix.T, equal_nan=True):
        raise UsageError("V is a symmetric matrix, a column of variances or a Covariance")
    first, second = np.nonzero(np.triu(matrix, 1))
    return Covariance(np.diag(matrix).copy(), first, second, matrix[first, second])


def _moderators(
    mods: str | pd.DataFrame | ArrayLike | None, data: pd.DataFrame | None, k: int
) -> tuple[Array, tuple[str, ...]]:
    if not isinstance(mods, str):
        return _design(mods, k)
    if data is None:
        raise UsageError("a formula needs data")
    import formulaic  # type: ignore[import-untyped]

    try:
        table = formulaic.model_matrix(mods, data, na_action="ignore")
    except formulaic.errors.FormulaicError as error:
        raise UsageError(f"the formula {mods!r} cannot be read: {error}") from error
    return _design(pd.DataFrame(table), k)


def _require_numbers(numbers: Array, kept: np.ndarray) -> None:
    y, v, X = numbers[:, 0], numbers[:, 1], numbers[:, 2:]
    for right, words in (
        (np.isfinite(y), "the effect is not finite"),
        (np.isfinite(v) & (v > 0), "the variance is not finite and above zero"),
        (np.isfinite(X).all(axis=1), "a moderator is not finite"),
    ):
        if (kept & ~right).any():
            raise ModelError(f"row {int(np.argmax(kept & ~right))}: {words}")
    if not kept.any():
        raise ModelError("there are no effects to pool")


def _terms(
    random: str | Sequence[str] | None,
    struct: str | Sequence[str],
    data: pd.DataFrame | None,
    k: int,
) -> tuple[list[Term], dict[str, tuple[pd.Index, pd.Index]]]:
    """Random terms, and the names of the levels of the group and of the inner factor of each."""
    formulas = [random] if isinstance(random, str) else list(random or [])
    structs = iter([struct] * len(formulas) if isinstance(struct, str) else struct)
    terms: list[Term] = []
    labels: dict[str, tuple[pd.Index, pd.Index]] = {}

    def add(name: str, columns: list[str], inner: pd.Series | None, data: pd.DataFrame) -> None:
        if name in labels:
            raise UsageError(f"the random term {name!r} is there twice")
        codes, levels = _nested(data, columns)
        if inner is None:
            places, within, kind = np.zeros(k, dtype=np.intp), pd.Index([""]), intercept()
        else:
            places, within = group_codes(inner)
            kind = structure(next(structs, "CS"), within)
        terms.append(Term(name, codes, places, kind))
        labels[name] = (levels, within)

    for formula in formulas:
        if (match := re.fullmatch(r"\s*~\s*([^|~]+?)\s*\|\s*([^|~]+?)\s*", formula)) is None:
            raise UsageError(f"a random term reads '~ 1 | study/effect' or '~ x | g': {formula!r}")
        if data is None:
            raise UsageError("random terms need data")
        groups = [part.strip() for part in match[2].split("/")]
        for column in [*groups, *([] if match[1] == "1" else [match[1]])]:
            if column not in data:
                known = ", ".join(map(str, data))
                raise UsageError(f"no column {column!r} in the data; there are {known}")
        if match[1] != "1":
            if len(groups) > 1:
                raise UsageError("a term '~ x | g' has one grouping factor")
            add(groups[0], groups, data[match[1]], data)
            continue
        for depth in range(1, len(groups) + 1):
            add("/".join(groups[:depth]), groups[:depth], None, data)
    return terms, labels


def _nested(data: pd.DataFrame, columns: list[str]) -> tuple[Places, pd.Index]:
    """Number and names of the levels of a column, or of columns within others, outer ones first."""
    codes, levels = group_codes(data[columns[0]])
    for column in columns[1:]:
        inner, names = group_codes(data[column])
        pairs, codes = np.unique(codes * len(names) + inner, return_inverse=True)
        levels = pd.Index(
            [f"{levels[pair // len(names)]}/{names[pair % len(names)]}" for pair in pairs]
        )
    return codes, levels


def _notes(terms: list[Term], k: int) -> list[str]:
    """What cannot be told apart in these data."""
    simple = [t for t in terms if t.structure.n_parameters == 1]
    pairs = [(one, other) for i, one in enumerate(simple) for other in simple[i + 1 :]]
    notes = [
        f"{one.name} and {other.name} group the effects alike: only the sum of their variances can "
        "be told"
        for one, other in pairs if _alike(one.group, other.group)
    ]  # fmt: skip
    notes += [
        f"{term.name} has one level: its variance cannot be told from the mean"
        for term in terms if term.group.max() == 0 and k > 1
    ]  # fmt: skip
    return notes


def _alike(one: Places, other: Places) -> bool:
    """Whether two numberings make the same groups."""
    n = int(one.max()) + 1
    return n == other.max() + 1 == len(np.unique(one * n + other))
