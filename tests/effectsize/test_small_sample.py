"""Hedges' exact correction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nct

from evidence.effectsize import small_sample_factor


@pytest.mark.parametrize(
    ("df", "closed"),
    [(2, 1 / np.sqrt(np.pi)), (3, np.sqrt(np.pi / 6)), (4, np.sqrt(2 / np.pi))],
)
def test_closed_forms(df: int, closed: float) -> None:
    assert small_sample_factor(df) == pytest.approx(closed)


@given(st.integers(2, 500), st.floats(0.1, 3))
def test_takes_the_bias_out_of_a_noncentral_t(df: int, delta: float) -> None:
    # Hedges (1981): d is a multiple of a noncentral t, whose mean is its parameter over J.
    assert float(small_sample_factor(df)) * nct.mean(df, delta) == pytest.approx(delta)


@given(st.floats(2, 1e6))
def test_lies_below_one_and_near_the_usual_approximation(df: float) -> None:
    factor = float(small_sample_factor(df))
    assert 0 < factor < 1
    assert factor == pytest.approx(1 - 3 / (4 * df - 1), abs=0.02)


def test_no_factor_without_a_degree_of_freedom_to_spare() -> None:
    assert np.isnan(small_sample_factor([0, 1, np.nan])).all()
