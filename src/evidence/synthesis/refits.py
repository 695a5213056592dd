"""The same model on parts of the studies: each left out in turn, or added one by one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import UsageError
from evidence.synthesis.results import MetaResults


def leave_one_out(fit: MetaResults, alpha: float = 0.05) -> pd.DataFrame:
    """Refit a model without moderators with each study left out.

    Parameters
    ----------
    fit : MetaResults
        A model without moderators and with inverse-variance weights.
    alpha : float
        One minus the level.

    Returns
    -------
    pandas.DataFrame
        Row i is the model without study i: estimate, se, statistic, pvalue, ci_lower, ci_upper, Q,
        Q_pvalue, tau2, I2, H2. Where one study is left it is shown as a common effect with the
        normal test.

    Raises
    ------
    UsageError
        If the model has moderators or weights of one's own.
    """
    everyone = np.arange(fit.k)
    return _refit(fit, (everyone[everyone != i] for i in everyone), alpha)


def cumulative(
    fit: MetaResults, order: ArrayLike | None = None, alpha: float = 0.05
) -> pd.DataFrame:
    """Add studies one by one to a model without moderators.

    Parameters
    ----------
    fit : MetaResults
        A model without moderators and with inverse-variance weights.
    order : array_like, shape (k,), optional
        Numbers to sort the studies by; ties stay in the order of rows. By default the row order.
    alpha : float
        One minus the level.

    Returns
    -------
    pandas.DataFrame
        One row per step, in the order of adding, indexed by the row of the study added; columns as
        for :func:`leave_one_out`.

    Raises
    ------
    UsageError
        If the model has moderators or weights of one's own, or the order has another length.

    References
    ----------
    Lau J, Antman EM, Jimenez-Silva J and others (1992). Cumulative meta-analysis of therapeutic
    trials for myocardial infarction. New England Journal of Medicine 327, 248-254.
    """
    sizes = np.arange(fit.k) if order is None else np.asarray(order, dtype=float)
    if sizes.shape != (fit.k,):
        raise UsageError(f"the order has {fit.k} numbers")
    rows = np.argsort(sizes, kind="stable")
    table = _refit(fit, (rows[: i + 1] for i in range(fit.k)), alpha)
    return table.set_index(rows)


def _refit(fit: MetaResults, parts: Iterable[np.ndarray], alpha: float) -> pd.DataFrame:
    from evidence.synthesis.meta import meta

    if fit.p > 1 or not (fit.exog == 1).all() or fit.own_weights:
        raise UsageError("only for models without moderators and without weights of one's own")
    rows = []
    for part in parts:
        alone = len(part) == 1
        model = meta(
            fit.yi[part], fit.vi[part], method="EE" if alone else fit.method,
            test="z" if alone else fit.test, floor=fit.floor,
            tau2=fit.tau2 if fit.tau2_fixed and not alone else None,
        )  # fmt: skip
        row = model.to_frame(alpha)
        rows.append(
            row.assign(
                Q=model.Q, Q_pvalue=model.Q_pvalue, tau2=model.tau2, I2=model.I2, H2=model.H2
            )
        )
    return pd.concat(rows, ignore_index=True)
