"""What the shipped data about trials must hold, beyond the rules that any data must keep."""

import re

import pytest

from evidence.literature import read_trials


@pytest.fixture(scope="module")
def trials(project):
    return read_trials(project)


def test_reports_on_one_cohort_share_their_design_and_country(trials):
    several = trials.studies[trials.studies.duplicated("cohort_id", keep=False)]
    assert not several.empty
    for cohort, reports in several.groupby("cohort_id"):
        assert reports["country"].nunique() == 1, cohort
        assert reports["design"].nunique() == 1, cohort


def test_arms_that_share_a_control_are_at_least_two(trials):
    shared = trials.studies["shared_control_id"].dropna()
    assert (shared.value_counts() >= 2).all()


def test_every_study_has_a_result_or_a_result_that_was_not_printed(trials):
    told = set(trials.effects["study_id"]) | set(trials.unprinted["study_id"])
    assert set(trials.studies["study_id"]) == told


def test_every_programme_was_tried_or_costed(trials):
    used = set(trials.studies["programme_id"]) | set(trials.costs["programme_id"].dropna())
    assert set(trials.programmes["programme_id"]) == used


def test_clusters_are_told_of_cluster_trials(trials):
    counted = trials.studies[trials.studies["n_clusters"].notna()]
    assert (counted["design"] != "rct").all()


def test_incremental_costs_are_marked(trials):
    kinds = trials.costs.dropna(subset="programme_id").groupby("programme_id")["kind"].unique()
    for programme in ("family-nurse-partnership", "paths", "waves", "kiva"):
        assert list(kinds[programme]) == ["incremental"]


def test_of_two_editions_of_one_cost_the_older_names_the_newer(trials):
    notes = dict(zip(trials.costs["cost_id"], trials.costs["note"], strict=True))
    for older, newer in [
        ("strengthening-families-10-14-us-2015", "strengthening-families-10-14-us-2016"),
        ("mtfc-us-2016-edition", "mtfc-us-2019-edition"),
    ]:
        assert f"use {newer} instead" in notes[older]
        assert "never both" in notes[newer]


def test_second_hand_figures_are_marked(trials):
    marked = set(trials.studies.loc[trials.studies["second_hand"] == "yes", "study_id"])
    assert {
        "johnson1993", "marcenko1994", "wasserman2015", "segrott2022", "foxcroft2015de",
        "foxcroft2015pl", "hiscock2017", "mejia2015", "stallard2014",
    } <= marked  # fmt: skip


def test_names_in_notes_exist(trials):
    """A note that points to another record points to one that is there."""
    keys = set(trials.studies["study_id"])
    for study, note in trials.studies[["study_id", "note"]].dropna().itertuples(index=False):
        for name in re.findall(r"\b[a-z]+\d{4}[a-z]*\b", note):
            assert name in keys, (study, name)
    costs = set(trials.costs["cost_id"]) | set(trials.outcome_costs["outcome_cost_id"])
    measures = set(trials.measures["measure_id"])
    for table, known in ((trials.outcome_costs, costs), (trials.measures, measures)):
        for note in table["note"].dropna():
            for name in re.findall(r"\b(?:conduct|sdq|ecbi|smfq)(?:-[a-z0-9]+){2,}\b", note):
                assert name in known, name


def test_limits_of_costs_and_correlations_enclose_their_figure(trials):
    for table, value, low, high in (
        (trials.costs, "amount", "low", "high"),
        (trials.outcome_costs, "amount", "low", "high"),
        (trials.icc, "icc", "ci_low", "ci_high"),
    ):
        whole = table.dropna(subset=[low, high])
        assert (whole[low] <= whole[high]).all()
        whole = whole.dropna(subset=value)
        assert whole[value].between(whole[low], whole[high]).all()


def test_a_cost_has_an_amount_or_a_range(trials):
    assert (trials.costs["amount"].notna() | trials.costs["low"].notna()).all()


def test_nobody_has_appraised_anything(trials):
    assert trials.appraisals.empty
