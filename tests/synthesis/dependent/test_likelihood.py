import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.synthesis.dependent import compound_symmetric, diagonal, random_intercepts
from evidence.synthesis.dependent.covariance import group_codes
from evidence.synthesis.dependent.likelihood import Model, Term, maximise
from evidence.synthesis.dependent.structures import structure


def model(seed, struct=None, restricted=True, rho=0.4):
    """A small literature with studies, effects and countries that cross them."""
    rng = np.random.default_rng(seed)
    k = 24
    study, country = rng.integers(0, 8, k), rng.integers(0, 3, k)
    v = rng.uniform(0.02, 0.2, k)
    y = rng.normal(0, 0.4, 8)[study] + rng.normal(0, 0.3, k) + rng.normal(0, np.sqrt(v))
    X = np.column_stack([np.ones(k), rng.normal(size=k)])
    V = compound_symmetric(v, study, rho) if rho else diagonal(v)
    if struct:
        outcome = np.resize([0, 1, 2], k)
        codes, levels = group_codes(outcome)
        term = Term("study", group_codes(study)[0], codes, structure(struct, levels))
        return Model(y, X, V, [term, *random_intercepts(np.arange(k))], restricted=restricted)
    return Model(y, X, V, random_intercepts(study, np.arange(k), country), restricted=restricted)


def dense(fit, theta):
    """The same likelihood with whole matrices."""
    k, p = fit.X.shape
    M = np.diag(fit.V.variances)
    M[fit.V.first, fit.V.second] = M[fit.V.second, fit.V.first] = fit.V.values
    for term, (kind, part) in zip(fit.terms, fit.parts(theta), strict=True):
        G = kind.matrix(part)
        M += G[np.ix_(term.inner, term.inner)] * (term.group[:, None] == term.group)
    W = np.linalg.inv(M)
    C = np.linalg.inv(fit.X.T @ W @ fit.X)
    P = W - W @ fit.X @ C @ fit.X.T @ W
    value = -0.5 * (np.linalg.slogdet(M)[1] + fit.y @ P @ fit.y)
    if not fit.restricted:
        return value - 0.5 * k * math.log(2 * math.pi), M, W, C, P
    value -= 0.5 * ((k - p) * math.log(2 * math.pi) - np.linalg.slogdet(C)[1])
    return value + 0.5 * np.linalg.slogdet(fit.X.T @ fit.X)[1], M, W, C, P


@pytest.mark.parametrize("struct", [None, "CS", "UN"])
@pytest.mark.parametrize("restricted", [True, False])
@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_blocks_give_what_whole_matrices_give(seed, struct, restricted):
    fit = model(seed, struct, restricted)
    theta = fit.starts()[-1] + 0.01
    state = fit.at(theta)
    llf, M, W, C, P = dense(fit, theta)
    assert state.llf == pytest.approx(llf, rel=1e-10)
    np.testing.assert_allclose(state.cov, C, rtol=1e-9)
    np.testing.assert_allclose(state.py, P @ fit.y, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(state.weight_sums(), W.sum(axis=1), rtol=1e-8, atol=1e-10)
    hat = fit.X @ C @ fit.X.T @ W
    np.testing.assert_allclose(state.hat(), np.diag(hat), rtol=1e-8, atol=1e-12)
    assert state.trace_p() == pytest.approx(np.trace(P))
    rows = np.arange(len(fit.y))
    np.testing.assert_allclose(state.marginal().submatrix(rows), M, rtol=1e-12, atol=1e-15)
    term, (kind, part) = fit.terms[0], fit.parts(theta)[0]
    G = kind.matrix(part)[np.ix_(term.inner, term.inner)]
    T = G * (term.group[:, None] == term.group)
    mean, variance = state.random_effects(0)
    np.testing.assert_allclose(mean, T @ P @ fit.y, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(variance, np.diag(T - T @ P @ T), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("struct", [None, "DIAG", "CS", "HCS", "UN", "AR"])
@pytest.mark.parametrize("restricted", [True, False])
def test_score_and_information_are_derivatives_of_the_likelihood(struct, restricted):
    fit = model(3, struct, restricted)
    theta = fit.starts()[0] + 0.02
    score, observed, expected = fit.at(theta).derivatives
    step = 1e-5
    shifts = step * np.eye(len(theta))
    numeric = [(fit.at(theta + h).llf - fit.at(theta - h).llf) / (2 * step) for h in shifts]
    np.testing.assert_allclose(score, numeric, rtol=1e-5, atol=1e-5)
    bent = [(fit.at(theta - h).derivatives[0] - fit.at(theta + h).derivatives[0]) / (2 * step)
            for h in shifts]  # fmt: skip
    np.testing.assert_allclose(observed, bent, rtol=1e-4, atol=1e-3)
    if all(term.structure.entries is None for term in fit.terms):
        assert np.linalg.eigvalsh(expected)[0] > 0


@pytest.mark.parametrize("struct", [None, "DIAG", "CS", "HCS", "UN", "AR", "ID"])
@given(seed=st.integers(0, 10_000))
# The same literatures each time: no search can promise the highest of several maxima in all.
@settings(max_examples=8, deadline=None, derandomize=True)
def test_no_point_nearby_is_higher_than_the_maximum(seed, struct):
    fit = model(seed, struct)
    best = maximise(fit)
    rng = np.random.default_rng(seed)
    for _ in range(40):
        move = rng.normal(size=len(best.theta)) * rng.choice([1e-3, 0.03, 0.3])
        theta = np.clip(best.theta + move, fit.lower, fit.upper)
        assert fit.at(theta).llf <= best.llf + 1e-9


def test_an_old_search_from_elsewhere_ends_at_the_same_place():
    from scipy.optimize import minimize

    fit = model(11)
    best = maximise(fit)
    other = minimize(
        lambda t: -fit.at(t).llf, [0.5, 0.5, 0.5], bounds=[(0, None)] * 3, method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-10},
    )  # fmt: skip
    np.testing.assert_allclose(best.theta, other.x, atol=1e-4)


def test_a_parameter_that_is_held_stays():
    fit = model(11)
    held = maximise(fit, [np.array([0.3, 0.1, 0.1])], np.array([True, False, False]))
    assert held.theta[0] == 0.3
    assert held.llf < maximise(fit).llf


def test_effects_that_share_any_group_lie_in_one_cluster():
    y, v = np.zeros(6), np.ones(6)
    terms = random_intercepts(list("aabbcd"), [1, 2, 2, 3, 4, 5])
    fit = Model(y, np.ones((6, 1)), diagonal(v), terms, restricted=True)
    assert pd.Series(fit.clusters).nunique() == 3
    assert len(set(fit.clusters[:4])) == 1
