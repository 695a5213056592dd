"""Pooling counts: single tables, turned groups, and counts that say nothing."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import ModelError, UsageError
from evidence.synthesis.mantel_haenszel import mantel_haenszel
from evidence.synthesis.peto import peto

tables = st.lists(
    st.tuples(*[st.integers(1, 200)] * 4), min_size=1, max_size=8
).map(lambda rows: dict(zip("abcd", np.array(rows, dtype=float).T, strict=True)))  # fmt: skip
many = settings(deadline=None, max_examples=80)


@given(st.tuples(*[st.integers(1, 500)] * 4))
def test_one_table_is_its_own_odds_ratio_with_woolfs_variance(cells):
    a, b, c, d = cells
    fit = mantel_haenszel("OR", a=[a], b=[b], c=[c], d=[d])
    assert fit.estimate == pytest.approx(math.log(a * d / (b * c)), abs=1e-12)
    assert fit.se == pytest.approx(math.sqrt(1 / a + 1 / b + 1 / c + 1 / d))
    assert fit.heterogeneity.statistic == pytest.approx(0, abs=1e-18)
    assert math.isnan(fit.heterogeneity.pvalue)
    difference = mantel_haenszel("RD", a=[a], b=[b], c=[c], d=[d])
    assert difference.estimate == pytest.approx(a / (a + b) - c / (c + d), abs=1e-12)


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
@many
@given(tables)
def test_swapping_the_groups_turns_the_sign(measure, x):
    one = mantel_haenszel(measure, **x)
    other = mantel_haenszel(measure, a=x["c"], b=x["d"], c=x["a"], d=x["b"])
    assert other.estimate == pytest.approx(-one.estimate, abs=1e-10)
    assert other.se == pytest.approx(one.se, rel=1e-8)
    assert other.heterogeneity.statistic == pytest.approx(
        one.heterogeneity.statistic, rel=1e-6, abs=1e-9
    )


@many
@given(tables)
def test_swapping_the_outcome_turns_odds_ratios_and_peto(x):
    turned = {"a": x["b"], "b": x["a"], "c": x["d"], "d": x["c"]}
    for fit in (lambda **columns: mantel_haenszel("OR", **columns), peto):
        assert fit(**turned).estimate == pytest.approx(-fit(**x).estimate, abs=1e-10)
        assert fit(**turned).se == pytest.approx(fit(**x).se, rel=1e-8)


@many
@given(tables)
def test_tables_without_events_say_nothing_of_a_ratio(x):
    more = {name: np.append(cells, 50.0 if name in "bd" else 0.0) for name, cells in x.items()}
    for fit in (lambda **columns: mantel_haenszel("OR", **columns), peto):
        one, other = fit(**x), fit(**more)
        assert other.estimate == pytest.approx(one.estimate, rel=1e-12)
        assert other.se == pytest.approx(one.se, rel=1e-12)
        assert (other.k, other.k_informative) == (one.k + 1, one.k)
    # Of a difference of risks it says that it is small.
    assert abs(mantel_haenszel("RD", **more).estimate) <= abs(mantel_haenszel("RD", **x).estimate)


@many
@given(tables)
def test_the_breslow_day_fit_has_the_common_odds_ratio_and_the_margins(x):
    from evidence.synthesis.mantel_haenszel import _expected

    fit = mantel_haenszel("OR", **x)
    n1, n2, events = x["a"] + x["b"], x["c"] + x["d"], x["a"] + x["c"]
    a = _expected(math.exp(fit.estimate), n1, n2, events)
    assert (a > 0).all() and (a < np.minimum(n1, events)).all()
    found = a * (n2 - events + a) / ((n1 - a) * (events - a))
    np.testing.assert_allclose(np.log(found), fit.estimate, rtol=1e-5, atol=1e-6)
    assert fit.tarone.statistic <= fit.breslow_day.statistic + 1e-12


def test_rates():
    fit = mantel_haenszel("IRR", x1=[10, 4], time1=[100, 50], x2=[20, 6], time2=[100, 40])
    one = mantel_haenszel("IRR", x1=[10], time1=[100], x2=[20], time2=[100])
    assert one.estimate == pytest.approx(math.log(0.5))
    assert one.se == pytest.approx(math.sqrt(1 / 10 + 1 / 20), rel=0.1)
    assert -0.8 < fit.estimate < -0.5
    difference = mantel_haenszel("IRD", x1=[10], time1=[100], x2=[20], time2=[100])
    assert difference.estimate == pytest.approx(-0.1)
    assert difference.se == pytest.approx(math.sqrt(10 / 100**2 + 20 / 100**2))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"a": [1, -1], "b": [2, 2], "c": [1, 1], "d": [3, 3]}, "row 1: a is -1"),
        ({"a": [0], "b": [9], "c": [3], "d": [9]}, "a group has no events"),
        ({"a": [], "b": [], "c": [], "d": []}, "no studies"),
    ],
)
def test_counts_that_cannot_be_pooled(columns, words):
    with pytest.raises(ModelError, match=words):
        mantel_haenszel("OR", **columns)


def test_peto_without_events():
    with pytest.raises(ModelError, match="nothing can be pooled"):
        peto([0], [9], [0], [9])


def test_unknown_measures_and_columns():
    with pytest.raises(UsageError, match="measure is one of"):
        mantel_haenszel("HR", a=[1], b=[1], c=[1], d=[1])
    with pytest.raises(UsageError, match="takes x1, time1"):
        mantel_haenszel("IRR", a=[1], b=[1], c=[1], d=[1])
    with pytest.raises(UsageError, match="one length"):
        mantel_haenszel("OR", a=[1, 2], b=[1], c=[1], d=[1])
