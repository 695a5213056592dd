"""How results are written: direction, scale and no more than the interval allows."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.briefing.wording import (
    COUNTRIES,
    country_name,
    months,
    reading,
    result,
    scale_of,
    short_result,
    study_name,
)
from evidence.facts import stray_digits

METRICS = ("g", "md", "log_or", "log_rr", "log_irr", "log_hr", "rd")


def scale(metric, lower="yes", statutory="no"):
    construct = pd.Series({"metric": metric, "statutory": statutory})
    return scale_of(construct, pd.DataFrame({"lower_is_better": [lower]}))


def row(estimate, low, high):
    return pd.Series({"estimate": estimate, "ci_lower": low, "ci_upper": high})


def test_a_ratio_is_printed_in_the_direction_of_its_outcome():
    """Fewer smokers: stored as a benefit of log 2, printed as half the odds."""
    benefit = row(math.log(2), math.log(1.25), math.log(4))
    said = result(benefit, scale("log_or"), ("estimates:x",))
    assert said.plain == (
        "odds 0.50 times those of the comparison group (95% interval 0.25 to 0.80)"
    )
    fact = said.facts[0]
    assert (fact.value, fact.lower, fact.upper) == pytest.approx((0.5, 0.25, 0.8))
    more = short_result(benefit, scale("log_or", lower="no"), ())
    assert more.plain == "2.00 (1.25 to 4.00)"


def test_risk_differences_are_percentage_points():
    said = result(row(0.05, -0.01, 0.11), scale("rd"), ())
    assert said.plain == "a difference of −5.0 percentage points (95% interval −11.0 to 1.0)"


def test_a_limit_beside_zero_does_not_read_as_zero():
    said = short_result(row(0.03, 0.0005, 0.06), scale("md"), ())
    assert said.plain == "0.03 (0.0005 to 0.06)"
    assert short_result(row(0.03, 0.0, 0.06), scale("md"), ()).plain == "0.03 (0.00 to 0.06)"


def test_scores_keep_the_sign_of_benefit():
    for lower in ("yes", "no"):
        assert (
            short_result(row(0.3, 0.1, 0.5), scale("g", lower), ()).plain == "0.30 (0.10 to 0.50)"
        )


@given(
    st.sampled_from(METRICS),
    st.sampled_from(["yes", "no"]),
    st.floats(-1, 1),
    st.floats(0.01, 1),
)
def test_limits_are_in_order_and_every_number_is_a_fact(metric, lower, centre, half):
    shown = scale(metric, lower)
    said = result(row(centre, centre - half, centre + half), shown, ("estimates:x",))
    main, low, high = said.facts
    assert low.value <= main.value <= high.value
    assert not stray_digits(said.text)


@pytest.mark.parametrize(
    ("interval", "worthwhile", "words"),
    [
        ((0.3, 0.5), 0.2, "on the programme's side."),
        ((0.1, 0.5), 0.2, "includes effects too small to be worth having"),
        ((0.1, 0.15), 0.2, "all of it is smaller than the smallest effect"),
        ((0.1, 0.5), np.nan, "on the programme's side."),
        ((-0.5, -0.1), 0.2, "the programme did worse"),
        ((-0.1, 0.1), 0.2, "leaves no room for an effect as large"),
        ((-0.1, 0.3), 0.2, "does not settle the question"),
        ((-0.1, 0.3), np.nan, "includes no difference."),
    ],
)
def test_what_an_interval_allows(interval, worthwhile, words):
    assert words in reading(row(0, *interval), scale("g"), worthwhile).plain


@pytest.mark.parametrize(
    ("lower", "interval", "words"),
    [
        ("yes", (0.1, 0.5), "says fewer"),
        ("yes", (-0.5, -0.1), "says more"),
        ("no", (0.1, 0.5), "says more"),
        ("no", (-0.5, -0.1), "says fewer"),
        ("yes", (-0.5, 0.5), "fewer, as many and more"),
    ],
)
def test_statutory_outcomes_are_never_better_or_worse(lower, interval, words):
    shown = scale("log_or", lower, statutory="yes")
    said = reading(row(0, *interval), shown, 0.1).plain
    assert words in said
    for judgement in ("better", "worse", "favour", "side"):
        assert judgement not in said
    assert not any("favours" in side for side in shown.sides)


@pytest.mark.parametrize(
    ("authors", "year", "name"),
    [
        ("Hutchings J; Bywater T; Daley D; et al.", 2007, "Hutchings and others 2007"),
        ("Ni Mhaille G; et al.", 2012, "Ni Mhaille and others 2012"),
        ("Wade J; Johnson C", 2021, "Wade and Johnson 2021"),
        ("Cochrane Group", 2019, "Cochrane Group 2019"),
        (np.nan, 2010, "Authors not stated 2010"),
        ("Smith A", np.nan, "Smith"),
    ],
)
def test_names_of_studies(authors, year, name):
    assert study_name(pd.Series({"authors": authors, "year": year})) == name


def test_every_country_of_the_database_has_a_name(project):
    from evidence.literature import read_trials

    codes = set(read_trials(project).studies["country"].dropna())
    assert codes <= set(COUNTRIES)
    assert country_name(np.nan) == "several countries or not stated"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1 month"), (6, "6 months"), (36, "3 years"), (42, "42 months"), (7.5, "7.5 months"),
     (math.nan, "not stated")],
)  # fmt: skip
def test_follow_up_in_words(value, text):
    assert months(value) == text
