"""Two-by-two tables: published worked examples, identities and zero cells."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.effectsize import escalc

BORENSTEIN = {"a": 5, "b": 95, "c": 10, "d": 90}
cell = st.integers(1, 500)
tables = st.fixed_dictionaries({"a": cell, "b": cell, "c": cell, "d": cell})
MEASURES = ("OR", "RR", "RD", "PETO", "AS", "PHI", "YUQ", "YUY", "OR2DN", "OR2DL", "PBIT")


def one(measure: str, x: dict[str, float], **options: object) -> tuple[float, float]:
    found = escalc(measure, **options, **x)  # type: ignore[arg-type]
    return float(found.yi[0]), float(found.vi[0])


@pytest.mark.parametrize(
    ("measure", "published"),
    [("RR", (-0.6931, 0.2800)), ("OR", (-0.7472, 0.3216)), ("RD", (-0.0500, 0.001375))],
)
def test_borenstein_2009_chapter_5(measure: str, published: tuple[float, float]) -> None:
    assert one(measure, BORENSTEIN) == pytest.approx(published, abs=6e-5)


def test_colditz_1994_first_bcg_trial() -> None:
    aronson = {"a": 4, "b": 119, "c": 11, "d": 128}
    assert one("RR", aronson) == pytest.approx((-0.8893, 0.3256), abs=5e-5)


@pytest.mark.parametrize("measure", MEASURES)
@given(x=tables)
def test_swapping_the_groups_changes_the_sign_alone(measure: str, x: dict[str, float]) -> None:
    y, v = one(measure, x)
    mirrored = {"a": x["c"], "b": x["d"], "c": x["a"], "d": x["b"]}
    assert one(measure, mirrored) == pytest.approx((-y, v), rel=1e-7, abs=1e-12)
    assert v > 0


@pytest.mark.parametrize("measure", MEASURES)
@given(x=tables)
def test_sign_is_that_of_the_risk_difference(measure: str, x: dict[str, float]) -> None:
    assert one(measure, x)[0] * one("RD", x)[0] >= -1e-15


@given(tables)
def test_odds_ratio_of_the_opposite_event_is_the_inverse(x: dict[str, float]) -> None:
    y, v = one("OR", x)
    opposite = {"a": x["b"], "b": x["a"], "c": x["d"], "d": x["c"]}
    assert one("OR", opposite) == pytest.approx((-y, v))


@given(tables)
def test_yule_q_of_the_odds_ratio(x: dict[str, float]) -> None:
    ratio = x["a"] * x["d"] / (x["b"] * x["c"])
    assert one("YUQ", x)[0] == pytest.approx((ratio - 1) / (ratio + 1), abs=1e-12)
    root = np.sqrt(ratio)
    assert one("YUY", x)[0] == pytest.approx((root - 1) / (root + 1), abs=1e-12)


ZERO = {"a": [0, 4], "b": [20, 16], "c": [3, 5], "d": [17, 15]}


@pytest.mark.parametrize(
    ("to", "first", "second"),
    [("only0", 0.5, 0), ("all", 0.5, 0.5), ("if0all", 0.5, 0.5), ("none", 0, 0)],
)
def test_rows_that_take_the_addition(to: str, first: float, second: float) -> None:
    found = escalc("OR", to=to, **ZERO)
    more = np.array([first, second])
    a, b, c, d = (np.array(ZERO[name]) + more for name in "abcd")
    with np.errstate(divide="ignore"):
        expected = np.log(a * d / (b * c))
    assert found.yi == pytest.approx(np.where(np.isfinite(expected), expected, np.nan), nan_ok=True)


def test_tables_without_events_can_be_dropped() -> None:
    nobody = {"a": [0, 20], "b": [20, 0], "c": [0, 30], "d": [30, 0]}
    assert np.isnan(escalc("OR", drop00=True, **nobody).yi).all()
    assert np.isfinite(escalc("OR", **nobody).yi).all()
