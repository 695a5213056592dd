"""The rank correlation test."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import ModelError, UsageError
from evidence.synthesis import meta
from evidence.synthesis.bias import rank_correlation


def _concordance(a, b):
    return sum(
        np.sign((a[i] - a[j]) * (b[i] - b[j])) for i in range(len(a)) for j in range(i)
    )  # fmt: skip


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_the_exact_p_value_counts_permutations(seed):
    rng = np.random.default_rng(seed)
    y, v = rng.normal(size=6), rng.uniform(0.1, 1, 6)
    found = rank_correlation(y, v)
    assert found.exact
    all_of_them = [_concordance(order, range(6)) for order in permutations(range(6))]
    size = abs(round(found.tau * 15))
    share = np.mean(np.abs(all_of_them) >= size)
    assert found.pvalue == pytest.approx(share)


def test_ties_give_the_normal_approximation():
    y, v = [0.1, 0.5, 0.3, 0.8, 0.2], [0.1, 0.2, 0.2, 0.4, 0.5]
    assert not rank_correlation(y, v).exact
    with pytest.raises(UsageError, match="ties"):
        rank_correlation(y, v, exact=True)


def test_effects_that_grow_with_their_variance_correlate_fully():
    v = np.linspace(0.01, 0.5, 15)
    found = rank_correlation(meta(3 * v, v, method="DL"))
    assert found.tau == pytest.approx(1)
    assert found.pvalue < 1e-10
    assert "p < 0.001" in found.report()
    assert not found.notes


def test_equal_variances_have_no_ranks():
    with pytest.raises(ModelError, match="different variances"):
        rank_correlation([1.0, 2, 3], [0.1] * 3)
