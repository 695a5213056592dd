"""Subgroups are their own models; the test between them is one that is known."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.oneway import anova_oneway

from evidence.errors import ModelError, UsageError
from evidence.synthesis import meta
from evidence.synthesis.subgroups import subgroups

RNG = np.random.default_rng(510)
DATA = pd.DataFrame({"group": np.repeat(["a", "b", "c"], [6, 8, 7])})
DATA["vi"] = RNG.uniform(0.01, 0.1, len(DATA))
DATA["yi"] = RNG.normal(0.2, np.sqrt(DATA["vi"] + 0.03)) + 0.3 * (DATA["group"] == "b")


def test_each_group_is_a_model_of_its_own():
    found = subgroups("yi", "vi", "group", DATA)
    for name, part in DATA.groupby("group"):
        alone = meta("yi", "vi", data=part)
        row = found.table.loc[name]
        assert row["estimate"] == alone.params.iloc[0]
        assert row["tau2"] == alone.tau2
        assert row["k"] == len(part)
    assert "3 groups with a τ² of their own" in found.summary()


def test_separate_groups_of_equal_variances_are_compared_by_welchs_test():
    """With equal variances REML gives each group the variance of its sample mean."""
    data = DATA.assign(vi=1e-6)
    found = subgroups("yi", "vi", "group", data).between
    known = anova_oneway([part["yi"] for _, part in data.groupby("group")], use_var="unequal")
    assert found.statistic == pytest.approx(known.statistic, rel=1e-6)
    assert found.pvalue == pytest.approx(known.pvalue, rel=1e-6)


def test_a_common_variance_is_the_regression_on_dummies():
    found = subgroups("yi", "vi", "group", DATA, tau2="common", test="z")
    dummies = pd.get_dummies(DATA["group"], drop_first=True, dtype=float)
    whole = meta("yi", "vi", data=DATA, exog=dummies.assign(one=1.0), test="z")
    assert found.table["tau2"].nunique() == 1
    assert found.table["tau2"].iloc[0] == pytest.approx(whole.tau2, rel=1e-6)
    assert found.between.statistic == pytest.approx(whole.wald_test([0, 1]).statistic, rel=1e-6)


def test_with_the_normal_test_q_splits_into_within_and_between():
    found = subgroups("yi", "vi", "group", DATA, method="EE", test="z")
    total = meta("yi", "vi", data=DATA, method="EE", test="z").Q
    assert found.between.statistic + found.table["Q"].sum() == pytest.approx(total, rel=1e-9)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ModelError, match="one group only"):
        subgroups("yi", "vi", "group", DATA[DATA["group"] == "a"])
    with pytest.raises(ModelError, match="row 2: the group is missing"):
        subgroups("yi", "vi", "group", DATA.assign(group=DATA["group"].where(DATA.index != 2)))
    with pytest.raises(ModelError, match=r"group lone: .*common"):
        subgroups("yi", "vi", "group", DATA.assign(group=["lone", *DATA["group"][1:]]))
    with pytest.raises(UsageError, match="separate or common"):
        subgroups("yi", "vi", "group", DATA, tau2="one")  # type: ignore[arg-type]
