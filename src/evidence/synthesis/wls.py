"""Weighted least squares with a diagonal variance, and the traces that variance estimators need.

For weights w and design X let B = (X'WX)⁻¹ and P = W - WXBX'W. No k by k matrix is formed: every
trace of products of P with diagonal matrices is a sum over studies and p by p matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evidence.errors import ModelError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Wls:
    """A weighted least squares fit.

    Attributes
    ----------
    X : ndarray, shape (k, p)
        Design.
    w : ndarray, shape (k,)
        Weights.
    B : ndarray, shape (p, p)
        Inverse of X'WX.
    beta : ndarray, shape (p,)
        Coefficients.
    resid : ndarray, shape (k,)
        y - Xβ.
    """

    X: Array
    w: Array
    B: Array
    beta: Array
    resid: Array

    @property
    def py(self) -> Array:
        """P y."""
        return self.w * self.resid

    @property
    def rss(self) -> float:
        """Weighted residual sum of squares, y'Py."""
        return float(self.w @ self.resid**2)

    def _cross(self, d: Array) -> Array:
        return self.X.T @ (d[:, None] * self.X)

    def trace(self, d: Array | float = 1.0) -> float:
        """tr(P D) for a diagonal D."""
        d = np.broadcast_to(d, self.w.shape)
        return float(self.w @ d - np.trace(self.B @ self._cross(self.w**2 * d)))

    def trace2(self, d: Array | float = 1.0) -> float:
        """tr(P D P D) for a diagonal D."""
        d = np.broadcast_to(d, self.w.shape)
        inner = self.B @ self._cross(self.w**2 * d)
        cubic = self.B @ self._cross(self.w**3 * d**2)
        return float((self.w**2) @ d**2 - 2 * np.trace(cubic) + np.sum(inner * inner.T))

    def logdet_information(self) -> float:
        """Logarithm of the determinant of X'WX."""
        return -float(np.linalg.slogdet(self.B)[1])


def wls(y: Array, X: Array, w: Array) -> Wls:
    """Fit by weighted least squares.

    Parameters
    ----------
    y : ndarray, shape (k,)
        Effects.
    X : ndarray, shape (k, p)
        Design of full column rank.
    w : ndarray, shape (k,)
        Weights above zero.

    Raises
    ------
    ModelError
        If the columns of the design are not independent.
    """
    try:
        B: Array = np.linalg.inv(X.T @ (w[:, None] * X)).astype(float)
    except np.linalg.LinAlgError as error:
        raise ModelError(
            "the moderators are not independent of each other: leave one out"
        ) from error
    beta = B @ (X.T @ (w * y))
    return Wls(X, w, B, beta, y - X @ beta)
