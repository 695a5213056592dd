"""Log-likelihood of the random-effects model with known sampling variances."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from evidence.synthesis.wls import wls

Array = NDArray[np.float64]


def log_likelihood(y: Array, v: Array, X: Array, tau2: float, *, restricted: bool) -> float:
    """Maximised over the coefficients at a given τ², constants included.

    Parameters
    ----------
    y, v : ndarray, shape (k,)
        Effects and variances.
    X : ndarray, shape (k, p)
        Design.
    tau2 : float
        Between-study variance.
    restricted : bool
        Whether of the residual contrasts; it then contains + ½ log|X'X| (Harville 1977).
    """
    k, p = X.shape
    total = v + tau2
    fit = wls(y, X, 1 / total)
    value = -0.5 * (k * math.log(2 * math.pi) + float(np.log(total).sum()) + fit.rss)
    if restricted:
        value += 0.5 * (
            p * math.log(2 * math.pi)
            - fit.logdet_information()
            + float(np.linalg.slogdet(X.T @ X)[1])
        )
    return value
