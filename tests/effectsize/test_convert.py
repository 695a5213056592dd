"""Conversions between statistics and, for sensitivity, between metrics."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evidence.effectsize import (
    convert,
    convert_effect_sizes,
    convert_g_to_log_or,
    convert_log_or_to_g,
    convert_log_or_to_log_rr,
    convert_log_rr_to_log_or,
    escalc,
)
from evidence.errors import UsageError

effect = st.floats(-2, 2)
variance = st.floats(1e-4, 2)


def test_cochrane_handbook_6_5_2_3_standard_deviation_from_a_p_value() -> None:
    # A difference of 3.8 with p = 0.008 between 25 and 22 people: t 2.78, SE 1.37, SD 4.69.
    t = float(convert.t_from_p(0.008, 1, 45))
    assert t == pytest.approx(2.78, abs=0.005)
    assert float(convert.sd_from_se(3.8 / t, 25, 22)) == pytest.approx(4.69, abs=0.01)


def test_borenstein_2009_chapter_7() -> None:
    y, v = convert_log_or_to_g(0.9069, 0.0676)
    assert (float(y), float(v)) == pytest.approx((0.5000, 0.0205), abs=5e-5)
    # The book rounds the variance of r to 0.0058; (1 - r²)²/(n - 1) with n = 98 gives that.
    y, v = convert.d_from_r(0.5, 98)
    assert (float(y), float(v)) == pytest.approx((1.1547, 0.0550), abs=1e-4)


def test_altman_and_bland_2011_p_from_an_interval() -> None:
    # BMJ 343:d2304: a ratio of 0.81 (0.70 to 0.94); SE 0.0753 (their logs are rounded), p 0.005.
    y, v = convert.log_ratio_from_interval(0.81, 0.70, 0.94)
    assert np.sqrt(v) == pytest.approx(0.0753, abs=5e-4)
    assert 2 * stats.norm.sf(abs(y) / np.sqrt(v)) == pytest.approx(0.005, abs=5e-4)


@given(st.lists(st.floats(-5, 5), min_size=6, max_size=30), st.integers(2, 4))
def test_t_gives_the_same_g_as_the_means(values: list[float], cut: int) -> None:
    one, other = np.array(values[cut:]), np.array(values[:cut])
    if min(one.std(), other.std()) < 1e-3:
        return
    test = stats.ttest_ind(one, other)
    direct = escalc(
        "SMD", mean1=one.mean(), sd1=one.std(ddof=1), n1=len(one), mean2=other.mean(),
        sd2=other.std(ddof=1), n2=len(other),
    )  # fmt: skip
    df = len(values) - 2
    for t in (
        test.statistic,
        convert.t_from_p(test.pvalue, test.statistic, df),
        convert.t_from_f(test.statistic**2, test.statistic),
    ):
        found = convert.g_from_t(t, len(one), len(other))
        assert found.yi == pytest.approx(direct.yi[0], rel=1e-6, abs=1e-7)
        assert found.vi == pytest.approx(direct.vi[0], rel=1e-6)
    interval = test.confidence_interval(0.9)
    se = convert.t_interval_se(interval.low, interval.high, df, 90)
    assert (one.mean() - other.mean()) / se == pytest.approx(test.statistic, rel=1e-6, abs=1e-7)


@given(st.floats(0.05, 20), st.floats(0.01, 2), st.floats(50, 99.9))
def test_interval_and_p_of_a_ratio_give_back_its_variance(
    ratio: float, se: float, level: float
) -> None:
    half = stats.norm.ppf(0.5 + level / 200) * se
    y, v = convert.log_ratio_from_interval(
        ratio, ratio * np.exp(-half), ratio * np.exp(half), level
    )
    assert (float(y), float(np.sqrt(v))) == pytest.approx((np.log(ratio), se))
    z = abs(np.log(ratio)) / se
    if 0.01 < z < 30:
        p = 2 * stats.norm.sf(z)
        assert np.sqrt(convert.log_ratio_from_p(ratio, p).vi) == pytest.approx(se, rel=1e-6)


@pytest.mark.parametrize("method", ["logistic", "cox"])
@given(y=effect, v=variance)
def test_odds_ratio_and_g_round_trip(method: str, y: float, v: float) -> None:
    there = convert_log_or_to_g(y, v, method)
    back = convert_g_to_log_or(there.yi, there.vi, method)
    assert (float(back.yi), float(back.vi)) == pytest.approx((y, v))


@given(effect, variance, st.floats(0.01, 0.95))
def test_odds_ratio_and_risk_ratio_round_trip(y: float, v: float, risk: float) -> None:
    there = convert_log_or_to_log_rr(y, v, risk)
    back = convert_log_rr_to_log_or(there.yi, there.vi, risk)
    assert (float(back.yi), float(back.vi)) == pytest.approx((y, v), abs=1e-9)
    assert abs(there.yi) <= abs(y) + 1e-12


def test_risk_ratio_of_the_table_itself() -> None:
    table = {"a": 30, "b": 70, "c": 20, "d": 80}
    odds, risks = escalc("OR", **table), escalc("RR", **table)
    assert convert_log_or_to_log_rr(odds.yi, odds.vi, 0.2).yi == pytest.approx(risks.yi)
    assert convert_log_rr_to_log_or(risks.yi, risks.vi, 0.2).yi == pytest.approx(odds.yi)


def test_a_risk_beyond_one_is_no_odds_ratio() -> None:
    assert np.isnan(convert_log_rr_to_log_or(np.log(3), 0.1, 0.4).yi)


def sizes(metric: str, lower_is_better: str = "yes") -> pd.DataFrame:
    return pd.DataFrame(
        {"yi": [0.5, np.nan], "vi": [0.04, np.nan], "sei": [0.2, np.nan], "metric": metric,
         "lower_is_better": lower_is_better},
        index=[7, 9],
    )  # fmt: skip


def test_converted_rows_say_where_they_come_from() -> None:
    found = convert_effect_sizes(sizes("log_or"), "g", method="cox")
    assert found.index.tolist() == [7, 9]
    assert found.loc[7, "yi"] == pytest.approx(0.5 / 1.65)
    assert found.loc[7, "sei"] == pytest.approx(0.2 / 1.65)
    assert np.isnan(found.loc[9, "yi"])
    assert set(found["converted_from"]) == {"log_or"}
    assert set(found["metric"]) == {"g"}


def test_risk_ratio_is_converted_as_that_of_the_event() -> None:
    # exp(-0.5) of the control risk 0.5 where less is better, exp(0.5) of it where more is.
    fewer = convert_effect_sizes(sizes("log_rr"), "log_or", control_risk=0.5).loc[7, "yi"]
    risk = 0.5 * np.exp(-0.5)
    assert fewer == pytest.approx(-np.log(risk / (1 - risk)))
    more = convert_effect_sizes(
        sizes("log_rr", "no"), "log_or", control_risk=pd.Series({7: 0.5, 9: 0.5})
    ).loc[7, "yi"]
    risk = 0.5 * np.exp(0.5)
    assert more == pytest.approx(np.log(risk / (1 - risk)))


@pytest.mark.parametrize("metric", ["log_irr", "log_hr", "rd", "md"])
def test_no_other_metric_becomes_g(metric: str) -> None:
    with pytest.raises(UsageError, match="no conversion"):
        convert_effect_sizes(sizes(metric), "g")


def test_risk_ratio_needs_the_control_risk() -> None:
    with pytest.raises(UsageError, match="risk in the control group"):
        convert_effect_sizes(sizes("log_rr"), "log_or")
    with pytest.raises(UsageError, match="no method"):
        convert_effect_sizes(sizes("log_or"), "g", method="probit")
    with pytest.raises(UsageError, match="one metric"):
        convert_effect_sizes(pd.concat([sizes("g"), sizes("log_or")]), "g")
