"""Single proportions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.effectsize import escalc


@given(st.integers(1, 300), st.integers(1, 300))
def test_variance_is_the_delta_method_on_the_proportion(x: int, rest: int) -> None:
    n = x + rest
    p = x / n
    slopes = {"PR": 1.0, "PLN": 1 / p, "PLO": 1 / (p * (1 - p)), "PAS": 0.5 / np.sqrt(p * (1 - p))}
    for measure, slope in slopes.items():
        found = escalc(measure, x=x, n=n)
        assert found.vi[0] == pytest.approx(slope**2 * p * (1 - p) / n)


def test_freeman_and_tukey_1950_at_the_ends() -> None:
    nobody, everybody = escalc("PFT", x=[0, 10], n=10, to="none").yi
    assert nobody == pytest.approx(np.arcsin(np.sqrt(1 / 11)) / 2)
    assert nobody + everybody == pytest.approx(np.pi / 2)


def test_half_a_person_is_added_on_both_sides() -> None:
    assert escalc("PR", x=0, n=10).yi[0] == pytest.approx(0.5 / 11)
    assert np.isnan(escalc("PLO", x=0, n=10, to="none").yi[0])
