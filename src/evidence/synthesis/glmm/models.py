"""From counts to the likelihood of each model, and to the studies' own effects by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evidence.effectsize import escalc
from evidence.synthesis.glmm.families import Binomial, Hypergeometric, Poisson
from evidence.synthesis.glmm.likelihood import Likelihood
from evidence.synthesis.least_squares import Array

Counts = dict[str, Array]

COLUMNS = {
    "OR": ("a", "b", "c", "d"),
    "IRR": ("x1", "time1", "x2", "time2"),
    "PLO": ("x", "n"),
    "IRLN": ("x", "time"),
}
"""Measures with the counts they take."""

MODELS = {
    "OR": ("UM.FS", "UM.RS", "CM.EL", "CM.AL"),
    "IRR": ("UM.FS", "UM.RS", "CM.EL"),
    "PLO": (),
    "IRLN": (),
}
"""Measures with the models there are for them."""


@dataclass(frozen=True, eq=False)
class Case:
    """A likelihood with what is known before it is fitted.

    Attributes
    ----------
    likelihood : Likelihood
        Of the model.
    own, own_information : ndarray, shape (k,)
        Effect of each study alone and its information; 0 and 0 where the effect is infinite.
    saturated : float
        Log-likelihood with those effects; not for random baselines, where they depend on others.
    baseline : ndarray, shape (k,)
        Mean of the groups on the scale of the predictors, to start from.
    yi, vi : ndarray, shape (k,)
        Usual effects and variances, with a half added to zeros.
    """

    likelihood: Likelihood
    own: Array
    own_information: Array
    saturated: float
    baseline: Array
    yi: Array
    vi: Array


def informative(measure: str, model: str, drop00: bool, x: Counts) -> NDArray[np.bool_]:
    """Studies that say something of the effect, less those to be dropped by rule; shape (k,)."""
    if measure == "PLO":
        return x["n"] > 0
    if measure == "IRLN":
        return np.ones(len(x["x"]), dtype=bool)
    # Baselines that are random learn from studies in which nobody, or everybody, had the event.
    kept = model == "UM.RS" and not drop00
    if measure == "IRR":
        return np.asarray((x["x1"] + x["x2"] > 0) | kept)
    groups = (x["a"] + x["b"] > 0) & (x["c"] + x["d"] > 0)
    events, others = x["a"] + x["c"] > 0, x["b"] + x["d"] > 0
    if model == "CM.AL" and not drop00:
        return groups & events
    return groups & ((events & others) | kept)


def case(
    measure: str, model: str, x: Counts, *, points: int, coding: float, correlated: bool
) -> Case:
    """Set up a model; see :func:`evidence.synthesis.glmm.glmm` for the options."""
    family: Binomial | Poisson | Hypergeometric
    with np.errstate(divide="ignore", invalid="ignore"):
        if model in ("UM.FS", "UM.RS"):
            family, offset, own, variance, baseline = _two_groups(measure, x)
            code, random_code = np.array([0.5, -0.5]), np.array([coding, coding - 1.0])
        else:
            family, offset, own, variance = _one_count(measure, model, x)
            code = random_code = np.ones(1)
            baseline = np.zeros(len(own))
        finite = np.isfinite(own) & np.isfinite(variance)
        information = np.where(finite, 1 / variance, 0.0)
    kinds: dict[str, Literal["own", "random"]] = {"UM.FS": "own", "UM.RS": "random"}
    likelihood = Likelihood(
        family, offset, code, random_code, kinds.get(model, "none"), correlated, points
    )
    usual = escalc(measure, vtype=None, add=0.5, to="only0", drop00=False, **x)
    return Case(
        likelihood, np.where(finite, own, 0.0), information, float(family.saturated.sum()),
        baseline, usual.yi, usual.vi,
    )  # fmt: skip


def _two_groups(measure: str, x: Counts) -> tuple[Binomial | Poisson, Array, Array, Array, Array]:
    """Family, offsets, own effects and variances, baselines where both groups are modelled."""
    if measure == "OR":
        a, b, c, d = (x[name] for name in "abcd")
        events, others = np.column_stack([a, c]), np.column_stack([b, d])
        start = np.log((events + 0.5) / (others + 0.5)).mean(axis=1)
        variance = 1 / a + 1 / b + 1 / c + 1 / d
        family = Binomial(events, events + others)
        return family, np.zeros_like(events), np.log(a * d / (b * c)), variance, start
    events = np.column_stack([x["x1"], x["x2"]])
    offset = np.log(np.column_stack([x["time1"], x["time2"]]))
    start = (np.log(events + 0.5) - offset).mean(axis=1)
    own = np.log(events[:, 0] / events[:, 1]) - offset[:, 0] + offset[:, 1]
    return Poisson(events), offset, own, 1 / x["x1"] + 1 / x["x2"], start


def _one_count(
    measure: str, model: str, x: Counts
) -> tuple[Binomial | Poisson | Hypergeometric, Array, Array, Array]:
    """Family, offsets, own effects and variances where one count a study tells the effect."""
    if measure == "OR" and model == "CM.EL":
        family = Hypergeometric(**x)
        own, known = family.conditional
        return family, np.zeros((len(own), 1)), own, 1 / known
    if measure == "IRLN":
        offset = np.log(x["time"])
        return Poisson(x["x"][:, None]), offset[:, None], np.log(x["x"]) - offset, 1 / x["x"]
    if measure == "PLO":
        events, total, offset = x["x"], x["n"], np.zeros(len(x["x"]))
    elif measure == "OR":
        # Rare events are shared out between the groups by their sizes and the odds ratio.
        events, total = x["a"], x["a"] + x["c"]
        offset = np.log((x["a"] + x["b"]) / (x["c"] + x["d"]))
    else:
        # Exact: two Poisson counts are binomial given their total.
        events, total = x["x1"], x["x1"] + x["x2"]
        offset = np.log(x["time1"] / x["time2"])
    rest = total - events
    own = np.log(events / rest) - offset
    binomial = Binomial(events[:, None], total[:, None])
    return binomial, offset[:, None], own, 1 / events + 1 / rest
