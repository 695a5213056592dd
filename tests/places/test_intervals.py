"""Intervals of counts and shares, against published tables."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from evidence.errors import UsageError
from evidence.places import poisson, wilson


@pytest.mark.parametrize(
    ("count", "total", "lower", "upper"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_examples_of_newcombe_1998(count, total, lower, upper):
    low, high = wilson(count, total)
    assert low == pytest.approx(lower, abs=5e-5)
    assert high == pytest.approx(upper, abs=5e-5)


@given(st.integers(1, 10_000), st.data(), st.floats(50, 99.9))
def test_wilson_holds_the_share_stays_within_bounds_and_mirrors(total, data, level):
    count = data.draw(st.integers(0, total))
    low, high = wilson(count, total, level)
    assert 0 <= low <= count / total <= high <= 1
    other_low, other_high = wilson(total - count, total, level)
    assert other_low == pytest.approx(1 - high, abs=1e-12)
    assert other_high == pytest.approx(1 - low, abs=1e-12)


def test_wilson_covers_as_it_says_on_average():
    rng = np.random.default_rng(20240601)
    shares = rng.uniform(0.02, 0.98, 40_000)
    totals = rng.integers(30, 400, 40_000)
    low, high = wilson(rng.binomial(totals, shares), totals)
    assert np.mean((low <= shares) & (shares <= high)) == pytest.approx(0.95, abs=0.006)


def test_wilson_passes_on_what_is_not_known():
    low, high = wilson([np.nan, 1.0, 0.0], [10.0, np.nan, 0.0])
    assert np.isnan([low, high]).all()


@pytest.mark.parametrize("bad", [(-1, 10, 95), (11, 10, 95), (1, 10, 0), (1, 10, 100)])
def test_wilson_refuses_what_cannot_be(bad):
    with pytest.raises(UsageError):
        wilson(*bad)


@pytest.mark.parametrize(
    ("count", "lower", "upper"),
    # Exact 95 % limits as printed in tables of the Poisson distribution.
    [(0, 0, 3.689), (1, 0.025, 5.572), (2, 0.242, 7.225), (5, 1.623, 11.668), (9, 4.115, 17.085)],
)
def test_few_events_get_exact_limits(count, lower, upper):
    low, high = poisson(count)
    assert low == pytest.approx(lower, abs=6e-4)
    assert high == pytest.approx(upper, abs=6e-4)


@given(st.integers(10, 100_000))
def test_byar_is_close_to_the_exact_limits_from_ten_events_on(count):
    low, high = poisson(count)
    assert low == pytest.approx(chi2.ppf(0.025, 2 * count) / 2, rel=3e-3)
    assert high == pytest.approx(chi2.ppf(0.975, 2 * count + 2) / 2, rel=3e-3)


def test_poisson_limits_rise_with_the_count_across_the_change_of_method():
    low, high = poisson(np.arange(0, 60))
    assert (np.diff(low) > 0).all()
    assert (np.diff(high) > 0).all()


def test_poisson_covers_at_least_about_as_it_says():
    rng = np.random.default_rng(7)
    expected = rng.uniform(0.5, 60, 40_000)
    low, high = poisson(rng.poisson(expected))
    covered = np.mean((low <= expected) & (expected <= high))
    assert 0.948 < covered < 0.985


@pytest.mark.parametrize("bad", [(-1, 95), (1, 0), (1, 101)])
def test_poisson_refuses_what_cannot_be(bad):
    with pytest.raises(UsageError):
        poisson(*bad)
