"""Weighted least squares with independent errors, without any k by k matrix.

Estimators of the heterogeneity and their standard errors are written with the matrix
P = W - WX(X'WX)⁻¹X'W. Only traces and quadratic forms of P are ever needed, and these are sums over
the effects and products of p by p matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Weighted least squares fit of y on X.

    Attributes
    ----------
    y : ndarray, shape (k,)
        Effects.
    w : ndarray, shape (k,)
        Weights, all above zero.
    X : ndarray, shape (k, p)
        Model matrix of full column rank.
    """

    y: Array
    w: Array
    X: Array

    @property
    def df(self) -> int:
        """Residual degrees of freedom, k - p."""
        return self.X.shape[0] - self.X.shape[1]

    @cached_property
    def _wx(self) -> Array:
        return self.w[:, None] * self.X

    @cached_property
    def information(self) -> Array:
        """X'WX, shape (p, p)."""
        return self.X.T @ self._wx

    @cached_property
    def cov(self) -> Array:
        """(X'WX)⁻¹: the covariance of the coefficients if the weights are inverse variances."""
        return np.asarray(np.linalg.inv(self.information), dtype=float)

    @cached_property
    def beta(self) -> Array:
        """Coefficients, shape (p,)."""
        return np.asarray(np.linalg.solve(self.information, self._wx.T @ self.y), dtype=float)

    @cached_property
    def resid(self) -> Array:
        """Residuals y - Xb, shape (k,)."""
        return self.y - self.X @ self.beta

    @cached_property
    def _wr(self) -> Array:
        return self.w * self.resid

    @cached_property
    def _ratio(self) -> Array:
        """(X'WX)⁻¹X'W²X, shape (p, p)."""
        return self.cov @ (self._wx.T @ self._wx)

    @cached_property
    def ypy(self) -> float:
        """Quadratic form y'Py, the weighted sum of squared residuals."""
        return float(self._wr @ self.resid)

    @cached_property
    def yppy(self) -> float:
        """Quadratic form y'PPy."""
        return float(self._wr @ self._wr)

    @cached_property
    def ypppy(self) -> float:
        """Quadratic form y'PPPy."""
        side = self._wx.T @ self._wr
        return float(self.w @ self._wr**2 - side @ self.cov @ side)

    @cached_property
    def trace_p(self) -> float:
        """Trace of P."""
        return float(self.w.sum() - np.trace(self._ratio))

    @cached_property
    def trace_pp(self) -> float:
        """Trace of PP."""
        cubic = self.cov @ (self._wx.T @ (self.w[:, None] * self._wx))
        square = self._ratio @ self._ratio
        return float(self.w @ self.w - 2 * np.trace(cubic) + np.trace(square))

    @cached_property
    def log_determinant(self) -> float:
        """Logarithm of |X'WX|."""
        return float(np.linalg.slogdet(self.information)[1])

    def trace_pd(self, d: Array) -> float:
        """Trace of PD, where D is diagonal: the mean of y'Py if D is the variance of y."""
        return float(self.w @ d - np.trace(self.cov @ (self._wx.T @ (d[:, None] * self._wx))))

    def quadratic_sd(self, d: Array) -> float:
        """Standard deviation of y'Py if y is normal with diagonal variance D: sqrt(2 tr(PDPD))."""
        wd = self.w * d
        first = self.cov @ (self._wx.T @ (d[:, None] * self._wx))
        second = self.cov @ (self._wx.T @ ((d * wd)[:, None] * self._wx))
        trace = wd @ wd - 2 * np.trace(second) + np.trace(first @ first)
        return float(np.sqrt(2 * max(trace, 0.0)))

    def sandwich(self, d: Array) -> Array:
        """Covariance of the coefficients if D, not W⁻¹, is the variance of y; shape (p, p)."""
        return self.cov @ (self._wx.T @ (d[:, None] * self._wx)) @ self.cov
