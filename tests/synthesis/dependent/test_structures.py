import numpy as np
import pandas as pd
import pytest

from evidence.errors import UsageError
from evidence.synthesis.dependent.structures import STRUCTURES, structure

LEVELS = pd.Index([0, 3, 12])


@pytest.mark.parametrize("name", STRUCTURES)
def test_derivatives_of_the_entries_are_those_of_finite_differences(name):
    found = structure(name, LEVELS)
    theta = found.start(0.3) + np.linspace(0, 0.1, found.n_parameters)
    step = 1e-6
    numeric = np.array([
        (found.values(theta + h) - found.values(theta - h)) / (2 * step)
        for h in step * np.eye(found.n_parameters)
    ]).T  # fmt: skip
    np.testing.assert_allclose(found.jacobian(theta), numeric, atol=1e-8)
    slope = np.linspace(1, 2, found.n_entries)
    bent = np.array([
        slope @ (found.jacobian(theta + h) - found.jacobian(theta - h)) / (2 * step)
        for h in step * np.eye(found.n_parameters)
    ])  # fmt: skip
    np.testing.assert_allclose(found.curvature(theta, slope), bent, atol=1e-6)


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_start_is_a_covariance_matrix_of_the_variance_asked_for(name):
    found = structure(name, LEVELS)
    G = found.matrix(found.start(0.3))
    np.testing.assert_allclose(np.diag(G), 0.3)
    assert np.linalg.eigvalsh(G)[0] > 0
    np.testing.assert_allclose(found.variances(found.start(0.3)), 0.3)


def test_times_matter_to_one_autoregressive_structure_and_order_to_the_other():
    theta = np.array([2.0, 0.5])
    assert structure("CAR", LEVELS).matrix(theta)[0] == pytest.approx([2, 2 / 8, 2 / 2**12])
    assert structure("AR", LEVELS).matrix(theta)[0] == pytest.approx([2, 1, 0.5])


def test_unknown_structures_and_times_that_are_none_are_refused():
    with pytest.raises(UsageError, match="struct is one of"):
        structure("XY", LEVELS)
    with pytest.raises(UsageError, match="times"):
        structure("CAR", pd.Index(["a", "b"]))
