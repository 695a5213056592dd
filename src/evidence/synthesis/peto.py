"""Peto's one-step odds ratio."""

from __future__ import annotations

import math

from numpy.typing import ArrayLike

from evidence.errors import ModelError
from evidence.synthesis.pooled_counts import PooledCounts, counts, spread_about


def peto(
    a: ArrayLike,
    b: ArrayLike,
    c: ArrayLike,
    d: ArrayLike,
) -> PooledCounts:
    """Pool log odds ratios of two-by-two tables by Peto's method.

    Good where events are rare, groups of like size and the effect small; biased elsewhere.

    Parameters
    ----------
    a, b, c, d : array_like, shape (k,)
        People with and without the event in group 1, then in group 2.

    Returns
    -------
    PooledCounts

    Raises
    ------
    ModelError
        If a count is missing or below zero, or no study has both events and people without.

    References
    ----------
    Yusuf S, Peto R, Lewis J, Collins R, Sleight P (1985). Beta blockade during and after myocardial
    infarction. Progress in Cardiovascular Diseases 27, 335-371.
    """
    x = counts(a=a, b=b, c=c, d=d)
    n1, n2 = x["a"] + x["b"], x["c"] + x["d"]
    events, others = x["a"] + x["c"], x["b"] + x["d"]
    use = (n1 > 0) & (n2 > 0) & (events > 0) & (others > 0)
    if not use.any():
        raise ModelError("no study has both events and people without: nothing can be pooled")
    n = (n1 + n2)[use]
    expected = n1[use] * events[use] / n
    variance = n1[use] * n2[use] * events[use] * others[use] / (n**2 * (n - 1))
    estimate = float((x["a"][use] - expected).sum() / variance.sum())
    # Empty cells are no obstacle to Peto's effects of single studies, so nothing is added to them.
    own = (x["a"][use] - expected) / variance
    heterogeneity, k_effects = spread_about(estimate, own, 1 / variance)
    return PooledCounts(
        "PETO", estimate, math.sqrt(1 / float(variance.sum())), len(n1), int(use.sum()), k_effects,
        heterogeneity,
    )  # fmt: skip
