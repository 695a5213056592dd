import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.synthesis.dependent import compound_symmetric, diagonal, random_intercepts
from evidence.synthesis.dependent.batches import components
from evidence.synthesis.dependent.rotated import rotate
from evidence.synthesis.dependent.stacked import Stacked

KINDS = {"both": (True, True), "studies": (True, False), "effects": (False, True), "none": ()}


def layouts(seed, kind, rho, turned=False):
    rng = np.random.default_rng(seed)
    study = rng.integers(0, 7, 25)
    y, v = rng.normal(size=25), rng.uniform(0.01, 1, 25)
    X = np.column_stack([np.ones(25), rng.normal(size=25)])
    V = compound_symmetric(v, study, rho) if rho else diagonal(v)
    groups = [g for g, there in zip((study, np.arange(25)), KINDS[kind], strict=False) if there]
    terms = random_intercepts(*(groups[::-1] if turned else groups))
    if kind == "effects":
        # Errors of a study are correlated though studies have no effect of their own.
        clusters = study
    else:
        edges = [
            (V.first, V.second),
            *((np.flatnonzero(study == s)[:-1], np.flatnonzero(study == s)[1:]) for s in range(7)),
        ]
        clusters = components(25, edges if kind != "none" else edges[:1])
    return rotate(np.column_stack([X, y]), V, terms), Stacked(y, X, V, terms, clusters)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rho", [0, 0.6])
@given(st.integers(0, 1000), st.booleans(), st.sampled_from([0.0, 1e-6, 0.3, 50.0]))
@settings(max_examples=15, deadline=None)
def test_rotated_axes_give_what_inverted_matrices_give(kind, rho, seed, turned, first):
    quick, plain = layouts(seed, kind, rho, turned)
    phi = np.array([first, 0.2])[: sum(KINDS[kind])]
    one, other = quick.at(phi), plain.at(phi)
    assert one.log_determinant == pytest.approx(other.log_determinant)
    np.testing.assert_allclose(one.cross, other.cross, rtol=1e-9, atol=1e-9)
    for mine, theirs in zip(one.moments(), other.moments(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-7, atol=1e-7)


def test_terms_of_another_kind_are_left_to_matrices():
    B = np.ones((6, 2))
    study, crossed = [0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1]
    plain = diagonal(np.ones(6))
    assert rotate(B, plain, random_intercepts(study, crossed)) is None
    assert rotate(B, plain, random_intercepts(study, range(6), crossed)) is None
    across = compound_symmetric(np.ones(6), crossed, 0.5)
    assert rotate(B, across, random_intercepts(study)) is None
    assert rotate(B, across, random_intercepts(range(6))) is not None
