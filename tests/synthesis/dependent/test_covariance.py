import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import ModelError, UsageError
from evidence.synthesis.dependent import covariance
from evidence.synthesis.dependent.batches import make_batches


def dense(V):
    matrix = np.diag(V.variances)
    matrix[V.first, V.second] = matrix[V.second, V.first] = V.values
    return matrix


groups = st.lists(st.integers(0, 6), min_size=1, max_size=30).map(np.array)


@given(groups, st.floats(-0.1, 0.95))
@settings(max_examples=40, deadline=None)
def test_one_correlation_within_studies_and_none_between(study, rho):
    v = np.linspace(0.1, 0.5, len(study))
    want = np.where(study[:, None] == study, rho * np.sqrt(np.outer(v, v)), 0.0)
    np.fill_diagonal(want, v)
    np.testing.assert_allclose(dense(covariance.compound_symmetric(v, study, rho)), want)


def test_correlation_fades_with_time_within_studies():
    v, study, time = np.full(5, 2.0), list("aabba"), [0, 1, 0, 3, 3]
    V = dense(covariance.autoregressive(v, study, time, 0.5))
    assert V[0, 1] == pytest.approx(2 * 0.5)
    assert V[0, 4] == pytest.approx(2 * 0.5**3)
    assert V[1, 4] == pytest.approx(2 * 0.5**2)
    assert V[2, 3] == pytest.approx(2 * 0.5**3)
    assert V[0, 2] == V[1, 3] == 0


def test_two_effects_of_one_time_need_a_correlation_of_their_own():
    v, study, time = [1.0, 1.0], ["a", "a"], [6, 6]
    with pytest.raises(ModelError, match="rows 0, 1"):
        covariance.autoregressive(v, study, time, 0.5).require_positive()
    V = covariance.autoregressive(v, study, time, 0.5, rho=0.7)
    V.require_positive()
    assert V.values == pytest.approx([0.7])


def test_given_matrices_go_to_the_effects_of_their_study_even_where_these_are_apart():
    first, second = np.array([[1, 0.3], [0.3, 2]]), np.array([[3.0, -0.5], [-0.5, 4]])
    study = ["x", "y", "x", "y"]
    want = np.zeros((4, 4))
    want[np.ix_([0, 2], [0, 2])], want[np.ix_([1, 3], [1, 3])] = first, second
    V = covariance.from_blocks([first, second], study)
    np.testing.assert_array_equal(dense(V), want)
    columns = pd.DataFrame({"a": [1, 3, 0.3, -0.5], "b": [0.3, -0.5, 2, 4]})
    np.testing.assert_array_equal(dense(covariance.from_columns(columns, study)), want)


def test_a_short_study_leaves_columns_empty():
    table = [[1, 0.2], [0.2, 2], [3, np.nan]]
    V = covariance.from_columns(table, ["a", "a", "b"])
    np.testing.assert_array_equal(dense(V), [[1, 0.2, 0], [0.2, 2, 0], [0, 0, 3]])


@pytest.mark.parametrize(
    ("blocks", "match"),
    [
        ([np.eye(2)], "2 studies but 1"),
        ([np.eye(3), np.eye(1)], "matrix 0 is of shape"),
        ([np.array([[1, 0.5], [0.1, 1]]), np.eye(1)], "not symmetric"),
    ],
)
def test_matrices_that_do_not_fit_are_named(blocks, match):
    with pytest.raises(UsageError, match=match):
        covariance.from_blocks(blocks, ["a", "a", "b"])


def test_a_matrix_that_is_no_covariance_names_its_rows():
    V = covariance.from_blocks([np.eye(1), [[1.0, 2.0], [2.0, 1.0]]], ["a", "b", "b"])
    with pytest.raises(ModelError, match="rows 1, 2"):
        V.require_positive()


@pytest.mark.parametrize("rho", [1.0, -1.0, 2.0, float("nan")])
def test_a_correlation_lies_between_minus_one_and_one(rho):
    with pytest.raises(UsageError, match="rho"):
        covariance.compound_symmetric([1, 1], ["a", "a"], rho)


@given(groups, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_blocks_subsets_and_batches_hold_the_same_matrix(study, random):
    v = np.linspace(0.1, 0.5, len(study))
    V = covariance.compound_symmetric(v, study, 0.4)
    matrix = dense(V)
    rebuilt = np.zeros_like(matrix)
    for rows, block in V.blocks(study):
        rebuilt[np.ix_(rows, rows)] = block
    np.testing.assert_array_equal(rebuilt, matrix)
    kept = np.array([random.random() < 0.6 for _ in study])
    np.testing.assert_array_equal(dense(V.subset(kept)), matrix[np.ix_(kept, kept)])
    rows = np.flatnonzero(kept)
    np.testing.assert_array_equal(V.submatrix(rows), matrix[np.ix_(rows, rows)])


def test_blocks_come_in_ascending_order_of_the_cluster():
    V = covariance.compound_symmetric(np.ones(5), [9, 10, 2, 10, 2], 0.5)
    assert [rows.tolist() for rows, _ in V.blocks([9, 10, 2, 10, 2])] == [[2, 4], [0], [1, 3]]


@given(st.lists(st.integers(0, 200), min_size=1, max_size=300).map(np.array))
@settings(max_examples=40, deadline=None)
def test_every_effect_is_in_one_batch_with_its_cluster(values):
    codes = covariance.group_codes(values)[0]
    seen = []
    for batch in make_batches(codes):
        for rows in batch.rows:
            real = rows[rows < len(codes)]
            assert len(set(codes[real])) == 1
            assert len(real) == (codes == codes[real[0]]).sum()
            seen += real.tolist()
    assert sorted(seen) == list(range(len(codes)))


def test_a_missing_group_is_an_error_that_names_the_row():
    with pytest.raises(ModelError, match="row 1"):
        covariance.group_codes(["a", None, "b"])
