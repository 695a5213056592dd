import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import UsageError
from evidence.synthesis.dependent import aggregate_effects, compound_symmetric, diagonal


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=20).map(np.array), st.floats(0, 0.9),
    st.booleans(),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_each_study_is_averaged_with_its_own_matrix(study, rho, weighted):
    rng = np.random.default_rng(len(study))
    y, v = rng.normal(size=len(study)), rng.uniform(0.1, 1, len(study))
    V = compound_symmetric(v, study, rho)
    found = aggregate_effects(y, V, study, weighted=weighted)
    assert list(found.index) == sorted(set(study.tolist()))
    for name, row in found.iterrows():
        rows = np.flatnonzero(study == name)
        block = V.submatrix(rows)
        w = np.linalg.solve(block, np.ones(len(rows))) if weighted else np.ones(len(rows))
        w = w / w.sum()
        assert row["yi"] == pytest.approx(w @ y[rows])
        assert row["vi"] == pytest.approx(w @ block @ w)
        assert row["k"] == len(rows)


def test_the_best_weights_never_have_the_larger_variance():
    study = np.repeat(np.arange(5), 4)
    v = np.linspace(0.1, 2, 20)
    V = compound_symmetric(v, study, 0.5)
    best, plain = (aggregate_effects(v, V, study, weighted=w)["vi"] for w in (True, False))
    assert (best <= plain).all()


def test_lengths_agree():
    with pytest.raises(UsageError, match="2 effects, 3 variances"):
        aggregate_effects([1, 2], diagonal([1, 1, 1]), ["a", "a"])
