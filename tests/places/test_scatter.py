"""How much a yearly value swings by itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import polygamma
from scipy.stats import t as student

from evidence.errors import UsageError
from evidence.places import Scatter, moderate, successive_differences
from evidence.places.scatter import _trigamma_inverse

YEARS = np.arange(2016, 2025)


def test_half_the_mean_square_of_successive_differences():
    one = successive_differences([[1.0, 2.0, 4.0]], [2020, 2021, 2022], [0, 0, 0])
    assert one.variance == pytest.approx([(1 + 4) / (2 * 2)])


@given(st.integers(2, 15))
def test_degrees_of_freedom_of_an_unbroken_yearly_series(n):
    values = np.arange(n, dtype=float)[None, :] ** 2
    result = successive_differences(values, np.arange(n), np.zeros(n))
    assert result.df == pytest.approx([2 * (n - 1) ** 2 / (3 * n - 4)])


def test_no_difference_crosses_a_break_a_gap_or_years_that_two_periods_share():
    values = [[1.0, 5.0, np.nan, 9.0, 10.0, 30.0]]
    years, segments = [2015, 2016, 2017, 2018, 2019, 2020], [0, 0, 0, 0, 0, 1]
    assert successive_differences(values, years, segments).variance == pytest.approx([(16 + 1) / 4])
    pooled = successive_differences(values, years, np.zeros(6), window=3)
    assert pooled.variance == pytest.approx([((9 - 1) ** 2 + (10 - 5) ** 2) / 4])
    none = successive_differences(values, [2015, 2018, 2021, 2024, 2027, 2030], segments)
    assert np.isnan(none.variance).all()


def test_it_is_unbiased_and_takes_little_notice_of_a_drift():
    rng = np.random.default_rng(1)
    values = 3 * rng.normal(size=(20_000, 9))
    still = successive_differences(values, YEARS, np.zeros(9))
    assert still.variance.mean() == pytest.approx(9, rel=0.03)
    # Mean and variance of the estimate are those of a scaled χ² with these degrees of freedom.
    assert still.variance.var() == pytest.approx(2 * 9**2 / still.df[0], rel=0.06)
    drifting = successive_differences(values + 0.5 * np.arange(9), YEARS, np.zeros(9))
    assert drifting.variance.mean() == pytest.approx(9 + 0.5**2 / 2, rel=0.03)


def test_pooled_periods_know_that_their_differences_overlap():
    rng = np.random.default_rng(2)
    yearly = rng.normal(size=(20_000, 11))
    pooled = np.stack([yearly[:, i : i + 3].mean(axis=1) for i in range(9)], axis=1)
    result = successive_differences(pooled, YEARS, np.zeros(9), window=3)
    assert result.variance.mean() == pytest.approx(1 / 3, rel=0.03)
    assert result.variance.var() == pytest.approx(2 / 9 / result.df[0], rel=0.08)


def test_moderated_intervals_cover_one_years_value():
    rng = np.random.default_rng(4)
    people = np.exp(rng.uniform(9, 12, 150))
    inside = []
    for _ in range(60):
        # Smaller places swing more, and places of one size differ.
        true = 400 / np.sqrt(people) * np.sqrt(8 / rng.chisquare(8, 150))
        errors = true[:, None] * rng.normal(size=(150, 7))
        scatter = successive_differences(errors[:, :6], YEARS[:6], np.zeros(6))
        steady = moderate(scatter, people)
        reach = student.ppf(0.975, steady.df) * np.sqrt(steady.variance)
        inside.append(np.abs(errors[:, 6]) <= reach)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.012)


def test_moderation_draws_together_and_gains_degrees_of_freedom():
    rng = np.random.default_rng(6)
    own = successive_differences(rng.normal(size=(80, 4)), [1, 2, 3, 4], np.zeros(4))
    steady = moderate(own, np.full(80, 5e4) * rng.uniform(0.5, 2, 80))
    assert np.std(np.log(steady.variance)) < 0.5 * np.std(np.log(own.variance))
    assert (steady.df > own.df).all()


def test_rounding_is_a_floor_and_nothing_comes_from_nothing():
    scatter = Scatter(np.array([0.0] * 11 + [np.nan]), np.array([2.0] * 11 + [np.nan]))
    steady = moderate(scatter, np.linspace(1e4, 2e5, 12), floor=1 / 12)
    assert (steady.variance[:11] >= 1 / 12 - 1e-12).all()
    assert np.isnan(steady.variance[11])


def test_few_places_keep_their_own_variance():
    scatter = Scatter(np.array([1.0, 4.0]), np.array([2.0, 2.0]))
    assert moderate(scatter, [1e4, 2e4]).variance.tolist() == [1.0, 4.0]


@given(st.floats(1e-5, 1e6))
def test_the_inverse_of_trigamma(value):
    assert polygamma(1, _trigamma_inverse(value)) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(
    ("values", "years", "window"),
    [([1.0, 2.0], [1, 2], 1), ([[1.0, 2.0]], [1], 1), ([[1.0]], [1], 0)],
)
def test_shapes_that_do_not_fit_are_refused(values, years, window):
    with pytest.raises(UsageError):
        successive_differences(values, years, np.zeros(len(years)), window)
