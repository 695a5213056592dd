"""Empirical Bayes over places."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evidence.errors import UsageError
from evidence.places import shrink

# Eighteen batters of 1970: hits in their first 45 times at bat, and the average of their season,
# from Efron and Morris (1977), Stein's paradox in statistics, Scientific American 236, 119-127.
HITS = [18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7]
SEASON = [
    0.346, 0.298, 0.276, 0.222, 0.273, 0.270, 0.263, 0.210, 0.269,
    0.230, 0.264, 0.256, 0.303, 0.264, 0.226, 0.285, 0.316, 0.200,
]  # fmt: skip


def test_equal_variances_give_what_efron_and_morris_print():
    average = np.array(HITS) / 45
    centre = average.mean()
    result = shrink(average, np.full(18, centre * (1 - centre) / 45))
    assert result.centre == pytest.approx(0.265, abs=5e-4)
    assert 1 - result.weight == pytest.approx(np.full(18, 0.212), abs=1e-3)
    gain = np.sum((average - SEASON) ** 2) / np.sum((result.mean - SEASON) ** 2)
    assert gain == pytest.approx(3.5, abs=0.05)


@given(
    arrays(float, 12, elements=st.floats(-50, 50)),
    arrays(float, 12, elements=st.floats(0.1, 20)),
    st.floats(-100, 100),
    st.floats(0.1, 30),
)
def test_moving_and_scaling_the_values_moves_and_scales_the_estimates(y, v, shift, scale):
    plain, other = shrink(y, v), shrink(shift + scale * y, scale**2 * v)
    size = 1 + np.abs(shift) + scale * np.abs(y).max()
    assert other.mean == pytest.approx(shift + scale * plain.mean, abs=1e-5 * size)
    assert other.se == pytest.approx(scale * plain.se, rel=1e-4, abs=1e-6 * size)


@given(arrays(float, 9, elements=st.floats(-50, 50)), arrays(float, 9, elements=st.floats(0.1, 20)))
def test_estimates_lie_between_the_value_and_the_centre_and_noise_shrinks_more(y, v):
    result = shrink(y, v)
    low, high = np.minimum(y, result.centre), np.maximum(y, result.centre)
    assert ((result.mean >= low - 1e-9) & (result.mean <= high + 1e-9)).all()
    assert (np.diff(result.weight[np.argsort(v, kind="stable")]) >= -1e-12).all()
    assert (result.se > 0).all()


def test_the_equations_of_morris_hold_at_the_solution():
    rng = np.random.default_rng(3)
    v = rng.uniform(0.2, 3, 60)
    y = 10 + 2 * rng.normal(size=60) + np.sqrt(v) * rng.normal(size=60)
    result = shrink(y, v)
    w = 1 / (v + result.between)
    assert result.centre == pytest.approx(np.sum(w * y) / np.sum(w))
    implied = np.sum(w * (60 / 59 * (y - result.centre) ** 2 - v)) / np.sum(w)
    assert result.between == pytest.approx(implied, rel=1e-8)


def test_the_intervals_cover_the_true_values_of_places():
    rng = np.random.default_rng(5)
    inside, smaller = [], []
    for _ in range(200):
        v = rng.uniform(0.1, 4, 100)
        true = 5 + rng.normal(size=100)
        y = true + np.sqrt(v) * rng.normal(size=100)
        result = shrink(y, v)
        inside.append(np.abs(result.mean - true) <= 1.96 * result.se)
        smaller.append(np.mean((result.mean - true) ** 2) / np.mean((y - true) ** 2))
    assert np.mean(inside) == pytest.approx(0.95, abs=0.01)
    assert np.mean(smaller) < 0.6


def test_places_without_a_value_take_no_part():
    y, v = np.arange(8.0), np.full(8, 0.5)
    whole = shrink(y, v)
    holed = shrink(np.append(y, [np.nan, 1.0]), np.append(v, [0.5, np.nan]))
    assert holed.mean[:8] == pytest.approx(whole.mean)
    assert np.isnan(holed.mean[8:]).all()


@pytest.mark.parametrize(
    ("y", "v"), [([1, 2, 3, 4], [1, 1, 1, 1]), ([1, 2, 3, 4, 5], [1, 1, 0, 1, 1])]
)
def test_too_few_places_and_no_variance_are_refused(y, v):
    with pytest.raises(UsageError):
        shrink(y, v)
