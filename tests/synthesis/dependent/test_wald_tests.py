import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evidence.errors import UsageError
from evidence.synthesis.dependent.covariance import compound_symmetric
from evidence.synthesis.dependent.sandwich import sandwich
from evidence.synthesis.dependent.wald_tests import TESTS, wald


def made(seed, clusters=12, p=3):
    rng = np.random.default_rng(seed)
    codes = np.sort(np.concatenate([np.arange(clusters), rng.integers(0, clusters, 20)]))
    X = np.column_stack([np.ones(len(codes)), rng.normal(size=(len(codes), p - 1))])
    v = rng.uniform(0.5, 2, len(codes))
    return sandwich(rng.normal(size=len(codes)), X, codes, compound_symmetric(v, codes, 0.5))


@pytest.mark.parametrize("test", ["HTZ", "HTA", "HTB", "EDF"])
def test_of_one_coefficient_is_the_t_test(test):
    found = made(3)
    contrast = np.array([[0, 1.0, 0]])
    joint = wald(found, contrast, test)
    t = found.beta[1] / math.sqrt(found.covariance(contrast)[0, 0])
    df = found.satterthwaite(contrast)[0]
    assert joint.statistic == pytest.approx(t**2)
    assert joint.df == pytest.approx((1, df))
    assert joint.pvalue == pytest.approx(2 * stats.t.sf(abs(t), df))


def test_t_made_normal_has_the_p_value_of_t():
    found = made(3)
    contrast = np.array([[0, 1.0, 0]])
    exact = wald(found, contrast, "HTZ").pvalue
    assert wald(found, contrast, "EDT").pvalue == pytest.approx(exact, rel=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(sorted(set(TESTS) - {"HTB"})))
def test_depends_on_the_hypothesis_alone_and_not_on_how_it_is_written(seed, test):
    found = made(seed)
    contrasts = np.eye(3)[1:]
    mixed = np.array([[2.0, 1.0], [-1.0, 3.0]]) @ contrasts
    one, other = wald(found, contrasts, test), wald(found, mixed, test)
    assert one.statistic == pytest.approx(other.statistic, nan_ok=True)
    assert one.df == pytest.approx(other.df, nan_ok=True)


def test_many_clusters_leave_all_tests_alike():
    found = made(5, clusters=3000)
    p = [wald(found, np.eye(3)[1:], test).pvalue for test in TESTS]
    assert p == pytest.approx([p[0]] * len(p), rel=0.02)


def test_too_few_clusters_for_a_joint_test_give_no_number():
    found = made(5, clusters=3)
    joint = wald(found, np.eye(3))
    assert math.isnan(joint.statistic)
    assert math.isnan(joint.pvalue)


def test_small_samples_are_less_certain_than_large_ones():
    # The naive tests are the liberal ones; see the slow simulation of the size of CR2.
    found = made(9)
    p = {test: wald(found, np.eye(3)[1:], test).pvalue for test in TESTS}
    assert p["chi-sq"] < p["Naive-F"] < p["HTZ"] < p["HTA"]


def test_unknown_test_is_named():
    with pytest.raises(UsageError, match="HTX"):
        wald(made(1), np.eye(3), "HTX")
