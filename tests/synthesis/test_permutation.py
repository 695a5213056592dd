"""Permutation tests: against loops over single fits, and what must hold by symmetry."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from evidence.errors import UsageError
from evidence.synthesis.meta import meta
from evidence.synthesis.permutation import permutation_test

RNG = np.random.default_rng(11)


def _regression(k=6, test="knha"):
    X = np.column_stack([np.ones(k), RNG.integers(0, 3, k), RNG.normal(size=k)])
    return meta(RNG.normal(size=k), RNG.uniform(0.05, 0.4, k), exog=X, test=test)


@pytest.mark.parametrize("test", ["z", "knha"])
def test_all_orders_are_those_of_a_loop(test):
    fit = _regression(test=test)
    found = permutation_test(fit, exact=True)
    orders = {
        tuple(map(tuple, fit.exog[list(order)])) for order in itertools.permutations(range(fit.k))
    }
    fits = [meta(fit.yi, fit.vi, exog=np.array(X), test=test) for X in orders]
    statistics = np.array([f.statistic for f in fits])
    hits = np.abs(statistics) >= np.abs(fit.statistic.to_numpy()) - 1e-8
    assert found.n_permutations == len(orders)
    assert_allclose(found.pvalues, hits.mean(axis=0))
    assert found.QM_pvalue == pytest.approx(np.mean([f.QM >= fit.QM - 1e-8 for f in fits]))


def test_equal_rows_are_not_counted_twice():
    X = np.column_stack([np.ones(7), [0, 0, 0, 0, 1, 1, 1]])
    fit = meta(RNG.normal(size=7), RNG.uniform(0.1, 0.2, 7), exog=X)
    assert permutation_test(fit, exact=True).n_permutations == 35


def test_signs_of_effects_that_agree():
    """Only the observed signs and their opposites are as far from zero."""
    fit = meta(np.linspace(0.5, 0.6, 8), np.full(8, 0.01))
    found = permutation_test(fit, exact=True)
    assert found.n_permutations == 256
    assert found.pvalues.iloc[0] == pytest.approx(2 / 256)
    less = permutation_test(fit, exact=True, alternative="less")
    assert less.pvalues.iloc[0] == 1.0


def test_random_orders_come_near_to_all_orders_and_repeat():
    fit = _regression(7)
    every = permutation_test(fit, exact=True)
    some = permutation_test(fit, n=4000, exact=False, seed=5)
    assert_allclose(some.pvalues, every.pvalues, atol=0.04)
    assert some.n_permutations == 4001
    again = permutation_test(fit, n=4000, exact=False, seed=5)
    assert_allclose(some.pvalues, again.pvalues)


def test_what_does_not_go_together_is_said():
    fit, mean = _regression(), meta([0.1, 0.2, 0.3], [0.1, 0.1, 0.2])
    with pytest.raises(UsageError, match="signs are for models without"):
        permutation_test(fit, permute="signs")
    with pytest.raises(UsageError, match="no moderators"):
        permutation_test(mean, permute="rows")
    big = meta(RNG.normal(size=40), RNG.uniform(0.1, 0.2, 40))
    with pytest.raises(UsageError, match="exact=False"):
        permutation_test(big, exact=True)
