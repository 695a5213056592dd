"""One row per trial, chosen by a rule that was fixed beforehand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.synthesis.choice import choose, independent

CONSTRUCT = pd.Series({"instrument_order": "sdq-total; behaviour", "target_months": 12.0})
DEFAULTS = {
    "cluster": "a", "unusable": "", "part": "whole", "overlaps": "no", "measure_id": np.nan,
    "outcome_measure": "x", "primary": "yes", "follow_up_months": 12.0, "adjusted": "yes",
}  # fmt: skip


def frame(*rows):
    return pd.DataFrame([{**DEFAULTS, "effect_id": f"e{i}", **row} for i, row in enumerate(rows)])


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ({"part": "subgroup"}, {}),
        ({"overlaps": "yes"}, {}),
        ({}, {"measure_id": "sdq-total"}),
        ({"outcome_measure": "child behaviour scale"}, {"measure_id": "sdq-total"}),
        ({}, {"outcome_measure": "child behaviour scale"}),
        ({"primary": "no"}, {}),
        ({"follow_up_months": 24.0}, {"follow_up_months": 6.0}),
        ({"follow_up_months": np.nan}, {"follow_up_months": 60.0}),
        ({"adjusted": "not-stated"}, {}),
        ({"unusable": "direction-unknown"}, {"part": "subgroup", "primary": "no"}),
    ],
)
def test_each_preference_decides_by_itself(worse, better):
    for first, second in ((worse, better), (better, worse)):
        rows = frame(first, second)
        chosen = choose(rows, CONSTRUCT)
        assert chosen.sum() == 1
        assert chosen[1 if second is better else 0]


def test_equal_rows_are_decided_by_their_id():
    rows = frame({}, {}).iloc[::-1]
    assert list(rows.index[choose(rows, CONSTRUCT)]) == [0]


def test_a_trial_without_usable_rows_has_none():
    rows = frame({"unusable": "no-variance"}, {"cluster": "b"})
    assert list(choose(rows, CONSTRUCT)) == [False, True]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.booleans()), min_size=1))
def test_one_usable_row_for_each_trial_that_has_one(drawn):
    rows = frame(*(
        {"cluster": c, "unusable": "" if usable else "no", "primary": "yes" if main else "no"}
        for c, usable, main in drawn
    ))  # fmt: skip
    chosen = choose(rows, CONSTRUCT)
    usable = rows[rows["unusable"] == ""]
    assert sorted(rows.loc[chosen, "cluster"]) == sorted(usable["cluster"].unique())


def test_reports_and_arms_that_share_people_are_one():
    studies = pd.DataFrame({
        "study_id": ["s1", "s2", "s3", "s4"], "cohort_id": ["c", "c", "d", np.nan],
        "shared_control_id": [np.nan, np.nan, "x", "x"],
    })  # fmt: skip
    clusters = independent(studies)
    assert clusters["s1"] == clusters["s2"]
    assert clusters["s3"] == clusters["s4"]
    assert clusters.nunique() == 2
