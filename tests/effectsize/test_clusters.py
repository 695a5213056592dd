"""Design effects."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.effectsize import design_effect
from evidence.effectsize.clusters import domain_iccs


def test_cochrane_handbook_example_of_a_cluster_trial() -> None:
    # Section 23.1.4: 295 and 330 people in 10 and 11 clusters, ICC 0.02: 1 + (29.8 - 1) 0.02.
    assert float(design_effect(29.8, 0.02)) == pytest.approx(1.576)


@given(st.floats(0, 1e4), st.floats(-0.1, 1))
def test_never_claims_more_than_individuals_would(size: float, icc: float) -> None:
    assert design_effect(size, icc) >= 1


def test_median_of_a_domain_without_largest_values_and_without_other() -> None:
    table = pd.DataFrame({
        "domain_id": ["a", "a", "a", "b", "other"],
        "statistic": ["estimate", "estimate", "largest", "largest", "estimate"],
        "icc": [0.01, 0.03, 0.2, 0.1, 0.06],
    })  # fmt: skip
    assert domain_iccs(table).to_dict() == {"a": pytest.approx(0.02)}
