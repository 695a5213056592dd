"""Cronbach's alpha."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.effectsize import escalc


@given(st.floats(0.05, 0.99), st.integers(2, 60), st.integers(10, 5000))
def test_log_scale_is_the_delta_method(alpha: float, items: int, n: int) -> None:
    raw, log = (escalc(name, alpha=alpha, items=items, n=n) for name in ("ARAW", "ABT"))
    assert log.yi[0] == pytest.approx(-np.log(1 - raw.yi[0]))
    assert log.vi[0] == pytest.approx(raw.vi[0] / (1 - alpha) ** 2)


def test_hakstian_and_whalen_scale() -> None:
    assert escalc("AHW", alpha=0.875, items=10, n=100).yi[0] == pytest.approx(0.5)
