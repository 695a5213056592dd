"""Distributions of counts against SciPy, and their derivatives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evidence.synthesis.glmm.families import Binomial, Hypergeometric, Poisson

A, B, C, D = (np.array(x, dtype=float) for x in ([3, 0, 9], [7, 12, 1], [5, 2, 4], [6, 11, 3]))
ETA = np.array([[-0.7, 0.4], [-3.0, 0.1], [1.2, -0.5]])


def _families():
    cells = np.column_stack([A, C])
    return {
        "binomial": (Binomial(cells, cells + np.column_stack([B, D])), ETA),
        "poisson": (Poisson(cells), ETA),
        "hypergeometric": (Hypergeometric(A, B, C, D), ETA[:, :1]),
    }


def test_heights_are_those_of_scipy():
    p = 1 / (1 + np.exp(-ETA))
    cells, totals = np.column_stack([A, C]), np.column_stack([A + B, C + D])
    families = _families()
    np.testing.assert_allclose(
        families["binomial"][0](ETA)[0], stats.binom.logpmf(cells, totals, p).sum(axis=1)
    )
    np.testing.assert_allclose(
        families["poisson"][0](ETA)[0], stats.poisson.logpmf(cells, np.exp(ETA)).sum(axis=1)
    )
    want = [
        stats.nchypergeom_fisher.logpmf(a, a + b + c + d, a + c, a + b, np.exp(eta))
        for a, b, c, d, eta in zip(A, B, C, D, ETA[:, 0], strict=True)
    ]
    np.testing.assert_allclose(families["hypergeometric"][0](ETA[:, :1])[0], want, rtol=1e-8)


@pytest.mark.parametrize("name", ["binomial", "poisson", "hypergeometric"])
def test_derivatives_are_those_of_the_heights(name):
    family, eta = _families()[name]
    _, score, weight = family(eta)
    for j in range(eta.shape[1]):
        h = np.zeros_like(eta)
        h[:, j] = 1e-4
        (up, s_up, _), (down, s_down, _) = family(eta + h), family(eta - h)
        np.testing.assert_allclose((up - down) / 2e-4, score[:, j], rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose((s_down - s_up)[:, j] / 2e-4, weight[:, j], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["binomial", "poisson", "hypergeometric"])
@given(shift=st.floats(-6, 6))
@settings(max_examples=20, deadline=None)
def test_nothing_is_higher_than_the_saturated_height(name, shift):
    family, eta = _families()[name]
    assert (family(eta + shift)[0] <= family.saturated + 1e-9).all()


@given(a=st.integers(0, 30), b=st.integers(0, 30), c=st.integers(0, 30), d=st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_conditional_estimates_make_the_mean_the_count(a, b, c, d):
    table = Hypergeometric(*(np.array([float(x)]) for x in (a, b, c, d)))
    own, information = table.conditional
    if max(0, a + c - (c + d)) < a < min(a + b, a + c):
        _, score, weight = table(own[:, None])
        assert score[0, 0] == pytest.approx(0, abs=1e-9)
        assert information[0] == pytest.approx(weight[0, 0])
    else:
        assert not np.isfinite(own[0])
        assert information[0] == 0


def test_far_out_nothing_overflows():
    for family, eta in _families().values():
        if not isinstance(family, Poisson):
            assert np.isfinite(family(eta + 500)[0]).all()
        assert np.isfinite(family(eta - 500)[0]).all()
