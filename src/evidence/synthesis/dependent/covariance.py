"""Covariance of effects that share a study, kept as blocks.

A covariance is the variances of the effects and the covariances of those pairs that have one, so
that its size is that of its blocks. It serves for the sampling errors within studies, known or
constructed, and for the marginal covariance of a fitted model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from evidence.errors import ModelError, UsageError
from evidence.synthesis.dependent.batches import Batch, components, make_batches
from evidence.synthesis.least_squares import Array

Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Covariance:
    """Covariance matrix of k effects, of which only pairs within blocks differ from zero.

    Attributes
    ----------
    variances : ndarray, shape (k,)
        Its diagonal.
    first, second : ndarray of int, shape (m,)
        Positions of the effects of each pair, the smaller first.
    values : ndarray, shape (m,)
        Covariances of the pairs.
    """

    variances: Array
    first: Places
    second: Places
    values: Array

    def __len__(self) -> int:
        return len(self.variances)

    @cached_property
    def components(self) -> Places:
        """Number of the block of each effect, shape (k,); blocks have no covariance."""
        return components(len(self), [(self.first, self.second)])

    def subset(self, rows: NDArray[np.bool_]) -> Covariance:
        """Covariance of some of the effects.

        Parameters
        ----------
        rows : ndarray of bool, shape (k,)
            Which to keep.
        """
        place = np.cumsum(rows) - 1
        kept = rows[self.first] & rows[self.second]
        return Covariance(
            self.variances[rows], place[self.first[kept]], place[self.second[kept]],
            self.values[kept],
        )  # fmt: skip

    def submatrix(self, rows: Places) -> Array:
        """Covariance matrix of a few effects, shape (n, n)."""
        matrix = np.diag(self.variances[rows])
        place = np.full(len(self), -1, dtype=np.intp)
        place[rows] = np.arange(len(rows))
        one, other = place[self.first], place[self.second]
        inside = (one >= 0) & (other >= 0)
        matrix[one[inside], other[inside]] = self.values[inside]
        matrix[other[inside], one[inside]] = self.values[inside]
        return matrix

    def in_batch(self, batch: Batch) -> Array:
        """Matrices of the clusters of a batch, shape (m, n, n), one on the padded diagonal.

        Pairs whose effects are in different clusters are left out.
        """
        rows = batch.rows
        matrices = np.zeros((*rows.shape, rows.shape[1]))
        n = np.arange(rows.shape[1])
        matrices[:, n, n] = np.append(self.variances, 1.0)[rows]
        if len(self.values):
            cluster = np.full(len(self) + 1, -1)
            position = np.zeros(len(self) + 1, dtype=np.intp)
            cluster[rows] = np.arange(len(rows))[:, None]
            position[rows] = n
            # The padding has written over the last place, which is no effect.
            here = cluster[self.first]
            inside = (here >= 0) & (here == cluster[self.second])
            one, other = position[self.first[inside]], position[self.second[inside]]
            matrices[here[inside], one, other] = self.values[inside]
            matrices[here[inside], other, one] = self.values[inside]
        return matrices

    def blocks(self, cluster: ArrayLike | None = None) -> list[tuple[Places, Array]]:
        """Positions of the effects and covariance matrix of each cluster.

        Parameters
        ----------
        cluster : array_like, shape (k,), optional
            Clusters in which to look, in ascending order; by default the blocks themselves.
        """
        codes = self.components if cluster is None else group_codes(cluster)[0]
        found: dict[int, tuple[Places, Array]] = {}
        for batch in make_batches(codes):
            for rows, matrix in zip(batch.rows, self.in_batch(batch), strict=True):
                n = int((rows < len(self)).sum())
                found[int(codes[rows[0]])] = (rows[:n], matrix[:n, :n])
        return [found[code] for code in sorted(found)]

    def require_positive(self) -> None:
        """Raise a ModelError if some combination of effects would have no variance."""
        if not len(self.values):
            return
        for batch in make_batches(self.components):
            lowest = np.linalg.eigvalsh(self.in_batch(batch))[:, 0]
            scale = np.append(self.variances, 0.0)[batch.rows].max(axis=1)
            if (wrong := lowest <= 1e-12 * np.minimum(scale, 1.0)).any():
                rows = batch.rows[int(np.argmax(wrong))]
                named = ", ".join(str(row) for row in rows[rows < len(self)][:5])
                raise ModelError(
                    f"the covariance of rows {named} … is not positive definite: a combination of "
                    "these effects would have no variance; use a smaller correlation"
                )


def diagonal(variances: ArrayLike) -> Covariance:
    """Independent effects.

    Parameters
    ----------
    variances : array_like, shape (k,)
        Sampling variances.
    """
    none = np.empty(0, dtype=np.intp)
    return Covariance(np.asarray(variances, dtype=float), none, none, np.empty(0))


def compound_symmetric(variances: ArrayLike, cluster: ArrayLike, rho: float) -> Covariance:
    """One correlation for all pairs of effects of a study.

    Parameters
    ----------
    variances : array_like, shape (k,)
        Sampling variances.
    cluster : array_like, shape (k,)
        Names of the studies.
    rho : float
        Correlation of the sampling errors; above -1 and below 1.

    References
    ----------
    Hedges LV, Tipton E, Johnson MC (2010). Robust variance estimation in meta-regression with
    dependent effect size estimates. Research Synthesis Methods 1, 39-65.
    Pustejovsky JE, Tipton E (2022). Meta-analysis with robust variance estimation: expanding the
    range of working models. Prevention Science 23, 425-438.
    """
    _require_correlation("rho", rho)
    v, codes = _checked(variances, cluster)
    first, second = pairs_within(codes)
    return _sparse(v, first, second, rho * np.sqrt(v[first] * v[second]))


def autoregressive(
    variances: ArrayLike, cluster: ArrayLike, time: ArrayLike, phi: float, rho: float = 1.0
) -> Covariance:
    """Correlation that fades with the time between two follow-ups of a study.

    Parameters
    ----------
    variances : array_like, shape (k,)
        Sampling variances.
    cluster : array_like, shape (k,)
        Names of the studies, or of outcomes within studies if these are to be independent.
    time : array_like, shape (k,)
        When each effect was measured.
    phi : float
        Correlation of errors one unit of time apart; between 0 and 1.
    rho : float
        Correlation of errors at the same time. With the default, 1, no two effects of a cluster may
        be of the same time.

    References
    ----------
    Trikalinos TA, Olkin I (2012). Meta-analysis of effect sizes reported at multiple time points: a
    multivariate approach. Clinical Trials 9, 610-620.
    """
    if not 0 <= phi < 1:
        raise UsageError(f"phi is a correlation from 0 to below 1, not {phi!r}")
    if not -1 < rho <= 1:
        raise UsageError(f"rho is a correlation above -1 and up to 1, not {rho!r}")
    v, codes = _checked(variances, cluster)
    when = np.asarray(time, dtype=float)
    if when.shape != v.shape or not np.isfinite(when).all():
        raise UsageError("time is one finite number for each effect")
    first, second = pairs_within(codes)
    apart = np.abs(when[first] - when[second])
    return _sparse(v, first, second, rho * phi**apart * np.sqrt(v[first] * v[second]))


def from_blocks(blocks: Sequence[ArrayLike], cluster: ArrayLike) -> Covariance:
    """Known matrices.

    Parameters
    ----------
    blocks : sequence of array_like, shapes (n, n)
        One matrix for each study in the order in which the studies first appear; its rows are the
        effects of the study in their order.
    cluster : array_like, shape (k,)
        Names of the studies.
    """
    codes, _ = group_codes(cluster, sort=False)
    count = np.bincount(codes)
    if len(blocks) != len(count):
        raise UsageError(f"{len(count)} studies but {len(blocks)} matrices")
    matrices = [np.asarray(block, dtype=float) for block in blocks]
    for place, (matrix, n) in enumerate(zip(matrices, count, strict=True)):
        if matrix.shape != (n, n):
            raise UsageError(
                f"matrix {place} is of shape {matrix.shape}, its study has {n} effects"
            )
        if not np.allclose(matrix, matrix.T, rtol=1e-8, atol=0):
            raise UsageError(f"matrix {place} is not symmetric")
    position = positions_within(codes)
    first, second = pairs_within(codes)
    values = [matrices[codes[i]][position[i], position[j]]
              for i, j in zip(first, second, strict=True)]  # fmt: skip
    v = [matrices[code][place, place] for code, place in zip(codes, position, strict=True)]
    return _sparse(np.array(v), first, second, np.array(values, dtype=float))


def from_columns(columns: pd.DataFrame | ArrayLike, cluster: ArrayLike) -> Covariance:
    """Known matrices, laid out as columns beside the effects.

    Parameters
    ----------
    columns : DataFrame or array_like, shape (k, n)
        Each row holds the covariances of its effect with the effects of the same study, in order; a
        study of fewer than n effects leaves the last columns empty.
    cluster : array_like, shape (k,)
        Names of the studies.
    """
    table = np.asarray(columns, dtype=float)
    codes, names = group_codes(cluster, sort=False)
    if table.ndim != 2 or len(table) != len(codes):
        raise UsageError(f"columns is a table of {len(codes)} rows, not of shape {table.shape}")
    if (most := int(np.bincount(codes).max())) > table.shape[1]:
        raise UsageError(f"a study has {most} effects, but there are {table.shape[1]} columns")
    return from_blocks(
        [table[codes == code][:, : (codes == code).sum()] for code in range(len(names))], cluster
    )


def group_codes(values: ArrayLike, *, sort: bool = True) -> tuple[Places, pd.Index]:
    """Number of the group of each effect, shape (k,), and the names of the groups.

    Parameters
    ----------
    values : array_like, shape (k,)
        Names of the groups. A pandas categorical keeps its order of categories.
    sort : bool
        Whether groups are numbered in ascending order rather than as they appear.
    """
    series = values if isinstance(values, pd.Series) else pd.Series(values)
    if series.isna().any():
        raise ModelError(f"row {int(np.argmax(series.isna()))}: the group is missing")
    if isinstance(series.dtype, pd.CategoricalDtype) and sort:
        series = series.cat.remove_unused_categories()
        return np.asarray(series.cat.codes, dtype=np.intp), pd.Index(series.cat.categories)
    codes, names = pd.factorize(series, sort=sort)
    return np.asarray(codes, dtype=np.intp), pd.Index(names)


def positions_within(codes: Places) -> Places:
    """Position of each effect within its group, shape (k,)."""
    order = np.argsort(codes, kind="stable")
    count = np.bincount(codes)
    start = np.cumsum(count) - count
    position = np.empty(len(codes), dtype=np.intp)
    position[order] = np.arange(len(codes)) - start[codes[order]]
    return position


def pairs_within(codes: Places) -> tuple[Places, Places]:
    """All pairs of effects of the same group: positions of the first and the second."""
    order = np.argsort(codes, kind="stable")
    count = np.bincount(codes)[codes[order]]
    later = count - 1 - positions_within(codes)[order]
    first = np.repeat(np.arange(len(codes)), later)
    ramp = np.arange(len(first)) - np.repeat(np.cumsum(later) - later, later)
    return order[first], order[first + 1 + ramp]


def _checked(variances: ArrayLike, cluster: ArrayLike) -> tuple[Array, Places]:
    v, codes = np.asarray(variances, dtype=float), group_codes(cluster)[0]
    if v.ndim != 1 or v.shape != codes.shape:
        raise UsageError(f"{v.size} variances but {len(codes)} names of studies")
    return v, codes


def _sparse(v: Array, first: Places, second: Places, values: Array) -> Covariance:
    kept = values != 0
    return Covariance(v, first[kept], second[kept], values[kept])


def _require_correlation(name: str, value: float) -> None:
    if not -1 < value < 1:
        raise UsageError(f"{name} is a correlation between -1 and 1, not {value!r}")
