"""The figure as printed: direction and precision."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from evidence.effectsize.reported import interval_se, orient, p_se, parse_p

positive = st.floats(0.05, 20)


def oriented(
    effect: float, low: float, high: float, turn: str, lower: bool, ratio: bool
) -> tuple[float, ...]:
    found = orient([effect], [low], [high], turn=[turn], lower_is_better=[lower], ratio=[ratio])
    return tuple(float(x[0]) for x in found)


@given(positive, positive, st.booleans())
def test_inverted_ratio_means_the_same(effect: float, width: float, lower: bool) -> None:
    low, high = effect / (1 + width), effect * (1 + width)
    straight = oriented(effect, low, high, "none", lower, True)
    inverted = oriented(1 / effect, 1 / high, 1 / low, "invert", lower, True)
    assert inverted == pytest.approx(straight)


@given(st.floats(-10, 10), positive, st.booleans())
def test_negated_difference_means_the_same(effect: float, width: float, lower: bool) -> None:
    straight = oriented(effect, effect - width, effect + width, "none", lower, False)
    negated = oriented(-effect, -effect - width, -effect + width, "negate", lower, False)
    assert negated == pytest.approx(straight)


@given(st.floats(-10, 10), positive, st.sampled_from(["none", "negate"]), st.booleans())
def test_limits_stay_in_order_around_the_effect(
    effect: float, width: float, turn: str, lower: bool
) -> None:
    y, low, high = oriented(effect, effect - width, effect + width, turn, lower, False)
    assert low <= y <= high


def test_less_of_a_bad_thing_is_positive() -> None:
    assert oriented(0.5, 0.25, 1, "none", True, True) == pytest.approx((np.log(2), 0, np.log(4)))
    assert oriented(0.5, 0.25, 1, "none", False, True) == pytest.approx((-np.log(2), -np.log(4), 0))
    assert oriented(-3, -5, -1, "none", True, False) == (3, 1, 5)


@pytest.mark.parametrize("turn", ["unknown", "unusable", ""])
def test_no_effect_where_the_direction_is_not_known(turn: str) -> None:
    assert np.isnan(oriented(0.5, 0.25, 1, turn, True, True)).all()


def test_a_limit_of_zero_has_no_logarithm() -> None:
    y, low, high = oriented(0.5, 0, 1, "none", False, True)
    assert y == pytest.approx(-np.log(2))
    assert np.isnan([low, high]).all()


@given(st.floats(-10, 10), st.floats(1e-3, 10), st.floats(1, 99.99))
def test_interval_and_standard_error_round_trip(y: float, se: float, level: float) -> None:
    half = norm.ppf(0.5 + level / 200) * se
    assert float(interval_se(y - half, y + half, level)) == pytest.approx(se, rel=1e-6)


@given(st.floats(0.01, 10), st.floats(0.01, 10))
def test_p_and_standard_error_round_trip(y: float, se: float) -> None:
    p = 2 * norm.sf(y / se)
    if 1e-200 < p < 0.999:
        assert float(p_se(-y, p)) == pytest.approx(se, rel=1e-6)


def test_widths_and_p_values_that_say_nothing() -> None:
    assert np.isnan(interval_se([1, 2], [1, 1])).all()
    assert np.isnan(p_se([0, 1, 1], [0.5, 1, 0])).all()


@pytest.mark.parametrize(
    ("printed", "value", "bound"),
    [
        ("0.04", 0.04, False), ("=.04", 0.04, False), (" 0.50 ", 0.5, False), ("1.0", 1, False),
        ("<0.001", 0.001, True), ("< .05", 0.05, True), ("≤0.01", 0.01, True),
        ("0.000", 0.0005, True), (">0.05", np.nan, False), ("ns", np.nan, False),
        ("0", np.nan, False), ("1.5", np.nan, False), (None, np.nan, False),
    ],
)  # fmt: skip
def test_p_values_as_printed(printed: str | None, value: float, bound: bool) -> None:
    values, bounds = parse_p(pd.Series([printed], dtype="str"))
    assert values[0] == pytest.approx(value, nan_ok=True)
    assert bounds[0] == bound
