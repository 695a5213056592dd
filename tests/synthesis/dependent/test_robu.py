import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import ModelError, UsageError
from evidence.synthesis.dependent.robu import robu
from evidence.synthesis.dependent.robust import robust
from evidence.synthesis.meta import meta


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 500), weights=st.sampled_from(["CORR", "HIER"]))
def test_one_effect_a_study_is_dersimonian_and_laird(literature, seed, weights):
    data = literature(seed, studies=15, per=1)
    found = robu("yi", "vi", "study", data, weights=weights)
    flat = meta("yi", "vi", data, method="DL")
    assert found.tau2 == pytest.approx(flat.tau2)
    assert found.params["const"] == pytest.approx(flat.params["const"])
    assert found.bse["const"] == pytest.approx(robust(flat, data["study"]).bse["const"])
    if weights == "CORR":
        assert pytest.approx(max(0, 100 * (flat.Q - flat.Q_df) / flat.Q)) == found.I2


@pytest.mark.parametrize("weights", ["CORR", "HIER"])
def test_variances_are_right_on_average(literature, weights):
    # The literature is made with τ = 0.3, ω = 0.15 and independent sampling errors.
    found = [
        robu("yi", "vi", "study", literature(seed, studies=40), weights=weights, rho=0.0)
        for seed in range(60)
    ]
    tau2 = np.mean([fit.tau2 for fit in found])
    if weights == "HIER":
        assert tau2 == pytest.approx(0.09, abs=0.012)
        assert np.mean([fit.omega2 for fit in found]) == pytest.approx(0.0225, abs=0.006)
    else:
        # One variance for both; effects of a study share only a part of it.
        assert 0.09 < tau2 < 0.1125 + 0.012


def test_without_the_small_sample_adjustment(literature):
    data = literature()
    X = np.column_stack([np.ones(48), data["year"] - 1995])
    small, large = (robu("yi", "vi", "study", data, exog=X, small=s) for s in (True, False))
    assert small.params.to_numpy() == pytest.approx(large.params.to_numpy())
    assert set(large.df) == {10}
    assert (small.df < 10).all()


def test_predictions_add_what_the_weights_assume(literature):
    found = robu("yi", "vi", "study", literature(), weights="HIER")
    assert found.between == pytest.approx(found.tau2 + found.omega2)
    assert "ω²" in found.summary()
    assert found.to_dict()["omega2"] == found.omega2


def test_what_does_not_fit_is_said(literature):
    data = literature()
    with pytest.raises(UsageError, match="CORR, HIER"):
        robu("yi", "vi", "study", data, weights="SOME")
    with pytest.raises(UsageError, match="rho"):
        robu("yi", "vi", "study", data, rho=1.5)
    with pytest.raises(UsageError, match="3 names"):
        robu("yi", "vi", ["a", "b", "c"], data)
    with pytest.raises(ModelError, match="row 0"):
        robu("yi", "vi", "study", data.assign(vi=0.0))
    with pytest.raises(ModelError, match="1 studies cannot"):
        robu("yi", "vi", "study", data.assign(study="one"))
