"""Differences of means: published worked examples and what must hold for all numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.effectsize import escalc, small_sample_factor
from evidence.effectsize.means import COX, LOGISTIC

BORENSTEIN = {"mean1": 103, "sd1": 5.5, "n1": 50, "mean2": 100, "sd2": 4.5, "n2": 50}

value = st.floats(-50, 50)
spread = st.floats(0.1, 30)
size = st.integers(3, 2000)
groups = st.fixed_dictionaries(
    {"mean1": value, "sd1": spread, "n1": size, "mean2": value, "sd2": spread, "n2": size}
)


def swapped(x: dict[str, float]) -> dict[str, float]:
    return {name[:-1] + {"1": "2", "2": "1"}[name[-1]]: number for name, number in x.items()}


def one(measure: str, x: dict[str, float], **options: str) -> tuple[float, float]:
    found = escalc(measure, **options, **x)
    return float(found.yi[0]), float(found.vi[0])


def test_borenstein_2009_chapter_4_difference_of_means() -> None:
    assert one("MD", BORENSTEIN) == pytest.approx((3, 1.0100), abs=5e-5)


def test_borenstein_2009_chapter_4_hedges_g() -> None:
    # The book takes the approximate J and the variance J² V_d.
    assert one("SMD", BORENSTEIN, vtype="LS2") == pytest.approx((0.5924, 0.0411), abs=1e-4)


@pytest.mark.parametrize("vtype", ["LS", "LS2", "UB"])
@given(x=groups)
def test_swapping_the_groups_changes_the_sign_alone(vtype: str, x: dict[str, float]) -> None:
    y, v = one("SMD", x, vtype=vtype)
    assert one("SMD", swapped(x), vtype=vtype) == pytest.approx((-y, v))


@pytest.mark.parametrize("measure", ["MD", "SMDH", "VR", "D2ORN", "D2ORL"])
@given(x=groups)
def test_antisymmetric_measures(measure: str, x: dict[str, float]) -> None:
    y, v = one(measure, x)
    assert one(measure, swapped(x)) == pytest.approx((-y, v))


@pytest.mark.parametrize("measure", ["MD", "SMD", "SMDH", "SMD1", "SMD1H", "VR", "D2ORN", "RPB"])
@given(x=groups)
def test_variance_is_positive(measure: str, x: dict[str, float]) -> None:
    assert one(measure, x)[1] > 0


@given(groups)
def test_g_is_the_exact_share_of_d(x: dict[str, float]) -> None:
    d = one("D2ORN", x)[0] / COX
    g = one("SMD", x)[0]
    assert abs(g) <= abs(d)
    assert g == pytest.approx(d * float(small_sample_factor(x["n1"] + x["n2"] - 2)))


@given(groups, st.floats(0.01, 100), value)
def test_standardised_difference_knows_no_unit(
    x: dict[str, float], scale: float, shift: float
) -> None:
    other = {
        name: number * scale + (shift if name.startswith("mean") else 0)
        if not name.startswith("n") else number
        for name, number in x.items()
    }  # fmt: skip
    assert one("SMD", other) == pytest.approx(one("SMD", x), rel=1e-6, abs=1e-6)


@given(groups)
def test_logistic_and_cox_differ_by_their_factors(x: dict[str, float]) -> None:
    normal, logistic = one("D2ORN", x), one("D2ORL", x)
    assert logistic[0] * COX == pytest.approx(normal[0] * LOGISTIC)
    assert logistic[1] * COX**2 == pytest.approx(normal[1] * LOGISTIC**2)


def test_ratio_of_means_needs_one_sign() -> None:
    assert np.isnan(escalc("ROM", **{**BORENSTEIN, "mean2": -100}).yi).all()


def test_average_variance_depends_on_the_sizes_alone() -> None:
    found = escalc("SMD", vtype="AV", mean1=[1, 5], sd1=1, n1=20, mean2=0, sd2=1, n2=20)
    assert found.vi[0] == found.vi[1]
    mean = found.yi.mean()
    assert found.vi[0] == pytest.approx(0.1 + mean**2 / 80)
