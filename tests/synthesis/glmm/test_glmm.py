"""Generalised linear mixed models: what must hold for any counts."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import ModelError, UsageError
from evidence.synthesis.glmm import glmm

# Stijnen, Hamza and Özdemir (2010), table 1, is like this: rare events, some zeros, 0 in both.
TABLES = {
    "a": np.array([2, 0, 5, 1, 8, 0, 3, 4, 0, 6]),
    "b": np.array([98, 60, 145, 80, 190, 45, 70, 88, 30, 120]),
    "c": np.array([6, 3, 9, 4, 7, 2, 9, 15, 0, 10]),
    "d": np.array([92, 61, 140, 78, 193, 40, 66, 80, 32, 118]),
}
RATES = {
    "x1": np.array([4, 0, 12, 3, 9, 7]), "time1": np.array([410, 120, 900, 333, 420, 515.5]),
    "x2": np.array([9, 3, 20, 2, 21, 18]), "time2": np.array([402, 118, 880, 340, 433, 500.0]),
}  # fmt: skip
MODELS = ["UM.FS", "UM.RS", "CM.EL", "CM.AL"]


@pytest.mark.parametrize("model", MODELS)
def test_swapping_the_groups_turns_the_effect(model):
    one = glmm("OR", model=model, points=7, **TABLES)
    other = glmm(
        "OR", model=model, points=7, a=TABLES["c"], b=TABLES["d"], c=TABLES["a"], d=TABLES["b"]
    )
    np.testing.assert_allclose(one.params, -other.params, rtol=1e-6)
    np.testing.assert_allclose(one.bse, other.bse, rtol=1e-5)
    assert one.tau2 == pytest.approx(other.tau2, rel=1e-4, abs=1e-8)
    if model != "CM.AL":
        assert one.llf == pytest.approx(other.llf, abs=1e-8)


@pytest.mark.parametrize("model", ["UM.FS", "UM.RS", "CM.EL"])
def test_the_effect_of_events_is_the_opposite_of_that_of_no_events(model):
    one = glmm("OR", model=model, **TABLES)
    other = glmm("OR", model=model, a=TABLES["b"], b=TABLES["a"], c=TABLES["d"], d=TABLES["c"])
    np.testing.assert_allclose(one.params, -other.params, rtol=1e-6)
    assert one.llf == pytest.approx(other.llf, abs=1e-8)


@pytest.mark.parametrize("model", ["UM.FS", "UM.RS", "CM.EL"])
def test_the_unit_of_person_time_does_not_matter(model):
    one = glmm("IRR", model=model, **RATES)
    years = {name: x * (365.25 if "time" in name else 1) for name, x in RATES.items()}
    other = glmm("IRR", model=model, **years)
    np.testing.assert_allclose(one.params, other.params, rtol=1e-6)
    np.testing.assert_allclose(one.bse, other.bse, rtol=1e-5)
    assert one.likelihood_ratio.statistic == pytest.approx(other.likelihood_ratio.statistic)


def test_equal_effects_are_a_logistic_regression():
    fit = glmm("OR", method="EE", **TABLES)
    use = TABLES["a"] + TABLES["c"] > 0
    events = np.concatenate([TABLES["a"][use], TABLES["c"][use]])
    others = np.concatenate([TABLES["b"][use], TABLES["d"][use]])
    k = int(use.sum())
    X = np.column_stack([np.repeat([1, 0], k), np.vstack([np.eye(k)] * 2)])
    glm = sm.GLM(np.column_stack([events, others]), X, family=sm.families.Binomial()).fit(tol=1e-12)
    assert fit.params.iloc[0] == pytest.approx(glm.params[0], rel=1e-7)
    assert fit.bse.iloc[0] == pytest.approx(glm.bse[0], rel=1e-6)
    assert fit.llf == pytest.approx(glm.llf)
    assert fit.likelihood_ratio.statistic == pytest.approx(glm.deviance)
    assert np.isnan(fit.predict()["pi_lower"]).all()


def test_equal_rates_with_a_moderator_are_a_poisson_regression():
    x, time = np.array([4, 0, 12, 3, 9, 7]), np.array([41.0, 12, 90, 33.3, 42, 51.5])
    exog = pd.DataFrame({"const": 1.0, "year": [1.0, 2, 3, 5, 6, 8]})
    fit = glmm("IRLN", method="EE", exog=exog, x=x, time=time)
    glm = sm.GLM(x, exog, family=sm.families.Poisson(), offset=np.log(time)).fit(tol=1e-12)
    assert list(fit.params.index) == ["const", "year"]
    np.testing.assert_allclose(fit.params, glm.params, rtol=1e-6)
    np.testing.assert_allclose(fit.cov_params(), glm.cov_params(), rtol=1e-5)
    assert fit.llf == pytest.approx(glm.llf)
    assert fit.Q_df == 4


def test_given_the_total_poisson_counts_are_binomial():
    """So both models of rates have the same effect where there is no heterogeneity."""
    one = glmm("IRR", model="UM.FS", method="EE", **RATES)
    other = glmm("IRR", model="CM.EL", method="EE", **RATES)
    np.testing.assert_allclose(one.params, other.params, rtol=1e-7)
    np.testing.assert_allclose(one.bse, other.bse, rtol=1e-6)
    assert one.likelihood_ratio.statistic == pytest.approx(other.likelihood_ratio.statistic)


def test_rare_events_make_the_approximate_model_the_exact_one():
    many = {**TABLES, "b": TABLES["b"] * 10_000, "d": TABLES["d"] * 10_000}
    exact, near = (glmm("OR", model=model, **many) for model in ("CM.EL", "CM.AL"))
    np.testing.assert_allclose(exact.params, near.params, rtol=1e-3)
    np.testing.assert_allclose(exact.bse, near.bse, rtol=1e-3)


def test_large_counts_are_the_normal_model():
    from evidence.synthesis.meta import meta

    rng = np.random.default_rng(2)
    n = rng.integers(20_000, 90_000, 14)
    x = rng.binomial(n, 1 / (1 + np.exp(0.4 - rng.normal(0, 0.5, 14))))
    fit = glmm("PLO", x=x, n=n)
    normal = meta(np.log(x / (n - x)), 1 / x + 1 / (n - x), method="ML", test="z")
    assert fit.params.iloc[0] == pytest.approx(normal.beta[0], abs=1e-4)
    assert fit.tau2 == pytest.approx(normal.tau2, rel=1e-3)
    assert fit.tau2_se == pytest.approx(normal.tau2_se, rel=1e-2)
    assert fit.wald.statistic == pytest.approx(normal.Q, rel=1e-2)
    np.testing.assert_allclose(fit.I2, normal.I2, rtol=1e-3)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("points", [1, 7])
def test_the_estimate_is_the_top_of_the_likelihood(model, points):
    """Moving any parameter lowers it: the gradient is zero, also of the studies' baselines."""
    from evidence.synthesis.glmm.fit import fit_case
    from evidence.synthesis.glmm.models import case

    spread = {**TABLES, "a": np.array([2, 1, 25, 1, 8, 9, 3, 4, 1, 26])}
    x = {name: values.astype(float) for name, values in spread.items()}
    setting = case("OR", model, x, points=points, coding=0.5, correlated=False)
    fit = fit_case(setting, np.ones((10, 1)))
    assert fit.tau2 > 0.1
    like = setting.likelihood
    seen = []
    original = like.given_modes
    like.given_modes = lambda inputs: seen.append(inputs) or original(inputs)
    fit_case(setting, np.ones((10, 1)))
    best = seen[0]
    top = like(best[None]).sum()
    assert top == pytest.approx(fit.llf)
    free = [0, 1] if model.startswith("UM") else [0]
    for place in [*free, *range(2, len(best))]:
        for step in (-0.01, 0.01):
            moved = best.copy()
            moved[place] += step
            assert like(moved[None]).sum() < top


def test_studies_that_say_nothing_are_left_out_and_told_of():
    fit = glmm("OR", **TABLES)
    assert (fit.k, fit.k_given, fit.Q_df) == (9, 10, 8)
    assert "1 of 10 studies say nothing" in fit.warnings[0]
    kept = glmm("OR", model="UM.RS", drop00=False, **TABLES)
    assert kept.k == 10
    assert kept.llf < glmm("OR", model="UM.RS", **TABLES).llf


def test_heterogeneity_can_lie_in_one_group():
    rows = {**TABLES, "a": np.array([2, 1, 25, 1, 8, 9, 3, 4, 1, 26])}
    heights = {c: glmm("OR", model="UM.RS", coding=c, **rows).llf for c in (0.5, 1, 0)}
    # Group 1 is what was made to vary.
    assert heights[1] > heights[0.5] > heights[0]


def test_a_correlation_raises_the_likelihood_and_is_found():
    rng = np.random.default_rng(11)
    k, n = 80, 400
    base, own = rng.multivariate_normal([0, 0], [[0.5, 0.35], [0.35, 0.4]], k).T
    p1, p2 = (1 / (1 + np.exp(1 - base - sign * (0.5 + own) / 2)) for sign in (1, -1))
    a, c = rng.binomial(n, p1), rng.binomial(n, p2)
    counts = {"a": a, "b": n - a, "c": c, "d": n - c}
    free = glmm("OR", model="UM.RS", correlated=True, **counts)
    tied = glmm("OR", model="UM.RS", **counts)
    assert free.llf > tied.llf + 5
    assert free.n_params == tied.n_params + 1
    assert free.rho == pytest.approx(0.35 / np.sqrt(0.5 * 0.4), abs=0.2)
    assert free.tau2 == pytest.approx(0.4, abs=0.2)
    assert free.sigma2 == pytest.approx(0.5, abs=0.2)
    assert "Correlation of baselines" in free.summary()


@given(seed=st.integers(0, 10**6), model=st.sampled_from(MODELS), rate=st.floats(0.01, 0.6))
@settings(max_examples=40, deadline=None)
def test_any_tables_are_fitted_or_refused_in_words(seed, model, rate):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 12))
    n1, n2 = rng.integers(5, 120, k), rng.integers(5, 120, k)
    logit = np.log(rate / (1 - rate)) + rng.normal(0, 0.6, k)
    a = rng.binomial(n1, 1 / (1 + np.exp(-logit - rng.normal(0.3, 0.8, k))))
    c = rng.binomial(n2, 1 / (1 + np.exp(-logit)))
    try:
        fit = glmm("OR", model=model, a=a, b=n1 - a, c=c, d=n2 - c)
    except ModelError as error:
        assert "cannot tell" in str(error) or "no " in str(error) or "infinite" in str(error)
        return
    assert np.isfinite(fit.params).all()
    assert (fit.bse > 0).all()
    assert fit.tau2 >= 0
    assert fit.likelihood_ratio.statistic >= -1e-6
    assert fit.wald.statistic >= -1e-6
    equal = glmm("OR", model=model, method="EE", a=a, b=n1 - a, c=c, d=n2 - c)
    assert fit.llf >= equal.llf


def test_results_look_like_those_of_other_models():
    fit = glmm("OR", test="t", **TABLES)
    frame = fit.to_frame()
    assert list(frame.columns) == [
        "estimate", "se", "statistic", "pvalue", "ci_lower", "ci_upper"
    ]  # fmt: skip
    assert fit.df_resid == 8
    wider = fit.conf_int(0.01)
    assert (wider["upper"] > fit.conf_int()["upper"]).all()
    row = fit.predict(prob=0.0).iloc[0]
    assert row["pi_lower"] <= row["mean_ci_lower"] < row["mean"] < row["mean_ci_upper"]
    assert 0 < row["prob"] < 0.5
    assert fit.to_dict()["k"] == 9
    for text in (fit.summary(), fit._repr_html_(), repr(fit)):
        assert " nan" not in text.lower()
    assert "log odds ratio" in fit.report()
    assert fit.aic == pytest.approx(2 * 11 - 2 * fit.llf)


def test_a_moderator_explains_the_heterogeneity():
    rng = np.random.default_rng(3)
    dose = np.repeat([0.0, 1.0], 15)
    n = 200
    base = rng.normal(-1, 0.3, 30)
    a = rng.binomial(n, 1 / (1 + np.exp(-base - 1.5 * dose)))
    c = rng.binomial(n, 1 / (1 + np.exp(-base)))
    counts = {"a": a, "b": n - a, "c": c, "d": n - c}
    exog = pd.DataFrame({"const": 1.0, "dose": dose})
    for model in MODELS[:3]:
        with_dose = glmm("OR", model=model, exog=exog, **counts)
        without = glmm("OR", model=model, **counts)
        assert with_dose.tau2 < 0.2 * without.tau2
        assert with_dose.params["dose"] == pytest.approx(1.5, abs=0.25)
        assert with_dose.Q < without.Q
        rows = with_dose.predict([[1, 0], [1, 1]])
        np.testing.assert_allclose(rows["mean"].diff().iloc[1], with_dose.params["dose"])


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"measure": "RR"}, UsageError, "measure is one of"),
        ({"model": "UM"}, UsageError, "model for OR"),
        ({"points": 0}, UsageError, "one point"),
        ({"coding": 2}, UsageError, "coding is"),
        ({"correlated": True}, UsageError, "only UM.RS"),
        ({"method": "REML"}, UsageError, "method is"),
        ({"test": "knha"}, UsageError, "test is"),
        ({"a": [0.5] * 10}, ModelError, "row 0: a is 0.5"),
        ({"a": [0] * 10}, ModelError, "no events in group 1"),
        ({"a": [-1] * 10}, ModelError, "zero or above"),
        ({"exog": np.ones((10, 2))}, ModelError, "depend on each other"),
        ({"exog": np.ones((3, 1))}, UsageError, "one row for each"),
    ],
)
def test_what_is_refused(change, error, words):
    options = {"measure": "OR", **TABLES, **change}
    with pytest.raises(error, match=words):
        glmm(options.pop("measure"), **options)


def test_more_that_is_refused():
    with pytest.raises(UsageError, match="takes x, n"):
        glmm("PLO", x=[1, 2], time=[3, 4])
    with pytest.raises(UsageError, match="cannot be chosen"):
        glmm("PLO", model="UM.FS", x=[1, 2], n=[3, 4])
    with pytest.raises(ModelError, match="5 events among 4"):
        glmm("PLO", x=[5, 1], n=[4, 4])
    with pytest.raises(ModelError, match="everybody"):
        glmm("PLO", x=[4, 3], n=[4, 3])
    with pytest.raises(ModelError, match="person-time is above zero"):
        glmm("IRLN", x=[4, 3], time=[4, 0])
    with pytest.raises(ModelError, match="degrees of freedom"):
        glmm("PLO", x=[4], n=[9])
    single = glmm("PLO", method="EE", x=[4], n=[9])
    assert single.params.iloc[0] == pytest.approx(np.log(4 / 5))


def test_heterogeneity_without_end_is_refused():
    """In each study all events are in one group: no variance is large enough."""
    rows = {"a": [10, 0, 10, 0], "b": [0, 10, 0, 10], "c": [0, 10, 0, 10], "d": [10, 0, 10, 0]}
    for model in MODELS[:3]:
        with pytest.raises(ModelError, match="infinite"):
            glmm("OR", model=model, **rows)
    with pytest.raises(ModelError, match="infinite"):
        glmm("PLO", x=[0, 10, 0, 10], n=[10] * 4)


def test_millions_of_events_are_counts_too():
    x, time = np.array([10**7, 2 * 10**7, 10**6]), np.array([1.0, 2.0, 3.0])
    fit = glmm("IRLN", x=x, time=time)
    logs = np.log(x / time)
    assert fit.params.iloc[0] == pytest.approx(logs.mean(), rel=1e-6)
    assert fit.tau2 == pytest.approx(logs.var(), rel=1e-4)


def test_a_correlation_at_its_bound_is_told_of():
    # The effect grows with the baseline, and chance adds nothing to it.
    steps = np.array([10, 20, 30, 40, 50])
    tied = glmm(
        "OR", model="UM.RS", correlated=True, a=4 * steps, b=1000 - 4 * steps, c=2 * steps + 40,
        d=960 - 2 * steps,
    )  # fmt: skip
    assert tied.rho > 0.999
    assert "at its bound" in tied.warnings[-1]
