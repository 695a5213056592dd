"""Baujat's coordinates."""

import numpy as np
import pytest

from evidence.synthesis.diagnostics import baujat
from evidence.synthesis.meta import meta

Y = np.array([0.1, 0.9, -0.4, 0.6, 1.5])
V = np.array([0.01, 0.1, 0.05, 0.2, 0.02])


def test_parts_of_q_sum_to_q():
    fit = meta(Y, V, method="EE", test="z")
    assert baujat(fit)["heterogeneity"].sum() == pytest.approx(fit.Q)


@pytest.mark.parametrize("method", ["EE", "DL", "REML"])
def test_influence_is_the_change_in_the_variance_of_the_fit_without(method):
    fit = meta(Y, V, method=method, test="z")
    table = baujat(fit)
    for i in range(5):
        rest = np.arange(5) != i
        own = meta(Y[rest], V[rest], method=method, test="z")
        change = (fit.beta[0] - own.beta[0]) / own.bse.iloc[0]
        assert table["influence"][i] == pytest.approx(change**2, rel=1e-6)


def test_moderators_and_a_given_variance():
    X = np.column_stack([np.ones(5), [1.0, 2, 4, 5, 7]])
    fit = meta(Y, V, exog=X, tau2=0.1, test="z")
    own = meta(Y[1:], V[1:], exog=X[1:], tau2=0.1, test="z").predict(X[:1]).iloc[0]
    change = (fit.fittedvalues[0] - own["mean"]) / own["mean_se"]
    assert baujat(fit)["influence"][0] == pytest.approx(change**2)
