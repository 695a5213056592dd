"""The exact posterior: identities, limits and another way of integrating."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from evidence.errors import ModelError, UsageError
from evidence.synthesis.normal_normal import normal_normal
from evidence.synthesis.priors import HalfCauchy, HalfNormal, Normal, Uniform

Y = np.array([0.4, -0.1, 0.25])
V = np.array([0.04, 0.02, 0.09])

effects = st.lists(st.tuples(st.floats(-2, 2), st.floats(0.005, 1)), min_size=2, max_size=6).map(
    lambda rows: tuple(np.array(column) for column in zip(*rows, strict=True))
)


@pytest.mark.parametrize("prior", [HalfNormal(0.3), HalfCauchy(0.3), Uniform(0, 2)])
@pytest.mark.parametrize("mean", [None, Normal(0, 1)])
def test_against_adaptive_integration_of_the_joint_density(prior, mean):
    """The mean of mu by scipy's adaptive rule over tau, straight from the normal densities."""
    fit = normal_normal(Y, V, tau_prior=prior, mu_prior=mean)
    # A flat prior is a very wide normal one, up to its constant.
    m0, s0 = (0.0, 1e4) if mean is None else (mean.mean, mean.sd)

    def joint(tau, power):
        total = V + tau**2
        precision = 1 / total
        variance = 1 / (precision.sum() + s0**-2)
        centre = variance * ((precision * Y).sum() + m0 / s0**2)
        # Density of the data: that of y, prior and posterior at mu = centre (Bayes' theorem).
        density = (
            norm.pdf(Y, centre, np.sqrt(total)).prod()
            * norm.pdf(centre, m0, s0)
            / norm.pdf(centre, centre, math.sqrt(variance))
        )
        return centre**power * density * math.exp(float(prior.logpdf(np.array([tau]))[0]))

    top = prior.support[1]
    pieces = [0, 0.1, 0.3, 1, min(2.0, top)] + ([np.inf] if math.isinf(top) else [])

    def integral(power):
        return sum(
            quad(joint, a, b, args=(power,), epsabs=0, epsrel=1e-11, limit=400)[0]
            for a, b in itertools.pairwise(pieces)
        )

    assert fit.mean == pytest.approx(integral(1) / integral(0), rel=1e-6)
    if mean is not None:
        assert fit.log_marginal_likelihood == pytest.approx(math.log(integral(0)), rel=1e-9)


@settings(deadline=None, max_examples=40)
@given(effects, st.floats(-3, 3), st.floats(0.2, 5))
def test_a_change_of_origin_and_unit_changes_nothing_else(rows, shift, unit):
    y, v = rows
    one = normal_normal(y, v, tau_prior=HalfNormal(0.4))
    other = normal_normal(shift + unit * y, unit**2 * v, tau_prior=HalfNormal(0.4 * unit))
    assert other.mean == pytest.approx(shift + unit * one.mean, abs=1e-8 * (1 + unit))
    assert other.sd == pytest.approx(unit * one.sd, rel=1e-8)
    assert other.tau_quantile(0.5) == pytest.approx(unit * one.tau_quantile(0.5), rel=1e-6)


@settings(deadline=None, max_examples=40)
@given(effects)
def test_intervals_are_quantiles_of_one_distribution(rows):
    y, v = rows
    fit = normal_normal(y, v, tau_prior=HalfNormal(0.4))
    low, high = fit.conf_int().loc["mu"]
    assert fit.probability_above(low) == pytest.approx(0.975, abs=1e-9)
    assert fit.probability_above(high) == pytest.approx(0.025, abs=1e-9)
    assert fit.conf_int().loc["prediction", "lower"] <= low + 1e-12
    assert fit.weights.sum() == pytest.approx(1)
    assert fit.study_weights.sum() == pytest.approx(1)
    assert y.min() - 1e-9 <= fit.mean <= y.max() + 1e-9


@settings(deadline=None, max_examples=20)
@given(effects)
def test_no_heterogeneity_is_the_common_effect(rows):
    y, v = rows
    fit = normal_normal(y, v, tau_prior=HalfNormal(1e-5))
    assert fit.mean == pytest.approx(float(np.average(y, weights=1 / v)), abs=1e-6)
    assert fit.sd == pytest.approx(float((1 / v).sum()) ** -0.5, rel=1e-5)
    assert fit.tau_mean < 2e-5


def test_calibration_under_its_own_prior():
    """Intervals of data drawn from the model and its priors hold their level (Cook 2006)."""
    rng = np.random.default_rng(510)
    inside, runs = 0, 400
    for _ in range(runs):
        tau, mu = abs(rng.normal(0, 0.4)), rng.normal(0, 1)
        v = rng.uniform(0.01, 0.2, 4)
        y = rng.normal(mu, np.sqrt(v + tau**2))
        fit = normal_normal(y, v, tau_prior=HalfNormal(0.4), mu_prior=Normal(0, 1))
        inside += 0.1 < fit.probability_above(mu) < 0.9
    # Four standard errors of a binomial share.
    assert inside / runs == pytest.approx(0.8, abs=4 * math.sqrt(0.8 * 0.2 / runs))


@pytest.mark.parametrize(
    ("y", "v", "words"),
    [
        ([], [], "not empty"),
        ([1, 2], [1], "one length"),
        ([1, 2], [1, 0], "row 1"),
        ([1, math.nan], [1, 1], "row 1"),
        ([math.inf, 1], [1, 1], "row 0"),
    ],
)
def test_impossible_data_are_named_by_row(y, v, words):
    with pytest.raises(ModelError, match=words):
        normal_normal(y, v, tau_prior=HalfNormal(1))


@pytest.mark.parametrize("make", [
    lambda: HalfNormal(0), lambda: HalfCauchy(-1), lambda: Uniform(1, 1), lambda: Normal(0, -1),
    lambda: HalfNormal(math.nan), lambda: Uniform(-1, 2),
])  # fmt: skip
def test_impossible_priors(make):
    with pytest.raises(UsageError):
        make()
