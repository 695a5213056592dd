"""Univariate models: identities that hold for any data, closed forms, and data that cannot do."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import minimize_scalar

from evidence.errors import ModelError, UsageError
from evidence.synthesis.heterogeneity import q_profile
from evidence.synthesis.least_squares import LeastSquares
from evidence.synthesis.meta import fit_arrays, meta
from evidence.synthesis.results import METHODS
from evidence.synthesis.tau2 import ESTIMATORS
from evidence.synthesis.tau2.likelihood import log_likelihood, score

RANDOM = [name for name in METHODS if name not in ("EE", "GENQ")]


def _arrays(rows):
    return tuple(np.array(column) for column in zip(*rows, strict=True))


# Effects on a grid of thousandths: none of them is a subnormal number that no trial reports.
effects = st.lists(
    st.tuples(
        st.integers(-2000, 2000).map(lambda i: i / 1000),
        st.integers(1, 1000).map(lambda i: i / 1000),
    ),
    min_size=3,
    max_size=12,
).map(_arrays)
many = settings(deadline=None, max_examples=60)


def _ones(y):
    return np.ones((len(y), 1))


@pytest.mark.parametrize("method", ["EE", *RANDOM])
@many
@given(rows=effects, shift=st.floats(-50, 50), unit=st.floats(1e-3, 1e3))
def test_a_change_of_origin_and_unit_changes_nothing_else(method, rows, shift, unit):
    y, v = rows
    one = meta(y, v, method=method)
    other = meta(shift + unit * y, unit**2 * v, method=method)
    far = 1e-9 * (abs(shift) + unit)
    # Near zero a tau2 moves with the square root of the rounding of its score.
    assert other.tau2 == pytest.approx(unit**2 * one.tau2, rel=1e-5, abs=1e-6 * unit**2)
    assert other.beta[0] == pytest.approx(
        shift + unit * one.beta[0], rel=1e-6, abs=far + 1e-5 * unit
    )
    assert other.bse.iloc[0] == pytest.approx(unit * one.bse.iloc[0], rel=1e-4, abs=far)
    assert_allclose(other.I2, one.I2, atol=1e-2)


@pytest.mark.parametrize("method", ["EE", *RANDOM])
@many
@given(rows=effects, data=st.data())
def test_the_order_of_studies_does_not_matter(method, rows, data):
    y, v = rows
    order = np.array(data.draw(st.permutations(range(len(y)))))
    one, other = meta(y, v, method=method), meta(y[order], v[order], method=method)
    assert other.tau2 == pytest.approx(one.tau2, rel=1e-7, abs=1e-8)
    assert other.beta[0] == pytest.approx(one.beta[0], rel=1e-6, abs=1e-8)
    assert_allclose(other.weights, one.weights[order], rtol=1e-6)


@many
@given(effects)
def test_the_restricted_likelihood_is_at_its_top(rows):
    y, v = rows
    fit = meta(y, v)
    X = _ones(y)
    if fit.tau2 > 0:
        information = 1 / fit.tau2_se**2
        assert abs(score(y, v, X, fit.tau2, restricted=True)) < 1e-6 * math.sqrt(information)
    else:
        assert score(y, v, X, 0.0, restricted=True) <= 1e-9
    # Nowhere on a grid is it higher.
    for t in np.geomspace(1e-4, 10, 40):
        assert log_likelihood(y, v, X, t, restricted=True) <= fit.llf + 1e-9


def test_the_higher_of_two_maxima_is_taken():
    """Four precise studies agree and one does not: the likelihood has two maxima."""
    y = np.array([0.0, 0.0, 0.0, 0.0, -0.057, 0.686])
    v = np.array([0.001, 0.001, 0.001, 0.243, 0.001, 0.031])
    X = _ones(y)
    slopes = [score(y, v, X, t, restricted=True) for t in np.geomspace(1e-6, 1, 400)]
    assert (np.diff(np.sign(slopes)) != 0).sum() > 1
    fit = meta(y, v)
    heights = [log_likelihood(y, v, X, t, restricted=True) for t in np.linspace(0, 1, 5000)]
    assert fit.llf >= max(heights) - 1e-9


@pytest.mark.parametrize("restricted", [True, False])
def test_against_a_general_optimiser_and_dense_matrices(restricted):
    rng = np.random.default_rng(7)
    k = 12
    X = np.column_stack([np.ones(k), rng.normal(size=k)])
    v = rng.uniform(0.02, 0.3, k)
    y = X @ [0.2, 0.4] + rng.normal(0, np.sqrt(v + 0.6))

    def minus(t):
        S = np.diag(v + t)
        inverse = np.linalg.inv(S)
        information = X.T @ inverse @ X
        b = np.linalg.solve(information, X.T @ inverse @ y)
        value = np.linalg.slogdet(S)[1] + (y - X @ b) @ inverse @ (y - X @ b)
        return value + (np.linalg.slogdet(information)[1] if restricted else 0)

    best = minimize_scalar(minus, bounds=(0, 3), method="bounded", options={"xatol": 1e-10})
    fit = meta(y, v, exog=X, method="REML" if restricted else "ML")
    assert best.x > 0.1
    assert fit.tau2 == pytest.approx(best.x, rel=1e-5)


@many
@given(effects)
def test_dersimonian_and_laird_in_closed_form(rows):
    y, v = rows
    w = 1 / v
    mean = (w @ y) / w.sum()
    Q = w @ (y - mean) ** 2
    expected = max(0.0, (Q - (len(y) - 1)) / (w.sum() - (w @ w) / w.sum()))
    assert meta(y, v, method="DL").tau2 == pytest.approx(expected, rel=1e-8, abs=1e-10)


@many
@given(effects)
def test_traces_without_large_matrices_are_those_of_large_matrices(rows):
    y, v = rows
    X = np.column_stack([np.ones(len(y)), np.arange(len(y), dtype=float)])
    w, d = 1 / v, v + 0.3
    fit = LeastSquares(y, w, X)
    W, D = np.diag(w), np.diag(d)
    P = W - W @ X @ np.linalg.solve(X.T @ W @ X, X.T @ W)
    size = w.sum()
    assert fit.trace_p == pytest.approx(np.trace(P), rel=1e-8, abs=1e-9 * size)
    assert fit.trace_pp == pytest.approx(np.trace(P @ P), rel=1e-8, abs=1e-9 * size**2)
    assert fit.trace_pd(d) == pytest.approx(np.trace(P @ D), rel=1e-8, abs=1e-9 * size)
    assert fit.quadratic_sd(d) ** 2 == pytest.approx(
        2 * np.trace(P @ D @ P @ D), rel=1e-7, abs=1e-9 * size**2
    )
    assert fit.ypppy == pytest.approx(y @ P @ P @ P @ y, rel=1e-6, abs=1e-9 * size**3)


@many
@given(effects)
def test_knapp_hartung_with_the_floor_is_never_narrower_than_the_normal(rows):
    y, v = rows
    normal, floored = meta(y, v, test="z"), meta(y, v)
    bare = meta(y, v, test="knha", floor=False)
    assert floored.bse.iloc[0] >= normal.bse.iloc[0] * (1 - 1e-12)
    assert floored.bse.iloc[0] >= bare.bse.iloc[0] * (1 - 1e-12)
    said = any("Knapp-Hartung factor" in text for text in floored.warnings)
    assert said == (bare.bse.iloc[0] < normal.bse.iloc[0] * (1 - 1e-10))


@many
@given(effects, st.floats(0.01, 0.3))
def test_the_q_profile_interval_holds_the_paule_mandel_estimate(rows, alpha):
    y, v = rows
    interval = q_profile(y, v, _ones(y), alpha)
    assert interval.lower <= interval.upper
    estimate = ESTIMATORS["PM"](y, v, _ones(y)).value
    slack = 1e-9 * (1 + estimate)
    # The mean of a chi-square lies within its central 70 per cent for any degrees of freedom.
    assert interval.lower - slack <= estimate
    assert interval.empty or estimate <= interval.upper + slack


@many
@given(effects)
def test_paule_mandel_makes_q_its_degrees_of_freedom(rows):
    y, v = rows
    tau2 = meta(y, v, method="PM").tau2
    statistic = LeastSquares(y, 1 / (v + tau2), _ones(y)).ypy
    if tau2 > 0:
        assert statistic == pytest.approx(len(y) - 1, rel=1e-9)
    else:
        assert statistic <= len(y) - 1 + 1e-9


@pytest.mark.parametrize("method", RANDOM)
def test_equal_effects_have_no_heterogeneity(method):
    fit = meta([0.3] * 6, [0.01, 0.02, 0.03, 0.04, 0.05, 0.06], method=method, test="z")
    common = meta([0.3] * 6, [0.01, 0.02, 0.03, 0.04, 0.05, 0.06], method="EE", test="z")
    assert fit.tau2 == pytest.approx(0, abs=1e-15)
    assert fit.beta[0] == pytest.approx(0.3)
    assert fit.bse.iloc[0] == pytest.approx(common.bse.iloc[0])


@many
@given(effects)
def test_intervals_and_tests_say_the_same(rows):
    y, v = rows
    fit = meta(y, v)
    p = float(fit.pvalues.iloc[0])
    assume(1e-6 < p < 1 - 1e-6)
    ends = fit.conf_int(alpha=p).iloc[0]
    assert min(abs(ends["lower"]), abs(ends["upper"])) < 1e-6 * (1 + abs(fit.beta[0]))
    row = fit.predict().iloc[0]
    assert row["pi_lower"] <= row["mean_ci_lower"] + 1e-12
    assert row["pi_upper"] >= row["mean_ci_upper"] - 1e-12


@many
@given(effects, st.floats(-1, 1))
def test_the_predictive_probability_matches_the_prediction_interval(rows, value):
    y, v = rows
    fit = meta(y, v)
    low = fit.predict(alpha=0.2)["pi_lower"].iloc[0]
    assert fit.predict(prob=low)["prob"].iloc[0] == pytest.approx(0.9, abs=1e-9)
    above = fit.predict(prob=value)["prob"].iloc[0]
    mirrored = meta(-y, v).predict(prob=-value)["prob"].iloc[0]
    assert above + mirrored == pytest.approx(1, abs=1e-6)


@many
@given(effects)
def test_two_groups_are_a_regression_on_a_dummy(rows):
    """A common-effect regression on a dummy is two separate common-effect analyses."""
    y, v = rows
    assume(len(y) >= 4)
    group = np.arange(len(y)) % 2
    both = meta(y, v, exog=np.column_stack([group == 0, group == 1]), method="EE", test="z")
    for i in (0, 1):
        alone = meta(y[group == i], v[group == i], method="EE", test="z")
        assert both.beta[i] == pytest.approx(alone.beta[0], rel=1e-8, abs=1e-9)
        assert both.bse.iloc[i] == pytest.approx(alone.bse.iloc[0], rel=1e-8)
    # Q of all is Q within the groups and the test between them (Hedges 1982).
    coded = meta(y, v, exog=np.column_stack([np.ones(len(y)), group]), method="EE", test="z")
    total = meta(y, v, method="EE", test="z").Q
    assert_allclose(coded.Q + coded.QM, total, rtol=1e-7, atol=1e-8)


def test_years_as_a_moderator_lose_no_digits():
    rng = np.random.default_rng(3)
    year = np.arange(1990, 2020, dtype=float)
    v = rng.uniform(0.01, 0.1, 30)
    y = 0.02 * (year - 2000) + rng.normal(0, np.sqrt(v + 0.02))
    raw = meta(y, v, exog=np.column_stack([np.ones(30), year]))
    centred = meta(y, v, exog=np.column_stack([np.ones(30), year - 2005]))
    assert raw.tau2 == pytest.approx(centred.tau2, rel=1e-10)
    assert raw.beta[1] == pytest.approx(centred.beta[1], rel=1e-10)
    assert raw.bse.iloc[1] == pytest.approx(centred.bse.iloc[1], rel=1e-10)
    assert raw.llf == pytest.approx(centred.llf, rel=1e-9)


def test_the_numbers_are_those_of_the_labelled_fit():
    y, v = np.array([0.1, 0.5, 0.9, 0.2]), np.array([0.02, 0.03, 0.02, 0.05])
    numbers, fit = fit_arrays(y, v, np.ones((4, 1))), meta(y, v)
    assert numbers.beta[0] == pytest.approx(fit.beta[0])
    assert numbers.cov[0, 0] == pytest.approx(fit.cov_params().iloc[0, 0])
    assert numbers.tau2 == fit.tau2


def test_a_frame_with_columns_and_studies():
    data = pd.DataFrame({"d": [0.1, 0.4, 0.7, 0.2], "v": [0.02] * 4, "trial": ["a", "a", "b", "c"]})
    fit = meta("d", "v", data, cluster="trial")
    assert (fit.k, fit.n_studies) == (4, 3)
    assert any("4 effects come from 3 studies" in text for text in fit.warnings)
    assert "τ²" in fit.summary()
    assert fit.to_dict()["params"]["const"]["estimate"] == pytest.approx(0.35)
    assert "<table" in fit._repr_html_()


def test_missing_numbers_are_left_out_only_when_asked():
    y, v = [0.1, math.nan, 0.4, 0.9], [0.02, 0.02, 0.03, 0.04]
    with pytest.raises(ModelError, match="row 1"):
        meta(y, v)
    fit = meta(y, v, missing="drop")
    assert fit.k == 3
    assert fit.warnings[0] == "left out for missing numbers: row 1"
    assert fit.beta[0] == pytest.approx(meta([0.1, 0.4, 0.9], [0.02, 0.03, 0.04]).beta[0])


@pytest.mark.parametrize(
    ("y", "v", "options", "words"),
    [
        ([], [], {}, "no effects"),
        ([0.2], [0.1], {}, "one effect cannot tell the variance between studies"),
        ([0.2], [0.1], {"method": "EE"}, "no degrees of freedom"),
        ([0.2, 0.1], [0.1, 0], {}, "row 1: the variance is 0"),
        ([0.2, 0.1], [-0.1, 0.1], {}, "row 0: the variance is -0.1"),
        ([0.2, math.inf], [0.1, 0.1], {}, "row 1: the effect is inf"),
        ([0.2, 0.1], [0.1, math.nan], {}, "row 1: the variance is nan"),
        ([0.2, 0.1, 0.3], [0.1] * 3, {"exog": [[1, 2]] * 3}, "x1 is determined by the others"),
        ([0.2, 0.1, 0.3], [0.1] * 3, {"exog": [[1, 0]] * 3}, "x1 is zero throughout"),
        ([0.2, 0.1], [0.1] * 2, {"exog": [[1, 0, 2], [1, 1, 1]]}, "use fewer moderators"),
        ([0.2, 0.1], [0.1] * 2, {"exog": [[1, 0], [1, 1]]}, "2 effects cannot tell 2"),
        ([0.2, 0.1, 0.3], [0.1] * 3, {"exog": [[1, 2], [1, math.nan], [1, 3]]}, "row 1: a mod"),
    ],
)
def test_data_that_cannot_carry_the_model(y, v, options, words):
    with pytest.raises(ModelError, match=words):
        meta(y, v, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "reml"}, "method is one of"),
        ({"test": "adhoc"}, "test is one of"),
        ({"missing": "ignore"}, "missing is one of"),
        ({"method": "GENQ"}, "needs weights"),
        ({"weights": [1, 1, 1]}, "inverse-variance weights"),
        ({"weights": [1, 1], "test": "z"}, "3 effects but 2 weights"),
        ({"tau2": -1}, "zero or above"),
        ({"tau2": 1, "method": "EE"}, "has no tau2"),
        ({"exog": [[1], [1]]}, "3 effects but 2 rows"),
    ],
)
def test_options_that_do_not_exist_or_do_not_go_together(options, words):
    with pytest.raises(UsageError, match=words):
        meta([0.1, 0.2, 0.3], [0.1, 0.1, 0.1], **options)


def test_one_common_effect_is_itself():
    fit = meta([0.4], [0.09], method="EE", test="z")
    assert fit.beta[0] == 0.4
    assert fit.bse.iloc[0] == pytest.approx(0.3)
    assert math.isnan(fit.I2) and math.isnan(fit.H2) and math.isnan(fit.Q_pvalue)
    with pytest.raises(ModelError, match="as many coefficients as effects"):
        fit.heterogeneity()


@pytest.mark.parametrize("method", RANDOM)
@pytest.mark.parametrize("unit", [1e-8, 1e8])
def test_any_scale_converges(method, unit):
    y = np.array([0.1, 0.9, -0.4, 0.6, 1.5]) * unit
    v = np.array([0.01, 0.1, 0.05, 0.2, 0.02]) * unit**2
    one = meta(y / unit, v / unit**2, method=method)
    assert meta(y, v, method=method).tau2 == pytest.approx(unit**2 * one.tau2, rel=1e-9)


def test_a_hundred_thousand_effects():
    rng = np.random.default_rng(11)
    v = rng.uniform(0.01, 0.2, 100_000)
    y = rng.normal(0.3, np.sqrt(v + 0.05))
    fit = meta(y, v)
    assert fit.beta[0] == pytest.approx(0.3, abs=5 * fit.bse.iloc[0])
    assert fit.tau2 == pytest.approx(0.05, abs=5 * fit.tau2_se)


def test_deleted_residuals_are_those_of_the_refitted_model():
    y = np.array([0.1, 0.9, -0.4, 0.6, 1.5])
    v = np.array([0.01, 0.1, 0.05, 0.2, 0.02])
    found = meta(y, v, test="z").residuals("deleted")
    for i in range(5):
        rest = np.arange(5) != i
        other = meta(y[rest], v[rest], test="z")
        assert found["resid"][i] == pytest.approx(y[i] - other.beta[0])
        assert found["se"][i] == pytest.approx(
            math.sqrt(v[i] + other.tau2 + other.bse.iloc[0] ** 2)
        )
