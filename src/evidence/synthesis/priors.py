"""Priors of the exact normal-normal model, with what they are called in print."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from evidence.errors import UsageError


class TauPrior(Protocol):
    """A proper prior on the between-study standard deviation τ."""

    @property
    def support(self) -> tuple[float, float]:
        """Least and greatest τ that it allows; the greatest may be infinite."""
        ...

    @property
    def width(self) -> float:
        """Size of the values of τ that it makes likely."""
        ...

    def logpdf(self, tau: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logarithm of its density on the support."""
        ...


def _positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"the {name} of a prior is above 0 and finite, not {value!r}")


@dataclass(frozen=True)
class HalfNormal:
    """Half-normal prior on τ: a normal about zero, folded.

    Attributes
    ----------
    scale : float
        Standard deviation of the normal before folding.
    """

    scale: float

    def __post_init__(self) -> None:
        _positive("scale", self.scale)

    @property
    def support(self) -> tuple[float, float]:
        """From zero on."""
        return 0.0, math.inf

    @property
    def width(self) -> float:
        """The scale."""
        return self.scale

    def logpdf(self, tau: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logarithm of the density."""
        return 0.5 * math.log(2 / math.pi) - math.log(self.scale) - 0.5 * (tau / self.scale) ** 2


@dataclass(frozen=True)
class HalfCauchy:
    """Half-Cauchy prior on τ.

    Attributes
    ----------
    scale : float
        Its median.
    """

    scale: float

    def __post_init__(self) -> None:
        _positive("scale", self.scale)

    @property
    def support(self) -> tuple[float, float]:
        """From zero on."""
        return 0.0, math.inf

    @property
    def width(self) -> float:
        """The scale."""
        return self.scale

    def logpdf(self, tau: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logarithm of the density."""
        return math.log(2 / (math.pi * self.scale)) - np.log1p((tau / self.scale) ** 2)


@dataclass(frozen=True)
class Uniform:
    """Uniform prior on τ between two limits.

    Attributes
    ----------
    lower, upper : float
        The limits, from zero up.
    """

    lower: float
    upper: float

    def __post_init__(self) -> None:
        if not 0 <= self.lower < self.upper < math.inf:
            raise UsageError(f"no interval of τ: {self.lower!r} to {self.upper!r}")

    @property
    def support(self) -> tuple[float, float]:
        """Between the limits."""
        return self.lower, self.upper

    @property
    def width(self) -> float:
        """Distance of the limits."""
        return self.upper - self.lower

    def logpdf(self, tau: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logarithm of the density."""
        return np.full(np.shape(tau), -math.log(self.upper - self.lower))


@dataclass(frozen=True)
class Normal:
    """Normal prior on the mean effect.

    Attributes
    ----------
    mean, sd : float
        Its mean and standard deviation.
    """

    mean: float
    sd: float

    def __post_init__(self) -> None:
        _positive("standard deviation", self.sd)
