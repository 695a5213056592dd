"""Selection models."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import chi2, norm

from evidence.errors import ModelError, UsageError
from evidence.synthesis import meta
from evidence.synthesis.bias import selection_model
from evidence.synthesis.bias.selection_likelihood import Likelihood
from evidence.synthesis.bias.weight_functions import BetaWeights, StepFunction

SIDES = ("greater", "less", "two.sided")
many = settings(deadline=None, max_examples=25)


def _seen(seed, k=40, mean=0.2, tau=0.2, chance=0.3):
    """Studies of which those not significant above zero are seen with a chance."""
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.01, 0.2, 20 * k)
    y = rng.normal(mean, np.sqrt(v + tau**2))
    kept = (y / np.sqrt(v) > 1.96) | (rng.random(20 * k) < chance)
    return y[kept][:k], v[kept][:k]


def _weights(kind, y, v, side):
    if kind == "beta":
        return BetaWeights.of(y, v, None, side)
    return StepFunction.of(y, v, (0.01, 0.025, 0.5), (1, 0.7, None, None), side)


@many
@given(st.integers(0, 10_000), st.sampled_from(SIDES), st.sampled_from(["beta", "stepfun"]))
def test_derivatives_are_those_of_the_likelihood(seed, side, kind):
    rng = np.random.default_rng(seed)
    y, v = rng.normal(0.2, 0.4, 20), rng.uniform(0.01, 0.2, 20)
    X = np.column_stack([np.ones(20), rng.normal(size=20)])
    f = Likelihood(y, v, X, _weights(kind, y, v, side))
    x = np.concatenate([[0.2, 0.1, 0.05], rng.normal(0, 0.3, f.weights.design.shape[1])])
    _, gradient, H = f(x)
    for i, unit in enumerate(1e-5 * np.eye(len(x))):
        (high, g_high, _), (low, g_low, _) = f(x + unit), f(x - unit)
        assert (high - low) / 2e-5 == pytest.approx(gradient[i], rel=1e-5, abs=1e-5)
        assert (g_high - g_low) / 2e-5 == pytest.approx(H[i], rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("kind", ["beta", "stepfun"])
def test_the_density_of_what_is_seen_integrates_to_one(side, kind):
    v, one = np.array([0.09]), np.ones((1, 1))
    x = np.array([0.3, 0.04, *([-0.4, 0.8] if kind == "beta" else [-0.9, 0.4])])

    def density(y):
        weights = _weights(kind, np.array([y]), v, side)
        if kind == "stepfun":
            # A single study leaves other intervals empty: give them their weights.
            delta = (1, 0.7, np.exp(-0.9), np.exp(0.4))
            weights = StepFunction.of(np.array([y]), v, (0.01, 0.025, 0.5), delta, side)
        return np.exp(
            Likelihood(np.array([y]), v, one, weights)(x[: 2 + weights.design.shape[1]])[0]
        )

    limits = norm.isf([0.01, 0.025, 0.5, 1e-5, 0.005, 0.0125, 0.25, 5e-6]) * 0.3
    corners = [c for c in np.concatenate([-limits, limits]) if abs(c) < 4]
    total, _ = quad(density, -4, 4, points=sorted(set(corners)), limit=400)
    assert total == pytest.approx(1, abs=1e-7)


@many
@given(st.integers(0, 10_000), st.sampled_from(SIDES), st.sampled_from(["ML", "EE"]))
def test_weights_of_one_are_no_selection(seed, side, method):
    y, v = _seen(seed)
    for options in ({"delta": (1, 1)}, {"kind": "beta", "delta": (1, 1)}):
        found = selection_model(y, v, alternative=side, method=method, **options)
        assert found.llf == pytest.approx(found.unadjusted.llf, rel=1e-9)
        assert found.params.iloc[0] == pytest.approx(found.unadjusted.params.iloc[0], abs=1e-6)
        assert np.isnan(found.LRT)


@many
@given(st.integers(0, 10_000), st.sampled_from(["stepfun", "beta"]))
def test_the_other_side_of_turned_effects_is_the_same_model(seed, kind):
    y, v = _seen(seed)
    one = selection_model(y, v, kind=kind)
    other = selection_model(-y, v, kind=kind, alternative="less")
    assert other.llf == pytest.approx(one.llf, abs=1e-6)
    assert other.params.iloc[0] == pytest.approx(-one.params.iloc[0], abs=1e-4)
    assert other.LRT >= 0
    assert other.LRT_pvalue == pytest.approx(chi2.sf(other.LRT, other.LRT_df))


@many
@given(st.integers(0, 10_000))
def test_the_fit_is_a_maximum(seed):
    y, v = _seen(seed)
    found = selection_model(y, v, steps=(0.025, 0.5))
    x = np.concatenate([found.fit.beta, [found.tau2], found.fit.theta])
    f = Likelihood(y, v, np.ones((len(y), 1)), found.weight_function)
    value, gradient, _ = f(x)
    assert value == pytest.approx(found.llf)
    assert found.llf >= found.unadjusted.llf - 1e-9
    at_zero = np.arange(len(x)) == 1 if found.tau2 == 0 else np.zeros(len(x), dtype=bool)
    assert gradient[~at_zero] == pytest.approx(0, abs=1e-4)
    assert (gradient[at_zero] <= 0).all()
    rng = np.random.default_rng(seed)
    for _ in range(20):
        there = x + rng.normal(0, 0.02, len(x))
        there[1] = max(0, there[1])
        assert f(there)[0] <= value + 1e-9


def test_selected_studies_are_corrected_towards_the_truth():
    y, v = _seen(1, k=2000)
    found = selection_model(meta(y, v))
    weights = found.weights()
    assert found.unadjusted.params.iloc[0] > 0.27
    assert found.params.iloc[0] == pytest.approx(0.2, abs=0.04)
    assert found.tau2 == pytest.approx(0.04, abs=0.015)
    assert weights["estimate"].iloc[1] == pytest.approx(0.3, abs=0.08)
    assert weights["k"].sum() == 2000
    assert weights["lower"].iloc[1] < 0.3 < weights["upper"].iloc[1]
    assert found.LRT_pvalue < 1e-6
    assert "does not show that nothing is missing" in found.report()


def test_standard_errors_of_weights_do_not_depend_on_their_scale():
    """The covariance is found on the log scale; on the scale of weights it is that of the inverse
    second derivatives there, as the slope is zero."""
    y, v = _seen(2)
    found = selection_model(y, v)
    f = Likelihood(y, v, np.ones((len(y), 1)), found.weight_function)
    x = np.array([found.params.iloc[0], found.tau2, found.weights()["estimate"].iloc[1]])

    def value(z):
        return f(np.array([z[0], z[1], np.log(z[2])]))[0]

    h = np.array([1e-4, 1e-5, 1e-4])
    H = np.empty((3, 3))
    for i, a in enumerate(np.diag(h)):
        for j, b in enumerate(np.diag(h)):
            corners = value(x + a + b) - value(x + a - b) - value(x - a + b) + value(x - a - b)
            H[i, j] = corners / (4 * h[i] * h[j])
    se = np.sqrt(np.diag(np.linalg.inv(-H)))
    assert found.tau2 > 0
    mine = [found.bse.iloc[0], found.tau2_se, found.weights()["se"].iloc[1]]
    assert mine == pytest.approx(se, rel=1e-3)


def test_moderators_stay_in():
    rng = np.random.default_rng(3)
    v, x = rng.uniform(0.01, 0.2, 400), rng.normal(size=400)
    y = rng.normal(0.2 + 0.3 * x, np.sqrt(v + 0.02))
    fit = meta(y, v, exog=pd.DataFrame({"const": 1.0, "x": x}))
    found = selection_model(fit)
    assert list(found.params.index) == ["const", "x"]
    assert found.params["x"] == pytest.approx(0.3, abs=4 * found.bse["x"])
    assert found.conf_int().loc["x", "lower"] < 0.3 < found.conf_int().loc["x", "upper"]


def test_an_interval_without_studies_has_no_weight():
    y, v = np.array([0.5, 0.6, 0.9, 0.7, 0.65, 0.8]), np.full(6, 0.04)
    found = selection_model(y, v)
    assert found.weights()["estimate"].tolist() == [1, 0]
    assert found.boundary
    assert "p <= 1 (0)" in " ".join(found.notes)
    # What is left is the normal distribution cut at 1.96 standard errors.
    f = Likelihood(y, v, np.ones((6, 1)), found.weight_function)
    mean, tau2 = 0.5, 0.01
    s = np.sqrt(0.04 + tau2)
    want = norm.logpdf(y, mean, s).sum() - 6 * norm.logsf(0.2 * norm.isf(0.025), mean, s)
    assert f(np.array([mean, tau2]))[0] == pytest.approx(want)


def test_a_first_interval_without_studies_makes_the_others_infinite():
    y, v = np.array([0.1, 0.3, -0.1, 0.2, 0.05, 0.15]), np.full(6, 0.04)
    found = selection_model(y, v, steps=(0.025, 0.5))
    assert found.weights()["estimate"].tolist() == [1, np.inf, np.inf]
    assert found.boundary
    # Weights that large in the ordinary form come close to it from below.
    relative = np.exp(found.fit.theta)[0]
    near = selection_model(y, v, steps=(0.025, 0.5), delta=(1, 1e6, 1e6 * relative))
    far = selection_model(y, v, steps=(0.025, 0.5), delta=(1, 1e6 * relative, 1e6))
    assert max(near.llf, far.llf) == pytest.approx(found.llf, abs=1e-4)


def test_a_hundred_thousand_studies():
    y, v = _seen(5, k=100_000)
    found = selection_model(y, v)
    assert found.params.iloc[0] == pytest.approx(0.2, abs=0.01)


def test_the_summary_shows_weights_and_notes():
    y, v = _seen(6, k=9)
    text = selection_model(y, v).summary()
    for part in ("0.025 < p <= 1", "τ²", "Note: with 9 studies", "unadjusted"):
        assert part in text
    assert selection_model(y, v)._repr_html_().count("<table") == 2


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"kind": "logistic"}, UsageError, "kind"),
        ({"method": "REML"}, UsageError, "method"),
        ({"alternative": "up"}, UsageError, "alternative"),
        ({"steps": (0.5, 0.025)}, UsageError, "steps"),
        ({"steps": ()}, UsageError, "steps"),
        ({"steps": (1,)}, UsageError, "steps"),
        ({"delta": (1, 0.5, 0.2)}, UsageError, "2 intervals"),
        ({"delta": (1, -1)}, UsageError, "zero or above"),
        ({"delta": (1, 0)}, ModelError, "no weight"),
        ({"kind": "beta", "delta": (0, 1)}, UsageError, "above zero"),
    ],
)
def test_what_makes_no_model(options, error, words):
    y, v = _seen(7)
    with pytest.raises(error, match=words):
        selection_model(y, v, **options)


@pytest.mark.slow
@pytest.mark.parametrize("mean", [0.0, 0.3])
def test_parameters_are_recovered_and_intervals_cover(mean):
    """Eighty studies, of which a third of those not significant are seen."""
    fits = [selection_model(*_seen(seed, k=80, mean=mean, chance=1 / 3)) for seed in range(400)]
    estimates = np.array([fit.params.iloc[0] for fit in fits])
    ends = np.array([fit.conf_int().iloc[0] for fit in fits])
    cover = np.mean((ends[:, 0] < mean) & (mean < ends[:, 1]))
    plain = np.mean([fit.unadjusted.params.iloc[0] for fit in fits])
    weight = np.median([fit.weights()["estimate"].iloc[1] for fit in fits])
    assert np.mean(estimates) == pytest.approx(mean, abs=0.02)
    assert plain > mean + 0.05
    assert weight == pytest.approx(1 / 3, abs=0.06)
    assert 0.90 < cover < 0.98


@pytest.mark.slow
def test_the_test_keeps_its_level_without_selection():
    fits = [selection_model(*_seen(seed, k=80, mean=0.2, chance=1.0)) for seed in range(500)]
    share = np.mean([fit.LRT_pvalue < 0.05 for fit in fits])
    assert 0.02 < share < 0.09


@pytest.mark.slow
def test_beta_weights_are_recovered():
    """Some twelve hundred of 30,000 studies are seen: the weight is 100 at the smallest p."""
    rng = np.random.default_rng(8)
    found = []
    for _ in range(12):
        v = rng.uniform(0.01, 0.2, 30_000)
        y = rng.normal(0.2, np.sqrt(v + 0.04))
        p = np.clip(norm.sf(y / np.sqrt(v)), 1e-5, 1 - 1e-5)
        weight = p ** (0.6 - 1) * (1 - p) ** (1.5 - 1)
        kept = rng.random(30_000) < weight / weight.max()
        fit = selection_model(y[kept], v[kept], kind="beta")
        found.append([fit.params.iloc[0], fit.tau2, *fit.weights()["estimate"]])
    assert np.mean(found, axis=0) == pytest.approx([0.2, 0.04, 0.6, 1.5], abs=0.08)
