"""The one door to all measures."""

import numpy as np
import pytest

from evidence.effectsize import MEASURES, escalc
from evidence.errors import UsageError


def test_unknown_measure_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no measure \"SMDD\"; there are .*SMD"):
        escalc("SMDD")


def test_missing_and_unknown_columns_are_named() -> None:
    with pytest.raises(UsageError, match="missing: c, d"):
        escalc("OR", a=1, b=2)
    with pytest.raises(UsageError, match="takes no n1"):
        escalc("OR", a=1, b=2, c=3, d=4, n1=5)


def test_columns_of_unequal_length() -> None:
    with pytest.raises(UsageError, match="do not fit together"):
        escalc("ZCOR", r=[0.1, 0.2], n=[10, 20, 30])


def test_types_of_variance_and_additions_are_checked() -> None:
    with pytest.raises(UsageError, match="LS, LS2, UB, AV"):
        escalc("SMD", vtype="HO", mean1=1, sd1=1, n1=9, mean2=0, sd2=1, n2=9)
    with pytest.raises(UsageError, match="only0"):
        escalc("OR", a=1, b=2, c=3, d=4, to="zeros")


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_unknown_figures_give_nan_for_both_and_leave_the_other_rows(name: str) -> None:
    kind = MEASURES[name]
    good = {"n": 40.0, "r": 0.3, "alpha": 0.8, "items": 10.0}
    columns = {
        need: np.array([np.nan, good.get(need, 7.0 + place)])
        for place, need in enumerate(kind.needs)
    }
    found = escalc(name, **columns)
    assert np.isnan(found.yi[0])
    assert np.isnan(found.vi[0])
    assert np.isfinite(found.yi[1])
    assert found.vi[1] > 0


def test_scalars_are_repeated() -> None:
    found = escalc("PR", x=[1, 2, 3], n=10)
    assert found.yi.tolist() == pytest.approx([0.1, 0.2, 0.3])
