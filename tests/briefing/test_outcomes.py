"""What every question's trials are said to show."""

import re

import pandas as pd
import pytest

from evidence.briefing import outcomes, tested
from evidence.briefing.evidence import evidence_pack, label_of
from evidence.effectsize import FLAGS
from evidence.tables.collect import facts_of

from .test_prose import check


@pytest.fixture(scope="session")
def evidence(project):
    return evidence_pack(project)


@pytest.fixture(scope="session")
def asked(evidence):
    """Constructs with trials that print figures."""
    return [name for name in evidence.constructs.index if evidence.k(name, "all")]


def test_every_sentence_of_every_question(evidence, asked):
    for name in asked:
        said = outcomes.result_sentences(evidence, name)
        assert said
        for sentence in [*said, *outcomes.bearing_sentences(evidence, name)]:
            check(sentence, name)


def test_the_words_follow_the_ladder(evidence, asked):
    starts = {
        "single": "One trial from Britain or Ireland answers this",
        "bayes": "Averaged over", "reml": "Averaged over",
        "none": "No trial from Britain or Ireland",
    }  # fmt: skip
    for name in asked:
        row = evidence.estimate(name, "british_irish", "ladder")
        first = outcomes.result_sentences(evidence, name)[0].plain
        if row["form"] == "side-by-side":
            assert "not averaged" in first
        else:
            assert first.startswith(starts[row["form"]])
        assert ("a new place" in first) == (row["form"] == "reml")
        assert ("partly assumed" in first) == (row["form"] == "bayes")


def test_each_average_says_what_bears_on_it(evidence, asked):
    for name in asked:
        home = evidence.k(name, "british_irish")
        row = evidence.estimate(name, "british_irish" if home else "all", "ladder")
        said = " ".join(each.plain for each in outcomes.bearing_sentences(evidence, name))
        assert ("probably too favourable" in said) == (row["form"] in ("bayes", "reml"))
        zero = evidence.estimate(name, row["stratum"], "unprinted_at_zero")
        assert ("entered as no difference" in said) == (zero is not None)


def test_statutory_outcomes_are_told_as_more_or_fewer(evidence, asked):
    for name in asked:
        if evidence.construct(name)["statutory"] != "yes":
            continue
        said = " ".join(each.plain for each in outcomes.result_sentences(evidence, name))
        for word in ("better", "worse", "programme's side", "favours"):
            assert word not in said, f"{name}: {said}"
        assert "favours" not in evidence.figure(name).alt
        bearing = " ".join(each.plain for each in outcomes.bearing_sentences(evidence, name))
        for word in ("of a hundred people", "better", "worse"):
            assert word not in bearing, f"{name}: {bearing}"


def test_people_are_counted_only_as_far_as_trials_count_them(evidence, asked):
    for name in asked:
        rows = evidence.chosen(name)
        home, everywhere = evidence.k(name, "british_irish"), evidence.k(name, "all")
        if everywhere == home or evidence.estimate(name, "all", "ladder")["form"] != "bayes":
            continue
        said = outcomes.result_sentences(evidence, name)[-1].plain
        assert ("at least" in said) == bool(rows["n_children"].isna().any()), said


def test_a_single_trial_says_what_it_measured_and_how_its_interval_was_made(evidence, asked):
    for name in asked:
        row = evidence.estimate(name, "british_irish", "ladder")
        if row["form"] != "single":
            continue
        rows = evidence.chosen(name)
        trial = rows[rows["british_irish"]].iloc[0]
        said = outcomes.result_sentences(evidence, name)[0].plain
        assert trial["outcome_measure"] in said
        assert ("made wider" in said) == (trial["design_effect"] > 1)
        other = pd.notna(trial["ci_level"]) and trial["ci_level"] != 95
        assert ("Its report gives a" in said) == other


def test_a_trial_that_prints_one_result_and_tells_another_is_said_to(evidence, asked):
    unprinted = evidence.trials.unprinted
    for name in asked:
        mine = unprinted[unprinted["construct_id"] == name]
        told = mine["study_id"].isin(evidence.chosen(name)["study_id"])
        said = " ".join(each.plain for each in outcomes.bearing_sentences(evidence, name))
        assert said.count("for another result") == told.sum()


def test_another_arm_is_told_and_cited(evidence, asked):
    """One arm of the vouchers trial did better than no vouchers, the other did not."""
    name = "smokefree-after-birth-vouchers-usual-validated"
    clusters = evidence.effects[evidence.effects["construct_id"] == name]
    assert clusters["study_id"].nunique() == 2
    assert clusters["cluster"].nunique() == 1
    (other,) = set(clusters["study_id"]) - set(evidence.chosen(name)["study_id"])
    said = " ".join(each.text for each in outcomes.bearing_sentences(evidence, name))
    assert "Another arm" in said
    assert f"@{other}" in tested.trial_sources(evidence, [name]).text


def test_tables_hold_every_trial_and_every_warning_has_words(evidence, asked):
    assert set(outcomes.WARNINGS) == set(FLAGS)
    for name in asked:
        table = outcomes.trials_table(evidence, name)
        assert len(table.rows) == len(evidence.chosen(name)) + len(evidence.unheard(name))


def test_figures_are_labelled_and_say_what_they_show(evidence, asked):
    for name in asked:
        figure = evidence.figure(name)
        assert figure.label == label_of(name)
        assert len(figure.alt) > 60
    labels = [label_of(name) for name in asked]
    assert len(set(labels)) == len(labels)


def test_needs_and_trials_of_every_authority(local, evidence):
    for code, profile in local.profiles.items():
        for sentence in tested.tested_sentences(profile, evidence):
            check(sentence, f"{code} tested")
        table = tested.tested_table(profile, evidence)
        assert {row[0].text.removesuffix(" (continued)") for row in table.rows} == set(
            profile.frame["name"]
        )
        counts = tested.coverage(profile, evidence)
        assert counts["with_home_trials"] <= counts["with_trials"] <= counts["worse"]
        first, others = tested.constructs_for(profile, evidence)
        assert not set(first) & set(others)
        assert bool(first) == bool(counts["with_trials"])


def test_every_need_without_trials_stays_as_an_empty_row(local, evidence):
    profile = local.profiles["E08000025"]
    rows = {row[0].text: row for row in tested.tested_table(profile, evidence).rows}
    without = evidence.bridge.loc[evidence.bridge["link"] == "no-link", "indicator_id"]
    assert len(without)
    names = profile.frame.set_index("indicator_id")["name"]
    for need in without:
        assert rows[names[need]][2] == "no trial in this database"


def test_facts_of_a_block_are_those_of_its_parts(evidence, asked):
    block = outcomes.outcome_block(evidence, asked[0])
    shown = set(re.findall(r'(?:data-fact|fact)="([0-9a-f]{10})"', block.markdown))
    assert shown == {fact.id for fact in facts_of(block)}


def test_a_figure_struck_out_by_hand_says_why(evidence):
    rows = evidence.silent[evidence.silent["reason"] == "excluded"]
    assert len(rows)
    reasons = evidence.trials.excluded.set_index("key")["reason"]
    for _, row in rows.iterrows():
        table = outcomes.trials_table(evidence, row["construct_id"])
        said = {cells[-1] for cells in table.rows}
        assert reasons[row["source"].removeprefix("effects:")] in said
