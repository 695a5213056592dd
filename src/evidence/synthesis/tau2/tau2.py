"""What an estimator of the heterogeneity returns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tau2:
    """An estimate of the variance between studies.

    Attributes
    ----------
    value : float
        τ², at least zero.
    se : float
        Its large-sample standard error at the estimate.
    """

    value: float
    se: float
