"""What few trials may say, by their number."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import UsageError
from evidence.synthesis.ladder import PRIOR_SCALES, climb, prior_scale
from evidence.synthesis.meta import meta
from evidence.synthesis.normal_normal import normal_normal
from evidence.synthesis.priors import HalfNormal

trials = st.lists(st.tuples(st.floats(-1, 1), st.floats(0.005, 0.5)), max_size=9)


@settings(deadline=None, max_examples=60)
@given(trials)
def test_the_form_follows_the_number_and_nothing_else(rows):
    rung = climb([y for y, _ in rows], [v for _, v in rows], "g")
    wanted = {0: "none", 1: "single", 2: "side-by-side", 3: "bayes", 4: "bayes"}
    assert rung.form == wanted.get(len(rows), "reml")
    assert rung.k == len(rows)
    pooled = rung.form in ("bayes", "reml")
    assert math.isfinite(rung.estimate) == (pooled or rung.form == "single")
    assert math.isfinite(rung.pi_lower) == (rung.form == "reml")
    assert math.isfinite(rung.p_benefit) == (rung.form == "bayes")
    if math.isfinite(rung.estimate):
        assert rung.ci_lower <= rung.estimate <= rung.ci_upper
    if pooled:
        assert sum(rung.weights) == pytest.approx(1)
        assert rung.tau2 >= 0


def test_each_rung_is_the_model_it_says():
    y, v = np.array([0.3, 0.1, 0.5, 0.2, 0.0]), np.array([0.02, 0.05, 0.04, 0.01, 0.09])
    few, scale = climb(y[:3], v[:3], "log_or"), PRIOR_SCALES["log_or"]
    fit = normal_normal(y[:3], v[:3], tau_prior=HalfNormal(scale))
    assert (few.estimate, few.ci_lower) == (fit.mean, fit.quantile(0.025))
    assert few.p_benefit + few.p_harm == pytest.approx(1)
    many = climb(y, v, "log_or")
    reml = meta(y, v)
    assert many.estimate == reml.params["const"]
    assert many.ci_upper == reml.conf_int().loc["const", "upper"]
    assert many.warnings == reml.warnings


def test_mean_differences_need_the_instrument():
    y, v = [1.0, 2.0, 3.0], [1.0, 1.0, 1.0]
    without = climb(y, v, "md")
    assert without.form == "side-by-side"
    assert "standard deviation is not known" in without.warnings[0]
    scaled = climb(y, v, "md", sd=6.0)
    standard = climb(np.array(y) / 6, np.array(v) / 36, "g")
    assert scaled.estimate == pytest.approx(6 * standard.estimate)
    assert scaled.ci_lower == pytest.approx(6 * standard.ci_lower)


def test_an_unknown_metric():
    with pytest.raises(UsageError, match="no metric 'z'"):
        prior_scale("z")
