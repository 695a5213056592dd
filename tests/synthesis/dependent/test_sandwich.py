"""The sandwich against the formulas written with whole matrices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import ModelError
from evidence.synthesis.dependent.covariance import Covariance, diagonal, pairs_within
from evidence.synthesis.dependent.sandwich import sandwich


def case(seed, sizes, p, own_weights=False):
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    k = len(codes)
    first, second = pairs_within(codes)
    v = rng.uniform(0.5, 2, k)
    values = 0.4 * np.sqrt(v[first] * v[second])
    X = np.column_stack([np.ones(k), rng.normal(size=(k, p - 1))])
    weights = rng.uniform(0.5, 2, k) if own_weights else None
    y = rng.normal(size=k)
    return y, X, codes, Covariance(v, first, second, values), weights


def whole(y, X, codes, covariance, weights, adjust):
    """Coefficients, bread, and the matrix that takes y to each cluster's score."""
    k = len(y)
    Phi = np.diag(covariance.variances)
    Phi[covariance.first, covariance.second] = covariance.values
    Phi[covariance.second, covariance.first] = covariance.values
    W = np.linalg.inv(Phi) if weights is None else np.diag(weights)
    M = np.linalg.inv(X.T @ W @ X)
    R = np.eye(k) - X @ M @ X.T @ W
    spread = R @ Phi @ R.T
    maps = []
    for j in range(codes.max() + 1):
        here = np.flatnonzero(codes == j)
        A = np.eye(len(here))
        if adjust:
            D = np.linalg.cholesky(Phi[np.ix_(here, here)]).T
            values, vectors = np.linalg.eigh(D @ spread[np.ix_(here, here)] @ D.T)
            inverse = np.where(values > 1e-9, np.abs(values) + 1e-300, np.inf) ** -0.5
            A = D.T @ (vectors * inverse @ vectors.T) @ D
        maps.append(X[here].T @ W[np.ix_(here, here)] @ A @ R[here])
    return M @ X.T @ W @ y, M, maps, Phi


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000),
    st.lists(st.integers(1, 5), min_size=4, max_size=8),
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from(["CR0", "CR2"]),
)
def test_sums_over_clusters_are_the_whole_matrices(seed, sizes, p, own_weights, kind):
    y, X, codes, covariance, weights = case(seed, sizes, p, own_weights)
    found = sandwich(y, X, codes, covariance, weights, kind)
    beta, M, maps, Phi = whole(y, X, codes, covariance, weights, kind == "CR2")
    contrasts = np.eye(p)
    scores = np.array([m @ y for m in maps]) @ M
    assert found.beta == pytest.approx(beta, abs=1e-9)
    assert found.covariance(contrasts) == pytest.approx(scores.T @ scores, rel=1e-6, abs=1e-9)
    # Cov(t_is, t_ju) of all pairs of clusters.
    G = np.array([M @ m for m in maps])
    P = np.einsum("isa,ab,jub->ijsu", G, Phi, G)
    spread = np.einsum("ijsu,ijtv->stuv", P, P) + np.einsum("ijsv,ijtu->stuv", P, P)
    mean, covariances = found.moments(contrasts)
    assert mean == pytest.approx(np.einsum("iisu->su", P), rel=1e-6, abs=1e-9)
    assert covariances == pytest.approx(spread, rel=1e-6, abs=1e-9)
    single = np.arange(p)
    df = 2 * np.diag(mean) ** 2 / spread[single, single, single, single]
    assert found.satterthwaite(contrasts) == pytest.approx(df, rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_cr2_is_unbiased_if_the_working_model_is_right(seed, own_weights):
    y, X, codes, covariance, weights = case(seed, [1, 2, 2, 3, 3, 4, 5], 2, own_weights)
    found = sandwich(y, X, codes, covariance, weights)
    _, M, _, Phi = whole(y, X, codes, covariance, weights, True)
    W = np.linalg.inv(Phi) if weights is None else np.diag(weights)
    true = M @ X.T @ W @ Phi @ W @ X @ M
    assert found.moments(np.eye(2))[0] == pytest.approx(true, rel=1e-6)


def test_equal_clusters_of_one_are_the_t_test():
    y = np.array([0.1, 0.4, -0.2, 0.9, 0.3])
    found = sandwich(y, np.ones((5, 1)), np.arange(5), diagonal(np.ones(5)))
    assert found.covariance(np.eye(1))[0, 0] == pytest.approx(y.var(ddof=1) / 5)
    assert found.satterthwaite(np.eye(1))[0] == pytest.approx(4)


def test_corrections_multiply():
    y, X, codes, covariance, _ = case(1, [2, 3, 1, 4, 2], 2)
    k, J, p = len(y), 5, 2
    plain = sandwich(y, X, codes, covariance, None, "CR0").covariance(np.eye(p))
    factors = {"CR1": J / (J - 1), "CR1p": J / (J - p),
               "CR1S": J * (k - 1) / ((J - 1) * (k - p))}  # fmt: skip
    for kind, factor in factors.items():
        found = sandwich(y, X, codes, covariance, None, kind)
        assert found.covariance(np.eye(p)) == pytest.approx(factor * plain)


def test_a_cluster_with_a_coefficient_of_its_own_leaves_no_residual():
    # The adjustment matrix of the last cluster is singular: it fits its effect exactly.
    y = np.array([0.1, 0.4, -0.2, 0.9, 0.3])
    alone = np.array([0, 0, 0, 0, 1.0])
    found = sandwich(y, np.column_stack([1 - alone, alone]), np.arange(5), diagonal(np.ones(5)))
    assert found.covariance(np.eye(2)) == pytest.approx(np.diag([y[:4].var(ddof=1) / 4, 0]))
    df = found.satterthwaite(np.eye(2))
    assert df[0] == pytest.approx(3)
    assert np.isnan(df[1])


def test_one_cluster_is_refused():
    with pytest.raises(ModelError, match="at least 2 clusters"):
        sandwich(np.ones(3), np.ones((3, 1)), np.zeros(3, dtype=int), diagonal(np.ones(3)))
