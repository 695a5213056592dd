"""Refits on parts of the studies, and the studies' own effects."""

import numpy as np
import pytest

from evidence.errors import UsageError
from evidence.synthesis.meta import meta
from evidence.synthesis.refits import cumulative, leave_one_out
from evidence.synthesis.shrunk import blup

Y = np.array([0.1, 0.9, -0.4, 0.6, 1.5])
V = np.array([0.01, 0.1, 0.05, 0.2, 0.02])


def test_the_last_step_of_a_cumulation_is_the_whole_and_the_one_before_leaves_one_out():
    fit = meta(Y, V)
    steps = cumulative(fit, order=[3, 1, 4, 5, 2])
    assert list(steps.index) == [1, 4, 0, 2, 3]
    assert steps["estimate"].iloc[-1] == pytest.approx(fit.beta[0])
    assert steps["ci_upper"].iloc[-1] == pytest.approx(fit.conf_int()["upper"].iloc[0])
    without = leave_one_out(fit)
    assert steps["estimate"].iloc[-2] == pytest.approx(without["estimate"][3])
    assert steps["estimate"].iloc[0] == pytest.approx(Y[1])
    assert steps["se"].iloc[0] == pytest.approx(np.sqrt(V[1]))


def test_own_effects_lie_between_the_study_and_the_mean():
    fit = meta(Y, V, test="z")
    own = blup(fit)
    low, high = np.minimum(Y, fit.beta[0]), np.maximum(Y, fit.beta[0])
    assert ((low <= own["mean"]) & (own["mean"] <= high)).all()
    assert (own["se"] < np.sqrt(V + fit.tau2)).all()
    np.testing.assert_allclose(blup(fit, "ranef")["mean"], own["mean"] - fit.beta[0])
    # Random effects of the weighted fit sum to zero, weighted by their own precision.
    assert np.sum(Y / (V + fit.tau2) - fit.beta[0] / (V + fit.tau2)) == pytest.approx(0, abs=1e-9)


def test_a_common_effect_leaves_studies_no_effect_of_their_own():
    fit = meta(Y, V, method="EE", test="z")
    np.testing.assert_allclose(blup(fit)["mean"], fit.beta[0])
    np.testing.assert_allclose(blup(fit)["se"], fit.bse.iloc[0])


def test_what_does_not_suit():
    regression = meta(Y, V, exog=np.column_stack([np.ones(5), [1, 2, 3, 4, 6]]), test="z")
    with pytest.raises(UsageError, match="without moderators"):
        leave_one_out(regression)
    with pytest.raises(UsageError, match="5 numbers"):
        cumulative(meta(Y, V), order=[1, 2])
    with pytest.raises(UsageError, match="kind is"):
        blup(meta(Y, V), "fixed")
