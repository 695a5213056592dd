"""Galbraith's radial plot: a line through the origin with the pooled effect as its slope."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evidence.errors import UsageError
from evidence.synthesis.results import MetaResults


def radial(fit: MetaResults, *, center: bool = False) -> pd.DataFrame:
    """Coordinates of a radial plot.

    Parameters
    ----------
    fit : MetaResults
        A model without moderators.
    center : bool
        Whether the pooled effect is taken from the effects first, so that the line is level.

    Returns
    -------
    pandas.DataFrame
        One row per study: ``x`` = 1/sqrt(vᵢ + τ²) and ``y`` = yᵢ/sqrt(vᵢ + τ²).

    Raises
    ------
    UsageError
        If the model has moderators.

    References
    ----------
    Galbraith RF (1988). Graphical display of estimates having differing standard errors.
    Technometrics 30, 271-281.
    """
    if fit.model == "meta-regression":
        raise UsageError("a radial plot is for a model without moderators")
    x = 1 / np.sqrt(fit.vi + fit.tau2)
    return pd.DataFrame({"x": x, "y": x * (fit.yi - fit.beta[0] if center else fit.yi)})
