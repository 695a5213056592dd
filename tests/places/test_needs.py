"""Needs profiles: on the shipped data, and on simulated places where the truth is known."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evidence.errors import DataError, UsageError
from evidence.places import NeedsProfiles, needs_profile, needs_profiles, wilson
from evidence.places.needs import ENGLAND, _decimals, _segments

ALONE = {"E06000053", "E09000001"}


def test_every_authority_has_every_need_once(profiles, places):
    assert set(profiles) == set(places.authorities["area_code"])
    needs = places.indicators.query("role == 'need'")["indicator_id"]
    assert len(profiles.frame) == 153 * len(needs) <= 153 * 20
    assert not profiles.frame.duplicated(["area_code", "indicator_id"]).any()


def test_values_are_those_published_for_the_newest_period(profiles, places):
    newest = places.indicators.set_index("indicator_id")["newest_period"]
    published = places.observations.set_index(["area_code", "indicator_id", "period"])["value"]
    for row in profiles.frame.sample(200, random_state=1).itertuples():
        assert row.period == newest[row.indicator_id]
        value = published.get((row.area_code, row.indicator_id, row.period), np.nan)
        if np.isfinite(row.value):
            assert row.value == value
        else:
            assert row.missing_reason
        england = published.get((ENGLAND, row.indicator_id, row.period), np.nan)
        assert (row.england == england) or (np.isnan(row.england) and np.isnan(england))


def test_an_interval_holds_its_value_and_says_what_it_comes_from(profiles):
    frame = profiles.frame
    with_interval = frame[frame["interval_basis"] != "none"]
    assert (with_interval["lower"] <= with_interval["value"]).all()
    assert (with_interval["value"] <= with_interval["upper"]).all()
    without = frame[frame["interval_basis"] == "none"]
    assert without[["lower", "upper"]].isna().all(axis=None)
    assert set(frame["interval_basis"]) <= {"counts", "published", "scatter", "none"}


def test_what_stands_out_passes_all_three_tests(profiles):
    frame = profiles.frame
    out = frame[frame["stands_out"].isin(["worse", "better"])]
    assert len(out) > 100
    assert (out["p_adjusted"] <= 0.05).all()
    assert (out["years_beyond"] >= 2).all()
    excluded = (out["shrunken_lower"] > out["reference"]) | (
        out["shrunken_upper"] < out["reference"]
    )
    assert excluded.all()
    # Worse is on the side that the polarity calls worse.
    above = out["value"] > out["reference"]
    assert (above == (out["polarity"] == "high-is-worse")).eq(out["stands_out"] == "worse").all()
    # The same tests, not passed, never stand out.
    rest = frame[frame["stands_out"] == "no"]
    assert rest["cannot_say"].eq("").all()
    assert (frame["cannot_say"] != "").eq(frame["stands_out"] == "cannot say").all()


def test_the_two_smallest_have_values_and_nothing_that_comes_from_a_comparison(profiles):
    for code in ALONE:
        profile = profiles[code]
        assert not profile.comparable
        assert set(profile.frame["stands_out"]) == {"cannot say"}
        assert profile.frame[["p_value", "shrunken", "sd"]].isna().all(axis=None)
        assert profile.neighbours.empty
        assert profile.standing_out("worse").empty
    # Nor do they count among the others.
    assert not set(profiles.neighbours["neighbour_code"]) & ALONE


def test_neighbours_and_region_are_of_the_same_period(profiles, places):
    own = profiles["E08000025"]
    codes = places.neighbours.query("area_code == 'E08000025'")["neighbour_code"]
    row = own.frame.set_index("indicator_id").loc["persistent_absence_pct"]
    rows = places.observations.query(
        "indicator_id == 'persistent_absence_pct' and period == @row.period"
    ).set_index("area_code")["value"]
    values = rows[codes]
    assert row["neighbours_n"] == len(codes) == 10
    assert row["neighbours_median"] == pytest.approx(values.median())
    assert (row["neighbours_min"], row["neighbours_max"]) == (values.min(), values.max())
    assert row["region"] == rows[own.area.region_code]


def test_old_values_are_those_that_ended_more_than_three_years_before(places):
    profile = needs_profile(places, "Kent", edition_date=dt.date(2026, 6, 1))
    old = profile.frame.set_index("indicator_id")["old"]
    ends = profile.frame.set_index("indicator_id")["period_end"]
    assert (old == (ends < pd.Timestamp(2023, 6, 1))).all()
    assert old["u18_conception_rate"]
    later = needs_profile(places, "Kent", edition_date=dt.date(2040, 1, 1))
    assert later.frame["old"].all()


def test_what_stands_out_most_comes_first(profiles):
    worse = profiles["E06000009"].standing_out("worse")
    assert len(worse) > 3
    assert worse["from_centre"].abs().is_monotonic_decreasing
    assert (worse["from_centre"] > 0).all()


def test_profiles_are_written_and_read(profiles, places, tmp_path):
    profiles.write(tmp_path)
    again = NeedsProfiles.read(tmp_path, places)
    pd.testing.assert_frame_equal(again.frame, profiles.frame, check_dtype=False)
    assert list(again) == list(profiles)


def test_an_unknown_place_and_an_incomplete_need_are_refused(places):
    with pytest.raises(UsageError):
        needs_profile(places, "Atlantis")
    indicators = places.indicators.copy()
    indicators.loc[indicators["indicator_id"] == "gld_pct", "polarity"] = pd.NA
    with pytest.raises(DataError, match="gld_pct"):
        needs_profiles(replace(places, indicators=indicators), edition_date=dt.date(2026, 6, 1))


def _simulated(places, rng, *, shift=None, counts=False):
    """All needs as percentages that differ between places by chance alone, but for a shift."""
    rows = places.observations
    needs = places.indicators.query("role == 'need'")["indicator_id"]
    rows = rows[rows["indicator_id"].isin(needs)].copy()
    indicators = places.indicators.copy()
    indicators.loc[indicators["indicator_id"].isin(needs), "unit"] = "%"
    indicators["breaks"] = pd.NA
    people = rng.integers(800, 3000, len(rows)).astype(float)
    truth = np.full(len(rows), 0.30)
    if shift:
        for (code, need), change in shift.items():
            truth[(rows["area_code"] == code) & (rows["indicator_id"] == need)] += change
    cases = rng.binomial(people.astype(int), truth).astype(float)
    rows["value"] = np.where(rows["area_code"] == ENGLAND, 30.0, 100 * cases / people)
    rows[["lower", "upper"]] = np.nan
    rows["numerator"] = cases if counts else np.nan
    rows["denominator"] = people if counts else np.nan
    rows["status"], rows["note"] = "ok", pd.NA
    return replace(places, observations=rows, indicators=indicators)


@pytest.mark.parametrize("counts", [True, False])
def test_chance_alone_makes_nothing_stand_out(places, counts):
    rng = np.random.default_rng(2026)
    found = needs_profiles(
        _simulated(places, rng, counts=counts), edition_date=dt.date(2026, 6, 1)
    ).frame
    assert (found["p_value"] < 0.05).mean() == pytest.approx(0.05, abs=0.02)
    assert found["stands_out"].isin(["worse", "better"]).sum() <= 2


def test_a_lasting_difference_stands_out_and_on_the_right_side(places):
    rng = np.random.default_rng(9)
    codes = [code for code in places.authorities["area_code"] if code not in ALONE][:120]
    shift = {
        (code, need): change
        for number, code in enumerate(codes)
        for need, change in (("severe_absence_pct", 0.10), ("gld_pct", 0.10))
        if number % 3 == 0
    }
    simulated = _simulated(places, rng, shift=shift, counts=True)
    frame = needs_profiles(simulated, edition_date=dt.date(2026, 6, 1)).frame
    told = frame.set_index(["area_code", "indicator_id"])["stands_out"]
    true = pd.Series(
        {key: "worse" if key[1] == "severe_absence_pct" else "better" for key in shift}
    )
    known = told[true.index]
    known = known[known != "cannot say"]
    assert (known == true[known.index]).mean() > 0.95
    out = told[told.isin(["worse", "better"])]
    assert len(out[~out.index.isin(true.index)]) / len(out) < 0.05


def test_intervals_from_counts_are_wilsons(places):
    simulated = _simulated(places, np.random.default_rng(1), counts=True)
    frame = needs_profiles(simulated, edition_date=dt.date(2026, 6, 1)).frame
    row = frame[(frame["area_code"] == "E10000016") & (frame["indicator_id"] == "gld_pct")].iloc[0]
    source = simulated.observations.query(
        "area_code == 'E10000016' and indicator_id == 'gld_pct' and period == @row.period"
    ).iloc[0]
    low, high = wilson(source["numerator"], source["denominator"])
    assert row["interval_basis"] == "counts"
    assert (row["lower"], row["upper"]) == pytest.approx((100 * low, 100 * high))


def test_breaks_part_a_series():
    periods = ["2018/19", "2019/20", "2020/21", "2021/22", "2022/23"]
    assert _segments(periods, pd.NA).tolist() == [0, 0, 0, 0, 0]
    assert _segments(periods, "2021/22: new framework").tolist() == [0, 0, 0, 1, 1]
    # Two unusual years: the stretch after them is another one.
    unusual = "2019/20: assessed grades; 2020/21: assessed grades"
    assert _segments(periods, unusual).tolist() == [0, 1, 2, 3, 3]


@pytest.mark.parametrize(
    ("values", "digits"), [([1, 2, np.nan], 0), ([1.5, 2.0], 1), ([0.123, 5], 3), ([1 / 3], 5)]
)
def test_digits_after_the_point(values, digits):
    assert _decimals(np.array(values, dtype=float)) == digits
