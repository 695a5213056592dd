"""What an estimator of the heterogeneity returns."""

from __future__ import annotations

from dataclasses import dataclass

from evidence.synthesis.least_squares import Value


@dataclass(frozen=True)
class Tau2:
    """An estimate of the variance between studies; of each data set where there are many.

    Attributes
    ----------
    value : float or ndarray
        τ², at least zero.
    se : float or ndarray
        Its large-sample standard error at the estimate.
    """

    value: Value
    se: Value
