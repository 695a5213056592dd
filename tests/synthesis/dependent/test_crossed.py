import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.synthesis.dependent import compound_symmetric, multilevel, random_intercepts
from evidence.synthesis.dependent.crossed import cross
from evidence.synthesis.dependent.stacked import Stacked

TERMS = [(0, 1, 2), (2, 0, 1), (0, 2), (3, 0, 1, 2)]


@pytest.mark.parametrize("order", TERMS)
@given(st.integers(0, 1000), st.sampled_from([0.0, 1e-6, 0.3, 20.0]))
@settings(max_examples=15, deadline=None)
def test_low_rank_gives_what_inverted_matrices_give(order, seed, first):
    rng = np.random.default_rng(seed)
    study, country, tool = rng.integers(0, 8, 30), rng.integers(0, 3, 30), rng.integers(0, 4, 30)
    groups = [study, np.arange(30), country, tool]
    v = rng.uniform(0.05, 0.5, 30)
    X, y = np.column_stack([np.ones(30), rng.normal(size=30)]), rng.normal(size=30)
    V = compound_symmetric(v, study, 0.5)
    terms = random_intercepts(*(groups[i] for i in order))
    phi = np.array([first, 0.2, 0.4, 0.1])[: len(order)]
    quick = cross(np.column_stack([X, y]), V, terms).at(phi)
    plain = Stacked(y, X, V, terms, np.zeros(30, dtype=int)).at(phi)
    assert quick.log_determinant == pytest.approx(plain.log_determinant)
    np.testing.assert_allclose(quick.cross, plain.cross, rtol=1e-8, atol=1e-8)
    for mine, theirs in zip(quick.moments(), plain.moments(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-7, atol=1e-7)


def test_errors_that_cross_the_groups_are_left_to_matrices():
    V = compound_symmetric(np.ones(8), [0, 1] * 4, 0.5)
    terms = random_intercepts(np.repeat(range(4), 2), [0, 1, 1, 0] * 2)
    assert cross(np.ones((8, 2)), V, terms) is None


def test_many_crossed_effects_need_no_matrix_of_their_square(literature):
    data = literature(studies=2500)
    fit = multilevel("yi", "vi", data, random=["~ 1 | study/effect", "~ 1 | country"], test="z")
    assert fit.sigma2["study"] == pytest.approx(0.09, rel=0.15)
    assert "stacked" not in vars(fit.state.model)
