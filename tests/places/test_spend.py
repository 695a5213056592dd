"""Shares of spending."""

from dataclasses import replace

import numpy as np
import pytest

from evidence.errors import DataError, UsageError
from evidence.places import spend_shares
from evidence.places.spend import LINES, TOTAL, YEARS


def test_shares_are_spend_over_total_of_the_same_return(places):
    spend = spend_shares(places, "Birmingham")
    published = places.observations.set_index(["area_code", "indicator_id", "period"])["value"]
    assert len(spend.periods) == YEARS
    assert list(spend.frame["indicator_id"].unique()) == list(LINES)
    for row in spend.frame.itertuples():
        part = published["E08000025", row.indicator_id, row.period]
        whole = published["E08000025", TOTAL, row.period]
        assert row.share == pytest.approx(100 * part / whole)
        assert row.england_share == pytest.approx(
            100 * published["E92000001", row.indicator_id, row.period]
            / published["E92000001", TOTAL, row.period]
        )  # fmt: skip


def test_shares_of_all_places_are_shares(places):
    for code in places.authorities["area_code"]:
        frame = spend_shares(places, code).frame
        known = frame.dropna(subset="share")
        assert known["share"].between(0, 100).all()
        assert (known.groupby("period")["share"].sum() <= 100.01).all()
        assert (frame["share"].isna() == (frame["missing_reason"] != "")).all()
        assert (frame["zero"] == (frame["per_child"] == 0)).all()


def test_a_year_without_a_return_is_not_known_and_not_nothing(places):
    spend = spend_shares(places, "Middlesbrough")
    assert spend.known_periods == spend.periods[:-1]
    last = spend.frame[spend.frame["period"] == spend.periods[-1]]
    assert last["share"].isna().all()
    assert not last["zero"].any()
    assert last["england_share"].notna().all()


def test_what_is_missing_is_an_error_that_names_it(places):
    with pytest.raises(UsageError):
        spend_shares(places, "Atlantis")
    indicators = places.indicators[places.indicators["indicator_id"] != TOTAL]
    with pytest.raises(DataError, match=TOTAL):
        spend_shares(replace(places, indicators=indicators), "Kent")
    rows = places.observations[places.observations["indicator_id"] != TOTAL]
    with pytest.raises(DataError, match="no row for England"):
        spend_shares(replace(places, observations=rows), "Kent")


def test_the_children_cancel_out(places):
    rows = places.observations.copy()
    own = (rows["area_code"] == "E10000016") & rows["indicator_id"].isin([TOTAL, *LINES])
    rows.loc[own, "value"] *= 1.7
    one = spend_shares(places, "Kent").frame["share"]
    other = spend_shares(replace(places, observations=rows), "Kent").frame["share"]
    assert np.allclose(one, other, equal_nan=True)
