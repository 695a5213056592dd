"""Estimators of the variance τ² between studies, one method a file.

Each has ``fit_arrays(y, v, X)``: effects and sampling variances of shape (k,) and a model matrix of
shape (k, p) with k > p; it returns a :class:`Tau2`, truncated at zero where the method can go
below.
"""

from __future__ import annotations

from collections.abc import Callable

from evidence.synthesis.tau2 import (
    dersimonian_laird,
    generalised_q,
    hedges,
    hunter_schmidt,
    likelihood,
    paule_mandel,
    sidik_jonkman,
)
from evidence.synthesis.tau2.tau2 import Tau2

ESTIMATORS: dict[str, Callable[..., Tau2]] = {
    "DL": dersimonian_laird.fit_arrays,
    "HE": hedges.fit_arrays,
    "HS": hunter_schmidt.fit_arrays,
    "HSk": hunter_schmidt.fit_arrays_corrected,
    "SJ": sidik_jonkman.fit_arrays,
    "ML": likelihood.fit_arrays_ml,
    "REML": likelihood.fit_arrays_reml,
    "EB": paule_mandel.fit_arrays,
    "PM": paule_mandel.fit_arrays,
    "PMM": paule_mandel.fit_arrays_median,
    "GENQ": generalised_q.fit_arrays,
}
"""Estimators by name; EB, empirical Bayes, has the same solution as PM. GENQ needs weights."""

__all__ = ["ESTIMATORS", "Tau2"]
