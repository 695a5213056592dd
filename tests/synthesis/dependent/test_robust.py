import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evidence.errors import UsageError
from evidence.synthesis.dependent import compound_symmetric, multilevel
from evidence.synthesis.dependent.covariance import Covariance, pairs_within
from evidence.synthesis.dependent.robust import robust
from evidence.synthesis.dependent.sandwich import sandwich
from evidence.synthesis.dependent.wald_tests import wald
from evidence.synthesis.meta import meta


@pytest.fixture(scope="module")
def data(literature):
    return literature()


@pytest.fixture(scope="module")
def fit(data):
    V = compound_symmetric(data["vi"], data["study"], 0.6)
    return multilevel("yi", V, data, mods="~ year", random="~ 1 | study/effect")


def test_estimates_are_those_of_the_working_model(data, fit):
    found = robust(fit, data["study"])
    pd.testing.assert_series_equal(found.params, fit.params, rtol=1e-8)
    assert found.n_clusters == 12
    assert list(found.to_frame()) == [
        "estimate", "se", "statistic", "df", "pvalue", "ci_lower", "ci_upper",
    ]  # fmt: skip


def test_intervals_and_p_values_are_of_t(data, fit):
    found = robust(fit, data["study"])
    table = found.to_frame(alpha=0.1)
    for _, row in table.iterrows():
        assert row["pvalue"] == pytest.approx(2 * stats.t.sf(abs(row["statistic"]), row["df"]))
        reach = stats.t.ppf(0.95, row["df"]) * row["se"]
        assert row["ci_upper"] - row["estimate"] == pytest.approx(reach)


def test_degrees_of_freedom_by_name(data, fit):
    assert set(robust(fit, data["study"], df="J-1").df) == {11}
    assert set(robust(fit, data["study"], df="J-p").df) == {10}
    normal = robust(fit, data["study"], df="z")
    half = (normal.conf_int()["upper"] - normal.params) / normal.bse
    assert half.to_numpy() == pytest.approx(1.959964, rel=1e-6)


def test_numbers_far_from_zero_do_no_harm(data):
    def t(year):
        frame = data.assign(year=year)
        fit = multilevel("yi", "vi", frame, mods="~ year", random="~ 1 | study")
        found = robust(fit, data["study"])
        return found.statistic["year"], found.df["year"]

    assert t(data["year"]) == pytest.approx(t(data["year"] - 1996), rel=1e-7)


@pytest.mark.parametrize("unit", [1e-8, 1e8])
def test_units_do_no_harm(data, unit):
    def t(scale):
        found = robust(meta(data["yi"] * scale, data["vi"] * scale**2), data["study"])
        return found.statistic["const"], found.df["const"]

    assert t(unit) == pytest.approx(t(1.0), rel=1e-7)


def test_rows_in_another_order_change_nothing(data):
    mixed = data.sample(frac=1, random_state=3)
    one, other = (robust(meta("yi", "vi", d), d["study"]) for d in (data, mixed))
    assert one.bse.to_numpy() == pytest.approx(other.bse.to_numpy())
    assert one.df.to_numpy() == pytest.approx(other.df.to_numpy())


def test_own_weights_keep_the_marginal_variance_as_target(data):
    found = robust(meta("yi", "vi", data, weights=np.ones(48), test="t"), data["study"])
    means = data.groupby("study")["yi"].mean()
    # Equal weights and studies of equal size: the variance of the mean of the studies' means.
    assert found.params["const"] == pytest.approx(means.mean())
    assert found.bse["const"] == pytest.approx(means.std() / np.sqrt(12), rel=0.02)


def test_prediction_adds_the_heterogeneity(data, fit):
    found = robust(fit, data["study"])
    row = found.predict([[1, 1995.0]]).iloc[0]
    reach = stats.t.ppf(0.975, row["df"])
    total = np.sqrt(row["mean_se"] ** 2 + fit.sigma2.sum())
    assert row["pi_upper"] == pytest.approx(row["mean"] + reach * total)
    assert row["mean_ci_upper"] == pytest.approx(row["mean"] + reach * row["mean_se"])
    common = robust(meta("yi", "vi", data, method="EE"), data["study"])
    assert common.predict()["pi_upper"].isna().all()


def test_coefficients_are_tested_by_name_place_or_combination(data, fit):
    found = robust(fit, data["study"])
    by_name = found.wald_test(["year"])
    assert by_name == found.wald_test([1]) == found.wald_test([[0, 1]])
    assert by_name.pvalue == pytest.approx(found.pvalues["year"])
    assert found.wald_test() == by_name
    alone = robust(meta("yi", "vi", data), data["study"])
    assert alone.wald_test().pvalue == pytest.approx(alone.pvalues["const"])
    for wrong, words in ((["age"], "age"), ([[1, 2, 3]], "2 coefficients"), ([[0, 1], [0, 2]], "de"
                         "pend"), ([], "nothing to test")):  # fmt: skip
        with pytest.raises(UsageError, match=words):
            found.wald_test(wrong)


def test_few_degrees_of_freedom_are_warned_of_or_withheld(literature):
    data = literature(studies=4)
    fit = meta("yi", "vi", data)
    found = robust(fit, data["study"])
    assert found.df["const"] < 4
    assert "do not rely" in found.warnings[0]
    assert np.isfinite(found.conf_int()).all(axis=None)
    withheld = robust(fit, data["study"], min_df=4)
    assert "no interval" in withheld.warnings[0]
    assert withheld.conf_int().isna().all(axis=None)
    assert withheld.pvalues.isna().all()
    assert withheld.predict()["pi_lower"].isna().all()
    assert withheld.params["const"] == found.params["const"]


def test_what_does_not_fit_is_said(data, fit):
    cases = [
        ({"cluster": data["study"][:5]}, "48 effects but 5"),
        ({"cluster": data["effect"]}, "ties effects of different clusters"),
        ({"cluster": data["study"], "vcov": "CR3"}, "CR3"),
        ({"cluster": data["study"], "df": "none"}, "none"),
    ]
    for options, words in cases:
        with pytest.raises(UsageError, match=words):
            robust(fit, **options)


def test_clusters_may_be_coarser_than_the_model(data, fit):
    pairs = data["study"].str[1:].astype(int) // 2
    assert robust(fit, pairs).n_clusters == 6


def test_what_is_shown(data, fit):
    found = robust(fit, data["study"])
    assert "CR2" in found.report()
    assert "12 clusters" in found.report()
    assert "Moderators: F(1, " in found.summary()
    assert str(found) == found.summary()
    assert "<table" in found._repr_html_()
    json.dumps(found.to_dict())
    assert repr(found).startswith("<RobustResults CR2, 12 clusters")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shared", "highest"),
    [(0.09, 0.065), (0.045, 0.065), (0.0, 0.085)],
    ids=["right model", "half the covariance", "independence"],
)
def test_cr2_holds_its_size_with_few_clusters(shared, highest):
    """Twelve studies of 1 to 12 effects, a moderator of studies, three working models.

    As in Tipton (2015) and Pustejovsky and Tipton (2018): at most nominal, but for Monte Carlo
    error, unless the working model is far off and the clusters are very unequal; without the
    correction, far above.
    """
    rng = np.random.default_rng(11)
    codes = np.repeat(np.arange(12), [1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 8, 12])
    X = np.column_stack([np.ones(len(codes)), codes % 2])
    v = rng.uniform(0.02, 0.1, len(codes))
    first, second = pairs_within(codes)
    working = Covariance(v + 0.09, first, second, np.full(len(first), shared))
    slope = np.array([[0, 1.0]])
    corrected, naive, joint = [], [], []
    for _ in range(2000):
        y = rng.normal(0, 0.3, 12)[codes] + rng.normal(0, np.sqrt(v))
        found = sandwich(y, X, codes, working)
        corrected.append(wald(found, slope).pvalue < 0.05)
        joint.append(wald(found, np.eye(2)).pvalue < 0.05)
        plain = sandwich(y, X, codes, working, kind="CR0")
        naive.append(wald(plain, slope, "chi-sq").pvalue < 0.05)
    assert np.mean(corrected) < highest
    assert np.mean(joint) < highest
    assert np.mean(naive) > max(0.09, np.mean(corrected))
