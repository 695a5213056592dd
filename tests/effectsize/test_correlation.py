"""Correlations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from evidence.effectsize import escalc

r = st.floats(-0.99, 0.99)


def test_borenstein_2009_chapter_6() -> None:
    assert float(escalc("COR", r=0.5, n=100).vi[0]) == pytest.approx(0.0057, abs=5e-5)
    found = escalc("ZCOR", r=0.5, n=100)
    assert (float(found.yi[0]), float(found.vi[0])) == pytest.approx((0.5493, 0.0103), abs=5e-5)


@given(r, st.integers(6, 5000))
def test_odd_in_r_and_never_smaller_when_unbiased(x: float, n: int) -> None:
    for measure in ("COR", "UCOR", "ZCOR"):
        one, other = escalc(measure, r=x, n=n), escalc(measure, r=-x, n=n)
        assert other.yi[0] == pytest.approx(-one.yi[0])
        assert other.vi[0] == pytest.approx(one.vi[0])
    assert abs(escalc("UCOR", r=x, n=n).yi[0]) >= abs(x) * (1 - 1e-9)


@pytest.mark.parametrize("n", [8, 20, 39, 40, 41, 42, 43, 44, 326, 5000])
@pytest.mark.parametrize("x", [0.01, 0.5, 0.95])
def test_unbiased_estimate_against_its_integral(x: float, n: int) -> None:
    # Olkin and Pratt: an average of 1/sqrt(1 - (1 - r²) t) over a beta(1/2, n/2 - 3/2) variable.
    c, z = n / 2 - 1, 1 - x**2

    def beta(u: float) -> float:  # t = u² takes the pole at zero away
        return (1 - u**2) ** (c - 1.5)

    weighted = quad(lambda u: beta(u) / np.sqrt(1 - z * u**2), 0, 1, limit=200)[0]
    total = quad(beta, 0, 1, limit=200)[0]
    assert escalc("UCOR", r=x, n=n).yi[0] == pytest.approx(x * weighted / total, rel=1e-6)
