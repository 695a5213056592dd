"""Formulas: the same numbers as a model matrix by hand, and data that cannot do."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from evidence.errors import ModelError, UsageError
from evidence.synthesis.formula import grid, read
from evidence.synthesis.meta import meta

RNG = np.random.default_rng(3)
DATA = pd.DataFrame({
    "yi": RNG.normal(size=24), "vi": RNG.uniform(0.02, 0.2, 24), "year": np.arange(2000, 2024),
    "group": list("abc") * 8, "code": [3, 1] * 12,
})  # fmt: skip


def test_factors_and_interactions_are_the_columns_one_writes_by_hand():
    fit = meta("yi ~ year * C(code) + group", "vi", DATA)
    one, b, c = DATA["code"] == 3, DATA["group"] == "b", DATA["group"] == "c"
    year = DATA["year"]
    by_hand = pd.DataFrame({"i": 1.0, "code": one, "b": b, "c": c, "year": year, "x": year * one})
    other = meta(DATA["yi"], DATA["vi"], exog=by_hand.astype(float))
    assert fit.tau2 == pytest.approx(other.tau2)
    assert sorted(fit.params) == pytest.approx(sorted(other.params), rel=1e-6)
    assert pytest.approx(other.QM) == fit.QM


def test_without_an_intercept_each_level_has_its_mean():
    fit = meta("yi ~ group - 1", "vi", DATA, method="EE", test="z")
    for level, estimate in zip("abc", fit.params, strict=True):
        part = DATA[DATA["group"] == level]
        assert estimate == pytest.approx(np.average(part["yi"], weights=1 / part["vi"]))
    assert fit.QM_df == 3


def test_predictions_know_levels_and_codings():
    fit = meta("yi ~ year + group", "vi", DATA)
    at = grid(year=[2001, 2003], group=["c", "a"])
    table = fit.predict(at)
    slope = fit.params["year"]
    assert_allclose(table["mean"].iloc[2] - table["mean"].iloc[0], 2 * slope, rtol=1e-7)
    shift = table["mean"].iloc[0] - table["mean"].iloc[1]
    assert shift == pytest.approx(fit.params["group[T.c]"], rel=1e-6)
    # The same rows as in the data give the same predictions.
    assert_allclose(fit.predict(DATA)["mean"], fit.fittedvalues)
    with pytest.raises(UsageError, match="no level 'z' of group"):
        fit.predict(grid(year=[2001], group=["z"]))
    with pytest.raises(UsageError, match=r"'year'.*not a column"):
        fit.predict(grid(group=["a"]))


def test_missing_moderators_are_named_and_left_out_only_when_asked():
    holes = DATA.copy()
    holes.loc[[2, 7], "group"] = None
    holes.loc[4, "vi"] = np.nan
    with pytest.raises(ModelError, match="row 4"):
        meta("yi ~ group", "vi", holes)
    with pytest.raises(ModelError, match="row 2: a moderator is missing"):
        meta("yi ~ group", DATA["vi"], holes)
    fit = meta("yi ~ group", "vi", holes, missing="drop")
    assert fit.warnings == ("left out for missing numbers: row 2, 4, 7",)
    clean = meta("yi ~ group", "vi", DATA.drop([2, 4, 7]))
    assert_allclose(fit.params, clean.params)


def test_levels_of_rows_left_out_get_no_column():
    rare = DATA.copy()
    rare.loc[0, ["group", "vi"]] = ["rare", np.nan]
    rare["group"] = rare["group"].astype("category")
    fit = meta("yi ~ group", "vi", rare, missing="drop")
    assert not any("rare" in name for name in fit.names)


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("yi ~ dose", "'dose' of the formula"),
        ("yi ~ C(group", "cannot read"),
        ("~ group", "left of ~"),
        ("yi + vi ~ group", "one effect"),
        ("yi ~ 0", "neither an intercept nor a moderator"),
        ("yi ~ log(group)", "cannot work out"),
    ],
)
def test_formulas_that_cannot_do_are_explained(formula, words):
    with pytest.raises(UsageError, match=words):
        meta(formula, "vi", DATA)


def test_a_formula_without_a_left_side_gives_the_matrix_alone():
    effect, X, design = read("~ year", DATA)
    assert effect is None
    assert design.names == ("Intercept", "year")
    assert_allclose(X[:, 1], DATA["year"])
