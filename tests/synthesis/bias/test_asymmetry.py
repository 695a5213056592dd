"""Regression tests of funnel asymmetry."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import ModelError, UsageError
from evidence.synthesis import meta
from evidence.synthesis.bias import asymmetry

many = settings(deadline=None, max_examples=50)
funnels = st.integers(0, 10_000).map(
    lambda seed: (lambda rng: (rng.normal(0.2, 0.3, 12), rng.uniform(0.01, 0.3, 12)))(
        np.random.default_rng(seed)
    )
)


@many
@given(funnels)
def test_eggers_test_is_the_regression_of_z_on_precision(funnel):
    """Its intercept is the slope here: y/s = slope + limit/s (Egger and others 1997)."""
    y, v = funnel
    s = np.sqrt(v)
    X = np.column_stack([np.ones(12), 1 / s])
    b, rss, *_ = np.linalg.lstsq(X, y / s, rcond=None)
    se = np.sqrt(rss[0] / 10 * np.diag(np.linalg.inv(X.T @ X)))
    found = asymmetry(y, v, model="lm")
    assert found.params["sei"] == pytest.approx(b[0], rel=1e-8, abs=1e-10)
    assert found.statistic == pytest.approx(b[0] / se[0], rel=1e-7, abs=1e-9)
    assert found.df_resid == 10
    assert found.limit()["estimate"] == pytest.approx(b[1], rel=1e-8, abs=1e-10)


@many
@given(funnels, st.floats(-5, 5), st.sampled_from(["rma", "lm"]))
def test_a_shift_and_a_turn_of_all_effects_change_no_slope_but_its_sign(funnel, by, model):
    y, v = funnel
    one = asymmetry(y, v, model=model)
    other = asymmetry(by - y, v, model=model)
    assert other.statistic == pytest.approx(-one.statistic, rel=1e-5, abs=1e-7)
    assert other.limit()["estimate"] == pytest.approx(by - one.limit()["estimate"], abs=1e-6)


def test_predictors_of_sample_size_need_them_and_have_a_limit_where_zero_is_infinite():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": rng.normal(size=8), "v": 1 / rng.integers(20, 90, 8)})
    data["n"] = 4 / data["v"]
    with pytest.raises(UsageError, match="ni"):
        asymmetry("g", "v", data, predictor="ninv")
    by_inverse = asymmetry("g", "v", data, predictor="ninv", ni="n")
    # Here the inverse sample size is a quarter of the variance.
    by_variance = asymmetry("g", "v", data, predictor="vi")
    assert by_inverse.statistic == pytest.approx(by_variance.statistic)
    assert by_inverse.limit().to_numpy() == pytest.approx(by_variance.limit().to_numpy())
    assert asymmetry("g", "v", data, predictor="sqrtni", ni="n").limit().isna().all()


def test_moderators_of_a_model_stay_in():
    rng = np.random.default_rng(2)
    x, v = rng.normal(size=20), rng.uniform(0.01, 0.3, 20)
    y = 0.5 * x + np.sqrt(v) * rng.normal(size=20)
    fit = meta(y, v, exog=pd.DataFrame({"const": 1.0, "x": x}), test="z")
    found = asymmetry(fit)
    assert list(found.params.index) == ["const", "sei", "x"]
    direct = meta(y, v, exog=np.column_stack([np.ones(20), x, np.sqrt(v)]), test="z")
    assert found.statistic == pytest.approx(direct.statistic.iloc[2])
    assert found.limit().isna().all()


def test_the_report_says_what_the_test_cannot():
    rng = np.random.default_rng(3)
    found = asymmetry(rng.normal(size=6), rng.uniform(0.01, 0.3, 6))
    assert "does not say why" in found.report()
    assert "fewer than 10" in found.summary()
    assert "<table" in found._repr_html_()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: asymmetry([1, 2, 3], [0.1] * 3), ModelError, "same standard error"),
        (lambda: asymmetry([1, 2, 3], [0.1, 0.2, 0.3], predictor="se"), UsageError, "predictor"),
        (lambda: asymmetry([1, 2, 3], [0.1, 0.2, 0.3], model="glm"), UsageError, "rma or lm"),
        (lambda: asymmetry([1, 2], [0.1, 0.2]), ModelError, "2 effects"),
        (lambda: asymmetry([1, 2, 3]), UsageError, "vi"),
        (lambda: asymmetry([1, 2, 3], [0.1, 0, 0.2]), ModelError, "row 1"),
    ],
)
def test_what_cannot_be_tested_is_refused_in_words(call, error, words):
    with pytest.raises(error, match=words):
        call()
