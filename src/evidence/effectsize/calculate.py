"""From what a study reports to an effect size and its sampling variance, array by array."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

# Each of these modules enters its measures in the registry when it is imported.
from evidence.effectsize import (  # noqa: F401
    correlation,
    counts,
    means,
    paired,
    proportions,
    rates,
    reliability,
)
from evidence.effectsize.registry import MEASURES, Array, Columns
from evidence.errors import UsageError


class EffectSizes(NamedTuple):
    """Effects and their sampling variances, in the order of the input.

    Attributes
    ----------
    yi, vi : ndarray of float, shape (k,)
        Effects, on the log scale for ratios, and variances; NaN where they cannot be computed.
    """

    yi: Array
    vi: Array


def escalc(
    measure: str,
    *,
    vtype: str | None = None,
    add: float = 0.5,
    to: str = "only0",
    drop00: bool = False,
    **arrays: ArrayLike,
) -> EffectSizes:
    """Effect sizes and variances of one measure.

    Nothing is turned round: the result is group 1 against group 2, or after against before.

    Parameters
    ----------
    measure : str
        Name of a measure; :data:`evidence.effectsize.MEASURES` lists them with what they take.
        Two groups with means: SMD, SMDH, SMD1, SMD1H, MD, ROM, CVR, VR, D2ORN, D2ORL, RPB, RBIS
        (``mean1, sd1, n1, mean2, sd2, n2``). Two-by-two tables: OR, RR, RD, PETO, AS, PHI, YUQ,
        YUY, OR2DN, OR2DL, PBIT (``a, b, c, d``). Correlations: COR, UCOR, ZCOR (``r, n``). Change
        in one group: MC, SMCC, SMCR, SMCRH, ROMC, CVRC, VRC (``mean1, sd1, mean2, sd2, n, r``).
        Proportions: PR, PLN, PLO, PAS, PFT (``x, n``). Rates: IRR, IRD, IRSD (``x1, time1, x2,
        time2``), IR, IRLN, IRS, IRFT (``x, time``). Alpha: ARAW, AHW, ABT (``alpha, items, n``).
    vtype : str, optional
        Type of sampling variance: LS (large sample), LS2, UB (unbiased), AV (with the average
        effect), HO (equal variances); the default is LS.
    add : float
        Added to each cell of the rows that ``to`` selects.
    to : {"only0", "all", "if0all", "none"}
        Rows with a zero cell; all rows; all rows if any has a zero; no row.
    drop00 : bool
        Make tables NaN in which nobody, or everybody, had the event.
    **arrays : array_like
        The columns of the measure, of equal length or scalar; NaN where unknown.

    Returns
    -------
    EffectSizes
        ``yi`` and ``vi``, shape (k,).

    Raises
    ------
    evidence.errors.UsageError
        If the measure, the type of variance or a column is not known, or a column is missing.

    Examples
    --------
    >>> escalc("OR", a=[4], b=[119], c=[11], d=[128]).yi.round(3)
    array([-0.939])
    """
    if measure not in MEASURES:
        raise UsageError(f'no measure "{measure}"; there are {", ".join(sorted(MEASURES))}')
    kind = MEASURES[measure]
    vtype = vtype or kind.vtypes[0]
    if vtype not in kind.vtypes:
        raise UsageError(f'{measure} has variance types {", ".join(kind.vtypes)}, not "{vtype}"')
    columns = _columns(measure, kind.needs, arrays)
    with np.errstate(all="ignore"):
        if kind.cells is not None:
            columns = kind.cells(columns, add=add, to=to, drop00=drop00)
        yi, vi = kind.compute(columns, vtype)
        known = np.isfinite(yi) & np.isfinite(vi) & (vi >= 0)
    return EffectSizes(np.where(known, yi, np.nan), np.where(known, vi, np.nan))


def _columns(measure: str, needs: tuple[str, ...], arrays: dict[str, ArrayLike]) -> Columns:
    missing = [name for name in needs if name not in arrays]
    if missing:
        raise UsageError(f"{measure} needs {', '.join(needs)}; missing: {', '.join(missing)}")
    unknown = [name for name in arrays if name not in needs]
    if unknown:
        raise UsageError(f"{measure} needs {', '.join(needs)}; it takes no {', '.join(unknown)}")
    try:
        parts = np.broadcast_arrays(
            *(np.atleast_1d(np.asarray(arrays[name], dtype=float)) for name in needs)
        )
    except ValueError as error:
        raise UsageError(f"columns of {measure} do not fit together: {error}") from error
    return dict(zip(needs, parts, strict=True))
