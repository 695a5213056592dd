"""Limits of a funnel plot: where effects would lie if chance alone made them differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evidence.errors import UsageError
from evidence.synthesis.results import MetaResults


def funnel_limits(
    fit: MetaResults,
    *,
    points: int = 101,
    alpha: float = 0.05,
    contours: Sequence[float] = (0.1, 0.05, 0.01),
) -> pd.DataFrame:
    """Pseudo-confidence limits about the pooled effect, and contours of significance about zero.

    Parameters
    ----------
    fit : MetaResults
        A model without moderators.
    points : int
        Number of standard errors, from zero to the largest of the studies.
    alpha : float
        One minus the level of the limits.
    contours : sequence of float
        Two-sided p values of a single study.

    Returns
    -------
    pandas.DataFrame
        One row per standard error: ``se``, ``lower``, ``upper``, and for each p value P
        ``contour_P``: effects between that and its negative are not significant at P.

    Raises
    ------
    UsageError
        If the model has moderators, there are fewer than two points, or a level is not between 0
        and 1.

    References
    ----------
    Sterne JAC, Egger M (2001). Funnel plots for detecting bias in meta-analysis: guidelines on
    choice of axis. Journal of Clinical Epidemiology 54, 1046-1055.
    Peters JL, Sutton AJ, Jones DR and others (2008). Contour-enhanced meta-analysis funnel plots
    help distinguish publication bias from other causes of asymmetry. Journal of Clinical
    Epidemiology 61, 991-996.
    """
    from scipy.special import ndtri

    if fit.model == "meta-regression":
        raise UsageError("a funnel has one centre: use a model without moderators")
    if points < 2 or not all(0 < level < 1 for level in (alpha, *contours)):
        raise UsageError("a funnel needs two points or more and levels between 0 and 1")
    se = np.linspace(0, np.sqrt(fit.vi.max()), points)
    reach = ndtri(1 - alpha / 2) * se
    columns = {"se": se, "lower": fit.beta[0] - reach, "upper": fit.beta[0] + reach}
    for level in contours:
        columns[f"contour_{level:g}"] = ndtri(1 - level / 2) * se
    return pd.DataFrame(columns)
