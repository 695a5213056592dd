"""How many unseen null results would overturn a finding."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import UsageError
from evidence.synthesis.bias.effects import effects
from evidence.synthesis.bias.reported import Reported, p_text, studies
from evidence.synthesis.results import MetaResults

KINDS = ("Rosenthal", "Orwin", "Rosenberg")


@dataclass(frozen=True)
class FailSafeResults(Reported):
    """A fail-safe number.

    Attributes
    ----------
    kind : str
        ``Rosenthal``, ``Orwin`` or ``Rosenberg``.
    n : int
        Null results that would be needed; 0 where none is.
    k : int
        Number of effects.
    mean : float
        The mean effect that would be diluted; NaN for Rosenthal, who adds z values.
    pvalue : float
        Of the combined test that would cease to be significant; NaN for Orwin.
    alpha : float
        Level of that test; NaN for Orwin.
    target : float
        Mean effect that would count as negligible; NaN but for Orwin.
    """

    kind: str
    n: int
    k: int
    mean: float = math.nan
    pvalue: float = math.nan
    alpha: float = math.nan
    target: float = math.nan

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know before trusting the number, in words."""
        return (
            "a fail-safe number takes unseen results to be zero on average and says nothing of "
            "whether they exist; where they lean the other way far fewer would do (Becker 2005)",
        )

    def to_frame(self) -> pd.DataFrame:
        """One row: n, k, mean, pvalue, alpha, target."""
        names = ("n", "k", "mean", "pvalue", "alpha", "target")
        return pd.DataFrame({n: [getattr(self, n)] for n in names}, index=[self.kind])

    def report(self) -> str:
        """What a paper needs to say."""
        unseen = f"{self.n} unseen null result{'' if self.n == 1 else 's'}"
        if self.kind == "Orwin":
            return (
                f"Orwin's fail-safe number ({studies(self.k)}): {unseen} would bring the mean "
                f"effect from {self.mean:.3f} to {self.target:.3f}."
            )
        return (
            f"{self.kind}'s fail-safe number ({studies(self.k)}): {unseen} would make the combined "
            f"test ({p_text(self.pvalue)}) no longer significant at {self.alpha:g}."
        )


def fail_safe(
    yi: MetaResults | ArrayLike | str,
    vi: ArrayLike | str | None = None,
    data: pd.DataFrame | None = None,
    *,
    kind: str = "Rosenthal",
    alpha: float = 0.05,
    tails: int | None = None,
    target: float | None = None,
    weighted: bool = False,
) -> FailSafeResults:
    """Count the unseen null results that would overturn a finding.

    Parameters
    ----------
    yi, vi, data
        A fitted model without moderators, or effects and sampling variances (arrays, or columns of
        ``data``).
    kind : {"Rosenthal", "Orwin", "Rosenberg"}
        Whether the sum of z values, the mean effect, or the weighted mean is diluted.
    alpha : float
        Level of the test, for Rosenthal and Rosenberg.
    tails : {1, 2}, optional
        Sides of that test; by default 1 for Rosenthal and 2 for Rosenberg.
    target : float, optional
        Size of the mean effect that counts as negligible, for Orwin; half of the mean by default.
        It takes the sign of the mean.
    weighted : bool
        Whether Orwin's mean is weighted by inverse variances; the unseen results then have the
        average weight.

    Returns
    -------
    FailSafeResults

    Raises
    ------
    UsageError
        If an option does not exist or is out of range.
    ModelError
        If the effects cannot be used.

    References
    ----------
    Rosenthal R (1979). The "file drawer problem" and tolerance for null results. Psychological
    Bulletin 86, 638-641.
    Orwin RG (1983). A fail-safe N for effect size in meta-analysis. Journal of Educational
    Statistics 8, 157-159.
    Rosenberg MS (2005). The file-drawer problem revisited: a general weighted method for
    calculating fail-safe numbers in meta-analysis. Evolution 59, 464-468.
    Becker BJ (2005). Failsafe N or file-drawer number. In: Publication Bias in Meta-Analysis,
    111-125.
    """
    from scipy.special import ndtr, ndtri

    if kind not in KINDS:
        raise UsageError(f"kind is one of {', '.join(KINDS)}, not {kind!r}")
    if not 0 < alpha < 1:
        raise UsageError(f"alpha is between 0 and 1, not {alpha!r}")
    if tails not in (None, 1, 2):
        raise UsageError(f"tails is 1 or 2, not {tails!r}")
    given = effects(yi, vi, data)
    y, v, k = given.yi, given.vi, given.k
    if kind == "Orwin":
        mean = float(np.average(y, weights=1 / v if weighted else None))
        if target == 0:
            raise UsageError("no number of null results brings a mean to zero: choose a target")
        size = abs(mean) / 2 if target is None else abs(target)
        # n zeros beside k effects have the mean kM/(k + n).
        n = k * (abs(mean) - size) / size if size > 0 else 0.0
        return FailSafeResults(kind, _whole(n), k, mean, target=math.copysign(size, mean))
    sides = tails or (1 if kind == "Rosenthal" else 2)
    limit = float(ndtri(1 - alpha / sides))
    if kind == "Rosenthal":
        total = abs(float((y / np.sqrt(v)).sum()))
        n = (total / limit) ** 2 - k if limit > 0 else math.inf
        p = sides * float(ndtr(-total / math.sqrt(k)))
        return FailSafeResults(kind, _whole(n), k, pvalue=min(1.0, p), alpha=alpha)
    w = 1 / v
    weight, total = float(w.sum()), abs(float(w @ y))
    # n zeros of the average weight add n W/k to the information W.
    n = k * ((total / limit) ** 2 / weight - 1) if limit > 0 else math.inf
    p = sides * float(ndtr(-total / math.sqrt(weight)))
    mean = float(w @ y) / weight
    return FailSafeResults(kind, _whole(n), k, mean, min(1.0, p), alpha)


def _whole(n: float) -> int:
    """The smallest number of studies that will do; rounding errors do not add one."""
    if math.isinf(n):
        raise UsageError("at this level any sum is significant: choose a smaller alpha")
    return max(0, math.ceil(n - 1e-9 * max(1.0, n)))


__all__ = ["KINDS", "FailSafeResults", "fail_safe"]
