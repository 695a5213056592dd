"""Many comparisons at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evidence.errors import UsageError
from evidence.places import benjamini_hochberg

# Section 4.1 of Benjamini and Hochberg (1995): fifteen comparisons of two treatments.
EXAMPLE = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240,
    0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
]  # fmt: skip


def test_the_example_of_the_paper_rejects_four():
    adjusted = benjamini_hochberg(EXAMPLE)
    assert (adjusted <= 0.05).tolist() == [True] * 4 + [False] * 11
    assert adjusted[3] == pytest.approx(0.0095 * 15 / 4)


@given(arrays(float, st.integers(1, 40), elements=st.floats(0, 1)), st.floats(0.001, 0.999))
def test_it_is_the_step_up_rule(p, bound):
    adjusted = benjamini_hochberg(p)
    ordered = np.sort(p)
    m = len(p)
    passing = [i for i in range(m) if ordered[i] * (m / (i + 1)) <= bound]
    rejected = passing[-1] + 1 if passing else 0
    assert np.sum(adjusted <= bound) == rejected
    assert (adjusted >= p).all()
    assert (adjusted <= 1).all()


@given(arrays(float, st.integers(1, 30), elements=st.floats(0, 1)), st.randoms())
def test_order_does_not_matter_and_nan_is_no_test(p, random):
    shuffle = list(range(len(p)))
    random.shuffle(shuffle)
    assert np.array_equal(benjamini_hochberg(p[shuffle]), benjamini_hochberg(p)[shuffle])
    with_gap = np.concatenate([p, [np.nan]])
    assert np.array_equal(benjamini_hochberg(with_gap), [*benjamini_hochberg(p), np.nan],
                          equal_nan=True)  # fmt: skip


def test_the_false_discovery_rate_stays_below_its_bound():
    from scipy.stats import norm

    rng = np.random.default_rng(11)
    shares = []
    for _ in range(600):
        real = np.zeros(200)
        real[:40] = 3.0
        p = 2 * norm.sf(np.abs(rng.normal(real)))
        found = benjamini_hochberg(p) <= 0.10
        shares.append(found[40:].sum() / max(found.sum(), 1))
    # The rate of independent tests is the bound times the share of true nulls.
    assert np.mean(shares) == pytest.approx(0.10 * 160 / 200, abs=0.012)


def test_a_table_keeps_its_shape():
    assert benjamini_hochberg(np.full((2, 3), 0.5)).shape == (2, 3)


@pytest.mark.parametrize("bad", [-0.1, 1.1])
def test_no_probability_is_refused(bad):
    with pytest.raises(UsageError):
        benjamini_hochberg([0.5, bad])
