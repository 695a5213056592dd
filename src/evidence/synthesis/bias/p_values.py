"""P values of the studies' own tests."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.synthesis.bias.effects import effects, require_alternative
from evidence.synthesis.least_squares import Array
from evidence.synthesis.results import MetaResults


def p_values(
    yi: MetaResults | ArrayLike | str,
    vi: ArrayLike | str | None = None,
    data: pd.DataFrame | None = None,
    *,
    alternative: str = "greater",
) -> pd.Series:
    """Normal p value of each study, from its effect over its standard error.

    Parameters
    ----------
    yi, vi, data
        A fitted model, or effects and sampling variances (arrays, or columns of ``data``).
    alternative : {"greater", "less", "two.sided"}
        The side that the test looks for.

    Returns
    -------
    pandas.Series
        One p value per study, named as the studies.

    Raises
    ------
    UsageError, ModelError
        If there is no such alternative or the effects cannot be used.
    """
    given = effects(yi, vi, data, moderators=True)
    values = p_values_arrays(given.yi, given.vi, alternative)
    return pd.Series(values, index=given.index, name="pvalue")


def p_values_arrays(y: Array, v: Array, alternative: str = "greater") -> Array:
    """P values on plain arrays of shape (k,); see :func:`p_values`."""
    from scipy.special import ndtr

    require_alternative(alternative)
    z = y / np.sqrt(v)
    if alternative == "two.sided":
        return np.asarray(2 * ndtr(-np.abs(z)), dtype=float)
    return np.asarray(ndtr(z if alternative == "less" else -z), dtype=float)


__all__ = ["p_values", "p_values_arrays"]
