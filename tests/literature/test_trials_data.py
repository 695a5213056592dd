"""What the shipped data about trials must hold, beyond the rules that any data must keep."""

import math
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


# Results as they were collected: none may be lost, doubled or turned round.
COLLECTED = {"effects": 516, "unprinted": 195}
STATED = {"no-difference": 129, "favours-intervention": 40, "favours-control": 4, "not-stated": 22}
RATIOS = ["OR", "RR", "HR", "IRR"]
REASONS = {
    "beta", "composite", "contradicts-itself", "difference-of-medians", "direction-unknown",
    "knowledge-score", "no-variance", "per-pupil-count", "ratio-of-odds-ratios",
    "score-rate-ratio", "unusable",
}  # fmt: skip


@pytest.fixture(scope="module")
def effects(trials):
    return trials.effects.set_index("effect_id")


@pytest.mark.parametrize(("table", "rows"), COLLECTED.items())
def test_no_result_is_lost(trials, table, rows):
    assert len(getattr(trials, table)) == rows


def test_results_without_figures_keep_their_direction(trials):
    assert trials.unprinted["stated_direction"].value_counts().to_dict() == STATED


def test_every_result_names_its_source(trials):
    for table in (trials.effects, trials.unprinted):
        assert table["source_url"].str.match(r"https?://|doi:").all()


def test_no_effect_contradicts_the_side_it_favours(trials):
    known = trials.effects[trials.effects["turn"].isin(["none", "negate", "invert"])]
    known = known[known["effect"].notna() & known["favours"].isin(["intervention", "control"])]
    ratio = known["effect_type"].isin(RATIOS)
    size = known["effect"].astype(float)
    size = size.where(~ratio, size.where(ratio, 1.0).map(math.log))
    reversals = known["turn"].isin(["negate", "invert"]).astype(int)
    reversals += (known["lower_is_better"] == "yes").astype(int)
    benefit = size * (-1) ** reversals
    assert len(known) > 250
    assert (benefit[known["favours"] == "intervention"] > 0).all()
    assert (benefit[known["favours"] == "control"] < 0).all()


def test_most_effects_favour_the_programmes(trials):
    """The printed effects lean to the programme, which every reader of them is told."""
    counts = trials.effects["favours"].value_counts()
    assert 290 <= counts["intervention"] <= 300
    assert 15 <= counts["control"] <= 25


def test_excluded_effects_exist_and_say_why(trials, effects):
    excluded = trials.excluded[trials.excluded["file"] == "effects"]
    assert set(excluded["key"]) <= set(effects.index)
    assert set(excluded["reason_code"]) <= REASONS
    assert not excluded["key"].duplicated().any()
    assert excluded["reason"].str.endswith(".").all()


def test_what_cannot_be_signed_or_converted_is_excluded(trials, effects):
    barred = effects[
        effects["turn"].isin(["unknown", "unusable"]) | effects["not_convertible"].notna()
    ]
    assert set(barred.index) <= set(trials.excluded["key"])


@pytest.mark.parametrize(
    ("study", "code"),
    [
        ("kendrick2011", "difference-of-medians"), ("patel2023", "ratio-of-odds-ratios"),
        ("cheng2008", "score-rate-ratio"), ("wight2002", "per-pupil-count"),
        ("mcconnell2024", "composite"), ("quinlivan2003", "composite"),
    ],
)  # fmt: skip
def test_known_traps_are_coded(effects, study, code):
    assert code in set(effects.loc[effects["study_id"] == study, "not_convertible"].dropna())


def test_regression_coefficients_are_not_convertible(effects):
    coefficients = effects[effects["effect_type"] == "BETA"]
    assert not coefficients.empty
    assert (coefficients["not_convertible"] == "beta").all()


@pytest.mark.parametrize(
    "study", ["campbell2008", "taussig2012", "mccarton1997", "kitzman2019", "eckenrode2010"]
)
def test_subgroups_are_told_from_wholes(effects, study):
    assert "subgroup" in set(effects.loc[effects["study_id"] == study, "part"])


def test_a_follow_up_of_nothing_is_counted_from_something(effects):
    at_once = effects[effects["follow_up_months"] == 0]
    assert not at_once.empty
    assert at_once["follow_up_anchor"].notna().all()


def test_clustering_is_told_of_cluster_trials_only(trials):
    rows = trials.effects.merge(trials.studies[["study_id", "design"]], on="study_id")
    individually = rows["design"] == "rct"
    assert ((rows["clustering"] == "not-applicable") == individually).all()
