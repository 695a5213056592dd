"""Priors of the exact normal-normal model, with what they are called in print."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
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


def _finite(name: str, value: float) -> None:
    if not math.isfinite(value):
        raise UsageError(f"the {name} of a prior is finite, not {value!r}")


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
class HalfT:
    """Half-t prior on τ: a scaled t distribution about zero, folded.

    Attributes
    ----------
    df : float
        Degrees of freedom; 1 is the half-Cauchy.
    scale : float
        By which the t distribution is multiplied before folding.

    References
    ----------
    Gelman A (2006). Prior distributions for variance parameters in hierarchical models. Bayesian
    Analysis 1, 515-534.
    """

    df: float
    scale: float

    def __post_init__(self) -> None:
        _positive("degrees of freedom", self.df)
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
        return math.log(2 / self.scale) + _log_t(tau / self.scale, self.df)


def _log_t(x: NDArray[np.float64], df: float) -> NDArray[np.float64]:
    constant = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
    return constant - (df + 1) / 2 * np.log1p(x**2 / df)


# Where log τ is cut off: e^150 squared is still a number, and no data have such a scale.
_FAR = 150.0


class LogScale(ABC):
    """A prior on τ² that is spread over powers of ten, so that log τ is what is integrated over."""

    @property
    def support(self) -> tuple[float, float]:
        """From zero on."""
        return 0.0, math.inf

    @property
    def width(self) -> float:
        """A middling value of τ."""
        panels = self.panels
        return math.exp(float(panels[len(panels) // 2]))

    @property
    def panels(self) -> NDArray[np.float64]:
        """Values of log τ between which the prior is smooth, from end to end, ascending."""
        return np.unique(np.clip(self._log_tau2() / 2, -_FAR, _FAR))

    @abstractmethod
    def _log_tau2(self) -> NDArray[np.float64]: ...

    @abstractmethod
    def _log_density(self, log_tau2: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logarithm of the density of log τ²."""

    def logpdf(self, tau: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logarithm of the density of τ."""
        log_tau = np.log(tau)
        return self._log_density(2 * log_tau) + math.log(2) - log_tau


@dataclass(frozen=True)
class LogNormal(LogScale):
    """Log-normal prior on τ²: log τ² is normal.

    Attributes
    ----------
    mean, sd : float
        Mean and standard deviation of log τ².

    References
    ----------
    Turner RM, Davey J, Clarke MJ, Thompson SG, Higgins JPT (2012). Predicting the extent of
    heterogeneity in meta-analysis, using empirical data from the Cochrane Database of Systematic
    Reviews. International Journal of Epidemiology 41, 818-827.
    """

    mean: float
    sd: float

    def __post_init__(self) -> None:
        _finite("mean", self.mean)
        _positive("standard deviation", self.sd)

    def _log_tau2(self) -> NDArray[np.float64]:
        return self.mean + self.sd * np.linspace(-12, 12, 25)

    def _log_density(self, log_tau2: NDArray[np.float64]) -> NDArray[np.float64]:
        z = (log_tau2 - self.mean) / self.sd
        return -0.5 * z**2 - math.log(self.sd) - 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True)
class LogT(LogScale):
    """Log-t prior on τ²: log τ² is a shifted and scaled t.

    Attributes
    ----------
    mean, scale : float
        Centre of log τ², and by what the t distribution is multiplied (not its standard
        deviation).
    df : float
        Degrees of freedom.

    References
    ----------
    Rhodes KM, Turner RM, Higgins JPT (2015). Predictive distributions were developed for the
    extent of heterogeneity in meta-analyses of continuous outcome data. Journal of Clinical
    Epidemiology 68, 52-60.
    """

    mean: float
    scale: float
    df: float = 5.0

    def __post_init__(self) -> None:
        _finite("mean", self.mean)
        _positive("scale", self.scale)
        _positive("degrees of freedom", self.df)

    def _log_tau2(self) -> NDArray[np.float64]:
        # The tails are powers, which panels of growing width follow.
        return self.mean + self.scale * np.sinh(np.linspace(-9, 9, 73))

    def _log_density(self, log_tau2: NDArray[np.float64]) -> NDArray[np.float64]:
        return _log_t((log_tau2 - self.mean) / self.scale, self.df) - math.log(self.scale)


@dataclass(frozen=True)
class InverseGamma(LogScale):
    """Inverse gamma prior on τ².

    With both figures near zero it is no weak prior: results then depend on them (Gelman 2006).

    Attributes
    ----------
    shape, scale : float
        The density of τ² is proportional to τ²^(-shape - 1) exp(-scale/τ²).

    References
    ----------
    Gelman A (2006). Prior distributions for variance parameters in hierarchical models. Bayesian
    Analysis 1, 515-534.
    """

    shape: float
    scale: float

    def __post_init__(self) -> None:
        _positive("shape", self.shape)
        _positive("scale", self.scale)

    def _log_tau2(self) -> NDArray[np.float64]:
        # With x = log(τ²/scale) the density is e^(-shape x - e^(-x)): gone below -7, and of the
        # upper tail 40/shape holds all but e^-40.
        middle = -math.log(self.shape)
        low = np.linspace(min(-7.0, middle - 7), middle, 25)
        high = np.linspace(middle, middle + 12 + 40 / self.shape, 97)
        return math.log(self.scale) + np.concatenate([low, high[1:]])

    def _log_density(self, log_tau2: NDArray[np.float64]) -> NDArray[np.float64]:
        x = log_tau2 - math.log(self.scale)
        return -self.shape * x - np.exp(-x) - math.lgamma(self.shape)


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
