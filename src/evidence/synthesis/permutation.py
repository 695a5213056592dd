"""Permutation tests of a mean effect and of moderators."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from evidence.errors import UsageError
from evidence.synthesis.least_squares import Array
from evidence.synthesis.results import MetaResults

_MOST = 3_000_000
_AT_ONCE = 20_000


@dataclass(frozen=True, eq=False)
class PermutationResults:
    """A permutation test.

    Attributes
    ----------
    pvalues : pandas.Series
        Of the coefficients; the intercept's tells little where moderators are permuted.
    QM_pvalue : float
        Of all moderators together; NaN without moderators.
    statistic : pandas.Series
        Of the coefficients as observed.
    n_permutations : int
        How many there were, the observed arrangement among them.
    exact : bool
        Whether they were all that exist.
    permuted : str
        ``rows`` of moderators or ``signs`` of effects.
    """

    pvalues: pd.Series
    QM_pvalue: float
    statistic: pd.Series
    n_permutations: int
    exact: bool
    permuted: str

    def to_frame(self) -> pd.DataFrame:
        """One row per coefficient: statistic, pvalue."""
        return pd.DataFrame({"statistic": self.statistic, "pvalue": self.pvalues})

    def summary(self) -> str:
        """The test as text."""
        kind = "all" if self.exact else "a random choice of"
        what = "orders of the moderators" if self.permuted == "rows" else "signs of the effects"
        lines = [
            f"Permutation test over {kind} {self.n_permutations:,} {what}",
            self.to_frame().to_string(float_format="{:.4f}".format),
        ]
        if not math.isnan(self.QM_pvalue):
            lines.append(f"Moderators together: p = {self.QM_pvalue:.4f}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return self.to_frame().to_html(border=0)


def permutation_test(
    fit: MetaResults,
    *,
    n: int = 1000,
    exact: bool | None = None,
    permute: Literal["rows", "signs"] | None = None,
    alternative: Literal["two-sided", "less", "greater"] = "two-sided",
    tolerance: float = math.sqrt(np.finfo(float).eps),
    seed: int = 0,
) -> PermutationResults:
    """Test coefficients against arrangements of the data that are as likely without an effect.

    Parameters
    ----------
    fit : MetaResults
        A fit; all arrangements are fitted by its method and test.
    n : int
        Number of random arrangements, and the most that are gone through one by one if ``exact``
        is not said.
    exact : bool, optional
        Whether to go through all distinct arrangements; by default where there are at most ``n``.
    permute : {"rows", "signs"}, optional
        Deal the rows of moderators out to the studies anew (default with moderators), or change
        the signs of effects (default without).
    alternative : {"two-sided", "less", "greater"}
        Of the coefficients.
    tolerance : float
        By how much a statistic may fall short of the observed one and still count as equal.
    seed : int
        Of the random arrangements.

    Returns
    -------
    PermutationResults
        Random arrangements count with the observed one among them, so that no p value is zero.

    Raises
    ------
    UsageError
        If an option does not exist or does not suit, or there are too many arrangements.

    References
    ----------
    Higgins JPT, Thompson SG (2004). Controlling the risk of spurious findings from
    meta-regression. Statistics in Medicine 23, 1663-1682.
    Follmann DA, Proschan MA (1999). Valid inference in random effects meta-analysis. Biometrics
    55, 732-737.
    Phipson B, Smyth GK (2010). Permutation p-values should never be zero. Statistical Applications
    in Genetics and Molecular Biology 9, 39.
    """
    if alternative not in ("two-sided", "less", "greater"):
        raise UsageError(f"alternative is two-sided, less or greater, not {alternative!r}")
    simple = fit.p == 1 and bool((fit.exog == 1).all())
    kind = permute or ("signs" if simple else "rows")
    if kind not in ("rows", "signs"):
        raise UsageError(f"permute is rows or signs, not {permute!r}")
    if kind == "signs" and not simple:
        raise UsageError("signs are for models without moderators: use permute='rows'")
    if kind == "rows" and simple:
        raise UsageError("there are no moderators to permute: use permute='signs'")
    labels = np.unique(fit.exog, axis=0, return_inverse=True)[1].reshape(-1)
    counts = np.bincount(labels)
    total = 2**fit.k if kind == "signs" else _multinomial(counts)
    every = total <= n if exact is None else exact
    if every and total > _MOST:
        raise UsageError(f"there are {total:.3g} arrangements: use exact=False")
    rng = np.random.default_rng(seed)
    basis, back = fit.basis
    order = np.argsort(labels, kind="stable")

    def parts() -> Iterator[tuple[Array, Array, Array | None]]:
        own = fit.fit_weights if fit.own_weights else None
        if kind == "signs":
            for flips in _signs(fit.k) if every else _random_signs(rng, n, fit.k):
                yield fit.yi * flips, fit.vi, own
            return
        # To deal rows of moderators out to studies is to line the studies up beside fixed rows.
        for lines in _lines(counts) if every else _random_lines(rng, n, fit.k):
            yield fit.yi[lines], fit.vi[lines], None if own is None else own[lines]

    X = basis if kind == "signs" else basis[order]
    seen = fit.statistic.to_numpy()
    observed = np.append(seen, fit.QM)
    hits, number = np.zeros(fit.p + 1), 0
    for y, v, weights in parts():
        found = _statistics(fit, y, v, X, weights, back)
        joint = found[:, -1:] >= observed[-1] - tolerance
        if alternative == "two-sided":
            beyond = np.abs(found[:, :-1]) >= np.abs(seen) - tolerance
        elif alternative == "less":
            beyond = found[:, :-1] <= seen + tolerance
        else:
            beyond = found[:, :-1] >= seen - tolerance
        hits += np.concatenate([beyond, joint], axis=1).sum(axis=0)
        number += len(found)
    if not every:
        hits, number = hits + 1, number + 1
    p = hits / number
    joint_p = math.nan if math.isnan(fit.QM) else float(p[-1])
    series = pd.Series(p[:-1], index=list(fit.names))
    return PermutationResults(series, joint_p, fit.statistic, number, every, kind)


def _statistics(
    fit: MetaResults, y: Array, v: Array, X: Array, weights: Array | None, triangle: Array
) -> Array:
    """Statistics of the coefficients and, last, of all moderators together; shape (n, p + 1)."""
    from evidence.synthesis.meta import fit_arrays

    many = fit_arrays(
        y, v, X, method=fit.method, test=fit.test, floor=fit.floor, weights=weights,
        tau2=fit.tau2 if fit.tau2_fixed else None,
    )  # fmt: skip
    back = np.linalg.inv(triangle)
    beta, cov = many.beta @ back.T, back @ many.cov @ back.T
    cov = np.broadcast_to(cov, (len(beta), fit.p, fit.p))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = beta / np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    tested = fit.tested
    joint = np.full((len(beta), 1), np.nan)
    if tested:
        values, inner = beta[:, tested], cov[:, tested][:, :, tested]
        solved = np.linalg.solve(inner, values[..., None])[..., 0]
        joint[:, 0] = np.vecdot(values, solved) / (1 if fit.test == "z" else len(tested))
    return np.concatenate([found, joint], axis=1)


def _multinomial(counts: np.ndarray) -> int:
    total = math.factorial(int(counts.sum()))
    for count in counts:
        total //= math.factorial(int(count))
    return total


def _lines(counts: np.ndarray) -> Iterator[np.ndarray]:
    """All ways to line studies up beside rows of which some are equal, many at a time."""
    labels = np.zeros((1, 0), dtype=np.int16)
    left = counts[None].copy()
    for _ in range(int(counts.sum())):
        row, label = np.nonzero(left)
        labels = np.column_stack([labels[row], label.astype(np.int16)])
        left = left[row]
        left[np.arange(len(row)), label] -= 1
    for first in range(0, len(labels), _AT_ONCE):
        yield np.argsort(labels[first : first + _AT_ONCE], axis=1, kind="stable")


def _random_lines(rng: np.random.Generator, n: int, k: int) -> Iterator[np.ndarray]:
    size = max(1, min(_AT_ONCE, 10**7 // k))
    for first in range(0, n, size):
        yield np.argsort(rng.random((min(size, n - first), k)), axis=1)


def _signs(k: int) -> Iterator[Array]:
    for first in range(0, 2**k, _AT_ONCE):
        codes = np.arange(first, min(first + _AT_ONCE, 2**k))
        yield np.where((codes[:, None] >> np.arange(k)) & 1, -1.0, 1.0)


def _random_signs(rng: np.random.Generator, n: int, k: int) -> Iterator[Array]:
    size = max(1, min(_AT_ONCE, 10**7 // k))
    for first in range(0, n, size):
        yield rng.choice(np.array([-1.0, 1.0]), (min(size, n - first), k))
