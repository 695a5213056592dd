"""Outliers and influential studies: what changes when each study is left out."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from evidence.errors import ModelError
from evidence.synthesis.diagnostics.batched import fit_subsets
from evidence.synthesis.least_squares import Array, LeastSquares
from evidence.synthesis.results import MetaResults


@dataclass(frozen=True, eq=False)
class InfluenceArrays:
    """Influence measures as arrays of shape (k,), and ``dfbetas`` of shape (k, p).

    Attributes
    ----------
    rstudent : ndarray
        Residual from the model without the study, over its standard error.
    dffits : ndarray
        Change of the study's fitted value, in standard errors.
    cook_d : ndarray
        Cook's distance: change of all coefficients together.
    cov_ratio : ndarray
        Determinant of the covariance of the coefficients without the study, over that with it.
    tau2_deleted, Q_deleted : ndarray
        τ² and Q without the study.
    hat, weight : ndarray
        Leverage, and weight in percent.
    dfbetas : ndarray
        Change of each coefficient, in standard errors.
    """

    rstudent: Array
    dffits: Array
    cook_d: Array
    cov_ratio: Array
    tau2_deleted: Array
    Q_deleted: Array
    hat: Array
    weight: Array
    dfbetas: Array


@dataclass(frozen=True, eq=False)
class Influence:
    """Influence measures, one row per study; NaN where no model can be fitted without it.

    Attributes
    ----------
    table : pandas.DataFrame
        ``rstudent``, ``dffits``, ``cook_d``, ``cov_ratio``, ``tau2_deleted``, ``Q_deleted``,
        ``hat``, ``weight`` (percent) and ``influential``.
    dfbetas : pandas.DataFrame
        Change of each coefficient in standard errors.
    """

    table: pd.DataFrame
    dfbetas: pd.DataFrame

    @property
    def influential(self) -> pd.Series:
        """Whether a study passes one of the limits in :func:`influence`."""
        return self.table["influential"]

    def to_frame(self) -> pd.DataFrame:
        """All measures side by side; columns of ``dfbetas`` carry that word as a prefix."""
        return self.table.join(self.dfbetas.add_prefix("dfbetas_"))

    def summary(self) -> str:
        """The table, with what it says in a sentence."""
        found = [str(row) for row in self.table.index[self.influential]]
        plural = "y" if len(found) == 1 else "ies"
        words = (
            f"Influential: stud{plural} {', '.join(found)}." if found else "None is influential."
        )
        return f"{self.to_frame().to_string(float_format='{:.4f}'.format)}\n{words}"

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return self.to_frame().to_html(border=0)


def influence(fit: MetaResults) -> Influence:
    """Measure how much each study moves a meta-analysis or meta-regression.

    Parameters
    ----------
    fit : MetaResults
        The model. τ² is estimated anew without each study unless it was given; where nothing is
        left to estimate it from it counts as zero.

    Returns
    -------
    Influence
        A study counts as influential if DFFITS exceeds 3·sqrt(p/(k - p)) in size, Cook's distance
        the median of χ² with p degrees of freedom, the leverage 3p/k, or any DFBETAS 1 in size.

    Raises
    ------
    ModelError
        If there are no more studies than coefficients, or a search for τ² fails.

    References
    ----------
    Viechtbauer W, Cheung MWL (2010). Outlier and influence diagnostics for meta-analysis. Research
    Synthesis Methods 1, 112-125.
    """
    from scipy.special import chdtr

    k, p = fit.k, fit.p
    if k <= p:
        raise ModelError("without degrees of freedom no study can be left out")
    found = influence_arrays(
        fit.yi, fit.vi, fit.exog, fit.tau2, fit.scale, method=fit.method, test=fit.test,
        floor=fit.floor, weights=fit.fit_weights if fit.own_weights else None,
        given=fit.tau2 if fit.tau2_fixed else None,
    )  # fmt: skip
    columns = {field.name: getattr(found, field.name) for field in fields(found)}
    table = pd.DataFrame({name: x for name, x in columns.items() if name != "dfbetas"})
    table["influential"] = (
        (np.abs(found.dffits) > 3 * np.sqrt(p / (k - p)))
        | (chdtr(p, found.cook_d) > 0.5)
        | (found.hat > 3 * p / k)
        | (np.abs(found.dfbetas) > 1).any(axis=1)
    )
    return Influence(table, pd.DataFrame(found.dfbetas, columns=list(fit.names)))


def influence_arrays(
    y: Array,
    v: Array,
    X: Array,
    tau2: float,
    scale: float = 1.0,
    *,
    method: str = "REML",
    test: str = "z",
    floor: bool = True,
    weights: Array | None = None,
    given: float | None = None,
) -> InfluenceArrays:
    """Influence measures on plain arrays, which are not checked.

    Parameters
    ----------
    y, v : ndarray, shape (k,)
        Effects and sampling variances.
    X : ndarray, shape (k, p)
        Model matrix of full column rank.
    tau2, scale : float
        τ² and the Knapp-Hartung factor of the fit to all studies.
    method, test, floor, weights
        As in :func:`evidence.synthesis.meta.meta`.
    given : float, optional
        A τ² that is not to be estimated.

    Returns
    -------
    InfluenceArrays
    """
    k, p = X.shape
    basis, triangle = np.linalg.qr(X)
    total = v + tau2
    whole = LeastSquares(y, 1 / total if weights is None else weights, basis)
    cov = scale * (whole.cov if weights is None else whole.sandwich(total))
    without = fit_subsets(
        y, v, basis, ~np.eye(k, dtype=bool), method=method, test=test, floor=floor,
        weights=weights, tau2=given,
    )  # fmt: skip
    change = whole.beta - without.beta
    own = np.einsum("ki,ki->k", basis, without.beta)
    hat = np.einsum("ki,ij,kj->k", basis, whole.cov, basis) * whole.w
    spread = np.einsum("ki,kij,kj->k", basis, without.cov, basis)
    # The covariance of all coefficients, with the heterogeneity as it is without the study.
    outer = (basis[:, :, None] * basis[:, None, :]).reshape(k, -1)
    apart = v + without.tau2[:, None]
    if weights is None:
        deleted = np.linalg.inv(((1 / apart) @ outer).reshape(k, p, p))
    else:
        deleted = whole.cov @ ((weights**2 * apart) @ outer).reshape(k, p, p) @ whole.cov
    back = np.linalg.inv(triangle)
    deleted = without.scale[:, None, None] * (back @ deleted @ back.T)
    moved = change @ back.T
    # What is missing stays so; a study that fits perfectly and alone has no residual variance.
    with np.errstate(divide="ignore", invalid="ignore"):
        return InfluenceArrays(
            rstudent=(y - own) / np.sqrt(v + without.tau2 + spread),
            dffits=np.einsum("ki,ki->k", basis, change)
            / np.sqrt(without.scale * hat * (v + without.tau2)),
            cook_d=np.einsum("ki,ij,kj->k", change, np.linalg.inv(cov), change),
            cov_ratio=np.linalg.det(without.cov) / np.linalg.det(cov),
            tau2_deleted=without.tau2,
            Q_deleted=without.Q,
            hat=hat,
            weight=100 * whole.w / whole.w.sum(),
            dfbetas=moved / np.sqrt(np.einsum("kii->ki", deleted)),
        )
