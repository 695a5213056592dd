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


def _dependent(seed, slope):
    """Twenty studies of four effects; effects of a study share half of their sampling error."""
    rng = np.random.default_rng(seed)
    study = np.repeat(np.arange(20), 4)
    se = np.repeat(rng.uniform(0.1, 0.5, 20), 4)
    shared, own = rng.normal(size=20)[study], rng.normal(size=80)
    truth = 0.1 + slope * se + 0.1 * rng.normal(size=20)[study]
    y = truth + se * (np.sqrt(0.6) * shared + np.sqrt(0.4) * own)
    return pd.DataFrame({"y": y, "v": se**2, "study": [f"s{i}" for i in study]})


def test_effects_of_one_study_are_tested_together():
    data = _dependent(1, 2.0)
    found = asymmetry("y", "v", data, cluster="study")
    assert found.n_studies == 20
    assert found.k == 80
    assert 4 <= found.df_resid < 19
    assert found.params["sei"] == pytest.approx(2, abs=3 * found.bse["sei"])
    assert found.pvalue < 0.05
    lower, upper = found.conf_int().loc["sei"]
    assert lower < found.params["sei"] < upper
    assert "80 effects of 20 studies" in found.report()
    assert found.limit()["estimate"] == pytest.approx(found.params["const"])
    # Taken as independent they look more certain than they are.
    assert asymmetry("y", "v", data).bse["sei"] < found.bse["sei"]


def test_few_clusters_give_no_robust_test():
    data = _dependent(2, 0.0).iloc[:16]
    found = asymmetry("y", "v", data, cluster="study")
    assert np.isnan(found.pvalue)
    assert "degrees of freedom" in " ".join(found.notes)


@pytest.mark.slow
def test_the_clustered_test_keeps_its_level():
    tests = [asymmetry("y", "v", _dependent(i, 0), cluster="study").pvalue for i in range(300)]
    assert 0.02 < np.mean(np.array(tests) < 0.05) < 0.09


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
        (lambda: asymmetry([1, 2], [0.1, 0.2], cluster=["a"]), UsageError, "one name"),
        (
            lambda: asymmetry([1, 2], [0.1, 0.2], cluster=["a", "b"], model="lm"),
            UsageError,
            "rma",
        ),
        (lambda: asymmetry([1, 2, 3], [0.1, 0, 0.2]), ModelError, "row 1"),
    ],
)
def test_what_cannot_be_tested_is_refused_in_words(call, error, words):
    with pytest.raises(error, match=words):
        call()
