import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import ModelError, UsageError
from evidence.synthesis.dependent import (
    compound_symmetric,
    diagonal,
    likelihood_ratio,
    multilevel,
)
from evidence.synthesis.meta import meta

THREE = "~ 1 | study/effect"


@given(seed=st.integers(0, 500))
@settings(max_examples=10, deadline=None)
def test_one_effect_a_study_is_the_random_effects_model(seed, literature):
    data = literature(seed, studies=15, per=1)
    for method in ("REML", "ML"):
        fit = multilevel("yi", "vi", data, random="~ 1 | effect", method=method, test="z")
        flat = meta("yi", "vi", data, method=method, test="z")
        assert fit.sigma2["effect"] == pytest.approx(flat.tau2, rel=1e-6, abs=1e-9)
        assert fit.beta == pytest.approx(flat.beta)
        assert fit.llf == pytest.approx(flat.llf)
        assert pytest.approx(flat.Q) == fit.Q
        assert fit.I2["total"] == pytest.approx(flat.I2, abs=1e-5)
        assert fit.information_criteria() == pytest.approx(flat.information_criteria())
        mine, theirs = fit.predict(prob=0.1).iloc[0], flat.predict(prob=0.1).iloc[0]
        assert mine.to_numpy() == pytest.approx(theirs.to_numpy(), rel=1e-5)


def test_rows_in_another_order_change_nothing(literature):
    data = literature()
    mixed = data.sample(frac=1, random_state=3)
    one, other = (multilevel("yi", "vi", d, random=THREE) for d in (data, mixed))
    pd.testing.assert_series_equal(one.sigma2, other.sigma2, rtol=1e-9)
    pd.testing.assert_frame_equal(
        one.random_effects("study"), other.random_effects("study"), rtol=1e-7
    )


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_another_unit_changes_the_unit_alone(factor, literature):
    data = literature()
    scaled = data.assign(yi=data["yi"] * factor, vi=data["vi"] * factor**2)
    one, other = (multilevel("yi", "vi", d, random=THREE) for d in (data, scaled))
    assert other.beta / factor == pytest.approx(one.beta)
    assert other.sigma2.to_numpy() / factor**2 == pytest.approx(one.sigma2.to_numpy(), rel=1e-6)


def test_structures_that_say_the_same_agree(literature):
    """Equal variances and one correlation are a study effect and an effect within studies."""
    data = literature()
    split = multilevel("yi", "vi", data, random=THREE, test="z")
    joint = multilevel("yi", "vi", data, random="~ effect | study", struct="CS", test="z")
    assert joint.llf == pytest.approx(split.llf)
    total = split.sigma2.sum()
    assert joint.tau2.iloc[0] == pytest.approx(total, rel=1e-5)
    assert joint.rho.iloc[0] == pytest.approx(split.sigma2["study"] / total, rel=1e-5)


def test_two_levels_unstructured_and_heterogeneous_are_one_model(literature):
    data = literature(per=2)
    un, hcs = (
        multilevel("yi", "vi", data, mods="~ 0 + outcome", random="~ outcome | study", struct=s)
        for s in ("UN", "HCS")
    )
    assert un.llf == pytest.approx(hcs.llf, abs=1e-7)
    assert un.tau2.to_numpy() == pytest.approx(hcs.tau2.to_numpy(), rel=1e-3)
    G = un.covariance_of("study")
    assert list(G.index) == ["conduct", "mood"]
    sd = np.sqrt(np.diag(G))
    assert G.iloc[0, 1] / sd.prod() == pytest.approx(un.rho.iloc[0])


def test_crossed_terms_are_each_estimated(literature):
    data = literature(studies=30)
    fit = multilevel("yi", "vi", data, random=[THREE, "~ 1 | country"])
    assert list(fit.sigma2.index) == ["study", "study/effect", "country"]
    assert fit.n_studies == 1
    assert fit.n_levels().to_dict() == {"study": 30, "study/effect": 120, "country": 3}


def test_without_random_terms_the_weights_are_the_inverse_of_V(literature):
    data = literature()
    V = compound_symmetric(data["vi"], data["study"], 0.5)
    fit = multilevel("yi", V, data, test="z")
    W = np.linalg.inv(V.submatrix(np.arange(len(data))))
    assert fit.beta[0] == pytest.approx((W @ data["yi"]).sum() / W.sum())
    assert fit.bse.iloc[0] == pytest.approx(W.sum() ** -0.5)
    dense = multilevel("yi", V.submatrix(np.arange(len(data))), data, test="z")
    assert dense.beta == pytest.approx(fit.beta)


def test_a_formula_and_a_matrix_are_one_model_far_from_zero_too(literature):
    data = literature()
    one = multilevel("yi", "vi", data, mods="~ year", random=THREE)
    X = pd.DataFrame({"const": 1.0, "year": data["year"] - 1990})
    other = multilevel("yi", "vi", data, mods=X, random=THREE)
    assert one.names == ("Intercept", "year")
    assert one.params["year"] == pytest.approx(other.params["year"], rel=1e-8)
    assert one.bse["year"] == pytest.approx(other.bse["year"], rel=1e-8)
    assert pytest.approx(one.statistic["year"] ** 2) == one.QM
    assert one.QM_df == 1
    assert one.predict().shape == (len(data), 6)


def test_profile_intervals_end_where_the_likelihood_has_fallen(literature):
    from evidence.synthesis.dependent.likelihood import maximise

    fit = multilevel("yi", "vi", literature(), random=THREE)
    interval = fit.profile_interval("study")
    assert interval.lower < fit.sigma2["study"] < interval.upper
    for end in (interval.lower, interval.upper):
        start = np.array([end, fit.sigma2["study/effect"]])
        held = maximise(fit.state.model, [start], np.array([True, False]))
        assert fit.llf - held.llf == pytest.approx(3.841458820694124 / 2, rel=1e-6)


def test_shares_of_the_variation_add_up(literature):
    fit = multilevel("yi", "vi", literature(), random=THREE)
    assert fit.I2.drop("total").sum() == pytest.approx(fit.I2["total"])
    assert fit.I2["study"] / fit.I2["study/effect"] == pytest.approx(
        fit.sigma2["study"] / fit.sigma2["study/effect"]
    )


def test_prediction_intervals_add_all_components(literature):
    fit = multilevel("yi", "vi", literature(), random=THREE, test="z")
    row = fit.predict().iloc[0]
    sd = (row["pi_upper"] - row["mean"]) / 1.959963984540054
    assert sd**2 == pytest.approx(row["mean_se"] ** 2 + fit.sigma2.sum())


def test_predictions_need_the_level_where_variances_differ(literature):
    data = literature()
    fit = multilevel(
        "yi", "vi", data, mods="~ 0 + outcome", random="~ outcome | study", struct="DIAG", test="z"
    )
    assert np.isnan(fit.predict(np.eye(2))["pi_lower"]).all()
    found = fit.predict(np.eye(2), level=["conduct", "mood"])
    sd = (found["pi_upper"] - found["mean"]) / 1.959963984540054
    assert (sd**2 - found["mean_se"] ** 2).to_numpy() == pytest.approx(fit.tau2.to_numpy())
    with pytest.raises(UsageError, match="level is one of conduct, mood"):
        fit.predict(np.eye(2), level=["conduct", "sleep"])


def test_missing_numbers_are_named_or_left_out(literature):
    data = literature()
    data.loc[[3, 7], "yi"] = np.nan
    with pytest.raises(ModelError, match="row 3: the effect is not finite"):
        multilevel("yi", "vi", data, random=THREE)
    fit = multilevel("yi", "vi", data, random=THREE, missing="drop")
    assert fit.warnings == ("left out for missing numbers: row 3, 7",)
    kept = data.drop(index=[3, 7])
    assert fit.beta == pytest.approx(multilevel("yi", "vi", kept, random=THREE).beta)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.inf])
def test_variances_are_above_zero(bad, literature):
    data = literature()
    data.loc[5, "vi"] = bad
    with pytest.raises(ModelError, match="row 5: the variance"):
        multilevel("yi", "vi", data, random=THREE)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"method": "DL"}, "method is one of"),
        ({"test": "knha"}, "test is one of"),
        ({"random": "study"}, "reads"),
        ({"random": "~ 1 | nothing"}, "no column 'nothing'"),
        ({"random": [THREE, "~ 1 | study"]}, "twice"),
        ({"random": "~ outcome | study", "struct": "XY"}, "struct is one of"),
        ({"mods": "~ year +"}, "cannot be read"),
    ],
)
def test_wrong_options_are_named(options, match, literature):
    with pytest.raises(UsageError, match=match):
        multilevel("yi", "vi", literature(), **options)


def test_moderators_that_depend_on_each_other_are_an_error(literature):
    data = literature().assign(again=lambda d: 2 * d["year"])
    with pytest.raises(ModelError, match="determined by the others"):
        multilevel("yi", "vi", data, mods="~ year + again", random=THREE)


def test_too_few_effects_are_an_error():
    with pytest.raises(ModelError, match="1 effects cannot tell"):
        multilevel([0.1], [0.2], pd.DataFrame({"g": ["a"]}), random="~ 1 | g")


def test_terms_that_group_alike_are_warned_of(literature):
    data = literature(per=1)
    fit = multilevel("yi", "vi", data, random=THREE)
    assert "only the sum" in fit.warnings[0]
    flat = multilevel("yi", "vi", data, random="~ 1 | study")
    assert fit.sigma2.sum() == pytest.approx(flat.sigma2.sum(), rel=1e-5)


def test_effects_without_excess_variance_have_components_of_zero(literature):
    data = literature().assign(yi=0.25)
    fit = multilevel("yi", "vi", data, random=THREE)
    assert (fit.sigma2 == 0).all()
    assert (fit.random_effects("study")[["mean", "se"]] == 0).all(axis=None)
    assert fit.profile_interval("study").lower == 0


def test_words_name_terms_numbers_and_warnings(literature):
    fit = multilevel("yi", "vi", literature(), random=THREE)
    text = fit.summary()
    assert "random effects of study and study/effect" in text
    assert f"{fit.sigma2['study']:.4f}" in text
    assert "95 % prediction interval" in text
    assert "t with 47 degrees of freedom" in fit.report()
    assert "<table" in fit._repr_html_()
    assert fit.to_dict()["sigma2"] == fit.sigma2.to_dict()


def test_likelihood_ratio_of_a_component_and_of_a_moderator(literature):
    data = literature()
    full = multilevel("yi", "vi", data, random=THREE)
    less = multilevel("yi", "vi", data, random="~ 1 | study")
    test = likelihood_ratio(full, less)
    assert test.df == 1
    assert test.statistic == pytest.approx(2 * (full.llf - less.llf))
    with pytest.raises(UsageError, match="fewer parameters"):
        likelihood_ratio(less, full)
    with_year = multilevel("yi", "vi", data, mods="~ year", random=THREE)
    with pytest.raises(UsageError, match="method='ML'"):
        likelihood_ratio(with_year, full)
    by_ml = [multilevel("yi", "vi", data, mods=m, random=THREE, method="ML")
             for m in ("~ year", "~ 1")]  # fmt: skip
    assert likelihood_ratio(*by_ml).df == 1
    other = multilevel("yi", diagonal(data["vi"] * 2), data, random=THREE)
    with pytest.raises(UsageError, match="not of the same effects"):
        likelihood_ratio(full, other)
