"""An interval that small studies disturb less than that of the random-effects model."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import ModelError, UsageError
from evidence.synthesis.bias.effects import effects
from evidence.synthesis.bias.reported import Reported, studies
from evidence.synthesis.least_squares import Array
from evidence.synthesis.meta import fit_arrays
from evidence.synthesis.results import MetaResults

_NODES = 200
# The density of the pivot beyond so many standard deviations does not show in a double.
_REACH = 12.0


@dataclass(frozen=True, eq=False)
class HenmiCopasResults(Reported):
    """A mean with the weights of a common effect and an interval that allows for heterogeneity.

    Attributes
    ----------
    estimate, se : float
        Mean effect and its standard error.
    tau2 : float
        Variance between studies (DerSimonian-Laird).
    random_effects : float
        Mean with the weights of the random-effects model, for comparison.
    yi, vi : ndarray, shape (k,)
        Effects and sampling variances.
    """

    estimate: float
    se: float
    tau2: float
    random_effects: float
    yi: Array
    vi: Array

    @property
    def k(self) -> int:
        """Number of effects."""
        return len(self.yi)

    @property
    def params(self) -> pd.Series:
        """Mean effect."""
        return pd.Series({"const": self.estimate})

    @property
    def bse(self) -> pd.Series:
        """Its standard error."""
        return pd.Series({"const": self.se})

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Its confidence interval; columns ``lower``, ``upper``."""
        if not 0 < alpha < 1:
            raise UsageError(f"alpha is between 0 and 1, not {alpha!r}")
        reach = quantile_arrays(self.vi, self.tau2, alpha) * self.se
        ends = {"lower": [self.estimate - reach], "upper": [self.estimate + reach]}
        return pd.DataFrame(ends, index=["const"])

    def to_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """One row: estimate, se, ci_lower, ci_upper, tau2."""
        frame = pd.DataFrame({"estimate": self.params, "se": self.bse})
        return frame.join(self.conf_int(alpha).add_prefix("ci_")).assign(tau2=self.tau2)

    def report(self) -> str:
        """What a paper needs to say."""
        lower, upper = self.conf_int().iloc[0]
        return (
            f"Henmi and Copas's estimate ({studies(self.k)}) is {self.estimate:.3f} (95% interval "
            f"{lower:.3f} to {upper:.3f}), against {self.random_effects:.3f} with the weights of "
            "the random-effects model. It gives small studies the weight they have under a common "
            "effect, so that their bias counts for less; it does not remove bias of large ones."
        )


def henmi_copas(
    yi: MetaResults | ArrayLike | str,
    vi: ArrayLike | str | None = None,
    data: pd.DataFrame | None = None,
) -> HenmiCopasResults:
    """Mean effect with common-effect weights and an interval that allows for heterogeneity.

    Parameters
    ----------
    yi, vi, data
        A fitted model without moderators, whose method plays no part, or effects and sampling
        variances (arrays, or columns of ``data``).

    Returns
    -------
    HenmiCopasResults

    Raises
    ------
    ModelError
        If there are fewer than two studies or the effects cannot be used.

    References
    ----------
    Henmi M, Copas JB (2010). Confidence intervals for random effects meta-analysis and robustness
    to publication bias. Statistics in Medicine 29, 2969-2983.
    """
    given = effects(yi, vi, data)
    if given.k < 2:
        raise ModelError("one study tells nothing of heterogeneity")
    y, v, X = given.yi, given.vi, np.ones((given.k, 1))
    random = fit_arrays(y, v, X, method="DL", test="z")
    w = 1 / v
    share = w / w.sum()
    se = math.sqrt(float(share**2 @ (v + random.tau2)))
    return HenmiCopasResults(float(share @ y), se, random.tau2, float(random.beta[0]), y, v)


def quantile_arrays(v: Array, tau2: float, alpha: float = 0.05) -> float:
    """How many standard errors the interval reaches to each side.

    With a the unit vector of the roots of the weights, x the standardised effects about the true
    mean and D = I + τ²W their variance, the pivot is R = a'x and Cochran's Q is x'x - R². Given R,
    x is normal with mean Da R/a'Da and variance D - Da a'D/a'Da, from which the mean and variance
    of Q follow; Q is taken as gamma with these (Henmi and Copas 2010). The pivot over its
    estimated standard error exceeds t where Q is below what R/t allows.

    Parameters
    ----------
    v : ndarray, shape (k,)
        Sampling variances.
    tau2 : float
        Variance between studies.
    alpha : float
        One minus the level.

    Returns
    -------
    float
    """
    from scipy.optimize import brentq
    from scipy.special import gammainc

    w = 1 / v
    total = float(w.sum())
    d = 1 + tau2 * w
    share = w / total
    V, m2, m3 = (float(share @ d**n) for n in (1, 2, 3))
    spread = float(share @ w)
    df = len(v) - 1
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    end = _REACH * math.sqrt(V)

    def beyond(t: float) -> float:
        half = 0.5 * (end - t)
        r = t + half * (nodes + 1)
        squared = (r / V) ** 2
        mean = float(d.sum()) - m2 / V + squared * m2 - r**2
        variance = (
            2 * (float((d**2).sum()) - 2 * m3 / V + (m2 / V) ** 2)
            + 4 * squared * (m3 - m2**2 / V)
        )  # fmt: skip
        # The DerSimonian-Laird estimate is small enough for R to exceed t of its standard errors.
        limit = df + (r**2 / t**2 - 1) * (total - spread) / spread
        below = gammainc(mean**2 / variance, limit * mean / variance)
        density = np.exp(-0.5 * r**2 / V) / math.sqrt(2 * math.pi * V)
        return half * float(weights @ (below * density))

    low, high = 1e-3, 2.0
    while beyond(high) > alpha / 2 and high < 0.5 * end:
        high *= 1.5
    return float(brentq(lambda t: beyond(t) - alpha / 2, low, high, xtol=1e-13, rtol=1e-13))


__all__ = ["HenmiCopasResults", "henmi_copas", "quantile_arrays"]
