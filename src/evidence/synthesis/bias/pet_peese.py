"""The effect of an infinitely precise study, from a line or a parabola through the funnel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.synthesis.bias.effects import effects, require_spread
from evidence.synthesis.bias.reported import FEW, Reported, p_text, studies
from evidence.synthesis.least_squares import Array
from evidence.synthesis.meta import meta
from evidence.synthesis.results import METHODS, MetaResults

# Level of the one-sided test of the PET intercept that decides between the two.
_SWITCH = 0.05


@dataclass(frozen=True, eq=False)
class PetPeeseResults(Reported):
    """Precision-effect test and precision-effect estimate with standard error.

    Attributes
    ----------
    pet : MetaResults
        Regression on the standard error.
    peese : MetaResults
        Regression on the sampling variance.
    mean : float
        Common effect without adjustment; its sign is the direction of the decision.
    method : str
        ``wls`` or a method of :func:`evidence.synthesis.meta`.
    """

    pet: MetaResults
    peese: MetaResults
    mean: float
    method: str

    @property
    def selected(self) -> str:
        """``PEESE`` if the PET intercept differs from zero in the direction of the mean.

        The test is one-sided at 5 %; else ``PET``.
        """
        return "PEESE" if self.pet_pvalue < _SWITCH else "PET"

    @property
    def pet_pvalue(self) -> float:
        """One-sided p value of the PET intercept in the direction of the mean."""
        half = float(self.pet.pvalues.iloc[0]) / 2
        return half if float(self.pet.params.iloc[0]) * self.mean > 0 else 1 - half

    @property
    def fit(self) -> MetaResults:
        """The regression selected."""
        return self.peese if self.selected == "PEESE" else self.pet

    @property
    def params(self) -> pd.Series:
        """Adjusted effects by model."""
        return self.to_frame()["estimate"]

    @property
    def bse(self) -> pd.Series:
        """Their standard errors."""
        return self.to_frame()["se"]

    @property
    def pvalues(self) -> pd.Series:
        """Their two-sided p values."""
        return self.to_frame()["pvalue"]

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Their confidence intervals; columns ``lower``, ``upper``."""
        frame = self.to_frame(alpha)[["ci_lower", "ci_upper"]]
        return frame.set_axis(["lower", "upper"], axis=1)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know before trusting the numbers, in words."""
        found = list(dict.fromkeys(self.pet.warnings + self.peese.warnings))
        k = self.pet.k
        if k < FEW:
            found.insert(0, f"with {studies(k)} the adjusted effect is little more than a guess")
        return tuple(found)

    def to_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Rows ``PET``, ``PEESE``: estimate, se, statistic, pvalue, ci_lower, ci_upper."""
        rows = [model.to_frame(alpha).iloc[[0]] for model in (self.pet, self.peese)]
        return pd.concat(rows).set_axis(["PET", "PEESE"])

    def report(self) -> str:
        """What a paper needs to say."""
        how = "weighted least squares" if self.method == "wls" else METHODS[self.method]
        row = self.to_frame().loc[self.selected]
        return (
            f"PET-PEESE ({how}, {studies(self.pet.k)}) adjusts for a difference between small and "
            f"large studies: the PET intercept (one-sided {p_text(self.pet_pvalue)}) "
            f"selects {self.selected}, {row['estimate']:.3f} (95% interval {row['ci_lower']:.3f} "
            f"to {row['ci_upper']:.3f}). It takes all of that difference for bias, and misleads "
            "where effects differ much between studies or all studies are small."
        )


def pet_peese(
    yi: MetaResults | ArrayLike | str,
    vi: ArrayLike | str | None = None,
    data: pd.DataFrame | None = None,
    *,
    method: str = "wls",
    test: str = "knha",
    floor: bool = True,
) -> PetPeeseResults:
    """Adjust a mean for small-study effects by regression.

    Parameters
    ----------
    yi, vi, data
        A fitted model without moderators, or effects and sampling variances (arrays, or columns of
        ``data``).
    method : str
        ``wls`` (default), weighted least squares with a factor on the variances and t tests, or a
        method of :func:`evidence.synthesis.meta`.
    test, floor
        As for :func:`evidence.synthesis.meta`; they have no part in ``wls``.

    Returns
    -------
    PetPeeseResults

    Raises
    ------
    UsageError, ModelError
        As for :func:`evidence.synthesis.meta`; also if all variances are the same.

    References
    ----------
    Stanley TD, Doucouliagos H (2014). Meta-regression approximations to reduce publication
    selection bias. Research Synthesis Methods 5, 60-78.
    Stanley TD (2017). Limitations of PET-PEESE and other meta-analysis methods. Social
    Psychological and Personality Science 8, 581-591.
    """
    given = effects(yi, vi, data)
    require_spread(given.vi, "standard error")
    if method == "wls":
        method_used, test, floor = "EE", "knha", False
    else:
        method_used = method

    def line(name: str, x: Array) -> MetaResults:
        X = pd.DataFrame({"const": 1.0, name: x})
        return meta(given.yi, given.vi, exog=X, method=method_used, test=test, floor=floor)

    mean = float(np.average(given.yi, weights=1 / given.vi))
    return PetPeeseResults(line("sei", np.sqrt(given.vi)), line("vi", given.vi), mean, method)


__all__ = ["PetPeeseResults", "pet_peese"]
