"""Hunter and Schmidt's estimator, with and without the correction for few studies."""

from __future__ import annotations

import numpy as np

from evidence.synthesis.least_squares import Array, LeastSquares
from evidence.synthesis.tau2.tau2 import Tau2


def fit_arrays(y: Array, v: Array, X: Array) -> Tau2:
    """Solve Q = k + τ² Σ 1/v; biased downwards when studies are few.

    References
    ----------
    Hunter JE, Schmidt FL (1990). Methods of Meta-Analysis. Newbury Park: Sage.
    Viechtbauer W (2005). Bias and efficiency of meta-analytic variance estimators in the
    random-effects model. Journal of Educational and Behavioral Statistics 30, 261-293.
    """
    return _solve(y, v, X, 1.0)


def fit_arrays_corrected(y: Array, v: Array, X: Array) -> Tau2:
    """As :func:`fit_arrays` with Q times k/(k - p).

    References
    ----------
    Brannick MT, Potter SM, Benitez B, Morris SB (2019). Bias and precision of alternate estimators
    in meta-analysis: benefits of blending Schmidt-Hunter and Hedges approaches. Organizational
    Research Methods 22, 490-514.
    """
    return _solve(y, v, X, X.shape[-2] / (X.shape[-2] - X.shape[-1]))


def _solve(y: Array, v: Array, X: Array, factor: float) -> Tau2:
    fit = LeastSquares(y, 1 / v, X)
    total = (1 / v).sum(-1)
    value = np.maximum(0.0, (factor * fit.ypy - y.shape[-1]) / total)
    return Tau2(value, factor * fit.quadratic_sd(v + value[..., None]) / total)
