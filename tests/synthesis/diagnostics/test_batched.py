"""Fits of subsets are the fits one gets one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.synthesis.diagnostics.batched import fit_subsets
from evidence.synthesis.meta import fit_arrays, meta

METHODS = ["EE", "DL", "HE", "HS", "HSk", "SJ", "ML", "REML", "EB", "PM", "PMM"]


def _data(seed, k, p, tau2):
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.01, 0.2, k)
    X = np.column_stack([np.ones(k), *(rng.normal(size=k) for _ in range(p - 1))])
    y = 3 + X.sum(axis=1) + rng.normal(0, np.sqrt(v + tau2))
    subsets = np.zeros((15, k), dtype=bool)
    for row in subsets:
        row[rng.choice(k, rng.integers(p + 1, k + 1), replace=False)] = True
    return y, v, X, subsets


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10**6), p=st.sampled_from([1, 2, 3]),
       tau2=st.sampled_from([0.0, 0.05, 2.0]))  # fmt: skip
@settings(max_examples=8, deadline=None)
def test_each_subset_is_fitted_as_if_alone(method, seed, p, tau2):
    y, v, X, subsets = _data(seed, 9, p, tau2)
    found = fit_subsets(y, v, X, subsets, method=method, test="knha", floor=False)
    for i, inside in enumerate(subsets):
        own = fit_arrays(
            y[inside], v[inside], X[inside], method=method, test="knha", floor=False
        )  # fmt: skip
        assert found.n[i] == inside.sum()
        assert found.tau2[i] == pytest.approx(own.tau2, rel=1e-8, abs=1e-12)
        np.testing.assert_allclose(found.beta[i], own.beta, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(found.cov[i], own.cov, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("method", ["GENQ", "REML"])
def test_weights_of_ones_own_and_a_given_variance(method):
    y, v, X, subsets = _data(3, 9, 2, 0.1)
    weights = np.arange(1.0, 10)
    for tau2 in (None, 0.07):
        found = fit_subsets(y, v, X, subsets, method=method, weights=weights, tau2=tau2)
        for i, inside in enumerate(subsets):
            own = meta(
                y[inside], v[inside], exog=X[inside], method=method, test="z",
                weights=weights[inside], tau2=tau2,
            )  # fmt: skip
            assert found.tau2[i] == pytest.approx(own.tau2, rel=1e-8, abs=1e-12)
            np.testing.assert_allclose(found.beta[i], own.beta, rtol=1e-8)
            np.testing.assert_allclose(found.cov[i], own.cov_params(), rtol=1e-7)
            assert found.Q[i] == pytest.approx(own.Q)
            assert 100 * found.tau2[i] / (found.tau2[i] + found.typical[i]) == pytest.approx(
                own.I2, abs=1e-9
            )


def test_the_higher_of_two_maxima_is_taken():
    # One study far from two very precise ones.
    y, v = np.array([0.0, 0.02, 4.0, 0.1]), np.array([1e-5, 1e-5, 0.5, 0.4])
    subsets = np.array([[1, 1, 1, 1], [1, 1, 1, 0], [0, 1, 1, 1]], dtype=bool)
    found = fit_subsets(y, v, np.ones((4, 1)), subsets)
    for tau2, inside in zip(found.tau2, subsets, strict=True):
        own = meta(y[inside], v[inside], test="z")
        assert tau2 == pytest.approx(own.tau2, rel=1e-8)


def test_what_cannot_be_fitted_is_missing_and_harms_no_other():
    y, v = np.array([0.1, 0.5, 0.3, 0.9]), np.full(4, 0.1)
    X = np.column_stack([np.ones(4), [0.0, 0, 1, 1]])
    subsets = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [1, 0, 1, 0], [1, 1, 1, 1]], dtype=bool)
    found = fit_subsets(y, v, X, subsets)
    assert np.isnan(found.beta[:2]).all()
    assert np.isnan(found.Q[:2]).all()
    assert found.tau2[2] == 0
    assert found.beta[2] == pytest.approx([0.1, 0.2])
    assert found.beta[3] == pytest.approx(meta(y, v, exog=X, test="z").beta)


def test_blocks_of_many_subsets_are_joined_in_order():
    y, v, X, _ = _data(5, 12, 1, 0.1)
    rng = np.random.default_rng(1)
    subsets = rng.random((20_000, 12)) < 0.7
    subsets[:, :2] = True
    found = fit_subsets(y, v, X, subsets, method="DL")
    for i in (0, 7_777, 19_999):
        own = meta(y[subsets[i]], v[subsets[i]], method="DL", test="z")
        assert found.beta[i, 0] == pytest.approx(own.beta[0])
