"""Any random terms: independent clusters as stacks of small matrices, which are inverted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evidence.synthesis.dependent.batches import Batch, make_batches
from evidence.synthesis.dependent.covariance import Covariance, Places
from evidence.synthesis.dependent.structures import Term
from evidence.synthesis.least_squares import Array

Moments = tuple[Array, Array, Array, Array]
"""With B = [X y], for entries c and d: B'WA_cWB, B'WA_cWA_dWB, tr(WA_c) and tr(WA_cWA_d)."""


class Block:
    """The numbers of the clusters of a batch.

    Attributes
    ----------
    batch : Batch
        Which effects.
    B : ndarray, shape (m, n, p + 1)
        Model matrix and effects.
    V : ndarray, shape (m, n, n)
        Covariance of the sampling errors.
    masks : list of ndarray, shape (m, n, n)
        Where each entry of the covariance of the random effects stands.
    """

    def __init__(self, batch: Batch, y: Array, X: Array, V: Covariance, terms: Sequence[Term]):
        self.batch = batch
        self.B = np.concatenate([batch.take(X), batch.take(y)[..., None]], axis=-1)
        self.V = V.in_batch(batch)
        self.masks: list[Array] = []
        for term in terms:
            same = batch.same(term.group)
            inner = np.append(term.inner, 0)[batch.rows]
            cell = term.structure.cell[inner[:, :, None], inner[:, None, :]]
            self.masks += [
                (same & (cell == c)).astype(float) for c in range(term.structure.n_entries)
            ]

    def covariance(self, phi: Array) -> Array:
        """Marginal covariance, shape (m, n, n)."""
        M = self.V.copy()
        for value, mask in zip(phi, self.masks, strict=True):
            if value:
                M += value * mask
        return M


class Stacked:
    """Effects in stacks of clusters."""

    def __init__(self, y: Array, X: Array, V: Covariance, terms: Sequence[Term], clusters: Places):
        self.blocks = [Block(batch, y, X, V, terms) for batch in make_batches(clusters)]

    def at(self, phi: Array) -> StackedPoint:
        """The weights at given entries."""
        return StackedPoint(self.blocks, phi)


class StackedPoint:
    """Weights at one value of the entries.

    Attributes
    ----------
    log_determinant : float
        Logarithm of |M|.
    cross : ndarray, shape (p + 1, p + 1)
        B'WB.
    W, WB : list of ndarray
        The weights of each block, and their products with B.
    """

    def __init__(self, blocks: list[Block], phi: Array):
        self.blocks, self.q = blocks, len(phi)
        n = blocks[0].B.shape[-1]
        self.cross = np.zeros((n, n))
        self.log_determinant = 0.0
        self.W: list[Array] = []
        self.WB: list[Array] = []
        for block in blocks:
            M = block.covariance(phi)
            if M.shape[-1] == 1:
                self.log_determinant += float(np.log(M).sum())
                W = 1 / M
                WB = W * block.B
            else:
                self.log_determinant += float(np.linalg.slogdet(M)[1].sum())
                W = np.asarray(np.linalg.inv(M), dtype=float)
                WB = W @ block.B
            self.W.append(W)
            self.WB.append(WB)
            self.cross += block.B.reshape(-1, n).T @ WB.reshape(-1, n)

    def moments(self) -> Moments:
        """What the derivatives are made of."""
        q, n = self.q, len(self.cross)
        once, twice = np.zeros((q, n, n)), np.zeros((q, q, n, n))
        trace, square = np.zeros(q), np.zeros((q, q))
        for block, W, E in zip(self.blocks, self.W, self.WB, strict=True):
            F = [mask @ E for mask in block.masks]
            WF = [(W @ one).reshape(-1, n) for one in F]
            WA = [W @ mask for mask in block.masks]
            for c in range(q):
                once[c] += E.reshape(-1, n).T @ F[c].reshape(-1, n)
                trace[c] += np.vdot(W, block.masks[c])
                for d in range(c + 1):
                    twice[c, d] += F[c].reshape(-1, n).T @ WF[d]
                    square[c, d] += np.einsum("mij,mji->", WA[c], WA[d])
        for c in range(q):
            for d in range(c):
                twice[d, c], square[d, c] = twice[c, d].T, square[c, d]
        return once, twice, trace, square
