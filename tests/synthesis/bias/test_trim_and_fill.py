"""Trim and fill."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evidence.errors import ModelError, UsageError
from evidence.synthesis import meta
from evidence.synthesis.bias import trim_and_fill
from evidence.synthesis.bias.trim_and_fill import _estimate

many = settings(deadline=None, max_examples=40)


def _funnel(seed, k=15):
    rng = np.random.default_rng(seed)
    se = rng.uniform(0.05, 0.6, k)
    y = rng.normal(0.2, se)
    return y[order := np.argsort(y + se * rng.normal(size=k))], (se**2)[order]


def _filled(*args, **options):
    try:
        return trim_and_fill(*args, **options)
    except ModelError:
        assume(False)


@many
@given(st.integers(0, 10_000), st.sampled_from(["L0", "R0"]))
def test_a_funnel_turned_round_lacks_its_other_side(seed, estimator):
    y, v = _funnel(seed)
    one = _filled(y, v, estimator=estimator, method="DL")
    other = _filled(3 - y, v, estimator=estimator, method="DL")
    assert {one.side, other.side} == {"left", "right"}
    assert other.k0 == one.k0
    assert other.params.iloc[0] == pytest.approx(3 - one.params.iloc[0], abs=1e-9)
    assert other.bse.iloc[0] == pytest.approx(one.bse.iloc[0], rel=1e-7)


@many
@given(st.integers(0, 10_000), st.sampled_from(["left", "right"]))
def test_filled_studies_mirror_the_most_extreme_ones(seed, side):
    y, v = _funnel(seed)
    found = _filled(y, v, side=side, method="EE")
    mirrors = found.filled["mirrors"].to_numpy()
    assert len(mirrors) == found.k0 == found.fit.k - 15
    assert found.filled["vi"].to_numpy() == pytest.approx(v[mirrors])
    if found.k0:
        ends = np.sort(y)[-found.k0 :] if side == "left" else np.sort(y)[: found.k0]
        assert np.sort(y[mirrors]) == pytest.approx(ends)
        centre = (found.filled["yi"] + y[mirrors]) / 2
        rest = np.delete(np.arange(15), mirrors)
        assert centre.to_numpy() == pytest.approx(np.average(y[rest], weights=1 / v[rest]))
        # The side filled in draws the mean.
        change = found.params.iloc[0] - found.observed.params.iloc[0]
        assert change < 0 if side == "left" else change > 0


@pytest.mark.parametrize("size", [[0.1, 0.3, 0.7, 1.2], [0.5, 0.5, 0.5], [2.0]])
def test_a_symmetric_funnel_lacks_nothing(size):
    deviation = np.concatenate([np.negative(size), size])
    assert _estimate(deviation, "L0") == pytest.approx(0)
    assert _estimate(deviation, "Q0") == pytest.approx(0)
    assert _estimate(deviation, "R0") == -1


def test_the_run_of_the_largest_deviations_counts_what_is_missing():
    """Five of the largest deviations lie above the centre: R0 is four (Duval and Tweedie 2000)."""
    y = np.array([-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.9, 1.0, 1.1, 1.2, 1.3])
    v = np.array([0.01] * 6 + [4.0] * 5)
    found = trim_and_fill(y, v, estimator="R0", side="left", method="EE")
    assert found.k0 == 4
    assert found.k0_pvalue == pytest.approx(0.5**5)
    assert found.k0_se == pytest.approx(np.sqrt(10))
    assert "p = 0.031 for none" in found.report()


def test_models_keep_their_method_and_notes_say_that_fills_are_not_data():
    y, v = _funnel(3)
    found = trim_and_fill(meta(y, v, method="PM", test="z"))
    assert (found.fit.method, found.fit.test) == ("PM", "z")
    assert "not data" in found.summary()
    assert list(found.to_frame().index) == ["observed", "filled"]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: trim_and_fill([1, 2], [0.1, 0.2]), ModelError, "needs three studies, not 2"),
        (lambda: trim_and_fill([1, 2, 3], [0.1] * 3), ModelError, "same standard error"),
        (lambda: trim_and_fill([1, 2, 3], [0.1] * 3, side="up"), UsageError, "side"),
        (lambda: trim_and_fill([1, 2, 3], [0.1] * 3, estimator="L1"), UsageError, "estimator"),
    ],
)
def test_what_cannot_be_filled(call, error, words):
    with pytest.raises(error, match=words):
        call()
