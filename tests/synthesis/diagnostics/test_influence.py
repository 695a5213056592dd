"""Influence measures against their definitions."""

import time

import numpy as np
import pytest

from evidence.errors import ModelError
from evidence.synthesis.diagnostics import influence
from evidence.synthesis.diagnostics.influence import influence_arrays
from evidence.synthesis.meta import meta

rng = np.random.default_rng(8)
V = rng.uniform(0.01, 0.2, 12)
X = np.column_stack([np.ones(12), np.arange(2001.0, 2013)])
Y = 0.1 * (X[:, 1] - 2001) + rng.normal(0, np.sqrt(V + 0.05))


def _without(i, **options):
    rest = np.arange(12) != i
    return meta(Y[rest], V[rest], exog=X[rest], **options)


@pytest.mark.parametrize("test", ["z", "knha"])
def test_measures_follow_from_the_refitted_models(test):
    fit = meta(Y, V, exog=X, test=test, floor=False)
    found = influence(fit)
    deleted = fit.residuals("deleted")
    np.testing.assert_allclose(found.table["rstudent"], deleted["z"], rtol=1e-7)
    for i in (0, 5, 11):
        own = _without(i, test=test, floor=False)
        row = found.table.iloc[i]
        change = fit.beta - own.beta
        assert row["tau2_deleted"] == pytest.approx(own.tau2)
        assert row["Q_deleted"] == pytest.approx(own.Q)
        assert row["cook_d"] == pytest.approx(
            change @ np.linalg.solve(fit.cov_params().to_numpy(), change), rel=1e-5
        )
        assert row["cov_ratio"] == pytest.approx(
            np.linalg.det(own.cov_params()) / np.linalg.det(fit.cov_params()), rel=1e-4
        )


def test_leverages_sum_to_the_number_of_coefficients_and_weights_to_100():
    table = influence(meta(Y, V, exog=X)).table
    assert table["hat"].sum() == pytest.approx(2)
    assert table["weight"].sum() == pytest.approx(100)


def test_an_outlier_is_found_and_units_of_moderators_do_not_matter():
    y = Y.copy()
    y[11] += 5
    found = influence(meta(y, V, exog=X))
    assert found.influential.to_numpy().nonzero()[0].tolist() == [11]
    assert "Influential: study 11." in found.summary()
    days = influence(meta(y, V, exog=X * [1, 365.25]))
    np.testing.assert_allclose(days.table["cook_d"], found.table["cook_d"], rtol=1e-7)
    np.testing.assert_allclose(days.dfbetas, found.dfbetas, rtol=1e-6, atol=1e-9)


def test_with_a_given_variance_and_weights_only_the_coefficients_move():
    fit = meta(Y, V, method="GENQ", weights=np.arange(1.0, 13), tau2=0.1, test="z")
    found = influence(fit)
    assert (found.table["tau2_deleted"] == 0.1).all()
    rest = np.arange(12) != 3
    own = meta(Y[rest], V[rest], method="GENQ", weights=np.arange(1.0, 13)[rest], tau2=0.1,
               test="z")  # fmt: skip
    change = (fit.beta[0] - own.beta[0]) / fit.bse.iloc[0]
    assert found.dfbetas.iloc[3, 0] == pytest.approx(change)


def test_a_study_that_alone_tells_a_coefficient_cannot_be_left_out():
    alone = np.column_stack([np.ones(12), np.arange(12) == 4])
    found = influence(meta(Y, V, exog=alone, test="z"))
    assert found.table.loc[4].drop(["hat", "weight", "influential"]).isna().all()
    assert found.table.drop(index=4).notna().all(axis=None)
    # It fits perfectly, so its leverage is the highest possible.
    assert found.table.loc[4, "hat"] == pytest.approx(1)
    assert found.table.loc[4, "influential"]


def test_the_frame_has_a_row_per_study_and_all_measures():
    frame = influence(meta(Y, V)).to_frame()
    assert frame.shape == (12, 10)
    assert "dfbetas_const" in frame


def test_without_degrees_of_freedom():
    with pytest.raises(ModelError, match="degrees of freedom"):
        influence(meta([0.1], [0.2], method="EE", test="z"))


def test_a_hundred_studies_take_milliseconds():
    """The goal is 5 ms; ten times that is a loop over the studies."""
    k = 100
    v = rng.uniform(0.01, 0.2, k)
    y = rng.normal(0, np.sqrt(v + 0.05))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        influence_arrays(y, v, np.ones((k, 1)), 0.05)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.05
