"""DerSimonian and Laird's moment estimator, from Cochran's Q."""

from __future__ import annotations

from evidence.synthesis.least_squares import Array, LeastSquares
from evidence.synthesis.tau2 import generalised_q
from evidence.synthesis.tau2.tau2 import Tau2


def fit_arrays(y: Array, v: Array, X: Array) -> Tau2:
    """Solve Q = E(Q), with the weights of the common-effect model.

    References
    ----------
    DerSimonian R, Laird N (1986). Meta-analysis in clinical trials. Controlled Clinical Trials 7,
    177-188.
    """
    return generalised_q.solve(LeastSquares(y, 1 / v, X), v)
