"""Random intercepts of studies and of effects within studies, without inverting any matrix.

Within a study M = V + σ₂²I + σ₁²11'. In the axes of the eigenvectors of V, found once, it is
diagonal but for one product of vectors: M = D⁻¹ + σ₁²bb' with D = diag(1/(λ + σ₂²)) and b the
rotated ones. Sherman and Morrison's formula then gives W = D - cDbb'D with c = σ₁²/(1 + σ₁²b'Db),
and everything is a sum over effects.

References
----------
Sherman J, Morrison WJ (1950). Adjustment of an inverse matrix corresponding to a change in one
element of a given matrix. Annals of Mathematical Statistics 21, 124-127.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evidence.synthesis.dependent.batches import make_batches
from evidence.synthesis.dependent.covariance import Covariance, Places
from evidence.synthesis.dependent.stacked import Moments
from evidence.synthesis.dependent.structures import Term
from evidence.synthesis.least_squares import Array


def rotate(B: Array, V: Covariance, terms: Sequence[Term]) -> Rotated | None:
    """Lay effects out in rotated axes; None where the random terms are of another kind.

    Parameters
    ----------
    B : ndarray, shape (k, n)
        What is to be weighted: model matrix and effects.
    V : Covariance
        Of the sampling errors.
    terms : sequence of Term
        Random terms.
    """
    if len(terms) > 2 or any(len(term.structure.cell) > 1 for term in terms):
        return None
    k = len(B)
    single = [int(term.group.max()) + 1 == k for term in terms]
    if sum(single) > 1 or len(terms) - sum(single) > 1:
        return None
    # The effects of a study lie together, and errors are correlated within studies alone.
    study = next((t.group for t, one in zip(terms, single, strict=True) if not one), None)
    if study is not None and (study[V.first] != study[V.second]).any():
        return None
    order = np.arange(k) if study is None else np.argsort(study, kind="stable")
    ones = np.ones(k) if study is not None else np.zeros(k)
    values, B = _axes(V, np.column_stack([B, ones]))
    codes = np.zeros(k, dtype=np.intp) if study is None else study[order]
    return Rotated(B[order], values[order], codes, [int(one) for one in single])


def _axes(V: Covariance, B: Array) -> tuple[Array, Array]:
    """Eigenvalues of V, and B in the axes of its eigenvectors."""
    if not len(V.values):
        return V.variances, B
    values, turned = np.empty(len(V) + 1), np.empty((len(V) + 1, B.shape[1]))
    for batch in make_batches(V.components):
        if batch.rows.shape[1] == 1:
            values[batch.rows[:, 0]] = V.variances[batch.rows[:, 0]]
            turned[batch.rows[:, 0]] = B[batch.rows[:, 0]]
            continue
        root, basis = np.linalg.eigh(V.in_batch(batch))
        # A padded place is an eigenvector of its own; real axes go to the real places.
        real = batch.rows < len(V)
        axis = (np.abs(basis) * ~real[:, :, None]).sum(axis=1) < 0.5
        places = batch.rows[real]
        values[places] = root[axis]
        turned[places] = (basis.transpose(0, 2, 1) @ batch.take(B))[axis]
    return values[:-1], turned[:-1]


class Rotated:
    """Effects of studies in rotated axes.

    Parameters
    ----------
    B : ndarray, shape (k, n + 1)
        What is to be weighted, and ones (zeros without studies), rotated, study by study.
    values : ndarray, shape (k,)
        Eigenvalues of the sampling covariance.
    codes : ndarray of int, shape (k,)
        Number of the study, ascending.
    kinds : list of int
        For each term 0 for studies, 1 for effects.
    """

    def __init__(self, B: Array, values: Array, codes: Places, kinds: list[int]):
        self.B, self.b = np.ascontiguousarray(B[:, :-1]), B[:, -1].copy()
        self.values, self.codes, self.kinds = values, codes, kinds
        self.starts = np.flatnonzero(np.diff(codes, prepend=-1))
        self.size = np.diff(np.append(self.starts, len(codes)))
        self.bB = self.b[:, None] * self.B
        self.bb = self.b**2

    def at(self, phi: Array) -> RotatedPoint:
        """The weights at given variances."""
        return RotatedPoint(self, phi)


class RotatedPoint:
    """Weights at one value of the variances; attributes as those of ``StackedPoint``."""

    def __init__(self, layout: Rotated, phi: Array):
        self.layout = layout
        own = {0: 0.0, 1: 0.0} | dict(zip(layout.kinds, phi.tolist(), strict=True))
        study = own[0]
        self.d = d = 1 / (layout.values + own[1])
        n = layout.B.shape[1]
        db = d * layout.bb
        sums = np.add.reduceat(
            np.column_stack([db, db * d, db * d * d, d[:, None] * layout.bB]), layout.starts
        )
        self.sums = sums
        self.u = 1 / (1 + study * sums[:, 0])
        self.c = study * self.u
        g = sums[:, 3 : 3 + n]
        # WB, by which no product of weights that nearly cancel is formed.
        carried = np.repeat(self.c[:, None] * g, layout.size, axis=0)
        self.WB = d[:, None] * (layout.B - layout.b[:, None] * carried)
        self.cross = layout.B.T @ self.WB
        self.log_determinant = float(-np.log(d).sum() - np.log(self.u).sum())

    def moments(self) -> Moments:
        """What the derivatives are made of."""
        layout, d, c, u = self.layout, self.d, self.c, self.u
        n = layout.B.shape[1]
        beta1, beta2, beta3 = self.sums[:, 0], self.sums[:, 1], self.sums[:, 2]
        once, twice = np.empty((2, n, n)), np.empty((2, 2, n, n))
        trace, square = np.empty(2), np.empty((2, 2))
        weighted = d[:, None] * self.WB
        gE = np.add.reduceat(layout.b[:, None] * weighted, layout.starts)
        # b'Wb, b'WB and b'WWB of each study.
        q, h, j = beta1 * u, u[:, None] * self.sums[:, 3 : 3 + n], u[:, None] * gE
        once[0], once[1] = h.T @ h, self.WB.T @ self.WB
        twice[0, 0] = (q[:, None] * h).T @ h
        twice[0, 1] = h.T @ j
        twice[1, 0] = twice[0, 1].T
        twice[1, 1] = self.WB.T @ weighted - (c[:, None] * gE).T @ gE
        trace[0], trace[1] = q.sum(), d.sum() - c @ beta2
        square[0, 0] = q @ q
        square[0, 1] = square[1, 0] = (u * u) @ beta2
        square[1, 1] = d @ d - 2 * (c @ beta3) + (c * beta2) @ (c * beta2)
        kinds = layout.kinds
        both = np.ix_(kinds, kinds)
        return once[kinds], twice[both], trace[kinds], square[both]
