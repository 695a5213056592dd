"""Variance that whole groups add when they are randomised and the analysis ignored it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.effectsize.frames import Bool, numbers, text
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


class Clustering(NamedTuple):
    """Design effects, and what they rest on; 1 and NaN where none is needed."""

    factor: Array
    icc: Array
    size: Array
    assumptions: dict[str, Bool]
    flags: dict[str, Bool]


def clustering(
    effects: pd.DataFrame,
    study: pd.DataFrame,
    people: Array,
    where: Bool,
    raw: Bool,
    icc: pd.DataFrame | float | None,
    default_icc: float,
    default_size: float,
) -> Clustering:
    """Design effects of the rows ``where`` the variance does not know of randomised groups.

    ``people`` are those behind a row; ``raw`` says that its variance comes from figures that know
    nothing of clusters, whatever the authors did with theirs.
    """
    said = text(effects, "clustering")
    grouped = (text(study, "design") == "cluster-rct") | np.isin(
        said, ["accounted", "not-stated", "not-accounted"]
    )
    where = where & grouped & (~np.isin(said, ["accounted", "not-applicable"]) | raw)
    given = isinstance(icc, int | float)
    rho = np.full(len(effects), float(icc) if isinstance(icc, int | float) else np.nan)
    if isinstance(icc, pd.DataFrame):
        rho = effects["domain_id"].map(domain_iccs(icc)).to_numpy(dtype=float, na_value=np.nan)
    fits = np.isfinite(rho)
    rho = np.where(fits, rho, default_icc)
    with np.errstate(invalid="ignore", divide="ignore"):
        size = people / numbers(study, "n_clusters")
    stated = np.isfinite(size) & (size >= 1)
    size = np.where(stated, size, default_size)
    silent = ~np.isin(said, ["accounted", "not-accounted", "not-applicable"])
    return Clustering(
        factor=np.where(where, design_effect(size, rho), 1.0),
        icc=np.where(where, rho, np.nan),
        size=np.where(where, size, np.nan),
        assumptions={
            "icc-given": where & given,
            "icc-domain": where & fits & (not given),
            "icc-default": where & ~fits,
            "equal-clusters": where,
        },
        flags={
            "clustering-not-stated": where & silent,
            "clustering-not-accounted": where & ~silent,
            "cluster-size-assumed": where & ~stated,
        },
    )
