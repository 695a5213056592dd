"""Events per person-time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.effectsize import escalc

events = st.integers(1, 1000)
time = st.floats(1, 1e5)


def test_rothman_breast_cancer_and_fluoroscopy() -> None:
    # Boice and Monson (1977), as in Rothman, Greenland and Lash (2008), chapter 14: 41 cases in
    # 28 010 woman-years against 15 in 19 017.
    found = escalc("IRR", x1=41, time1=28010, x2=15, time2=19017)
    assert np.exp(found.yi[0]) == pytest.approx(1.86, abs=0.005)
    assert np.sqrt(found.vi[0]) == pytest.approx(0.302, abs=5e-4)


@pytest.mark.parametrize("measure", ["IRR", "IRD", "IRSD"])
@given(x1=events, t1=time, x2=events, t2=time)
def test_swapping_the_groups_changes_the_sign_alone(
    measure: str, x1: int, t1: float, x2: int, t2: float
) -> None:
    one = escalc(measure, x1=x1, time1=t1, x2=x2, time2=t2)
    other = escalc(measure, x1=x2, time1=t2, x2=x1, time2=t1)
    assert other.yi[0] == pytest.approx(-one.yi[0], abs=1e-12)
    assert other.vi[0] == pytest.approx(one.vi[0])
    assert one.vi[0] > 0


@given(events, time, st.floats(0.01, 100))
def test_unit_of_time_shifts_the_log_rate_alone(x: int, t: float, unit: float) -> None:
    one, other = escalc("IRLN", x=x, time=t), escalc("IRLN", x=x, time=t * unit)
    assert one.yi[0] - other.yi[0] == pytest.approx(np.log(unit), abs=1e-9)
    assert one.vi[0] == other.vi[0]


def test_zeros() -> None:
    found = escalc("IRR", x1=[0, 0], time1=100, x2=[3, 0], time2=100, drop00=True)
    assert found.yi[0] == pytest.approx(np.log(0.5 / 3.5))
    assert np.isnan(found.yi[1])
