"""How the chance of a result to be seen depends on its p value.

Both families have a weight whose logarithm is linear in its parameters, log w = c + Lθ, over cells
of a study's z value: intervals of p values, or points of a quadrature. The probability that a
study is seen is then a sum over cells, and the likelihood has the same form for both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from evidence.errors import ModelError, UsageError
from evidence.synthesis.bias.p_values import p_values_arrays
from evidence.synthesis.least_squares import Array

_ROOT_2PI = math.sqrt(2 * math.pi)


class WeightFunction(Protocol):
    """What the likelihood of a selection model needs of a weight function.

    It has q cells, m parameters and k studies; the logarithm of a cell's weight is
    offset + design @ θ.
    """

    @property
    def offset(self) -> Array:
        """Constant part of each cell's log weight, shape (q,)."""
        ...

    @property
    def design(self) -> Array:
        """Factors of the parameters in it, shape (q, m)."""
        ...

    @property
    def observed_offset(self) -> Array:
        """The constant part for each study's result, shape (k,)."""
        ...

    @property
    def observed_design(self) -> Array:
        """Factors of the parameters in it, shape (k, m)."""
        ...

    @property
    def lower(self) -> float:
        """Least value of a parameter."""
        ...

    def mass(self, mean: Array, sd: Array) -> tuple[Array, ...]:
        """Probability of each cell and its first four derivatives in the mean.

        Parameters
        ----------
        mean, sd : ndarray, shape (k,)
            Of the normal distribution of each study's effect before selection.

        Returns
        -------
        tuple of five ndarrays, shape (k, q)
        """
        ...


@dataclass(frozen=True, eq=False)
class StepFunction:
    """A weight for each interval of p values.

    Attributes
    ----------
    steps : ndarray, shape (j,)
        Upper ends of the intervals, the last being 1.
    delta : ndarray, shape (j,)
        Given weights; NaN where they are estimated.
    side : str
        Side of the tests.
    se : ndarray, shape (k,)
        Standard errors.
    place : ndarray of int, shape (k,)
        Interval of each study's p value.
    """

    steps: Array
    delta: Array
    side: str
    se: Array
    place: np.ndarray

    @classmethod
    def of(
        cls,
        y: Array,
        v: Array,
        steps: Sequence[float],
        delta: Sequence[float | None] | None,
        side: str,
    ) -> StepFunction:
        """Sort the studies of effects y, variances v, shape (k,), into intervals.

        Raises
        ------
        UsageError
            If the steps do not rise between 0 and 1, or the weights do not suit.
        ModelError
            If a study's p value has a given weight of zero.
        """
        ends = np.asarray(steps, dtype=float)
        if ends.ndim != 1 or not len(ends):
            raise UsageError("steps is a list of p values")
        ends = ends if ends[-1] == 1 else np.append(ends, 1.0)
        if len(ends) < 2 or ends[0] <= 0 or not (np.diff(ends) > 0).all() or ends[-1] > 1:
            raise UsageError("steps rise, above 0 and up to 1, with one at least below 1")
        given = np.append(1.0, np.full(len(ends) - 1, np.nan)) if delta is None else np.asarray(
            [math.nan if d is None else d for d in delta], dtype=float
        )  # fmt: skip
        if given.shape != ends.shape:
            raise UsageError(f"delta has a weight for each of {len(ends)} intervals")
        if (given < 0).any() or np.isinf(given).any():
            raise UsageError("weights are zero or above")
        place = np.searchsorted(ends, p_values_arrays(y, v, side), side="left")
        if (given[place] == 0).any():
            row = int(np.argmax(given[place] == 0))
            raise ModelError(f"row {row} has a p value to which delta gives no weight")
        return cls(ends, given, side, np.sqrt(v), place)

    lower = -math.inf

    @cached_property
    def counts(self) -> np.ndarray:
        """Studies in each interval."""
        return np.bincount(self.place, minlength=len(self.steps))

    @cached_property
    def anchored(self) -> bool:
        """Whether an interval with studies has a given weight, to which the others relate."""
        return bool((~np.isnan(self.delta) & (self.counts > 0)).any())

    @cached_property
    def free(self) -> np.ndarray:
        """Intervals whose weights are parameters.

        The likelihood falls in the weight of an interval without studies, which is zero for that
        reason. Where all given weights are of such intervals, the others are infinitely larger;
        they are then told relative to the one with most studies.
        """
        found = np.flatnonzero(np.isnan(self.delta) & (self.counts > 0))
        if self.anchored:
            return found
        return found[found != np.argmax(self.counts)]

    @cached_property
    def offset(self) -> Array:
        """Constant part of each cell's log weight, shape (q,)."""
        given = np.isnan(self.delta)
        weight = np.where(given, (self.counts > 0).astype(float), self.delta)
        if not self.anchored:
            weight = (self.counts > 0).astype(float)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(weight), dtype=float)

    @cached_property
    def design(self) -> Array:
        """Factors of the parameters in it, shape (q, m)."""
        return np.eye(len(self.steps))[:, self.free]

    @property
    def observed_offset(self) -> Array:
        """The constant part for each study's result, shape (k,)."""
        return self.offset[self.place]

    @property
    def observed_design(self) -> Array:
        """Factors of the parameters in it, shape (k, m)."""
        return self.design[self.place]

    @cached_property
    def _cuts(self) -> tuple[Array, np.ndarray]:
        """Rising z values between regions, and the interval of each region."""
        from scipy.special import ndtri

        j = np.arange(len(self.steps))
        if self.side == "two.sided":
            z = -ndtri(self.steps[:-1] / 2)
            return np.concatenate([-z, z[::-1]]), np.concatenate([j, j[-2::-1]])
        z = ndtri(self.steps[:-1])
        return (z, j) if self.side == "less" else (-z[::-1], j[::-1])

    @cached_property
    def _ends(self) -> Array:
        """Ends of the regions as effects, shape (k, regions + 1)."""
        return self.se[:, None] * np.concatenate([[-np.inf], self._cuts[0], [np.inf]])

    @cached_property
    def _sums(self) -> tuple[Array, Array]:
        """Matrices that sum regions to intervals, and derivatives at cuts to intervals."""
        regions = np.eye(len(self.steps))[self._cuts[1]]
        return regions, regions[:-1] - regions[1:]

    def mass(self, mean: Array, sd: Array) -> tuple[Array, ...]:
        """See :class:`WeightFunction`."""
        from scipy.special import ndtr

        regions, at_cuts = self._sums
        s = sd[:, None]
        ends = (self._ends - mean[:, None]) / s
        low, high, u = ends[:, :-1], ends[:, 1:], ends[:, 1:-1]
        # Probabilities above zero are taken from the upper tail, where they do not cancel.
        upper = low > 0
        between = ndtr(np.where(upper, -low, high)) - ndtr(np.where(upper, -high, low))
        step = np.exp(-0.5 * u * u) / (_ROOT_2PI * s)
        x = u / s
        second = step * x
        third = step * (x * x - 1 / s**2)
        fourth = second * (x * x - 3 / s**2)
        return (between @ regions, *(-(d @ at_cuts) for d in (step, second, third, fourth)))

    def weights(self, theta: Array) -> Array:
        """Weight of each interval; infinite where the first interval has none."""
        weight = np.exp(self.offset)
        weight[self.free] = np.exp(theta)
        if self.anchored:
            return weight
        given = ~np.isnan(self.delta)
        return np.where(given, self.delta, np.where(weight > 0, np.inf, np.nan))

    def standard_errors(self, theta: Array, se: Array) -> Array:
        """Standard errors of the weights; NaN where they were not estimated."""
        found = np.full(len(self.steps), np.nan)
        if self.anchored:
            found[self.free] = np.exp(theta) * se
        return found

    @property
    def labels(self) -> list[str]:
        """The intervals."""
        starts = [0.0, *self.steps[:-1].tolist()]
        return [f"{a:g} < p <= {b:g}" for a, b in zip(starts, self.steps.tolist(), strict=True)]

    @property
    def n_estimated(self) -> int:
        """Weights that are not given."""
        return int(np.isnan(self.delta).sum())


# P values are taken to be no nearer to 0 or 1, where the weight may be infinite (and the
# probability to be seen need not exist); the tails beyond have the weight of their limits.
_NEAREST = 1e-5
_NODES = 64


@dataclass(frozen=True, eq=False)
class BetaWeights:
    """The weight p^(δ₁ - 1) (1 - p)^(δ₂ - 1); δ₁ = δ₂ = 1 is no selection.

    Attributes
    ----------
    y, se : ndarray, shape (k,)
        Effects and standard errors.
    side : str
        Side of the tests.
    delta : ndarray, shape (2,)
        Given parameters; NaN where they are estimated.
    """

    y: Array
    se: Array
    side: str
    delta: Array

    lower = -1.0

    @classmethod
    def of(cls, y: Array, v: Array, delta: Sequence[float | None] | None, side: str) -> BetaWeights:
        """Take effects y and variances v, shape (k,).

        Raises
        ------
        UsageError
            If there are not two parameters above zero.
        """
        given = np.asarray(
            [math.nan] * 2 if delta is None else [math.nan if d is None else d for d in delta],
            dtype=float,
        )
        if given.shape != (2,) or (given <= 0).any():
            raise UsageError("delta has two numbers above zero")
        return cls(y, np.sqrt(v), side, given)

    @cached_property
    def _cells(self) -> tuple[Array, Array]:
        """Nodes and weights in z between the limits."""
        from scipy.special import ndtri

        if self.side != "two.sided":
            x, w = np.polynomial.legendre.leggauss(_NODES)
            return self._end * x, self._end * w
        # At no effect 1 - p is zero, and its power may rise steeply on both sides.
        flat = -float(ndtri((1 - _NEAREST) / 2))
        edges = np.array([0.0, flat, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 2.5, self._end])
        x, w = np.polynomial.legendre.leggauss(_NODES // 4)
        half = 0.5 * np.diff(edges)[:, None]
        z = (edges[:-1, None] + half * (x + 1)).ravel()
        w = (half * w).ravel()
        return np.concatenate([-z[::-1], z]), np.concatenate([w[::-1], w])

    @cached_property
    def _end(self) -> float:
        from scipy.special import ndtri

        return -float(ndtri(_NEAREST / 2 if self.side == "two.sided" else _NEAREST))

    def _logs(self, z: Array) -> Array:
        """Logarithms of p and 1 - p."""
        from scipy.special import log_ndtr

        if self.side == "two.sided":
            size = np.minimum(np.abs(z), self._end)
            p = np.minimum(2 * np.exp(log_ndtr(-size)), 1 - _NEAREST)
            return np.column_stack([np.log(p), np.log1p(-p)])
        z = np.clip(z, -self._end, self._end)
        z = z if self.side == "greater" else -z
        return np.column_stack([log_ndtr(-z), log_ndtr(z)])

    @cached_property
    def _all_logs(self) -> Array:
        beyond = np.array([-self._end, self._end])
        return self._logs(np.concatenate([self._cells[0], beyond]))

    @property
    def free(self) -> np.ndarray:
        """Places of the parameters that are estimated."""
        return np.flatnonzero(np.isnan(self.delta))

    @property
    def _given(self) -> Array:
        return np.where(np.isnan(self.delta), 0.0, self.delta - 1)

    @cached_property
    def offset(self) -> Array:
        """Constant part of each cell's log weight, shape (q,)."""
        return np.asarray(self._all_logs @ self._given, dtype=float)

    @cached_property
    def design(self) -> Array:
        """Factors of the parameters in it, shape (q, m)."""
        return self._all_logs[:, self.free]

    @cached_property
    def _observed(self) -> Array:
        return self._logs(self.y / self.se)

    @property
    def observed_offset(self) -> Array:
        """The constant part for each study's result, shape (k,)."""
        return np.asarray(self._observed @ self._given, dtype=float)

    @property
    def observed_design(self) -> Array:
        """Factors of the parameters in it, shape (k, m)."""
        return self._observed[:, self.free]

    def mass(self, mean: Array, sd: Array) -> tuple[Array, ...]:
        """See :class:`WeightFunction`."""
        from scipy.special import ndtr

        z, w = self._cells
        s = sd[:, None]
        inner = (z * self.se[:, None] - mean[:, None]) / s
        density = w * self.se[:, None] * np.exp(-0.5 * inner * inner) / (_ROOT_2PI * s)
        x = inner / s
        squared, narrow = x * x, 1 / s**2
        polynomials = (
            x, squared - narrow, x * (squared - 3 * narrow),
            squared * (squared - 6 * narrow) + 3 * narrow**2,
        )  # fmt: skip
        # Tails: below the first limit and above the second.
        u = (np.array([-self._end, self._end]) * self.se[:, None] - mean[:, None]) / s
        sign = np.array([-1.0, 1.0])
        step = sign * np.exp(-0.5 * u * u) / (_ROOT_2PI * s)
        x = u / s
        tails = (
            ndtr(-sign * u), step, step * x, step * (x * x - narrow),
            step * x * (x * x - 3 * narrow),
        )  # fmt: skip
        inside = (density, *(density * p for p in polynomials))
        return tuple(np.hstack(pair) for pair in zip(inside, tails, strict=True))

    def weights(self, theta: Array) -> Array:
        """Both parameters."""
        found = self.delta.copy()
        found[self.free] = 1 + theta
        return found

    def standard_errors(self, theta: Array, se: Array) -> Array:
        """Their standard errors; NaN where they were given."""
        found = np.full(2, np.nan)
        found[self.free] = se
        return found

    @property
    def labels(self) -> list[str]:
        """Names of the parameters."""
        return ["delta1", "delta2"]

    @property
    def n_estimated(self) -> int:
        """Parameters that are not given."""
        return len(self.free)


__all__ = ["BetaWeights", "StepFunction", "WeightFunction"]
