"""Which way is taken to an effect size, and what it gives."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.effectsize import DERIVATIONS, effect_sizes, escalc, small_sample_factor

Make = Callable[..., pd.DataFrame]
MEASURES = pd.DataFrame({"measure_id": ["m", "none"], "sd": [6.0, np.nan]})
ARMS = {"n_i": 60, "mean_i": 8.0, "sd_i": 5.0, "n_c": 50, "mean_c": 10.0, "sd_c": 7.0}
COUNTS = {"events_i": 20, "total_i": 100, "events_c": 30, "total_c": 110}


@pytest.fixture
def size(make_effects: Make, make_studies: Make) -> Callable[..., pd.Series]:
    """The effect size of one row."""

    def of(metric: str, study: dict[str, Any] | None = None, **row: Any) -> pd.Series:
        frame = effect_sizes(
            make_effects(row), metric=metric, studies=make_studies(study or {}), measures=MEASURES
        )
        return frame.iloc[0]

    return of


def pooled() -> float:
    return float(np.sqrt((59 * 25 + 49 * 49) / 108))


def test_reported_smd_with_interval_comes_before_the_arms(size: Callable[..., pd.Series]) -> None:
    row = size("g", effect_type="SMD", effect=-0.5, ci_low=-0.9, ci_high=-0.1, ci_level=95,
               p="0.2", **ARMS)  # fmt: skip
    assert row["derivation"] == "reported-interval"
    assert row["yi"] == pytest.approx(0.5)
    assert row["sei"] == pytest.approx(0.8 / (2 * 1.959964))
    assert row["assumptions"] == "smd-taken-as-g"


@pytest.mark.parametrize(("level", "quantile"), [(90, 1.644854), (97.5, 2.241403), (99.2, 2.65207)])
def test_level_of_the_row(size: Callable[..., pd.Series], level: float, quantile: float) -> None:
    row = size("md", effect_type="MD", effect=-2, ci_low=-5, ci_high=1, ci_level=level)
    assert row["sei"] == pytest.approx(3 / quantile, rel=1e-5)


def test_standard_error_then_exact_p(size: Callable[..., pd.Series]) -> None:
    row = size("g", effect_type="SMD", effect=-0.3, se=0.12, p="0.04")
    assert (row["derivation"], row["sei"]) == ("reported-se", pytest.approx(0.12))
    row = size("g", effect_type="SMD", effect=-0.3, p="0.05", **ARMS)
    assert (row["derivation"], row["sei"]) == ("reported-p", pytest.approx(0.3 / 1.959964))
    assert "p-from-normal" in row["assumptions"]


def test_difference_of_means_over_the_sd_of_the_arms(size: Callable[..., pd.Series]) -> None:
    # The adjusted difference counts, although the raw means point the other way.
    row = size("g", effect_type="MD", effect=1.2, ci_low=-1, ci_high=3.4, ci_level=95, **ARMS)
    d, j = -1.2 / pooled(), float(small_sample_factor(108))
    se = 2.2 / 1.959964 / pooled()
    assert row["derivation"] == "md-over-arm-sd"
    assert row["yi"] == pytest.approx(j * d)
    assert row["vi"] == pytest.approx(j**2 * (se**2 + d**2 / 216))
    assert row["flags"] == "raw-and-reported-disagree"


def test_means_of_the_arms(size: Callable[..., pd.Series]) -> None:
    expected = escalc("SMD", mean1=8, sd1=5, n1=60, mean2=10, sd2=7, n2=50)
    row = size("g", **ARMS)
    assert row["derivation"] == "arm-means"
    assert (row["yi"], row["vi"]) == pytest.approx((-expected.yi[0], expected.vi[0]))
    row = size("md", lower_is_better="no", **ARMS)
    assert (row["derivation"], row["yi"]) == ("arm-means", pytest.approx(-2))
    assert row["vi"] == pytest.approx(25 / 60 + 49 / 50)


def test_difference_of_means_over_the_published_sd(size: Callable[..., pd.Series]) -> None:
    row = size("g", effect_type="MD", effect=-3, ci_low=-5, ci_high=-1, ci_level=95, measure_id="m")
    assert row["derivation"] == "md-over-published-sd"
    assert row["yi"] == pytest.approx(0.5)
    assert row["sei"] == pytest.approx(2 / 1.959964 / 6)
    assert "instrument-sd" in row["assumptions"]
    row = size("g", effect_type="MD", effect=-3, n_i=50, n_c=50, measure_id="m")
    assert row["vi"] == pytest.approx(2 / 50 + 0.25 / 200)
    assert row["flags"] == "variance-from-n"


def test_through_t_only_for_unadjusted_individual_trials(size: Callable[..., pd.Series]) -> None:
    figures = {"effect_type": "MD", "effect": -2.0, "se": 0.8, "n_i": 40, "n_c": 40}
    row = size("g", adjusted="no", **figures)
    d = 2.5 * np.sqrt(2 / 40)
    assert row["derivation"] == "md-through-t"
    assert row["yi"] == pytest.approx(d * float(small_sample_factor(78)))
    for adjusted in ("yes", "not-stated"):
        assert size("g", adjusted=adjusted, **figures)["unusable"] == "no-sd"
    for design in ("cluster-rct", "quasi-experimental"):
        assert size("g", {"design": design}, adjusted="no", **figures)["unusable"] == "no-sd"
    assert (
        size("g", adjusted="no", **{**figures, "clustering": "not-stated"})["unusable"] == "no-sd"
    )


def test_p_through_t(size: Callable[..., pd.Series]) -> None:
    row = size("g", effect_type="MD", effect=-2, p="0.02", adjusted="no", n_i=40, n_c=40)
    assert row["derivation"] == "p-through-t"
    assert row["yi"] == pytest.approx(
        2.3751 * np.sqrt(2 / 40) * float(small_sample_factor(78)), rel=1e-4
    )
    assert (
        size("g", effect_type="MD", effect=-2, p="<0.02", adjusted="no", n_i=40, n_c=40)["unusable"]
        == "no-sd"
    )


def test_smd_with_the_size_of_the_arms(size: Callable[..., pd.Series]) -> None:
    row = size("g", effect_type="SMD", effect=-0.4, n_i=50, n_c=50)
    assert row["derivation"] == "reported-n"
    assert row["vi"] == pytest.approx(2 / 50 + 0.16 / 200)
    assert row["flags"] == "variance-from-n"


def test_bound_on_p_gives_the_larger_variance(size: Callable[..., pd.Series]) -> None:
    naive = 2 / 50 + 0.7**2 / 200
    row = size("g", effect_type="SMD", effect=-0.7, n_i=50, n_c=50, p="<0.05")
    assert row["vi"] == pytest.approx((0.7 / 1.959964) ** 2)
    assert row["vi"] > naive
    assert row["flags"] == "variance-from-p-bound"
    row = size("g", effect_type="SMD", effect=-0.7, n_i=50, n_c=50, p="<0.0000001")
    assert row["vi"] == pytest.approx(naive)
    assert row["flags"] == "variance-from-n"
    row = size("g", effect_type="SMD", effect=-0.7, p="<0.05")
    assert row["variance_from"] == "p-bound"


def test_p_near_one_says_nothing(size: Callable[..., pd.Series]) -> None:
    assert size("g", effect_type="SMD", effect=-0.01, p="0.98")["unusable"] == "no-variance"
    row = size("g", effect_type="SMD", effect=-0.01, p="0.98", n_i=50, n_c=50)
    assert row["variance_from"] == "n"


def test_counts_only_where_no_such_ratio_is_reported(size: Callable[..., pd.Series]) -> None:
    reported = {"effect_type": "OR", "effect": 0.8, "ci_low": 0.5, "ci_high": 1.28, "ci_level": 95}
    row = size("log_or", **reported, **COUNTS)
    assert row["derivation"] == "reported-interval"
    assert row["yi"] == pytest.approx(-np.log(0.8))
    table = {"a": 20, "b": 80, "c": 30, "d": 80}
    for metric, measure in (("log_or", "OR"), ("log_rr", "RR"), ("rd", "RD")):
        row = size(metric, **COUNTS)
        expected = escalc(measure, **table)
        assert row["derivation"] == "counts"
        assert (row["yi"], row["vi"]) == pytest.approx((-expected.yi[0], expected.vi[0]))
    row = size("log_or", effect_type="OR", effect=0.8, **COUNTS)
    assert row["derivation"] == "reported-n"
    assert row["vi"] == pytest.approx(escalc("OR", **table).vi[0])


def test_zero_cells(size: Callable[..., pd.Series]) -> None:
    row = size("log_or", events_i=0, total_i=50, events_c=4, total_c=50)
    assert row["yi"] == pytest.approx(-escalc("OR", a=0, b=50, c=4, d=46).yi[0])
    assert row["assumptions"] == "half-added"
    row = size("log_or", events_i=0, total_i=50, events_c=0, total_c=50)
    assert row["unusable"] == "no-events"


@pytest.mark.parametrize(
    ("metric", "kind"), [("log_irr", "IRR"), ("log_hr", "HR"), ("log_rr", "RR"), ("log_or", "OR")]
)
def test_ratio_and_its_inverse(size: Callable[..., pd.Series], metric: str, kind: str) -> None:
    row = size(metric, effect_type=kind, effect=0.8, ci_low=0.64, ci_high=1, ci_level=95)
    same = size(metric, effect_type=kind, effect=1.25, ci_low=1, ci_high=1.5625, ci_level=95,
                turn="invert")  # fmt: skip
    assert row["yi"] == pytest.approx(-np.log(0.8))
    assert (same["yi"], same["vi"]) == pytest.approx((row["yi"], row["vi"]))


@given(st.floats(-2, 2), st.floats(0.01, 2), st.sampled_from(["none", "negate"]))
def test_turn_and_direction_together_change_nothing(
    make_effects: Make, make_studies: Make, effect: float, half: float, turn: str
) -> None:
    sign = -1 if turn == "negate" else 1
    one, other = sign * effect - half, sign * effect + half
    frame = make_effects(
        {"effect_type": "SMD", "effect": sign * effect, "ci_low": one, "ci_high": other,
         "ci_level": 95, "turn": turn},
        {"effect_type": "SMD", "effect": -sign * effect, "ci_low": -other, "ci_high": -one,
         "ci_level": 95, "turn": turn, "lower_is_better": "no"},
    )  # fmt: skip
    found = effect_sizes(frame, metric="g", studies=make_studies())
    assert found["yi"].tolist() == pytest.approx([-effect, -effect])
    assert found["vi"].tolist() == pytest.approx([(half / 1.959964) ** 2] * 2)


def test_order_of_the_ladder_is_that_of_the_table() -> None:
    assert list(DERIVATIONS) == [
        "reported-interval", "reported-se", "reported-p", "md-over-arm-sd", "arm-means", "counts",
        "md-over-published-sd", "md-through-t", "p-through-t", "reported-n",
    ]  # fmt: skip
