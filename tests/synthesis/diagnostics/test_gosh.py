"""Fits of all subsets of the studies."""

import numpy as np
import pytest

from evidence.errors import ModelError, UsageError
from evidence.synthesis.diagnostics import gosh
from evidence.synthesis.diagnostics.gosh import all_subsets
from evidence.synthesis.meta import meta

rng = np.random.default_rng(4)
V = rng.uniform(0.01, 0.2, 7)
Y = rng.normal(0.3, np.sqrt(V + 0.1))


def test_all_subsets_are_there_once_and_in_order_of_size():
    inside = all_subsets(5)
    assert len({tuple(row) for row in inside}) == len(inside) == 31
    assert (np.diff(inside.sum(axis=1)) >= 0).all()
    assert inside.any(axis=1).all()


@pytest.mark.parametrize("method", ["EE", "REML", "PM"])
def test_rows_are_fits_of_their_subsets(method):
    found = gosh(meta(Y, V, method=method, test="z"))
    assert found.every and len(found.table) == 127
    for i in (40, 100, 126):
        inside = found.subsets[i]
        own = meta(Y[inside], V[inside], method=method, test="z")
        row = found.table.iloc[i]
        assert row["k"] == inside.sum()
        assert row["estimate"] == pytest.approx(own.beta[0])
        assert row["Q"] == pytest.approx(own.Q)
        assert row["I2"] == pytest.approx(own.I2, abs=1e-9)
        assert row["H2"] == pytest.approx(own.H2)
        assert row["tau2"] == pytest.approx(own.tau2, abs=1e-12)
    single = found.table.iloc[2]
    assert single[["Q", "I2", "H2", "tau2", "estimate"]].tolist() == pytest.approx(
        [0, 0, 1, 0, Y[2]]
    )


def test_subsets_drawn_at_random_follow_the_seed():
    fit = meta(Y, V, test="z")
    one, same, other = (gosh(fit, subsets=200, seed=seed) for seed in (1, 1, 2))
    assert not one.every
    assert len(one.table) == 200
    assert one.table.equals(same.table)
    assert not one.table.equals(other.table)
    assert one.subsets.mean() == pytest.approx(0.5, abs=0.05)


def test_many_studies_are_drawn_from():
    v = rng.uniform(0.01, 0.2, 40)
    found = gosh(meta(rng.normal(0, np.sqrt(v)), v, method="DL", test="z"))
    assert len(found.table) == 10_000


def test_an_outlier_parts_the_cloud():
    y = Y.copy()
    y[3] = 5
    table = gosh(meta(y, V, test="z")).by_study()
    gap = table["estimate", "with"] - table["estimate", "without"]
    assert gap.idxmax() == 3
    assert table["tau2", "without"].idxmin() == 3


def test_moderators_have_their_own_columns_and_poor_subsets_are_missing():
    fit = meta(Y, V, exog=np.column_stack([np.ones(7), [0, 0, 0, 1, 1, 1, 1]]), test="z")
    table = gosh(fit).table
    assert {"beta_x0", "beta_x1"} <= set(table)
    assert table["beta_x1"].iloc[:7].isna().all()
    assert table["beta_x1"].iloc[-1] == pytest.approx(fit.beta[1])
    assert "all subsets of 7 studies" in gosh(fit).summary()


def test_what_does_not_suit():
    with pytest.raises(UsageError, match="one or more"):
        gosh(meta(Y, V), subsets=0)
    with pytest.raises(ModelError, match="no subsets"):
        gosh(meta([0.1], [0.1], method="EE", test="z"))
