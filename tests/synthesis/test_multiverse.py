"""Every defensible analysis of the same studies."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import ModelError, UsageError
from evidence.synthesis.dependent.che import che
from evidence.synthesis.meta import meta
from evidence.synthesis.multiverse import multiverse

rng = np.random.default_rng(7)
K = 12
VI = rng.uniform(0.01, 0.1, K)
SINGLE = pd.DataFrame({
    "yi": rng.normal(0.3, np.sqrt(VI + 0.05)), "vi": VI,
    "low": np.arange(K) % 3 > 0,
})  # fmt: skip
STUDY = np.repeat(np.arange(8), 3)
V = rng.uniform(0.01, 0.1, 24)
SEVERAL = pd.DataFrame({
    "yi": 0.2 + rng.normal(0, 0.3, 8)[STUDY] + rng.normal(0, np.sqrt(V)), "vi": V, "study": STUDY,
    "first": np.arange(24) % 3 == 0,
})  # fmt: skip
OUT = ["estimate", "se", "ci_lower", "ci_upper"]


def test_each_row_is_a_single_call_of_meta():
    found = multiverse(
        SINGLE, yi="yi", vi="vi", subsets={"all": np.ones(K, bool), "low risk": "low"},
        methods=("EE", "DL", "REML", "PM", "SJ"), tests=("z", "t", "knha"), alpha=0.1, floor=False,
    )  # fmt: skip
    # Common effect by two tests, four estimators by three, in two subsets.
    assert len(found.table) == 2 * (2 + 4 * 3)
    for _, row in found.table.iterrows():
        part = SINGLE[SINGLE["low"]] if row["subset"] == "low risk" else SINGLE
        own = meta("yi", "vi", part, method=row["method"], test=row["test"], floor=False)
        assert row[OUT].tolist() == pytest.approx(own.to_frame(0.1)[OUT].iloc[0].tolist())
        assert row["tau2"] == pytest.approx(own.tau2)
        assert row["k"] == len(part)
    assert not ((found.table["method"] == "EE") & (found.table["test"] == "knha")).any()


def test_correlated_effects_are_fitted_with_each_correlation():
    found = multiverse(SEVERAL, yi="yi", vi="vi", cluster="study", rhos=(0.2, 0.8))
    fitted = found.fitted
    assert fitted["rho"].tolist() == [0.2, 0.8] and (fitted["method"] == "CHE").all()
    for _, row in fitted.iterrows():
        own = che("yi", "vi", "study", SEVERAL, rho=row["rho"])
        assert row[OUT].tolist() == pytest.approx(own.to_frame()[OUT].iloc[0].tolist())
        assert row["tau2"] == pytest.approx(own.tau2)
    # Models of independent effects are not defensible here, and it is said why.
    others = found.table[found.table["method"] != "CHE"]
    assert len(others) == 7
    assert others["estimate"].isna().all()
    assert others["note"].str.contains("24 effects come from eight studies").all()


def test_one_effect_of_each_study_needs_no_correlation():
    found = multiverse(SEVERAL, cluster="study", subsets={"first": "first"})
    plain = multiverse(SEVERAL[SEVERAL["first"]])
    assert found.table[OUT].equals(plain.table[OUT])
    assert found.table["rho"].isna().all()


def test_subsets_that_hold_the_same_rows_count_once():
    masks = {"all": np.ones(K, bool), "low": "low", "again": SINGLE["low"].to_numpy()}
    found = multiverse(SINGLE, subsets=masks)
    assert found.table["subset"].unique().tolist() == ["all", "low"]
    assert found.duplicates == ("subset again holds the same rows and numbers as low",)
    assert "Not counted: subset again" in found.summary()
    twice = multiverse(SINGLE, methods=("DL", "DL"), tests=("z", "z"))
    assert len(twice.table) == 1


def test_metrics_are_crossed_and_count_once_where_they_are_the_same():
    data = SINGLE.assign(y2=SINGLE["yi"] * 1.1, v2=SINGLE["vi"] * 1.21, y3=SINGLE["yi"])
    metrics = {"g": ("yi", "vi"), "d": ("y2", "v2"), "copy": ("y3", "vi")}
    found = multiverse(data, metrics=metrics, methods=("DL",), tests=("z",))
    assert found.table["metric"].tolist() == ["g", "d"]
    own = meta("y2", "v2", data, method="DL", test="z")
    assert found.table["estimate"].iloc[1] == pytest.approx(own.params.iloc[0])
    assert "with metric copy" in found.duplicates[0]


def test_what_cannot_be_fitted_stays_with_the_reason():
    one, none = np.arange(K) == 4, np.zeros(K, bool)
    found = multiverse(SINGLE, subsets={"one": one, "none": none})
    frame = found.table.set_index(["subset", "method", "test"])
    assert frame.loc[("one", "EE", "z"), "estimate"] == pytest.approx(SINGLE["yi"].iloc[4])
    assert "one effect cannot tell" in frame.loc[("one", "REML", "knha"), "note"]
    assert frame.loc["none", "estimate"].isna().all()
    assert (frame.loc["none", "note"] == "there are no effects to pool").all()
    assert len(found.table) == 14 and len(found.fitted) == 1
    assert "Not fitted (7): there are no effects to pool." in found.summary()


def test_a_missing_number_is_named_by_its_row_or_left_out_when_asked():
    data = SINGLE.copy()
    data.loc[7, "yi"] = np.nan
    late = np.arange(K) > 4
    found = multiverse(data, subsets={"all": np.ones(K, bool), "late": late})
    assert found.fitted.empty
    assert found.table["note"].str.startswith("row 7: the effect is nan").all()
    with pytest.raises(ModelError, match="no curve"):
        found.plot()
    dropped = multiverse(data, subsets={"all": np.ones(K, bool), "late": late}, missing="drop")
    assert dropped.table["k"].unique().tolist() == [11, 6]
    assert dropped.table["estimate"].notna().all()


def test_too_few_studies_have_an_estimate_without_an_interval():
    few = SEVERAL[SEVERAL["study"] < 3]
    found = multiverse(few, cluster="study", rhos=(0.6,))
    row = found.fitted.iloc[0]
    assert np.isfinite(row["estimate"]) and np.isnan(row["ci_lower"])
    assert "no interval is given" in row["note"]
    assert np.isnan(found.describe()["excludes_zero"])
    alone = multiverse(SEVERAL[SEVERAL["study"] < 1], cluster="study", rhos=(0.6,))
    assert alone.table["note"].iloc[-1] == "all effects come from one study"


def test_summary_counts_the_curve_and_claims_no_more():
    found = multiverse(SINGLE, subsets={"all": np.ones(K, bool), "low": "low"})
    sizes = found.table["estimate"]
    numbers = found.describe()
    assert numbers["median"] == np.median(sizes)
    assert numbers["q25"] == np.quantile(sizes, 0.25)
    assert numbers["positive"] == (sizes > 0).mean()
    away = (found.table["ci_lower"] > 0) | (found.table["ci_upper"] < 0)
    assert numbers["excludes_zero"] == away.mean()
    text = found.summary()
    assert f"median {np.median(sizes):.4f}" in text
    assert "no p value for the whole" in text
    assert "14 specifications" in found.report()
    assert "two sets of studies" in found.report()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.alpha = 0.5


def test_names_from_data_are_text_in_a_notebook():
    page = multiverse(SINGLE, subsets={"<b>all</b>": "low"})._repr_html_()
    assert "<b>" not in page and "&lt;b&gt;all" in page


def test_curve_is_drawn_of_what_was_fitted():
    masks = {"every effect": np.ones(24, bool), "first of each study": "first"}
    found = multiverse(SEVERAL, cluster="study", subsets=masks)
    figure = found.plot(title="Hedges' g")
    assert figure.alt.startswith("10 analyses: estimates from")
    assert len(found.table) == 17


def test_masks_follow_their_labels():
    mask = SINGLE["low"].iloc[::-1]
    aligned = multiverse(SINGLE, subsets={"low": mask})
    assert aligned.table.equals(multiverse(SINGLE, subsets={"low": "low"}).table)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(24)), st.permutations(["EE", "DL", "REML"]), st.booleans())
def test_order_of_rows_and_choices_does_not_matter(order, methods, flip):
    tests = ("knha", "z") if flip else ("z", "knha")
    masks = {"first": "first", "all": np.ones(24, bool)}
    if flip:
        masks = dict(reversed(masks.items()))
    options = {"cluster": "study", "rhos": (0.6,)}
    straight = multiverse(
        SEVERAL, subsets={"all": np.ones(24, bool), "first": "first"},
        methods=("EE", "DL", "REML"), **options,
    )  # fmt: skip
    mixed = multiverse(SEVERAL.iloc[order], subsets=masks, methods=methods, tests=tests, **options)
    keys = ["subset", "method", "test"]
    one, other = (found.table.sort_values(keys, ignore_index=True) for found in (straight, mixed))
    pd.testing.assert_frame_equal(one, other, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"methods": ("GENQ",)}, "methods"),
        ({"methods": "REML"}, "list of one or more"),
        ({"tests": ()}, "list of one or more"),
        ({"methods": ("EE",), "tests": ("knha",)}, "no Knapp-Hartung test"),
        ({"rhos": (1.0,)}, "correlation"),
        ({"alpha": 0}, "alpha"),
        ({"missing": "skip"}, "missing"),
        ({"cluster": "trial"}, "no column 'trial'"),
        ({"yi": "d"}, "no column 'd'"),
        ({"subsets": {"a": "b"}}, "no column 'b'"),
        ({"subsets": {"a": [1, 0] * 6}}, "True or False"),
        ({"subsets": {"a": [True, None] * 6}}, "True or False"),
        ({"subsets": {"a": [True]}}, "has 1 rows"),
        ({"subsets": {"a": pd.Series([True], index=["x"])}}, "labels"),
    ],
)
def test_what_does_not_exist_is_refused(options, words):
    with pytest.raises(UsageError, match=words):
        multiverse(SINGLE, **options)
