"""Distributions of counts given the linear predictors of a study.

A family is called with linear predictors of shape (..., k, j), one for each of the j counts of a
study that it treats, and returns the log-likelihood of each study, shape (..., k), with its first
derivative and minus its second derivative in each predictor, shape (..., k, j). All are concave.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evidence.synthesis.least_squares import Array

Family = Callable[[Array], tuple[Array, Array, Array]]


@dataclass(frozen=True, eq=False)
class Binomial:
    """Independent binomial counts with logits as linear predictors.

    Attributes
    ----------
    x, n : ndarray, shape (k, j)
        Events and trials.
    """

    x: Array
    n: Array

    @cached_property
    def _constant(self) -> Array:
        from scipy.special import gammaln

        x, n = self.x, self.n
        return (gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)).sum(axis=-1)

    def __call__(self, eta: Array) -> tuple[Array, Array, Array]:
        """See the head of the module."""
        from scipy.special import expit

        p, q = expit(eta), expit(-eta)
        # log p = -log(1 + exp(-eta)), on the side where nothing cancels.
        terms = self.x * eta - self.n * np.logaddexp(0.0, eta)
        score = self.x * q - (self.n - self.x) * p
        return self._constant + terms.sum(axis=-1), score, self.n * p * q

    @cached_property
    def saturated(self) -> Array:
        """Highest possible log-likelihood of each study, shape (k,)."""
        from scipy.special import xlogy

        x, rest, n = self.x, self.n - self.x, self.n
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(n > 0, x / n, 0.5)
        return self._constant + (xlogy(x, share) + xlogy(rest, 1 - share)).sum(axis=-1)


@dataclass(frozen=True, eq=False)
class Poisson:
    """Independent Poisson counts with logarithms of the means as linear predictors.

    Attributes
    ----------
    x : ndarray, shape (k, j)
        Events.
    """

    x: Array

    @cached_property
    def _constant(self) -> Array:
        from scipy.special import gammaln

        return -gammaln(self.x + 1).sum(axis=-1)

    def __call__(self, eta: Array) -> tuple[Array, Array, Array]:
        """See the head of the module."""
        with np.errstate(over="ignore"):
            mean = np.exp(eta)
        return self._constant + (self.x * eta - mean).sum(axis=-1), self.x - mean, mean

    @cached_property
    def saturated(self) -> Array:
        """Highest possible log-likelihood of each study, shape (k,)."""
        from scipy.special import xlogy

        return self._constant + (xlogy(self.x, self.x) - self.x).sum(axis=-1)


class Hypergeometric:
    """Events of group 1 given all margins of a two-by-two table; log odds ratios as predictors.

    Parameters
    ----------
    a, b, c, d : ndarray, shape (k,)
        People with and without the event in group 1, then in group 2.

    References
    ----------
    Stijnen T, Hamza TH, Özdemir P (2010). Random effects meta-analysis of event outcome in the
    framework of the generalized linear mixed model with applications in sparse data. Statistics in
    Medicine 29, 3046-3067.
    """

    def __init__(self, a: Array, b: Array, c: Array, d: Array) -> None:
        from scipy.special import gammaln

        n1, n2, events = a + b, c + d, a + c
        self.a = a
        self.lowest, self.highest = np.maximum(0.0, events - n2), np.minimum(n1, events)
        # What a table of these margins can hold, all studies one after the other.
        width = (self.highest - self.lowest + 1).astype(int)
        self._starts = np.concatenate([[0], np.cumsum(width)[:-1]])
        self._of = np.repeat(np.arange(len(a)), width)
        self._x = self.lowest[self._of] + np.arange(len(self._of)) - self._starts[self._of]

        def choose(n: Array, x: Array) -> Array:
            return np.asarray(gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1))

        self._weight = choose(n1[self._of], self._x) + choose(
            n2[self._of], events[self._of] - self._x
        )
        self._own = choose(n1, a) + choose(n2, c)

    def __call__(self, eta: Array) -> tuple[Array, Array, Array]:
        """See the head of the module; eta has shape (..., k, 1)."""
        eta = eta[..., 0]
        heights = self._weight + eta[..., self._of] * self._x
        top = np.maximum.reduceat(heights, self._starts, axis=-1)
        mass = np.exp(heights - top[..., self._of])

        def sums(values: Array) -> Array:
            return np.add.reduceat(values, self._starts, axis=-1)

        total = sums(mass)
        mean = sums(mass * self._x) / total
        variance = sums(mass * (self._x - mean[..., self._of]) ** 2) / total
        value = self._own + eta * self.a - top - np.log(total)
        return value, (self.a - mean)[..., None], variance[..., None]

    @cached_property
    def conditional(self) -> tuple[Array, Array]:
        """Conditional maximum likelihood estimates and their information, shape (k,).

        Infinite with no information where the count is the lowest or highest possible.
        """
        inside = (self.a > self.lowest) & (self.a < self.highest)
        at = np.zeros(len(self.a))
        low, high = np.full_like(at, -800.0), np.full_like(at, 800.0)
        for _ in range(200):
            _, score, weight = self(at[:, None])
            score, weight = score[:, 0], weight[:, 0]
            low, high = np.where(score > 0, at, low), np.where(score > 0, high, at)
            with np.errstate(divide="ignore", invalid="ignore"):
                new = at + score / weight
            new = np.where((new > low) & (new < high), new, 0.5 * (low + high))
            moved = np.abs(new - at)[inside]
            at = new
            if not len(moved) or moved.max() < 1e-13 * (1 + np.abs(at[inside]).max()):
                break
        information = np.where(inside, self(at[:, None])[2][:, 0], 0.0)
        ends = np.where(self.a <= self.lowest, -np.inf, np.inf)
        return np.where(inside, at, ends), information

    @cached_property
    def saturated(self) -> Array:
        """Highest possible log-likelihood of each study, shape (k,)."""
        at, _ = self.conditional
        finite = np.isfinite(at)
        return np.where(finite, self(np.where(finite, at, 0.0)[:, None])[0], 0.0)
