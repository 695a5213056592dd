"""More significant studies than their power allows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import UsageError
from evidence.synthesis.bias.effects import ALTERNATIVES, effects, require_alternative
from evidence.synthesis.bias.p_values import p_values_arrays
from evidence.synthesis.bias.reported import Reported, p_text, studies
from evidence.synthesis.least_squares import Array
from evidence.synthesis.meta import meta
from evidence.synthesis.results import METHODS, MetaResults

TESTS = ("chi2", "binom", "exact")
_NODES = 40


@dataclass(frozen=True, eq=False)
class ExcessSignificanceResults(Reported):
    """A test of excess significance.

    Attributes
    ----------
    observed : int
        Studies significant in their own test.
    expected : float
        Sum of their powers.
    power : pandas.Series, shape (k,)
        Power of each study.
    statistic : float
        χ² with one degree of freedom; NaN for the other tests.
    pvalue : float
        Its p value.
    theta, tau2 : float
        Mean effect and variance between studies for which the power is worked out.
    limit : float
        Mean effect at which the p value would be ``limit_alpha``; NaN where there is none on the
        side of the effect.
    limit_alpha : float
        That p value.
    alpha : float
        Level of the studies' tests.
    alternative, test, test_alternative, method : str
        As asked for.
    """

    observed: int
    expected: float
    power: pd.Series
    statistic: float
    pvalue: float
    theta: float
    tau2: float
    limit: float
    limit_alpha: float
    alpha: float
    alternative: str
    test: str
    test_alternative: str
    method: str

    @property
    def k(self) -> int:
        """Number of effects."""
        return len(self.power)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know before trusting the numbers, in words."""
        return (
            "power is worked out at the pooled effect, which bias itself may have inflated, so "
            "that the test finds too little; where effects differ much between studies it is best "
            "not used (Ioannidis and Trikalinos 2007)",
        )

    def to_frame(self) -> pd.DataFrame:
        """One row: observed, expected, statistic, pvalue, theta, limit."""
        names = ("observed", "expected", "statistic", "pvalue", "theta", "limit")
        return pd.DataFrame({n: [getattr(self, n)] for n in names}, index=[self.test])

    def report(self) -> str:
        """What a paper needs to say."""
        limit = (
            ""
            if math.isnan(self.limit)
            else f" The p value is {self.limit_alpha:g} for a mean of {self.limit:.3f}."
        )
        return (
            f"Of {studies(self.k)} {self.observed} {'is' if self.observed == 1 else 'are'} "
            f"significant at {self.alpha:g} where {self.expected:.1f} would be expected at the "
            f"pooled effect of {self.theta:.3f} ({METHODS[self.method]}): "
            f"{p_text(self.pvalue)}.{limit} An excess may come from missing results, from choice "
            "among outcomes or analyses, or from real differences between studies; its absence "
            "does not show that nothing is missing."
        )


def excess_significance(
    yi: MetaResults | ArrayLike | str,
    vi: ArrayLike | str | None = None,
    data: pd.DataFrame | None = None,
    *,
    method: str | None = None,
    test: str = "chi2",
    alpha: float = 0.05,
    alternative: str = "two.sided",
    test_alternative: str = "greater",
    limit_alpha: float = 0.1,
    integration_width: float | None = None,
) -> ExcessSignificanceResults:
    """Compare how many studies are significant with how many their power allows.

    Parameters
    ----------
    yi, vi, data
        A fitted model without moderators, or effects and sampling variances (arrays, or columns of
        ``data``).
    method : str, optional
        As for :func:`evidence.synthesis.meta`; by default the model's, or ``REML``. With ``EE``
        power is at the common effect, else its average over the distribution of true effects.
    test : {"chi2", "binom", "exact"}
        χ², binomial with the mean power, or the exact distribution of a sum of trials with
        different powers.
    alpha : float
        Level of the studies' tests.
    alternative : {"two.sided", "greater", "less"}
        Side of the studies' tests.
    test_alternative : {"greater", "less", "two.sided"}
        Whether an excess, a lack, or either is looked for.
    limit_alpha : float
        P value for which the limit of the mean is sought.
    integration_width : float, optional
        True effects further than so many τ from the mean are left out of the average power; by
        default none is.

    Returns
    -------
    ExcessSignificanceResults

    Raises
    ------
    UsageError, ModelError
        If an option does not exist or is out of range, or the effects cannot be used.

    References
    ----------
    Ioannidis JPA, Trikalinos TA (2007). An exploratory test for an excess of significant findings.
    Clinical Trials 4, 245-253.
    Francis G (2013). Replication, statistical consistency, and publication bias. Journal of
    Mathematical Psychology 57, 153-169.
    """
    require_alternative(alternative)
    if test not in TESTS:
        raise UsageError(f"test is one of {', '.join(TESTS)}, not {test!r}")
    if test_alternative not in ALTERNATIVES:
        raise UsageError(f"test_alternative is one of {', '.join(ALTERNATIVES)}")
    for name, value in (("alpha", alpha), ("limit_alpha", limit_alpha)):
        if not 0 < value < 1:
            raise UsageError(f"{name} is between 0 and 1, not {value!r}")
    if integration_width is not None and not integration_width > 0:
        raise UsageError(f"integration_width is above zero, not {integration_width!r}")
    given = effects(yi, vi, data)
    y, v, how = given.yi, given.vi, method or given.method
    fit = meta(y, v, method=how, test="z")
    theta = float(fit.beta[0])
    observed = int((p_values_arrays(y, v, alternative) <= alpha).sum())

    def at(mean: float) -> tuple[Array, float, float]:
        power = power_arrays(mean, v, fit.tau2, alpha, alternative, integration_width)
        return power, *_test(observed, power, test, test_alternative)

    power, statistic, p = at(theta)
    limit = _limit(lambda mean: at(mean)[2] - limit_alpha, theta, v, fit.tau2, alternative)
    return ExcessSignificanceResults(
        observed, float(power.sum()), pd.Series(power, index=given.index, name="power"), statistic,
        p, theta, fit.tau2, limit, limit_alpha, alpha, alternative, test, test_alternative, how,
    )  # fmt: skip


def power_arrays(
    theta: float,
    v: Array,
    tau2: float = 0.0,
    alpha: float = 0.05,
    alternative: str = "two.sided",
    integration_width: float | None = None,
) -> Array:
    """Power of studies, averaged over true effects N(θ, τ²).

    Parameters
    ----------
    theta, tau2 : float
        Mean and variance of true effects.
    v : ndarray, shape (k,)
        Sampling variances.
    alpha, alternative
        Level and side of the studies' tests.
    integration_width : float, optional
        True effects further than so many τ from θ add nothing.

    Returns
    -------
    ndarray, shape (k,)
    """
    from scipy.special import ndtri

    se = np.sqrt(v)
    both = alternative == "two.sided"
    limit = float(ndtri(1 - alpha / 2 if both else 1 - alpha)) * se
    power = np.zeros_like(se)
    for sign, side in ((1, "greater"), (-1, "less")):
        if both or alternative == side:
            power += _exceeds(limit, sign * theta, se, tau2, integration_width)
    return power


def _exceeds(limit: Array, mean: float, se: Array, tau2: float, width: float | None) -> Array:
    """Probability that an effect lies above a limit."""
    from scipy.special import ndtr

    if tau2 == 0 or width is None:
        return np.asarray(ndtr((mean - limit) / np.sqrt(se**2 + tau2)), dtype=float)
    # Panels end where the power, as a function of the true effect, rises from zero to one.
    tau = math.sqrt(tau2)
    rise, half = (limit - mean) / tau, 8 * se / tau
    inner = [rise - half, rise, rise + half]
    ends = np.stack([np.full_like(se, -width), *np.clip(inner, -width, width),
                     np.full_like(se, width)])  # fmt: skip
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    middle, reach = 0.5 * (ends[1:] + ends[:-1]), 0.5 * (ends[1:] - ends[:-1])
    u = middle[..., None] + reach[..., None] * nodes
    power = ndtr((mean + tau * u - limit[:, None]) / se[:, None])
    density = np.exp(-0.5 * u**2) / math.sqrt(2 * math.pi)
    return np.asarray(((power * density) @ weights * reach).sum(axis=0), dtype=float)


def _test(observed: int, power: Array, test: str, alternative: str) -> tuple[float, float]:
    """χ² (or NaN) and p value of the observed number."""
    from scipy.special import bdtr, bdtrc, ndtr

    k, expected = len(power), float(power.sum())
    if test == "chi2":
        excess = observed - expected
        inside = expected * (k - expected) / k
        statistic = excess**2 / inside if inside > 0 else (0.0 if excess == 0 else math.inf)
        root = math.copysign(math.sqrt(statistic), excess)
        if alternative == "two.sided":
            return statistic, float(2 * ndtr(-abs(root)))
        return statistic, float(ndtr(-root if alternative == "greater" else root))
    if test == "binom":
        mean = min(expected / k, 1.0)
        above = float(bdtrc(observed - 1, k, mean)) if observed > 0 else 1.0
        below = float(bdtr(observed, k, mean))
        chances = np.array([]) if alternative != "two.sided" else _binomial(k, mean)
    else:
        chances = _sum_of_trials(power)
        above, below = float(chances[observed:].sum()), float(chances[: observed + 1].sum())
    if alternative == "two.sided":
        # All numbers no more likely than the one observed.
        unlikely = chances <= chances[observed] * (1 + 1e-7)
        return math.nan, min(1.0, float(chances[unlikely].sum()))
    return math.nan, min(1.0, above if alternative == "greater" else below)


def _binomial(k: int, p: float) -> Array:
    from scipy.special import gammaln, xlog1py, xlogy

    n = np.arange(k + 1)
    log = gammaln(k + 1) - gammaln(n + 1) - gammaln(k - n + 1) + xlogy(n, p) + xlog1py(k - n, -p)
    return np.asarray(np.exp(log), dtype=float)


def _sum_of_trials(power: Array) -> Array:
    """Distribution of how many of independent trials succeed, one trial after the other."""
    chances = np.ones(1)
    for p in power:
        chances = np.append(chances * (1 - p), 0.0) + np.append(0.0, chances * p)
    return chances


def _limit(
    excess: Callable[[float], float], theta: float, v: Array, tau2: float, alternative: str
) -> float:
    """Root of the p value less its limit, between no effect and one on the side of the tests."""
    from scipy.optimize import brentq

    sign = {"greater": 1.0, "less": -1.0}.get(alternative, math.copysign(1.0, theta))
    unit = math.sqrt(float(v.max()) + tau2)
    low, high = 0.0, unit
    start = excess(0.0)
    while excess(sign * high) * start > 0:
        low, high = high, 2 * high
        if high > 100 * unit:
            return math.nan
    return float(brentq(excess, sign * low, sign * high, xtol=1e-12 * unit))


__all__ = ["TESTS", "ExcessSignificanceResults", "excess_significance", "power_arrays"]
