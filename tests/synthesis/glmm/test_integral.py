"""Adaptive quadrature against brute force."""

import numpy as np
import pytest
from scipy import integrate, stats

from evidence.synthesis.glmm.families import Binomial, Hypergeometric, Poisson
from evidence.synthesis.glmm.integral import log_integral, nodes

X = np.array([[3.0], [0.0], [40.0]])
FAMILIES = {
    "binomial": Binomial(X, np.array([[10.0], [12.0], [200.0]])),
    "poisson": Poisson(X),
    "hypergeometric": Hypergeometric(
        X[:, 0], np.array([7.0, 12, 160]), np.array([5.0, 2, 60]), np.array([6.0, 11, 150])
    ),
}


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("tau", [0.0, 0.3, 2.0])
def test_many_points_give_the_integral_and_few_nearly(name, tau):
    family, base = FAMILIES[name], np.array([[-0.5], [-1.5], [-0.9]])
    got, modes = log_integral(
        family, base[None], np.full((1, 1, 1), tau), nodes(31, 1), np.zeros((1, 3, 1))
    )
    for i in range(3):

        def height(z, i=i):
            return np.exp(family(base + tau * z)[0][i] - got[0, i]) * stats.norm.pdf(z)

        centre = modes[0, i, 0]
        whole = integrate.quad(height, centre - 9, centre + 9, epsabs=1e-12, limit=200)[0]
        assert whole == pytest.approx(1, abs=1e-5)
    laplace, few = (
        log_integral(
            family, base[None], np.full((1, 1, 1), tau), nodes(points, 1), np.zeros((1, 3, 1))
        )[0]
        for points in (1, 7)
    )
    np.testing.assert_allclose(few, got, atol=0.02)
    assert np.abs(few - got).sum() <= np.abs(laplace - got).sum()


def test_two_random_effects_are_integrated_together():
    family = Binomial(np.array([[3.0, 6.0]]), np.array([[10.0, 9.0]]))
    base, loadings = np.array([[[-0.5, 0.2]]]), np.array([[[0.8, 0.5], [0.8, -0.5]]])
    got = log_integral(family, base, loadings, nodes(25, 2), np.zeros((1, 1, 2)))[0][0, 0]

    z = np.linspace(-8, 8, 321)
    grid = np.stack(np.meshgrid(z, z), axis=-1).reshape(-1, 1, 2)
    eta = base[0] + grid @ loadings[0].T
    mass = np.exp(family(eta)[0][:, 0]) * stats.norm.pdf(grid).prod(axis=(1, 2))
    assert got == pytest.approx(np.log(mass.sum() * (z[1] - z[0]) ** 2), abs=1e-6)


def test_the_weights_are_those_of_a_normal_variable():
    x, logs = nodes(7, 2)
    w = np.exp(logs)
    assert w.sum() == pytest.approx(1)
    np.testing.assert_allclose(x.T @ (w[:, None] * x), np.eye(2), atol=1e-12)
    assert (w @ x[:, 0] ** 4) == pytest.approx(3)


def test_a_far_start_does_not_matter():
    family, base = FAMILIES["poisson"], np.full((1, 3, 1), 1.0)
    near, far = (
        log_integral(family, base, np.ones((1, 1, 1)), nodes(7, 1), np.full((1, 3, 1), z))[0]
        for z in (0.0, 400.0)
    )
    np.testing.assert_allclose(near, far, rtol=1e-12)
