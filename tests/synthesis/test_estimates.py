"""Estimates of every construct: what they are made of, and what the variants leave out or add."""

import math

import numpy as np
import pandas as pd
import pytest

from evidence.effectsize import effect_sizes
from evidence.literature import read_trials
from evidence.synthesis.estimates import (
    MODELS,
    STRATA,
    construct_effects,
    estimates,
    silent_trials,
)
from evidence.synthesis.ladder import climb


@pytest.fixture(scope="module")
def trials(project):
    return read_trials(project)


@pytest.fixture(scope="module")
def effects(trials):
    return construct_effects(trials)


@pytest.fixture(scope="module")
def table(trials, effects):
    return estimates(trials, effects)


def test_one_row_per_construct_stratum_and_model(trials, table):
    assert table["estimate_id"].is_unique
    assert set(table["stratum"]) == set(STRATA)
    assert set(table["model"]) <= set(MODELS)
    ladder = table[table["model"] == "ladder"]
    assert len(ladder) == len(STRATA) * len(trials.constructs)


def test_effects_are_those_of_the_constructs_in_their_metric(trials, effects):
    assert len(effects) == trials.effects["construct_id"].notna().sum()
    for construct_id, rows in effects.groupby("construct_id"):
        metric = trials.constructs.set_index("construct_id").at[construct_id, "metric"]
        mine = trials.effects[trials.effects["construct_id"] == construct_id]
        again = effect_sizes(
            mine, metric=metric, studies=trials.studies, measures=trials.measures,
            icc=trials.icc, excluded=trials.excluded,
        )  # fmt: skip
        assert rows["yi"].tolist() == pytest.approx(again["yi"].tolist(), nan_ok=True)


def test_no_trial_counts_twice(effects):
    chosen = effects[effects["chosen"]]
    assert not chosen.duplicated(["construct_id", "cluster"]).any()
    assert (chosen["unusable"] == "").all()
    assert np.isfinite(chosen["yi"]).all()
    assert (chosen["vi"] > 0).all()


def test_the_ladder_uses_all_chosen_rows_of_its_stratum(trials, effects, table):
    constructs = trials.constructs.set_index("construct_id")
    for _, row in table[table["model"] == "ladder"].iterrows():
        rows = effects[(effects["construct_id"] == row["construct_id"]) & effects["chosen"]]
        if row["stratum"] == "british_irish":
            rows = rows[rows["british_irish"]]
        assert row["k"] == len(rows)
        assert set(filter(None, row["effect_ids"].split(";"))) == set(rows["effect_id"])
        if row["form"] == "reml":
            metric = str(constructs.at[row["construct_id"], "metric"])
            again = climb(rows["yi"], rows["vi"], metric)
            assert row["estimate"] == pytest.approx(again.estimate)


def test_variants_stand_beside_averages_only(table):
    forms = table[table["model"] == "ladder"].set_index(["construct_id", "stratum"])["form"]
    for _, row in table[table["model"] != "ladder"].iterrows():
        assert forms[row["construct_id"], row["stratum"]] in ("bayes", "reml")


def test_not_significant_only_drops_what_clearly_favours(effects, table):
    sizes = effects.set_index("effect_id")
    found = table[table["model"] == "not_significant_only"]
    assert len(found)
    for _, row in found.iterrows():
        used = [name for name in row["effect_ids"].split(";") if name]
        assert all(sizes.at[n, "yi"] - 1.96 * sizes.at[n, "sei"] <= 1e-3 for n in used)
        whole = table.set_index("estimate_id").at[
            f"{row['construct_id']}/{row['stratum']}/ladder", "effect_ids"
        ]
        assert set(used) < set(whole.split(";"))


def test_zeros_pull_the_average_towards_zero(table):
    rows = table.set_index("estimate_id")
    found = table[(table["model"] == "unprinted_at_zero") & (table["form"] == "reml")]
    assert len(found)
    for _, row in found.iterrows():
        base = rows.loc[f"{row['construct_id']}/{row['stratum']}/ladder"]
        assert row["k"] > base["k"]
        assert abs(row["estimate"]) <= abs(base["estimate"]) + 1e-9
        assert any(part.startswith("unprinted:") for part in row["effect_ids"].split(";"))


def test_silent_trials_are_heard_nowhere_else(effects, trials):
    silent = silent_trials(trials, effects)
    chosen = set(
        effects.loc[effects["chosen"], ["construct_id", "cluster"]].itertuples(
            index=False, name=None
        )
    )
    pairs = list(silent[["construct_id", "cluster"]].itertuples(index=False, name=None))
    assert not chosen & set(pairs)
    assert len(set(pairs)) == len(pairs)
    assert not silent.loc[
        silent["told"].isin(["favours-intervention", "unusable"]), "at_zero"
    ].any()


def test_the_hash_follows_the_effects_and_nothing_else(trials, effects, table):
    again = estimates(trials, effects.sample(frac=1, random_state=1))
    assert table.set_index("estimate_id")["inputs_sha256"].to_dict() == (
        again.set_index("estimate_id")["inputs_sha256"].to_dict()
    )
    moved = effects.copy()
    place = moved.index[moved["chosen"]][0]
    moved.loc[place, "yi"] += 0.01
    changed = estimates(trials, moved).set_index("estimate_id")["inputs_sha256"]
    old = table.set_index("estimate_id")["inputs_sha256"]
    differ = {name.split("/")[0] for name in old.index if old[name] != changed[name]}
    assert differ == {moved.at[place, "construct_id"]}


def test_a_flagged_row_that_dominates_is_named(table):
    named = table[table["warnings"].str.contains("flagged row dominates")]
    for _, row in named.iterrows():
        effect = row["warnings"].split("flagged row dominates: ")[1].split(";")[0]
        assert effect in row["effect_ids"].split(";")


def test_british_and_irish_is_where_the_trial_was(effects, trials):
    country = effects["study_id"].map(trials.studies.set_index("study_id")["country"])
    assert (effects["british_irish"] == country.isin(["GB", "IE"])).all()


def test_numbers_are_finite_where_the_form_promises_them(table):
    for _, row in table.iterrows():
        shown = row["form"] in ("single", "bayes", "reml")
        assert math.isfinite(row["estimate"]) == shown
        assert pd.isna(row["pi_lower"]) == (row["form"] != "reml")
        if shown:
            assert row["ci_lower"] <= row["estimate"] <= row["ci_upper"]
