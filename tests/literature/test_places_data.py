"""What the shipped data about places must hold, beyond the rules that any data must keep."""

import re

import pandas as pd
import pytest

from evidence.literature import read_places
from evidence.literature.package import read_package

NEEDS = [
    "low_birth_weight_pct",
    "gld_pct",
    "eyfsp_comm_lang_pct",
    "eyfsp_pse_pct",
    "ks2_rwm_pct",
    "gcse_eng_maths_94_pct",
    "persistent_absence_pct",
    "severe_absence_pct",
    "suspended_pupils_pct",
    "neet_or_not_known_16_17_pct",
    "fte_youth_justice_rate",
    "mh_admissions_0_17_rate",
    "alcohol_admissions_u18_rate",
    "u18_conception_rate",
    "injury_admissions_0_14_rate",
    "excess_weight_reception_pct",
    "excess_weight_y6_pct",
]
ENGLAND = "E92000001"
# Their stored England figure is missing, or a sum of rates, and was left out.
WITHOUT_ENGLAND = {
    "fte_youth_justice_rate",
    "children_cautioned_sentenced_rate",
    "reoffending_15_17_pct",
    "child_poverty_ahc_pct",
}


@pytest.fixture(scope="module")
def places(project):
    return read_places(project)


def test_all_authorities_are_there_with_their_region(places):
    authorities = places.authorities
    assert len(authorities) == 153
    assert authorities["area_code"].str.fullmatch(r"E0[6-9]\d{6}|E10\d{6}").all()
    regions = {places.region(code) for code in authorities["area_code"]}
    assert len(regions) == 9
    names = places.areas.set_index("area_code")["name"]
    assert names[places.region("E09000001")] == "London"
    assert names[places.region("E06000001")] == "North East"
    assert places.region(ENGLAND) is None


def test_the_two_smallest_are_not_compared(places):
    alone = places.authorities.query("comparable == 'no'")
    assert set(alone["area_code"]) == {"E06000053", "E09000001"}
    assert alone["note"].notna().all()


def test_each_authority_has_ten_neighbours(places):
    neighbours = places.neighbours
    assert len(neighbours) == 1530
    for _, group in neighbours.groupby("area_code"):
        assert sorted(group["rank"]) == list(range(1, 11))
        assert group["neighbour_code"].is_unique


def test_the_needs_are_the_fixed_list_in_its_order(places):
    needs = places.indicators.query("role == 'need'").sort_values("need_order")
    assert needs["indicator_id"].tolist() == NEEDS
    low = needs.query("polarity == 'low-is-worse'")["indicator_id"]
    assert set(low) == {
        "gld_pct", "eyfsp_comm_lang_pct", "eyfsp_pse_pct", "ks2_rwm_pct", "gcse_eng_maths_94_pct",
    }  # fmt: skip


def test_only_needs_can_stand_out(places):
    others = places.indicators.query("role != 'need'")
    assert len(places.indicators) == 110
    assert others["polarity"].isna().all()
    assert set(others["role"]) == {"context", "demand", "service", "spend"}


def test_statutory_activity_and_recording_are_demand(places):
    roles = places.indicators.set_index("indicator_id")["role"]
    assert set(roles[["referrals_rate", "s47_rate", "cpp_rate", "cla_rate", "cin_rate"]]) == {
        "demand"
    }
    recorded = places.indicators.query("recording_practice == 'yes'")["indicator_id"]
    assert len(recorded) == 20
    assert recorded.str.startswith("factor_").all()
    assert roles[roles.index.str.contains("_per_child")].eq("spend").all()


def test_every_indicator_says_what_it_is_in_whole_sentences(places):
    for row in places.indicators.itertuples():
        assert row.definition.endswith("."), row.indicator_id
        assert len(row.definition) < 250, row.indicator_id
        assert len(row.short_name) <= 32
        assert row.source_url.startswith(("https://", "http://"))
        assert re.search(r"@[0-9a-f]{40}", row.source_path)
    assert places.indicators["short_name"].is_unique
    assert places.indicators["name"].is_unique


def test_known_breaks_are_data(places):
    breaks = places.indicators.set_index("indicator_id")["breaks"]
    assert breaks["gld_pct"].startswith("2021/22: new assessment framework")
    assert "2019/20" in breaks["gcse_eng_maths_94_pct"]
    assert "2020/21" in breaks["persistent_absence_pct"]
    assert breaks["child_low_income_bhc_pct"].startswith("2021-22")


def test_england_is_there_but_for_the_named_four(places):
    newest = places.observations.merge(
        places.indicators[["indicator_id", "newest_period"]],
        left_on=["indicator_id", "period"],
        right_on=["indicator_id", "newest_period"],
    )
    england = newest[(newest["area_code"] == ENGLAND) & newest["value"].notna()]
    assert set(places.indicators["indicator_id"]) - set(england["indicator_id"]) == WITHOUT_ENGLAND


def test_known_figures_of_published_pages(places):
    """Children looked after for each 10,000, and good level of development, as DfE prints them."""
    value = places.observations.set_index(["area_code", "indicator_id", "period"])["value"]
    assert value[ENGLAND, "cla_rate", "31 Mar 2025"] == 67
    assert value["E06000009", "cla_rate", "31 Mar 2025"] == 184  # Blackpool, the highest
    assert value["E09000027", "cla_rate", "31 Mar 2025"] == 27  # Richmond upon Thames, the lowest
    assert value[ENGLAND, "gld_pct", "2024/25"] == 68.3
    assert value[ENGLAND, "gld_pct", "2021/22"] == 65.2


@pytest.mark.parametrize(
    ("indicator", "period", "end"),
    [
        ("gld_pct", "2024/25", "2025-07-31"),
        ("referrals_rate", "2024-25", "2025-03-31"),
        ("mh_admissions_0_17_rate", "2023/24", "2024-03-31"),
        ("alcohol_admissions_u18_rate", "2021/22 to 2023/24", "2024-03-31"),
        ("cla_rate", "31 Mar 2025", "2025-03-31"),
        ("social_worker_caseload", "30 Sep 2025", "2025-09-30"),
        ("ehcp_pct", "Jan 2025", "2025-01-31"),
        ("neet_16_17_pct", "Dec 2019-Feb 2020", "2020-02-29"),
        ("neet_16_17_pct", "Dec 2024-Feb 2025", "2025-02-28"),
        ("pop_0_17", "mid-2024", "2024-06-30"),
        ("u18_conception_rate", "2022", "2022-12-31"),
    ],
)
def test_periods_end_when_they_should(places, indicator, period, end):
    rows = places.observations.query("indicator_id == @indicator and period == @period")
    assert set(rows["period_end"]) == {pd.Timestamp(end)}


def test_at_most_six_periods_of_an_indicator(places):
    assert places.observations.groupby("indicator_id")["period"].nunique().max() == 6


def test_unknown_is_empty_and_never_zero(places):
    observations = places.observations
    unknown = observations["status"].isin(["suppressed", "missing"])
    assert unknown.sum() == 2399
    assert observations.loc[unknown, "value"].isna().all()
    assert observations.loc[unknown, "note"].notna().all()
    assert observations.loc[~unknown, "value"].notna().all()


def test_percentages_beyond_their_range_are_explained(places):
    units = places.indicators.set_index("indicator_id")["unit"]
    shares = places.observations[places.observations["indicator_id"].map(units) == "%"]
    beyond = shares[(shares["value"] < 0) | (shares["value"] > 100)]
    assert set(beyond["indicator_id"]) == {"funded_2yo_pct"}
    assert len(beyond) == 7
    assert beyond["note"].notna().all()


def test_intervals_are_the_published_ones_only(places):
    with_interval = places.observations[places.observations["lower"].notna()]
    assert set(with_interval["indicator_id"]) == {"injury_admissions_0_14_rate"}


def test_spend_and_factors_are_marked_as_derived(places):
    derived = places.indicators.set_index("indicator_id")["derived"]
    known = places.observations[places.observations["value"].notna()]
    spend = known[known["indicator_id"].str.endswith("_per_child")]
    assert (spend["status"] == "derived").all()
    marked = set(known.loc[known["status"] == "derived", "indicator_id"])
    assert all(derived[each] == "yes" for each in marked)


def test_former_authorities_keep_their_own_figures(places):
    former = places.areas.query("kind == 'former-authority'")["area_code"]
    assert set(former) == {"E06000028", "E06000029", "E10000006", "E10000009", "E10000021"}
    counts = places.observations["area_code"].value_counts()
    assert (counts[list(former)] > 0).all()
    named = places.authorities["predecessor_codes"].dropna().str.split(";").explode()
    assert set(former) <= set(named)


def test_attribution_and_licence_are_in_the_descriptor(project):
    package = read_package(project, "places")
    assert (
        "Contains public sector information licensed under the Open Government Licence v3.0"
        in package.descriptor["description"]
    )
    assert package.descriptor["licenses"][0]["name"] == "OGL-UK-3.0"
    for table in package.tables:
        assert table.description
        assert all(field.description for field in table.fields)
