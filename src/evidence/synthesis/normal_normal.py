"""The exact posterior of the normal-normal model, by quadrature over τ.

Given τ everything is normal and known in closed form; only τ itself is integrated numerically
(Gelman and others 2013, section 5.4; Röver 2020). There is no sampling and so no seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from evidence.errors import ModelError
from evidence.synthesis.priors import LogScale, Normal, TauPrior

Array = NDArray[np.float64]

_PANELS, _ORDER = 40, 16
_TINY = 1e-13
_STEPS = 1000
_NEAR = 12.0


@dataclass(frozen=True, eq=False)
class NormalNormalResults:
    """Posterior of a normal-normal model.

    Attributes
    ----------
    yi, vi : ndarray, shape (k,)
        Effects and sampling variances.
    tau_prior : TauPrior
        Prior on τ.
    mu_prior : Normal or None
        Prior on the mean effect; None for a flat one.
    nodes, weights : ndarray, shape (n,)
        Values of τ and their posterior probabilities, which sum to one.
    log_marginal_likelihood : float
        Of the data, all densities normalised; NaN with a flat prior on the mean.
    """

    yi: Array
    vi: Array
    tau_prior: TauPrior
    mu_prior: Normal | None
    nodes: Array
    weights: Array
    log_marginal_likelihood: float
    _scales: tuple[float, float]

    @property
    def k(self) -> int:
        """Number of effects."""
        return len(self.yi)

    @cached_property
    def _given_tau(self) -> tuple[Array, Array]:
        mean, variance, _ = _conditional(self.yi, self.vi, self.mu_prior, self.nodes)
        return mean, np.sqrt(variance)

    @property
    def mean(self) -> float:
        """Posterior mean of the average effect μ."""
        return float(self.weights @ self._given_tau[0])

    @property
    def sd(self) -> float:
        """Posterior standard deviation of μ."""
        mean, sd = self._given_tau
        return _mixture_sd(self.weights, mean, sd)

    @property
    def params(self) -> pd.Series[float]:
        """Posterior means of μ and τ."""
        return pd.Series({"mu": self.mean, "tau": self.tau_mean})

    @property
    def bse(self) -> pd.Series[float]:
        """Posterior standard deviations of μ and τ."""
        return pd.Series({"mu": self.sd, "tau": self.tau_sd})

    @property
    def tau_mean(self) -> float:
        """Posterior mean of τ."""
        return float(self.weights @ self.nodes)

    @property
    def tau_sd(self) -> float:
        """Posterior standard deviation of τ."""
        return math.sqrt(float(self.weights @ (self.nodes - self.tau_mean) ** 2))

    @property
    def tau2(self) -> float:
        """Posterior mean of τ²."""
        return float(self.weights @ self.nodes**2)

    @property
    def prediction_sd(self) -> float:
        """Posterior standard deviation of the effect in a new study."""
        mean, sd = self._given_tau
        return _mixture_sd(self.weights, mean, np.hypot(sd, self.nodes))

    def quantile(self, p: float) -> float:
        """Quantile of μ."""
        return _mixture_quantile(p, self.weights, *self._given_tau)

    def prediction_quantile(self, p: float) -> float:
        """Quantile of the effect in a new study."""
        mean, sd = self._given_tau
        return _mixture_quantile(p, self.weights, mean, np.hypot(sd, self.nodes))

    def tau_quantile(self, p: float) -> float:
        """Quantile of τ."""
        from scipy.optimize import brentq

        low, high = self.tau_prior.support
        log_density = _log_density(self.yi, self.vi, self.tau_prior, self.mu_prior)
        top = float(log_density(self.nodes).max())

        def mass(end: float) -> float:
            nodes, steps = _rule_for(self.tau_prior, low, end, self._scales)
            return float(np.exp(log_density(nodes) - top) @ steps)

        everything = mass(high)
        # All but a negligible part of the posterior lies below the last node that has weight.
        end = min(high, 2 * float(self.nodes[self.weights > _TINY].max()))
        return float(
            brentq(lambda t: mass(t) / everything - p, low, end, xtol=1e-12, rtol=1e-12,
                   maxiter=_STEPS)
        )  # fmt: skip

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Central credible intervals of μ, τ and the effect in a new study.

        Parameters
        ----------
        alpha : float
            One minus the level.

        Returns
        -------
        pandas.DataFrame
            Rows ``mu``, ``tau``, ``prediction``; columns ``lower``, ``upper``.
        """
        ends = (alpha / 2, 1 - alpha / 2)
        rows = {"mu": self.quantile, "tau": self.tau_quantile,
                "prediction": self.prediction_quantile}  # fmt: skip
        return pd.DataFrame(
            {name: [find(p) for p in ends] for name, find in rows.items()},
            index=["lower", "upper"],
        ).T

    def density(self, effect: ArrayLike) -> Array:
        """Posterior density of μ at each effect."""
        return _mixture_density(effect, self.weights, *self._given_tau)

    def prediction_density(self, effect: ArrayLike) -> Array:
        """Posterior density of the effect in a new study at each effect."""
        mean, sd = self._given_tau
        return _mixture_density(effect, self.weights, mean, np.hypot(sd, self.nodes))

    def log_marginal_likelihood_at(self, mu: float) -> float:
        """Of the data with the mean effect known, τ having the same prior."""
        nodes, steps = _rule_for(self.tau_prior, *self.tau_prior.support, self._scales)
        total = nodes[:, None] ** 2 + self.vi
        logs = -0.5 * (np.log(2 * math.pi * total) + (self.yi - mu) ** 2 / total).sum(axis=1)
        logs += self.tau_prior.logpdf(nodes)
        top = float(logs.max())
        return top + math.log(float(np.exp(logs - top) @ steps))

    def probability_above(self, value: float = 0.0) -> float:
        """Posterior probability that μ exceeds a value."""
        from scipy.special import ndtr

        mean, sd = self._given_tau
        return float(self.weights @ ndtr((mean - value) / sd))

    def prediction_probability_above(self, value: float = 0.0) -> float:
        """Posterior probability that the effect in a new study exceeds a value."""
        from scipy.special import ndtr

        mean, sd = self._given_tau
        return float(self.weights @ ndtr((mean - value) / np.hypot(sd, self.nodes)))

    @property
    def p_benefit(self) -> float:
        """Posterior probability that μ is above zero."""
        return self.probability_above(0.0)

    @property
    def shrinkage_means(self) -> Array:
        """Posterior means of the studies' own effects, shape (k,)."""
        return self.weights @ self._own_given_tau[0]

    @property
    def shrinkage_sds(self) -> Array:
        """Posterior standard deviations of the studies' own effects, shape (k,)."""
        mean, variance = self._own_given_tau
        return np.sqrt(self.weights @ (variance + (mean - self.shrinkage_means) ** 2))

    def shrinkage_quantiles(self, p: float) -> Array:
        """Quantiles of the studies' own effects, shape (k,)."""
        mean, variance = self._own_given_tau
        return np.array([
            _mixture_quantile(p, self.weights, m, np.sqrt(s2))
            for m, s2 in zip(mean.T, variance.T, strict=True)
        ])  # fmt: skip

    @cached_property
    def _own_given_tau(self) -> tuple[Array, Array]:
        """Means and variances of the studies' own effects given τ, shapes (n, k)."""
        tau2 = self.nodes[:, None] ** 2
        rest = self.vi / (tau2 + self.vi)
        mean, sd = self._given_tau
        centre = (1 - rest) * self.yi + rest * mean[:, None]
        return centre, (1 - rest) * self.vi + (rest * sd[:, None]) ** 2

    @property
    def study_weights(self) -> Array:
        """Mean share of each study in μ, shape (k,); a prior on the mean has the rest."""
        precision = 1 / (self.nodes[:, None] ** 2 + self.vi)
        extra = 0.0 if self.mu_prior is None else self.mu_prior.sd**-2
        return self.weights @ (precision / (precision.sum(axis=1, keepdims=True) + extra))

    def summary(self) -> pd.DataFrame:
        """Mean, standard deviation and central 95 % interval of μ, τ and a new effect."""
        frame = self.conf_int()
        frame.insert(0, "mean", [self.mean, self.tau_mean, self.mean])
        frame.insert(1, "sd", [self.sd, self.tau_sd, self.prediction_sd])
        return frame

    def to_frame(self) -> pd.DataFrame:
        """As :meth:`summary`."""
        return self.summary()

    def to_dict(self) -> dict[str, Any]:
        """The summary and the probability of benefit as plain numbers."""
        return {
            "k": self.k,
            "p_benefit": self.p_benefit,
            "log_marginal_likelihood": self.log_marginal_likelihood,
            **{str(name): row.to_dict() for name, row in self.summary().iterrows()},
        }


def normal_normal(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    tau_prior: TauPrior,
    mu_prior: Normal | None = None,
) -> NormalNormalResults:
    """Exact posterior of yᵢ ~ N(μ, vᵢ + τ²) with a proper prior on τ.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effects and sampling variances.
    tau_prior : TauPrior
        One of :mod:`evidence.synthesis.priors`.
    mu_prior : Normal, optional
        Prior on μ; flat by default.

    Raises
    ------
    ModelError
        If an effect is not finite, a variance is not above zero, or there are no effects.

    References
    ----------
    Gelman A, Carlin JB, Stern HS, Dunson DB, Vehtari A, Rubin DB (2013). Bayesian Data Analysis,
    third edition, section 5.4.
    Röver C (2020). Bayesian random-effects meta-analysis using the bayesmeta R package. Journal of
    Statistical Software 93(6), sections 2.3 and 2.4.
    """
    y = np.asarray(yi, dtype=float)
    v = np.asarray(vi, dtype=float)
    _require(y, v)
    scales = (float(np.sqrt(np.median(v)) + np.std(y)), tau_prior.width)
    log_density = _log_density(y, v, tau_prior, mu_prior)
    nodes, steps = _rule_for(tau_prior, *tau_prior.support, scales)
    logs = log_density(nodes)
    top = float(logs.max())
    mass = np.exp(logs - top) * steps
    total = float(mass.sum())
    evidence = math.nan if mu_prior is None else top + math.log(total)
    return NormalNormalResults(y, v, tau_prior, mu_prior, nodes, mass / total, evidence, scales)


def _require(y: Array, v: Array) -> None:
    if y.ndim != 1 or y.shape != v.shape or not len(y):
        raise ModelError("effects and variances must be two lists of one length, not empty")
    for row, (effect, variance) in enumerate(zip(y, v, strict=True)):
        if not (math.isfinite(effect) and math.isfinite(variance) and variance > 0):
            raise ModelError(
                f"row {row}: the effect is {effect:g} and its variance {variance:g}; an effect is "
                "finite and a variance above zero"
            )


def _rule_for(
    prior: TauPrior, low: float, high: float, scales: tuple[float, float]
) -> tuple[Array, Array]:
    if isinstance(prior, LogScale):
        return _log_rule(prior.panels, high, scales[0])
    return _rule(low, high, scales)


def _log_rule(panels: Array, high: float, scale: float) -> tuple[Array, Array]:
    """Nodes and steps of a composite Gauss-Legendre rule on log τ.

    The likelihood changes near the scale of the data only; there the panels are finer than those
    of the prior.
    """
    end = min(float(panels[-1]), math.log(high) if high > 0 else -math.inf)
    near = np.linspace(-_NEAR, _NEAR, 4 * int(_NEAR) + 1) + math.log(scale)
    edges = np.concatenate([panels, near[(near > panels[0]) & (near < panels[-1])]])
    if end <= panels[0]:
        return np.empty(0), np.empty(0)
    edges = np.unique(np.append(edges[edges < end], end))
    x, w = np.polynomial.legendre.leggauss(_ORDER)
    half = np.diff(edges)[:, None] / 2
    tau = np.exp((edges[:-1, None] + half * (x + 1)).ravel())
    return tau, (half * w).ravel() * tau


def _rule(low: float, high: float, scales: tuple[float, float]) -> tuple[Array, Array]:
    """Nodes and steps of a composite Gauss-Legendre rule for τ from low to high.

    The rule is laid on u = (τ - low)/(τ - low + s), so that a half-line becomes an interval. The
    posterior can live on the scale of the data or on that of the prior: the panels are fine on
    both.
    """
    s, other = scales

    def place(distance: float) -> float:
        return 1.0 if math.isinf(distance) else distance / (distance + s)

    x, w = np.polynomial.legendre.leggauss(_ORDER)
    steps = np.linspace(0, 1, _PANELS + 1)[:-1]
    ratio = other / s * steps / (1 - steps)
    end = place(high - low)
    edges = np.unique(np.concatenate([end * steps, ratio / (ratio + 1), [end]]))
    edges = edges[edges <= end]
    half = np.diff(edges)[:, None] / 2
    u = (edges[:-1, None] + half * (x + 1)).ravel()
    return low + s * u / (1 - u), (half * w).ravel() * s / (1 - u) ** 2


def _conditional(
    y: Array, v: Array, mu_prior: Normal | None, tau: Array
) -> tuple[Array, Array, Array]:
    """Mean and variance of μ given τ, and the log density of the data given τ."""
    total = tau[:, None] ** 2 + v
    precision = 1 / total
    weight = precision.sum(axis=1)
    centre = (precision * y).sum(axis=1)
    if mu_prior is None:
        mean, variance = centre / weight, 1 / weight
        spread = (precision * (y - mean[:, None]) ** 2).sum(axis=1)
        # A flat prior of density one; the constant drops out of the posterior.
        log_density = -0.5 * (np.log(total).sum(axis=1) + np.log(weight) + spread)
        return mean, variance, log_density
    prior = mu_prior.sd**-2
    variance = 1 / (weight + prior)
    mean = variance * (centre + prior * mu_prior.mean)
    spread = (precision * (y - mean[:, None]) ** 2).sum(axis=1)
    spread += prior * (mean - mu_prior.mean) ** 2
    log_density = -0.5 * (
        len(y) * math.log(2 * math.pi)
        + np.log(total).sum(axis=1)
        + 2 * math.log(mu_prior.sd)
        - np.log(variance)
        + spread
    )
    return mean, variance, log_density


def _log_density(
    y: Array, v: Array, tau_prior: TauPrior, mu_prior: Normal | None
) -> Callable[[Array], Array]:
    def log_density(tau: Array) -> Array:
        return _conditional(y, v, mu_prior, tau)[2] + tau_prior.logpdf(tau)

    return log_density


def _mixture_sd(weights: Array, mean: Array, sd: Array) -> float:
    centre = float(weights @ mean)
    return math.sqrt(float(weights @ (sd**2 + (mean - centre) ** 2)))


def _mixture_quantile(p: float, weights: Array, mean: Array, sd: Array) -> float:
    from scipy.optimize import brentq
    from scipy.special import ndtr

    live = weights > _TINY**2
    w, m, s = weights[live], mean[live], sd[live]
    low, high = float((m - 40 * s).min()), float((m + 40 * s).max())
    return float(
        brentq(lambda x: float(w @ ndtr((x - m) / s)) - p, low, high, xtol=1e-13, rtol=1e-13,
               maxiter=_STEPS)
    )  # fmt: skip


def _mixture_density(at: ArrayLike, weights: Array, mean: Array, sd: Array) -> Array:
    live = weights > _TINY
    w, m, s = weights[live], mean[live], sd[live]
    z = (np.asarray(at, dtype=float)[..., None] - m) / s
    return np.asarray((np.exp(-0.5 * z**2) / (s * math.sqrt(2 * math.pi))) @ w, dtype=float)


__all__: Sequence[str] = ["NormalNormalResults", "normal_normal"]
