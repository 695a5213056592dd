"""Random intercepts that cross: the smaller ones as an addition of low rank to the larger.

Effects of countries that cross those of studies tie all studies together, so that there are no
small independent blocks. With M = M₀ + ZGZ', where M₀ has the random terms of studies and effects
and the columns of Z are the L levels of the others, Woodbury's formula gives W = W₀ - W₀ZNZ'W₀ with
N = (G⁻¹ + Z'W₀Z)⁻¹. All products that the likelihood needs follow from those of W₀ with [Z X y];
their cost grows with kL².

References
----------
Woodbury MA (1950). Inverting modified matrices. Statistical Research Group Memorandum Report 42.
Princeton University.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evidence.synthesis.dependent.covariance import Covariance, Places
from evidence.synthesis.dependent.rotated import Rotated, rotate
from evidence.synthesis.dependent.stacked import Moments
from evidence.synthesis.dependent.structures import Term
from evidence.synthesis.least_squares import Array


def cross(B: Array, V: Covariance, terms: Sequence[Term]) -> Crossed | None:
    """Lay effects out for crossed intercepts; None where the random terms are of another kind.

    Parameters
    ----------
    B : ndarray, shape (k, p + 1)
        Model matrix and effects.
    V : Covariance
        Of the sampling errors.
    terms : sequence of Term
        Random terms.
    """
    if any(len(term.structure.cell) > 1 for term in terms):
        return None
    levels = np.array([int(term.group.max()) + 1 for term in terms])
    order = np.argsort(-levels, kind="stable").tolist()
    # The effects and the finest grouping above them; else that grouping alone.
    for n in (n for n in (2, 1) if n < len(terms)):
        inner, outer = sorted(order[:n]), sorted(order[n:])
        Z = np.concatenate(
            [(terms[i].group[:, None] == np.arange(levels[i])).astype(float) for i in outer], axis=1
        )
        base = rotate(np.column_stack([Z, B]), V, [terms[i] for i in inner])
        if base is not None:
            return Crossed(base, inner, outer, levels[outer])
    return None


class Crossed:
    """Effects with crossed intercepts.

    Parameters
    ----------
    base : Rotated
        Layout of [Z X y] with the terms of studies and effects.
    inner, outer : list of int
        Places of those terms and of the others.
    levels : ndarray of int
        Numbers of levels of the others.
    """

    def __init__(self, base: Rotated, inner: list[int], outer: list[int], levels: Places):
        self.base, self.inner, self.outer = base, inner, outer
        self.owner = np.repeat(np.arange(len(outer)), levels)

    def at(self, phi: Array) -> CrossedPoint:
        """The weights at given variances."""
        return CrossedPoint(self, phi)


class CrossedPoint:
    """Weights at one value of the variances; attributes as those of ``StackedPoint``."""

    def __init__(self, layout: Crossed, phi: Array):
        self.layout = layout
        self.base = layout.base.at(phi[layout.inner])
        L = len(layout.owner)
        whole = self.base.cross
        K = whole[:L, :L]
        root = np.sqrt(phi[layout.outer])[layout.owner]
        inner = np.eye(L) + root[:, None] * K * root
        self.N = root[:, None] * np.linalg.inv(inner) * root
        # WB = W₀[Z B]R and WZ = W₀[Z B]S.
        self.R = np.concatenate([-self.N @ whole[:L, L:], np.eye(whole.shape[1] - L)])
        self.S = np.concatenate([np.eye(L) - self.N @ K, np.zeros((len(whole) - L, L))])
        self.cross = whole[L:] @ self.R
        self.log_determinant = self.base.log_determinant + float(np.linalg.slogdet(inner)[1])

    def moments(self) -> Moments:
        """What the derivatives are made of."""
        layout, N, R, S = self.layout, self.N, self.R, self.S
        L, n, q = len(N), R.shape[1], len(layout.inner) + len(layout.outer)
        once0, twice0, trace0, square0 = self.base.moments()
        ZWB, ZWZ = self.base.cross[:L] @ R, self.base.cross[:L] @ S
        once, twice = np.empty((q, n, n)), np.empty((q, q, n, n))
        trace, square = np.empty(q), np.empty((q, q))
        for c, i in enumerate(layout.inner):
            once[i] = R.T @ once0[c] @ R
            NT = N @ once0[c][:L, :L]
            trace[i] = trace0[c] - np.trace(NT)
            for d, j in enumerate(layout.inner):
                twice[i, j] = R.T @ (twice0[c, d] - once0[c][:, :L] @ N @ once0[d][:L]) @ R
                square[i, j] = (
                    square0[c, d]
                    - 2 * np.vdot(N, twice0[c, d][:L, :L])
                    + np.vdot(NT, (N @ once0[d][:L, :L]).T)
                )
            for e, j in enumerate(layout.outer):
                own = layout.owner == e
                part = S[:, own].T @ once0[c]
                twice[j, i] = ZWB[own].T @ part @ R
                twice[i, j] = twice[j, i].T
                square[i, j] = square[j, i] = np.vdot(part.T, S[:, own])
        for e, i in enumerate(layout.outer):
            own = layout.owner == e
            once[i] = ZWB[own].T @ ZWB[own]
            trace[i] = np.trace(ZWZ[np.ix_(own, own)])
            for f, j in enumerate(layout.outer):
                part = ZWZ[np.ix_(own, layout.owner == f)]
                twice[i, j] = ZWB[own].T @ part @ ZWB[layout.owner == f]
                square[i, j] = np.vdot(part, part)
        return once, twice, trace, square
