"""Graphical display of study heterogeneity: the model on all subsets of the studies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evidence.errors import ModelError, UsageError
from evidence.synthesis.diagnostics.batched import Mask, fit_subsets
from evidence.synthesis.results import MetaResults

_ALL = 16


@dataclass(frozen=True, eq=False)
class Gosh:
    """Fits of subsets of the studies.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per subset: ``k``, ``Q``, ``I2``, ``H2``, ``tau2`` and ``estimate``, or with
        moderators ``beta_`` and the name of each coefficient. NaN where a subset cannot be fitted.
    subsets : ndarray of bool, shape (b, k)
        Which studies are in.
    every : bool
        Whether these are all subsets rather than some drawn at random.
    """

    table: pd.DataFrame
    subsets: Mask
    every: bool

    def to_frame(self) -> pd.DataFrame:
        """The table."""
        return self.table

    def by_study(self) -> pd.DataFrame:
        """Mean of each column over the subsets with, and over those without, each study.

        Two clouds that lie apart tell an outlier: columns ``(name, "with")``, ``(name,
        "without")``, one row per study.
        """
        values = self.table.to_numpy(dtype=float)
        known = ~np.isnan(values)
        filled = np.where(known, values, 0.0)
        sides = {}
        for side, rows in (("with", self.subsets), ("without", ~self.subsets)):
            with np.errstate(invalid="ignore"):
                means = (rows.T.astype(float) @ filled) / (rows.T.astype(float) @ known)
            for i, name in enumerate(self.table.columns):
                sides[name, side] = means[:, i]
        return pd.DataFrame(sides)[[(name, s) for name in self.table for s in ("with", "without")]]

    def summary(self) -> str:
        """Range and quartiles of each column."""
        what = "all subsets" if self.every else "subsets drawn at random"
        head = f"{len(self.table)} {what} of {self.subsets.shape[1]} studies"
        quantiles = self.table.quantile([0, 0.25, 0.5, 0.75, 1])
        return f"{head}\n{quantiles.to_string(float_format='{:.4f}'.format)}"

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return self.table.quantile([0, 0.25, 0.5, 0.75, 1]).to_html(border=0)


def gosh(fit: MetaResults, *, subsets: int | None = None, seed: int = 0) -> Gosh:
    """Refit a model to all subsets of the studies, or to some at random.

    Parameters
    ----------
    fit : MetaResults
        The model; τ² is estimated anew in each subset unless it was given.
    subsets : int, optional
        Number of subsets to draw at random, each study being in or out with equal chance. By
        default all that are not empty where there are at most 16 studies (65,535 subsets), in
        order of size; else 10,000 at random.
    seed : int
        Of the random numbers.

    Returns
    -------
    Gosh
        A subset without degrees of freedom, such as a single study, is shown as a common effect.

    Raises
    ------
    UsageError
        If no subset is asked for.
    ModelError
        If there are no studies to draw from, or a search for τ² fails.

    References
    ----------
    Olkin I, Dahabreh IJ, Trikalinos TA (2012). GOSH: a graphical display of study heterogeneity.
    Research Synthesis Methods 3, 214-223.
    """
    if subsets is not None and subsets < 1:
        raise UsageError(f"the number of subsets is one or more, not {subsets}")
    if fit.k <= fit.p:
        raise ModelError(f"{fit.k} studies have no subsets that tell {fit.p} coefficients")
    every = subsets is None and fit.k <= _ALL
    chosen = all_subsets(fit.k) if every else random_subsets(fit.k, fit.p, subsets or 10_000, seed)
    found = fit_subsets(
        fit.yi, fit.vi, fit.exog, chosen, method=fit.method, test="z",
        weights=fit.fit_weights if fit.own_weights else None,
        tau2=fit.tau2 if fit.tau2_fixed else None,
    )  # fmt: skip
    df = found.n - fit.p
    with np.errstate(divide="ignore", invalid="ignore"):
        if fit.method == "EE":
            H2 = np.where(df > 0, found.Q / df, 1.0)
            I2 = np.where(H2 > 1, 100 * (1 - 1 / H2), 0.0)
        else:
            H2 = np.where(df > 0, 1 + found.tau2 / found.typical, 1.0)
            I2 = 100 * (1 - 1 / H2)
    fitted = ~np.isnan(found.Q)
    columns = {
        "k": found.n.astype(int), "Q": found.Q, "I2": np.where(fitted, I2, np.nan),
        "H2": np.where(fitted, H2, np.nan), "tau2": found.tau2,
    }  # fmt: skip
    alone = fit.model != "meta-regression"
    names = ["estimate"] if alone else [f"beta_{name}" for name in fit.names]
    coefficients = pd.DataFrame(found.beta, columns=names)
    return Gosh(pd.DataFrame(columns).join(coefficients), chosen, every)


def all_subsets(k: int) -> Mask:
    """All subsets of k studies but the empty one, shape (2ᵏ - 1, k), in order of size."""
    codes = np.arange(1, 2**k)
    inside = (codes[:, None] >> np.arange(k)) & 1 == 1
    return inside[np.argsort(inside.sum(axis=1), kind="stable")]


def random_subsets(k: int, least: int, number: int, seed: int) -> Mask:
    """Subsets of at least so many studies, each study in or out with equal chance."""
    rng = np.random.default_rng(seed)
    inside = rng.random((number, k)) < 0.5
    while (small := inside.sum(axis=1) < least).any():
        inside[small] = rng.random((int(small.sum()), k)) < 0.5
    return inside
