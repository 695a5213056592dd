import numpy as np
import pandas as pd
import pytest

from evidence.errors import UsageError
from evidence.synthesis.dependent import influence, multilevel

THREE = "~ 1 | study/effect"


def test_a_cluster_left_out_is_the_model_without_it(literature):
    data = literature(studies=8)
    fit = multilevel("yi", "vi", data, mods="~ year", random=THREE, test="z")
    found = influence(fit, data["study"])
    out = data["study"] == "s03"
    rest = multilevel("yi", "vi", data[~out], mods="~ year", random=THREE, test="z")
    change = fit.beta - rest.beta
    assert found.clusters.loc["s03", "cook"] == pytest.approx(
        change @ np.linalg.solve(fit.cov, change), rel=1e-5
    )
    X = fit.exog[out]
    resid = data["yi"][out].to_numpy() - X @ rest.beta
    M = rest.sigma2["study"] + X @ rest.cov @ X.T
    M = M + np.diag(data["vi"][out] + rest.sigma2["study/effect"])
    assert found.rows["deleted"][out].to_numpy() == pytest.approx(
        resid / np.sqrt(np.diag(M)), rel=1e-5
    )
    assert found.clusters.loc["s03", "chi2"] == pytest.approx(
        resid @ np.linalg.solve(M, resid), rel=1e-5
    )


def test_hats_sum_to_the_number_of_coefficients_and_weights_to_a_hundred(literature):
    data = literature(studies=5)
    found = influence(multilevel("yi", "vi", data, mods="~ year", random=THREE))
    assert found.rows["hat"].sum() == pytest.approx(2)
    assert found.rows["weight"].sum() == pytest.approx(100)
    assert found.clusters["k"].sum() == len(data)


def test_a_cluster_that_alone_tells_a_coefficient_cannot_be_left_out(literature):
    data = literature(studies=5)
    data["alone"] = (data["study"] == "s02").astype(float)
    fit = multilevel("yi", "vi", data, mods="~ alone", random=THREE)
    found = influence(fit, data["study"]).clusters
    assert found["cook"].isna().to_dict() == {f"s0{i}": i == 2 for i in range(5)}


def test_an_outlier_shows(literature):
    data = literature(studies=8)
    data.loc[data["study"] == "s05", "yi"] += 3
    found = influence(multilevel("yi", "vi", data, random=THREE), data["study"])
    assert found.clusters["cook"].idxmax() == "s05"
    assert found.clusters["pvalue"].idxmin() == "s05"


def test_clusters_are_one_for_each_effect(literature):
    fit = multilevel("yi", "vi", literature(), random=THREE)
    with pytest.raises(UsageError, match="names of clusters"):
        influence(fit, pd.Series(["a"]))
