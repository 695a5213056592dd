"""Nested models and correlated moderators."""

import numpy as np
import pytest

from evidence.errors import UsageError
from evidence.synthesis.comparison import (
    generalised_variance_inflation,
    likelihood_ratio,
    variance_inflation,
)
from evidence.synthesis.meta import meta

RNG = np.random.default_rng(5)
K = 30
V = RNG.uniform(0.02, 0.2, K)
X = np.column_stack([np.ones(K), RNG.normal(size=(K, 3))])
Y = X @ [0.2, 0.5, 0.0, 0.0] + RNG.normal(0, np.sqrt(V + 0.05))


def _fit(columns, method="ML"):
    return meta(Y, V, exog=X[:, columns], method=method, test="z")


def test_tests_of_common_effect_models_are_differences_of_q():
    full, reduced = _fit([0, 1, 2], "EE"), _fit([0], "EE")
    test = likelihood_ratio(full, reduced)
    assert test.statistic == pytest.approx(reduced.Q - full.Q)
    assert test.statistic == pytest.approx(full.QM)
    assert test.df == 2


def test_a_basis_changed_is_the_same_model():
    other = meta(Y, V, exog=X[:, [0, 1]] @ [[1.0, 2.0], [0.0, 3.0]], method="ML", test="z")
    one = likelihood_ratio(_fit([0, 1, 2]), _fit([0, 1]))
    assert likelihood_ratio(_fit([0, 1, 2]), other).pvalue == pytest.approx(one.pvalue)


@pytest.mark.parametrize(
    ("full", "reduced", "words"),
    [
        (_fit([0, 1], "REML"), _fit([0], "REML"), "method='ML'"),
        (_fit([0, 1]), _fit([0, 1]), "no others"),
        (_fit([0, 1, 3]), _fit([0, 2]), "no others"),
        (_fit([0, 1]), meta(Y + 1, V, method="ML"), "same effects"),
    ],
)
def test_models_that_cannot_be_compared(full, reduced, words):
    with pytest.raises(UsageError, match=words):
        likelihood_ratio(full, reduced)


def test_inflation_is_one_over_what_the_other_moderators_leave():
    """With equal variances it is that of the ordinary regression of one moderator on the others."""
    fit = meta(Y, np.full(K, 0.1), exog=X, method="EE", test="z")
    found = variance_inflation(fit)
    for i in (1, 2, 3):
        others = X[:, [j for j in range(4) if j != i]]
        left = X[:, i] - others @ np.linalg.lstsq(others, X[:, i], rcond=None)[0]
        total = np.sum((X[:, i] - X[:, i].mean()) ** 2)
        assert found[i - 1] == pytest.approx(total / (left @ left))
        assert generalised_variance_inflation(fit, [i]) == pytest.approx(found[i - 1])
    assert generalised_variance_inflation(fit, [1, 2, 3]) == pytest.approx(1)
    with pytest.raises(UsageError, match="not of the intercept"):
        generalised_variance_inflation(fit, [0, 1])
    with pytest.raises(UsageError, match="no moderators"):
        variance_inflation(meta(Y, V))
