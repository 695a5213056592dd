"""Bayesian meta-analysis: priors, evidence, shrinkage and what is printed."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from evidence.errors import ModelError, UsageError
from evidence.synthesis.bayes_meta import bayes_meta
from evidence.synthesis.priors import (
    HalfCauchy,
    HalfNormal,
    HalfT,
    InverseGamma,
    LogNormal,
    LogT,
    Normal,
)

DATA = pd.DataFrame(
    {"yi": [0.4, -0.1, 0.25, 0.3], "vi": [0.04, 0.02, 0.09, 0.05]}, index=list("abcd")
)
PRIORS = [
    HalfNormal(0.3), HalfT(4, 0.3), InverseGamma(2, 0.1), InverseGamma(0.01, 0.01),
    LogNormal(-2, 1.5), LogT(-3, 2.5, 5),
]  # fmt: skip

effects = st.lists(st.tuples(st.floats(-2, 2), st.floats(0.005, 1)), min_size=2, max_size=6).map(
    lambda rows: tuple(np.array(column) for column in zip(*rows, strict=True))
)


@pytest.mark.parametrize(("prior", "cdf"), [
    (HalfT(4, 0.3), lambda t: 2 * stats.t(4, scale=0.3).cdf(t) - 1),
    (InverseGamma(2, 0.1), lambda t: stats.invgamma(2, scale=0.1).cdf(t**2)),
    (LogNormal(-2, 1.5), lambda t: stats.norm(-2, 1.5).cdf(math.log(t**2))),
    (LogT(-3, 2.5, 5), lambda t: stats.t(5, -3, 2.5).cdf(math.log(t**2))),
])  # fmt: skip
def test_priors_against_scipy(prior, cdf):
    found = quad(lambda t: math.exp(prior.logpdf(np.array([t]))[0]), 0.05, 0.7, epsabs=1e-12)[0]
    assert found == pytest.approx(cdf(0.7) - cdf(0.05), rel=1e-9)


def test_half_t_with_one_degree_of_freedom_is_half_cauchy():
    tau = np.array([0.0, 0.1, 3.0])
    assert HalfT(1, 0.4).logpdf(tau) == pytest.approx(HalfCauchy(0.4).logpdf(tau))


@pytest.mark.parametrize("prior", PRIORS)
def test_against_adaptive_integration_over_the_logarithm_of_tau(prior):
    fit = bayes_meta("yi", "vi", DATA, tau_prior=prior, mu_prior=Normal(0.1, 0.8))
    y, v = DATA["yi"].to_numpy(), DATA["vi"].to_numpy()

    def joint(log_tau, power=0):
        tau = math.exp(log_tau)
        cov = np.diag(v + tau**2) + 0.8**2
        weight = 1 / (v + tau**2)
        mean = (weight @ y + 0.1 / 0.64) / (weight.sum() + 1 / 0.64)
        density = stats.multivariate_normal(np.full(4, 0.1), cov).pdf(y)
        return mean**power * density * math.exp(prior.logpdf(np.array([tau]))[0]) * tau

    def integral(power):
        edges = [-60, -20, -10, -6, -4, -3, -2, -1, 0, 1, 3, 8, 20]
        return sum(
            quad(joint, a, b, args=(power,), epsabs=0, epsrel=1e-9, limit=200)[0]
            for a, b in itertools.pairwise(edges)
        )

    total = integral(0)
    # Below e^-60 a log-t has what its power tail leaves: about 1e-7.
    assert fit.exact.log_marginal_likelihood == pytest.approx(math.log(total), abs=1e-6)
    assert fit.params["mu"] == pytest.approx(integral(1) / total, rel=1e-6)


@pytest.mark.parametrize("prior", PRIORS)
def test_bayes_factor_is_savage_and_dickeys_ratio(prior):
    """Prior over posterior density of the mean at the null (Dickey 1971)."""
    mean = Normal(0.1, 0.8)
    fit = bayes_meta("yi", "vi", DATA, tau_prior=prior, mu_prior=mean)
    for null in (0.0, 0.3):
        ratio = stats.norm(0.1, 0.8).pdf(null) / fit.exact.density(null)
        assert fit.bayes_factor(null) == pytest.approx(float(ratio), rel=1e-7)


def test_bayes_factor_needs_a_proper_prior():
    with pytest.raises(UsageError, match="proper prior"):
        bayes_meta("yi", "vi", DATA, tau_prior=HalfNormal(1)).bayes_factor()


def test_bayes_factor_grows_with_the_effect():
    prior = {"tau_prior": HalfNormal(0.3), "mu_prior": Normal(0, 1)}
    none, some, huge = (
        bayes_meta([x, x, x], [0.01] * 3, **prior).bayes_factor() for x in (0, 0.5, 1e3)
    )
    assert none < 1 < some < huge


@settings(deadline=None, max_examples=20)
@given(effects, st.sampled_from(PRIORS))
def test_own_effects_lie_between_their_data_and_the_mean(rows, prior):
    y, v = rows
    fit = bayes_meta(y, v, tau_prior=prior)
    own = fit.shrinkage()
    assert (own["lower"] < own["upper"]).all()
    assert ((own["mean"] >= y.min() - 1e-9) & (own["mean"] <= y.max() + 1e-9)).all()
    # Mean and spread of the shrunk effects by the same law of total variance as of mu.
    assert own["weight"].sum() == pytest.approx(1)
    assert fit.predict()["lower"] <= fit.conf_int().loc["mu", "lower"] + 1e-9


def test_own_effects_with_heterogeneity_known():
    """With τ all but known the shrunk effects are the textbook's (Gelman and others, 5.17)."""
    fit = bayes_meta("yi", "vi", DATA, tau_prior=LogNormal(math.log(0.09), 1e-4))
    total = DATA["vi"] + 0.09
    mu = np.average(DATA["yi"], weights=1 / total)
    share = 0.09 / total
    own = fit.shrinkage()
    assert fit.params["tau"] == pytest.approx(0.3, rel=1e-6)
    assert own["mean"].to_numpy() == pytest.approx(share * DATA["yi"] + (1 - share) * mu, rel=1e-6)
    variance = share * DATA["vi"] + (1 - share) ** 2 / (1 / total).sum()
    assert own["sd"].to_numpy() == pytest.approx(np.sqrt(variance), rel=1e-6)
    half = own["upper"] - own["mean"]
    assert half.to_numpy() == pytest.approx(1.959964 * np.sqrt(variance), rel=1e-6)


@pytest.mark.parametrize("prior", PRIORS)
def test_densities_hold_the_quantiles(prior):
    fit = bayes_meta("yi", "vi", DATA, tau_prior=prior)
    grid = fit.densities(4001)
    assert np.allclose(np.diff(grid["effect"]), grid["effect"].diff().iloc[1])
    low, high = fit.conf_int().loc["mu"]
    inside = grid["effect"].between(low, high)
    for column in ("mean", "prediction"):
        assert np.trapezoid(grid[column], grid["effect"]) == pytest.approx(0.999, abs=1.1e-3)
    assert np.trapezoid(grid["mean"][inside], grid["effect"][inside]) == pytest.approx(
        0.95, abs=0.02
    )


def test_probabilities_and_the_quantiles_of_tau_belong_together():
    fit = bayes_meta("yi", "vi", DATA, tau_prior=LogT(-3, 2.5))
    low, high = fit.conf_int(0.1).loc["mu"]
    assert fit.probability_between(low, high)["mu"] == pytest.approx(0.9, abs=1e-8)
    new = fit.predict(0.1)
    between = fit.probability_between(new["lower"], new["upper"])
    assert between["prediction"] == pytest.approx(0.9, abs=1e-8)
    cut = fit.exact.tau_quantile(0.5)
    below = fit.exact.weights[fit.exact.nodes < cut].sum()
    assert below == pytest.approx(0.5, abs=0.02)


def test_labels_and_words():
    fit = bayes_meta("yi", "vi", DATA, tau_prior=HalfNormal(0.3), mu_prior=Normal(0, 1))
    assert list(fit.shrinkage().index) == list("abcd")
    assert list(fit.params.index) == list(fit.bse.index) == ["mu", "tau"]
    assert "HalfNormal(scale=0.3)" in fit.report()
    assert "Bayes factor" in fit.summary()
    assert "<table" in fit._repr_html_()
    named = bayes_meta([0.1, 0.2], [0.1, 0.1], tau_prior=HalfNormal(1), labels=["x", "y"])
    assert list(named.shrinkage().index) == ["x", "y"]


def test_the_posterior_is_drawn():
    figure = bayes_meta("yi", "vi", DATA, tau_prior=HalfNormal(0.3)).posterior()
    assert "Posterior densities" in figure.alt


@pytest.mark.parametrize(("act", "error"), [
    (lambda: bayes_meta("yi", "nothing", DATA, tau_prior=HalfNormal(1)), UsageError),
    (lambda: bayes_meta([1, 2], [1, 1], tau_prior=HalfNormal(1), labels=["a"]), UsageError),
    (lambda: bayes_meta([1, math.nan], [1, 1], tau_prior=HalfNormal(1)), ModelError),
    (lambda: bayes_meta([1], [1], tau_prior=HalfNormal(1)).conf_int(0), UsageError),
    (lambda: bayes_meta([1], [1], tau_prior=HalfNormal(1)).probability_between(1, 0), UsageError),
    (lambda: bayes_meta([1], [1], tau_prior=HalfNormal(1)).densities(1), UsageError),
    (lambda: HalfT(0, 1), UsageError),
    (lambda: InverseGamma(1, -1), UsageError),
    (lambda: LogNormal(math.inf, 1), UsageError),
    (lambda: LogT(0, 0), UsageError),
])  # fmt: skip
def test_impossible_requests(act, error):
    with pytest.raises(error):
        act()
