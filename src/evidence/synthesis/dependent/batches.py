"""Independent clusters of effects, stacked so that one call works on many small matrices.

Clusters of like size lie in one batch, the smaller ones padded by an effect that does not exist
(position k): its row of every design is zero and its variance one, so that it adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evidence.synthesis.least_squares import Array

Places = NDArray[np.intp]

# Multiplications that take as long as the calls for one more batch.
_OVERHEAD = 50_000


@dataclass(frozen=True, eq=False)
class Batch:
    """Clusters of like size.

    Attributes
    ----------
    rows : ndarray of int, shape (m, n)
        Positions of the effects of m clusters of at most n effects; k where there is none.
    """

    rows: Places

    def take(self, values: Array) -> Array:
        """Rows of an array of k effects, shape (m, n, ...); zero where there is no effect."""
        return np.concatenate([values, np.zeros((1, *values.shape[1:]))])[self.rows]

    def same(self, codes: Places) -> NDArray[np.bool_]:
        """Whether two effects are of the same group, shape (m, n, n)."""
        here = np.append(codes, -1)[self.rows]
        return (here[:, :, None] == here[:, None, :]) & (here >= 0)[:, :, None]


def components(k: int, edges: Iterable[tuple[Places, Places]]) -> Places:
    """Number of the connected part of each of k effects, shape (k,).

    Parameters
    ----------
    k : int
        Number of effects.
    edges : iterable of (first, second)
        Positions of effects that belong together.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = list(edges)
    first = np.concatenate([one for one, _ in pairs] or [np.empty(0, dtype=np.intp)])
    second = np.concatenate([other for _, other in pairs] or [np.empty(0, dtype=np.intp)])
    if not len(first):
        return np.arange(k)
    graph = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(k, k))
    return connected_components(graph.tocsr(), directed=False)[1].astype(np.intp)


def chain(codes: Places) -> tuple[Places, Places]:
    """Pairs that tie the effects of each group together, one fewer than the group has."""
    order = np.argsort(codes, kind="stable")
    same = codes[order[1:]] == codes[order[:-1]]
    return order[:-1][same], order[1:][same]


def make_batches(codes: Places) -> list[Batch]:
    """Stack clusters of like size.

    Parameters
    ----------
    codes : ndarray of int, shape (k,)
        Number of the cluster of each effect, from 0.
    """
    k = len(codes)
    order = np.argsort(codes, kind="stable")
    size = np.bincount(codes)
    start = np.cumsum(size) - size
    batches = []
    for clusters in _alike(size):
        n = int(size[clusters].max())
        place = start[clusters][:, None] + np.arange(n)
        inside = np.arange(n) < size[clusters][:, None]
        batches.append(Batch(np.where(inside, order[np.where(inside, place, 0)], k)))
    return batches


def _alike(size: Places) -> list[Places]:
    """Clusters, largest first, in lots that waste little on padding."""
    sizes, counts = np.unique(size, return_counts=True)
    lots: list[tuple[int, int]] = []
    low, high, waste = int(sizes[-1]), int(sizes[-1]), 0
    for n, m in zip(sizes[-2::-1].tolist(), counts[-2::-1].tolist(), strict=True):
        waste += m * (high**3 - n**3)
        if waste > _OVERHEAD:
            lots.append((low, high))
            high, waste = n, 0
        low = n
    lots.append((low, high))
    return [np.flatnonzero((size >= low) & (size <= high)) for low, high in lots]
