"""One effect for each study in place of several."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import UsageError
from evidence.synthesis.dependent.batches import make_batches
from evidence.synthesis.dependent.covariance import Covariance, group_codes


def aggregate_effects(
    yi: ArrayLike, V: Covariance, cluster: ArrayLike, *, weighted: bool = True
) -> pd.DataFrame:
    """Average the effects of each study.

    Parameters
    ----------
    yi : array_like, shape (k,)
        Effects.
    V : Covariance
        Of their sampling errors, such as
        :func:`~evidence.synthesis.dependent.covariance.compound_symmetric`.
    cluster : array_like, shape (k,)
        Names of the studies.
    weighted : bool
        Whether the weights are those of the inverse of V, which give the smallest variance, rather
        than equal.

    Returns
    -------
    pandas.DataFrame
        One row per study, in ascending order: ``yi``, ``vi``, ``k``.

    References
    ----------
    Borenstein M, Hedges LV, Higgins JPT, Rothstein HR (2009). Introduction to Meta-Analysis,
    chapters 23 and 24. Chichester: Wiley.
    Gleser LJ, Olkin I (2009). Stochastically dependent effect sizes. In: The Handbook of Research
    Synthesis and Meta-Analysis, second edition, 357-376.
    """
    y = np.asarray(yi, dtype=float)
    codes, names = group_codes(cluster)
    if not (y.ndim == 1 and len(y) == len(V) == len(codes)):
        raise UsageError(f"{y.size} effects, {len(V)} variances, {len(codes)} names of studies")
    mean, variance = np.empty(len(names)), np.empty(len(names))
    for batch in make_batches(codes):
        real = (batch.rows < len(y)).astype(float)
        matrices = V.in_batch(batch)
        w = np.linalg.solve(matrices, real[..., None])[..., 0] if weighted else real
        w = w / w.sum(axis=1, keepdims=True)
        place = codes[batch.rows[:, 0]]
        mean[place] = (w * batch.take(y)).sum(axis=1)
        variance[place] = np.einsum("mi,mij,mj->m", w, matrices, w)
    return pd.DataFrame({"yi": mean, "vi": variance, "k": np.bincount(codes)}, index=names)
