"""Covariance structures of random effects.

A random term gives each level of a grouping factor one effect, or one effect for each level of an
inner factor. The covariance matrix G of these is described by a few *parameters*, between bounds,
from which the distinct *entries* of G follow. The likelihood is linear in the entries, so it needs
to know only which entry stands where.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evidence.errors import UsageError
from evidence.synthesis.least_squares import Array

# Standard deviations keep a little away from zero, where their likelihood is flat.
_TINY = 1e-6
_STEP = 1e-6


@dataclass(frozen=True, eq=False)
class Structure:
    """How the covariance matrix of L effects follows from its parameters.

    Attributes
    ----------
    name : str
        See :data:`STRUCTURES`.
    cell : ndarray of int, shape (L, L)
        Which entry stands where; -1 for zero.
    lower, upper : ndarray, shape (q,)
        Bounds of the parameters.
    entries : callable
        From parameters, shape (q,), to the distinct entries; None where they are the same.
    start : callable
        From a variance to parameters to begin with.
    variances, correlations : callable
        From parameters to what is reported.
    """

    name: str
    cell: NDArray[np.intp]
    lower: Array
    upper: Array
    entries: Callable[[Array], Array] | None
    start: Callable[[float], Array]
    variances: Callable[[Array], Array]
    correlations: Callable[[Array], Array]

    @property
    def n_parameters(self) -> int:
        """Number of parameters."""
        return len(self.lower)

    @property
    def n_entries(self) -> int:
        """Number of distinct entries other than zero."""
        return int(self.cell.max()) + 1

    def values(self, theta: Array) -> Array:
        """Distinct entries of G."""
        return theta if self.entries is None else self.entries(theta)

    def matrix(self, theta: Array) -> Array:
        """G, shape (L, L)."""
        return np.append(self.values(theta), 0.0)[self.cell]

    def jacobian(self, theta: Array) -> Array:
        """Derivatives of the entries, shape (entries, q); exact, by a complex step."""
        if self.entries is None:
            return np.eye(len(theta))
        shifted = theta + 1e-30j * np.eye(len(theta))
        return np.array([self.entries(row).imag / 1e-30 for row in shifted]).T

    def curvature(self, theta: Array, slope: Array) -> Array:
        """Second derivatives of the entries, weighted by a slope in each and summed; (q, q)."""
        q = len(theta)
        if self.entries is None:
            return np.zeros((q, q))
        step = _STEP * np.maximum(np.abs(theta), 1e-3)
        rows = [
            slope @ (self.jacobian(theta + move) - self.jacobian(theta - move)) / (2 * move[j])
            for j, move in enumerate(np.diag(step))
        ]
        matrix = np.array(rows)
        return 0.5 * (matrix + matrix.T)


@dataclass(frozen=True, eq=False)
class Term:
    """A random term.

    Attributes
    ----------
    name : str
        As in the formula, such as ``district/school``.
    group : ndarray of int, shape (k,)
        Number of the level of the grouping factor.
    inner : ndarray of int, shape (k,)
        Number of the level of the inner factor; zero throughout for a random intercept.
    structure : Structure
        Covariance of the effects of a group.
    """

    name: str
    group: NDArray[np.intp]
    inner: NDArray[np.intp]
    structure: Structure

    def subset(self, rows: NDArray[np.bool_]) -> Term:
        """The term of some of the effects."""
        group = np.unique(self.group[rows], return_inverse=True)[1]
        return Term(self.name, group, self.inner[rows], self.structure)


def _no_correlation(_: Array) -> Array:
    return np.zeros(1)


def _same(theta: Array) -> Array:
    return theta


def intercept() -> Structure:
    """One effect of each level, with one variance."""
    return _identity(1)


def _identity(size: int) -> Structure:
    return _diagonal_of(np.where(np.eye(size, dtype=bool), 0, -1), "ID", 1)


def _diagonal(size: int) -> Structure:
    cell = np.where(np.eye(size, dtype=bool), np.arange(size)[:, None], -1)
    return _diagonal_of(cell, "DIAG", size)


def _diagonal_of(cell: NDArray[np.intp], name: str, q: int) -> Structure:
    return Structure(
        name, cell, np.zeros(q), np.full(q, np.inf), None,
        lambda scale: np.full(q, scale), _same, _no_correlation,
    )  # fmt: skip


def _compound(size: int) -> Structure:
    cell = np.where(np.eye(size, dtype=bool), 0, 1)
    return Structure(
        "CS", cell, np.array([0.0, -1 / (size - 1)]), np.array([np.inf, 1.0]),
        lambda t: np.array([t[0], t[0] * t[1]]),
        lambda scale: np.array([scale, 0.5]), lambda t: t[:1], lambda t: t[1:],
    )  # fmt: skip


def _triangle(size: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the upper triangle, and where each entry of a symmetric G stands."""
    rows, columns = np.triu_indices(size)
    cell = np.zeros((size, size), dtype=np.intp)
    cell[rows, columns] = cell[columns, rows] = np.arange(len(rows))
    return rows, columns, cell


def _heterogeneous(size: int) -> Structure:
    rows, columns, cell = _triangle(size)
    off = rows != columns

    def entries(t: Array) -> Array:
        product = t[rows] * t[columns]
        return np.where(off, product * t[-1], product)

    return Structure(
        "HCS", cell,
        np.append(np.full(size, _TINY), -1 / (size - 1)), np.append(np.full(size, np.inf), 1.0),
        entries, lambda scale: np.append(np.full(size, max(scale**0.5, _TINY)), 0.5),
        lambda t: t[:-1] ** 2, lambda t: t[-1:],
    )  # fmt: skip


def _unstructured(size: int) -> Structure:
    rows, columns, cell = _triangle(size)
    low = np.tril_indices(size)
    upper = np.triu_indices(size, 1)

    def full(t: Array) -> Array:
        L = np.zeros((size, size), dtype=t.dtype)
        L[low] = t
        return L @ L.T

    def start(scale: float) -> Array:
        return np.asarray(np.linalg.cholesky(scale * 0.5 * (np.eye(size) + 1))[low])

    def correlations(t: Array) -> Array:
        G = full(t)
        sd = np.sqrt(np.diag(G))
        # Where a variance is zero there is no correlation.
        return np.divide(G, np.outer(sd, sd), out=np.full_like(G, np.nan), where=G != 0)[upper]

    free = np.full(len(rows), np.inf)
    return Structure(
        "UN", cell, -free, free, lambda t: full(t)[rows, columns], start,
        lambda t: np.diag(full(t)), correlations,
    )  # fmt: skip


def _autoregressive(times: Array, name: str, lowest: float) -> Structure:
    apart = np.abs(times[:, None] - times[None, :])
    lags, cell = np.unique(apart, return_inverse=True)
    return Structure(
        name, cell.reshape(apart.shape), np.array([0.0, lowest]), np.array([np.inf, 1.0]),
        lambda t: t[0] * t[1] ** lags,
        lambda scale: np.array([scale, 0.5]), lambda t: t[:1], lambda t: t[1:],
    )  # fmt: skip


STRUCTURES = {
    "ID": "independent, of equal variance",
    "DIAG": "independent, each with a variance of its own",
    "CS": "compound symmetric: equal variances and one correlation",
    "HCS": "one correlation, each with a variance of its own",
    "UN": "unstructured: all variances and correlations free",
    "AR": "autoregressive over the order of the levels",
    "CAR": "autoregressive over the levels as times",
}
"""Structures of ``~ x | g`` by name."""


def structure(name: str, levels: pd.Index) -> Structure:
    """Structure of the effects of the levels of an inner factor.

    Parameters
    ----------
    name : str
        See :data:`STRUCTURES`.
    levels : pandas.Index
        Levels of the inner factor; times for ``CAR``.
    """
    if name not in STRUCTURES:
        raise UsageError(f"struct is one of {', '.join(STRUCTURES)}, not {name!r}")
    if len(levels) == 1:
        return intercept()
    if name == "AR":
        return _autoregressive(np.arange(len(levels), dtype=float), name, -1.0)
    if name == "CAR":
        try:
            times = levels.to_numpy(dtype=float)
        except (TypeError, ValueError) as error:
            raise UsageError("the levels are times for struct='CAR'") from error
        return _autoregressive(times, name, 0.0)
    makers = {"ID": _identity, "DIAG": _diagonal, "CS": _compound, "HCS": _heterogeneous,
              "UN": _unstructured}  # fmt: skip
    return makers[name](len(levels))
