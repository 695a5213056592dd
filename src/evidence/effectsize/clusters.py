"""Variance that whole groups add when they are randomised and the analysis ignored it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.effectsize.registry import Array

DEFAULT_ICC = 0.031
"""Where a domain has no published intra-cluster correlation: the median of 210 health outcomes of
pupils in schools (interquartile range 0.011 to 0.08; ``icc.csv``, school-health-worldwide-school).
"""

DEFAULT_CLUSTER_SIZE = 35.0
"""People per cluster where the source does not say: about the median of the trials here that do."""


def design_effect(cluster_size: ArrayLike, icc: ArrayLike) -> Array:
    """Factor by which randomising clusters of equal size multiplies a variance.

    Parameters
    ----------
    cluster_size : array_like
        People per cluster.
    icc : array_like
        Intra-cluster correlation.

    Returns
    -------
    ndarray
        1 + (size - 1) icc, never below one.

    References
    ----------
    Donner A, Klar N (2000). Design and analysis of cluster randomization trials in health
    research. Arnold.
    """
    size, rho = np.asarray(cluster_size, dtype=float), np.asarray(icc, dtype=float)
    return np.maximum(1.0, 1 + (size - 1) * rho)


def domain_iccs(table: pd.DataFrame) -> pd.Series:
    """Median published intra-cluster correlation of each outcome domain.

    Values that are only the largest of many, and the heading ``other``, which is no domain, are
    left out.

    Parameters
    ----------
    table : pandas.DataFrame
        domain_id, icc and statistic of ``icc.csv``.

    Returns
    -------
    pandas.Series
        From domain_id to the median.
    """
    fits = (table["domain_id"] != "other") & (table["statistic"] != "largest")
    return table[fits].groupby("domain_id")["icc"].median()
