"""Weighted least squares with independent errors, without any k by k matrix.

Estimators of the heterogeneity and their standard errors are written with the matrix
P = W - WX(X'WX)⁻¹X'W. Only traces and quadratic forms of P are ever needed, and these are sums over
the effects and products of p by p matrices.

All of it holds for many data sets at once: axes before those named here are data sets, which
broadcast, and a quantity that is one number for one data set is then an array.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Value = Any
"""A number, or an array of numbers where there are many data sets."""

_T = TypeVar("_T")


class _Kept(Generic[_T]):
    """A property that is computed once.

    ``functools.cached_property`` takes a lock each time before Python 3.12, which costs more than
    most of what is computed here.
    """

    def __init__(self, function: Callable[[Any], _T]) -> None:
        self.function, self.name = function, function.__name__
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> _Kept[_T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> _T: ...
    def __get__(self, instance: object | None, owner: type) -> _Kept[_T] | _T:
        if instance is None:
            return self
        value = instance.__dict__[self.name] = self.function(instance)
        return value


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Weighted least squares fit of y on X.

    Attributes
    ----------
    y : ndarray, shape (..., k)
        Effects.
    w : ndarray, shape (..., k)
        Weights, none below zero.
    X : ndarray, shape (..., k, p)
        Model matrix of full column rank.
    """

    y: Array
    w: Array
    X: Array

    @property
    def df(self) -> int:
        """Residual degrees of freedom, k - p."""
        return self.X.shape[-2] - self.X.shape[-1]

    def _side(self, z: Array) -> Array:
        """X'z, shape (..., p)."""
        return z @ self.X if self.X.ndim == 2 else (z[..., None, :] @ self.X)[..., 0, :]

    def _cross(self, d: Array) -> Array:
        """X'DX for a diagonal D, shape (..., p, p)."""
        X = self.X
        if d.ndim > 1 and X.ndim == 2:
            # Many weights of one matrix: all in a single product.
            k, p = X.shape
            return (d @ (X[:, :, None] * X[:, None, :]).reshape(k, -1)).reshape(*d.shape[:-1], p, p)
        return (X.mT * d[..., None, :]) @ X

    @_Kept
    def information(self) -> Array:
        """X'WX, shape (..., p, p)."""
        return self._cross(self.w)

    @_Kept
    def cov(self) -> Array:
        """(X'WX)⁻¹: the covariance of the coefficients if the weights are inverse variances."""
        if self.X.shape[-1] == 1:
            return 1 / self.information
        return np.asarray(np.linalg.inv(self.information), dtype=float)

    @_Kept
    def beta(self) -> Array:
        """Coefficients, shape (..., p)."""
        side = self._side(self.w * self.y)
        if self.X.shape[-1] == 1:
            return side / self.information[..., 0]
        return np.asarray(np.linalg.solve(self.information, side[..., None])[..., 0], dtype=float)

    @_Kept
    def resid(self) -> Array:
        """Residuals y - Xb, shape (..., k)."""
        if self.X.ndim == 2:
            return self.y - self.beta @ self.X.T
        return self.y - (self.X @ self.beta[..., None])[..., 0]

    @_Kept
    def _wr(self) -> Array:
        return self.w * self.resid

    @_Kept
    def _ww(self) -> Array:
        return self.w * self.w

    @_Kept
    def _square(self) -> Array:
        """X'W²X, shape (..., p, p)."""
        return self._cross(self._ww)

    @_Kept
    def ypy(self) -> Value:
        """Quadratic form y'Py, the weighted sum of squared residuals."""
        return np.vecdot(self._wr, self.resid)

    @_Kept
    def yppy(self) -> Value:
        """Quadratic form y'PPy."""
        return np.vecdot(self._wr, self._wr)

    @_Kept
    def ypppy(self) -> Value:
        """Quadratic form y'PPPy."""
        wwr = self.w * self._wr
        side = self._side(wwr)
        return np.vecdot(wwr, self._wr) - np.vecdot((self.cov @ side[..., None])[..., 0], side)

    @_Kept
    def trace_p(self) -> Value:
        """Trace of P."""
        return self.w.sum(-1) - _trace(self.cov, self._square)

    @_Kept
    def trace_pp(self) -> Value:
        """Trace of PP."""
        cubic = self._cross(self._ww * self.w)
        ratio = self.cov @ self._square
        return self._ww.sum(-1) - 2 * _trace(self.cov, cubic) + _trace(ratio, ratio)

    @_Kept
    def log_determinant(self) -> Value:
        """Logarithm of |X'WX|."""
        return np.linalg.slogdet(self.information)[1]

    def trace_pd(self, d: Array) -> Value:
        """Trace of PD, where D is diagonal: the mean of y'Py if D is the variance of y."""
        return np.vecdot(self.w, d) - _trace(self.cov, self._cross(self._ww * d))

    def quadratic_sd(self, d: Array) -> Value:
        """Standard deviation of y'Py if y is normal with diagonal variance D: sqrt(2 tr(PDPD))."""
        wd = self.w * d
        first = self.cov @ self._cross(self.w * wd)
        trace = np.vecdot(wd, wd) - 2 * _trace(self.cov, self._cross(self.w * wd * wd))
        return np.sqrt(2 * np.maximum(trace + _trace(first, first), 0.0))

    def sandwich(self, d: Array) -> Array:
        """Covariance of the coefficients if D, not W⁻¹, is the variance of y; shape (..., p, p)."""
        return self.cov @ self._cross(self._ww * d) @ self.cov


def _trace(A: Array, B: Array) -> Value:
    """Trace of AB, where both are p by p."""
    if A.shape[-1] == 1:
        return (A * B)[..., 0, 0]
    return np.einsum("...ij,...ji->...", A, B)
