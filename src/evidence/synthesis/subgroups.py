"""Mean effects of groups of studies, and a test of whether they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import ModelError, UsageError
from evidence.synthesis.meta import look_up, meta
from evidence.synthesis.results import MetaResults, WaldTest


@dataclass(frozen=True, eq=False)
class SubgroupResults:
    """A subgroup analysis.

    Attributes
    ----------
    fits : dict of str to MetaResults
        A model of each group; one and the same regression for all with a common τ².
    table : pandas.DataFrame
        One row per group: k, estimate, se, ci_lower, ci_upper, pi_lower, pi_upper, tau2, I2, Q,
        Q_pvalue (the last three are of the group alone).
    between : WaldTest
        Whether the groups' means differ.
    tau2 : str
        ``separate`` or ``common``.
    """

    fits: dict[str, MetaResults]
    table: pd.DataFrame
    between: WaldTest
    tau2: str

    def to_frame(self) -> pd.DataFrame:
        """One row per group."""
        return self.table

    def summary(self) -> str:
        """The groups and the test between them as text."""
        how = "a τ² of their own" if self.tau2 == "separate" else "a common τ²"
        return "\n".join([
            f"{len(self.table)} groups with {how}",
            self.table.to_string(float_format="{:.4f}".format),
            f"Between groups: {self.between}",
        ])  # fmt: skip

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return f"{self.table.to_html(border=0)}<p>Between groups: {self.between}</p>"


def subgroups(
    yi: ArrayLike | str,
    vi: ArrayLike | str,
    by: ArrayLike | str,
    data: pd.DataFrame | None = None,
    *,
    tau2: Literal["separate", "common"] = "separate",
    method: str = "REML",
    test: str = "knha",
    floor: bool = True,
    alpha: float = 0.05,
) -> SubgroupResults:
    """Pool groups of studies and test whether their means differ.

    Parameters
    ----------
    yi, vi : array_like of shape (k,), or str
        Effects and sampling variances, or names of columns in ``data``.
    by : array_like of shape (k,), or str
        Group of each study.
    data : pandas.DataFrame, optional
        Where the columns are.
    tau2 : {"separate", "common"}
        Whether each group has its own variance between studies or all share one, which is the
        better choice where groups are small.
    method, test, floor
        As for :func:`meta`.
    alpha : float
        One minus the level of intervals.

    Returns
    -------
    SubgroupResults
        The test between groups is the regression's with a common τ². With separate ones it is χ²
        with the normal test, else Welch's F.

    Raises
    ------
    ModelError
        If there is one group only, or a group is too small for a τ² of its own.

    References
    ----------
    Borenstein M, Hedges LV, Higgins JPT, Rothstein HR (2009). Introduction to Meta-Analysis,
    chapter 19. Chichester: Wiley.
    Welch BL (1951). On the comparison of several mean values: an alternative approach. Biometrika
    38, 330-336.
    """
    if tau2 not in ("separate", "common"):
        raise UsageError(f"tau2 is separate or common, not {tau2!r}")
    y, v = (np.asarray(look_up(values, data), dtype=float) for values in (yi, vi))
    found = pd.Series(np.asarray(look_up(by, data), dtype=object))
    if len(found) != len(y):
        raise UsageError(f"{len(y)} effects but {len(found)} groups")
    if found.isna().any():
        raise ModelError(f"row {int(np.argmax(found.isna()))}: the group is missing")
    labels = [str(label) for label in sorted(set(found), key=lambda x: (str(type(x)), x))]
    names = found.astype(str).to_numpy()
    if len(labels) < 2:
        raise ModelError("there is one group only: nothing to compare")
    options: dict[str, Any] = {"method": method, "test": test, "floor": floor}
    if tau2 == "common":
        dummies = pd.DataFrame({label: (names == label).astype(float) for label in labels})
        whole = meta(y, v, exog=dummies, **options)
        fits = dict.fromkeys(labels, whole)
        predicted = whole.predict(np.eye(len(labels)), alpha)
        differ = np.column_stack([-np.ones(len(labels) - 1), np.eye(len(labels) - 1)])
        between = whole.wald_test(differ)
    else:
        fits = {}
        for label in labels:
            part = names == label
            try:
                fits[label] = meta(y[part], v[part], **options)
            except ModelError as error:
                raise ModelError(f"group {label}: {error}; or use tau2='common'") from error
        predicted = pd.concat([fit.predict(alpha=alpha) for fit in fits.values()])
        between = _between(list(fits.values()), test)
    rows = []
    for label, row in zip(labels, predicted.to_dict("records"), strict=True):
        part = names == label
        own = meta(y[part], v[part], method="EE", test="z")
        fit = fits[label]
        rows.append({
            "k": int(part.sum()), "estimate": row["mean"], "se": row["mean_se"],
            "ci_lower": row["mean_ci_lower"], "ci_upper": row["mean_ci_upper"],
            "pi_lower": row["pi_lower"], "pi_upper": row["pi_upper"], "tau2": fit.tau2,
            "I2": fit.I2, "Q": own.Q, "Q_pvalue": own.Q_pvalue,
        })  # fmt: skip
    table = pd.DataFrame(rows, index=pd.Index(labels, name="group"))
    return SubgroupResults(fits, table, between, tau2)


def _between(fits: list[MetaResults], test: str) -> WaldTest:
    from scipy.special import chdtrc, fdtrc

    means = np.array([fit.beta[0] for fit in fits])
    w = np.array([1 / fit.bse.iloc[0] ** 2 for fit in fits])
    m = len(fits) - 1
    Q = float(w @ (means - w @ means / w.sum()) ** 2)
    if test == "z":
        return WaldTest(Q, (float(m),), float(chdtrc(m, Q)))
    df = np.array([fit.df_resid for fit in fits])
    spread = float((((1 - w / w.sum()) ** 2) / df).sum())
    g2 = (m + 1) ** 2 - 1
    F = Q / m / (1 + 2 * (m - 1) / g2 * spread)
    df2 = g2 / (3 * spread)
    return WaldTest(F, (float(m), df2), float(fdtrc(m, df2, F)))
