"""Every way from the figures of a row to its effect size; the first that works is taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from evidence.effectsize.calculate import escalc
from evidence.effectsize.convert import g_from_t, t_from_p, t_interval_se
from evidence.effectsize.frames import Bool, Text
from evidence.effectsize.means import pooled_sd, smd_variance
from evidence.effectsize.registry import Array
from evidence.effectsize.reported import P_MOST, Oriented, interval_se, p_se
from evidence.effectsize.small_sample import small_sample_factor

EFFECT_TYPE = {
    "g": "SMD", "md": "MD", "log_or": "OR", "log_rr": "RR", "log_irr": "IRR", "log_hr": "HR",
    "rd": "RD",
}  # fmt: skip
"""What a metric is called where it is printed."""

COUNTED = ("log_or", "log_rr", "rd")
"""Metrics that events and totals of the arms give."""

RAW = ("n", "arms", "counts")
"""Sources of a variance that know nothing of clusters, whatever the authors did."""


@dataclass(frozen=True)
class Figures:
    """What rows print, as arrays of one length k; NaN where a figure is missing.

    Attributes
    ----------
    kind : ndarray of str
        Effect type as printed, empty where there is none.
    printed : Oriented
        The printed effect and limits, turned so that positive favours the programme.
    level, se, p : ndarray of float
        Level of the interval in percent, printed standard error, p value.
    p_bound : ndarray of bool
        True where p is an upper bound.
    sign : ndarray of float
        -1 where a lower value of the outcome is better, else 1; NaN where it is not known.
    n1, n2, mean1, sd1, mean2, sd2, events1, total1, events2, total2 : ndarray of float
        Figures of the programme's arm (1) and the control arm (2).
    instrument_sd : ndarray of float
        Published standard deviation of the instrument.
    through_t : ndarray of bool
        Unadjusted comparisons of individuals allocated at random.
    """

    kind: Text
    printed: Oriented
    level: Array
    se: Array
    p: Array
    p_bound: Bool
    sign: Array
    n1: Array
    n2: Array
    mean1: Array
    sd1: Array
    mean2: Array
    sd2: Array
    events1: Array
    total1: Array
    events2: Array
    total2: Array
    instrument_sd: Array
    through_t: Bool

    @property
    def arm_sd(self) -> Array:
        """Standard deviation within the arms."""
        positive = (self.sd1 > 0) & (self.sd2 > 0) & (self.n1 + self.n2 > 2)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(positive, pooled_sd(self.sd1, self.n1, self.sd2, self.n2), np.nan)

    def raw(self, measure: str) -> tuple[Array, Array]:
        """Effect of the arms' own figures (SMD, MD, OR, RR or RD), oriented, and its variance."""
        if measure in ("SMD", "MD"):
            usable = np.isfinite(self.arm_sd)
            found = escalc(
                measure, mean1=self.mean1, sd1=np.where(usable, self.sd1, np.nan), n1=self.n1,
                mean2=self.mean2, sd2=self.sd2, n2=self.n2,
            )  # fmt: skip
        else:
            found = escalc(
                measure, a=self.events1, b=self.total1 - self.events1, c=self.events2,
                d=self.total2 - self.events2, drop00=True,
            )  # fmt: skip
        return self.sign * found.yi, found.vi


class Rung(NamedTuple):
    """One way to effect sizes: NaN in the rows where it leads nowhere.

    Attributes
    ----------
    derivation : str
        Code of the way.
    y, v : ndarray of float, shape (k,)
        Oriented effects and variances, without a design effect.
    source : ndarray of str, shape (k,)
        What the variance comes from: interval, se, p, p-bound, n, arms or counts.
    """

    derivation: str
    y: Array
    v: Array
    source: Text


def _only(where: Bool, values: Array) -> Array:
    return np.where(where, values, np.nan)


def firm_se(figures: Figures) -> tuple[Array, Text]:
    """Standard error of the printed effect: from its interval, else as printed, else from p.

    Returns
    -------
    se : ndarray of float, shape (k,)
    source : ndarray of str, shape (k,)
        interval, se or p; empty where there is none.
    """
    exact = ~figures.p_bound & (figures.p <= P_MOST)
    ways = {
        "interval": interval_se(figures.printed.low, figures.printed.high, figures.level),
        "se": _only(figures.se > 0, figures.se),
        "p": p_se(figures.printed.y, _only(exact, figures.p)),
    }
    se, source = np.full(len(figures.kind), np.nan), np.full(len(figures.kind), "", dtype=object)
    for name, values in ways.items():
        new = np.isnan(se) & np.isfinite(values)
        se, source = np.where(new, values, se), np.where(new, name, source)
    return se, source


def rungs(figures: Figures, metric: str) -> Iterator[Rung]:
    """Ways to effect sizes in one metric, in the order in which they are tried.

    Printed and adjusted figures come before raw ones of the same row.

    Parameters
    ----------
    figures : Figures
        What the rows print.
    metric : str
        A key of :data:`EFFECT_TYPE`.

    Yields
    ------
    Rung
    """
    se, source = firm_se(figures)
    mine = figures.kind == EFFECT_TYPE[metric]
    y = _only(mine, figures.printed.y)
    for name in ("interval", "se", "p"):
        yield Rung(f"reported-{name}", y, _only(source == name, se**2), source)
    if metric == "g":
        yield from _standardised(figures, se, source)
    elif metric == "md":
        yield _same("arm-means", *figures.raw("MD"), "arms")
    elif metric in COUNTED:
        # Raw counts are another figure than the printed one: only where none is printed.
        raw, variance = figures.raw(EFFECT_TYPE[metric])
        yield _same("counts", _only(np.isnan(y), raw), variance, "counts")
    yield _naive(figures, metric, y)


def _same(derivation: str, y: Array, v: Array, source: str) -> Rung:
    return Rung(derivation, y, v, np.full(len(y), source, dtype=object))


def _standardised(figures: Figures, se: Array, source: Text) -> Iterator[Rung]:
    """Ways to Hedges' g for rows that print no standardised difference with a variance."""
    md = _only(figures.kind == "MD", figures.printed.y)
    n1, n2 = figures.n1, figures.n2
    m = n1 + n2 - 2
    with np.errstate(invalid="ignore", divide="ignore"):
        j, d = small_sample_factor(m), md / figures.arm_sd
        # The second part is the uncertainty of the standard deviation itself.
        variance = j**2 * ((se / figures.arm_sd) ** 2 + d**2 / (2 * m))
        yield Rung("md-over-arm-sd", j * d, variance, source)
        yield _same("arm-means", *figures.raw("SMD"), "arms")

        sd = _only(figures.instrument_sd > 0, figures.instrument_sd)
        y = md / sd
        yield Rung("md-over-published-sd", y, (se / sd) ** 2, source)
        naive, how = _bounded(figures, smd_variance(y, n1, n2), y)
        yield Rung("md-over-published-sd", y, naive, how)

        allowed = figures.through_t & (m > 1)
        t_se = t_interval_se(figures.printed.low, figures.printed.high, m, figures.level)
        interval = t_se > 0
        t_se = np.where(interval, t_se, figures.se)
        t = _only(allowed & (t_se > 0), md / t_se)
        how = np.where(interval, "interval", "se").astype(object)
        yield Rung("md-through-t", *g_from_t(t, n1, n2), how)
        exact = allowed & ~figures.p_bound & (figures.p > 0) & (figures.p <= P_MOST)
        t = t_from_p(_only(exact, figures.p), md, m)
        yield _same("p-through-t", *g_from_t(t, n1, n2), "p")


def _naive(figures: Figures, metric: str, y: Array) -> Rung:
    """Printed effects without interval, standard error or exact p value."""
    n1, n2 = figures.n1, figures.n2
    with np.errstate(invalid="ignore", divide="ignore"):
        if metric == "g":
            variance = smd_variance(y, n1, n2)
        elif metric == "md":
            arm = figures.arm_sd
            sd = np.where(np.isfinite(arm), arm, _only(figures.instrument_sd > 0,
                                                       figures.instrument_sd))  # fmt: skip
            variance = sd**2 * (1 / n1 + 1 / n2)
        elif metric in COUNTED:
            variance = figures.raw(EFFECT_TYPE[metric])[1]
        else:
            variance = np.full(len(y), np.nan)
    return Rung("reported-n", y, *_bounded(figures, variance, y))


def _bounded(figures: Figures, variance: Array, y: Array) -> tuple[Array, Text]:
    """Choose between a variance from n and one from a bound on p: the larger.

    "p < 0.05" gives the largest standard error that fits; a variance from n above it takes no
    account of the precision that adjustment gained. The larger of the two claims the less.
    """
    bound = p_se(y, _only(figures.p_bound, figures.p)) ** 2
    use = np.isfinite(bound) & ~(variance > bound)
    return np.where(use, bound, variance), np.where(use, "p-bound", "n").astype(object)
