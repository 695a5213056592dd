"""Effect sizes of frames: nothing dropped, reasons, design effects, flags; then the real trials."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from evidence.effectsize import (
    ASSUMPTIONS,
    DEFAULT_CLUSTER_SIZE,
    DEFAULT_ICC,
    DERIVATIONS,
    FLAGS,
    METRICS,
    REASONS,
    effect_sizes,
)
from evidence.effectsize.ladder import EFFECT_TYPE
from evidence.errors import UsageError
from evidence.literature import Trials, read_trials
from evidence.project import Project

Make = Callable[..., pd.DataFrame]
SMD = {"effect_type": "SMD", "effect": -0.4, "ci_low": -0.8, "ci_high": 0.0, "ci_level": 95.0}
OR = {"effect_type": "OR", "effect": 0.8, "ci_low": 0.5, "ci_high": 1.28, "ci_level": 95.0}
PLAIN = (0.4 / 1.959963984540054) ** 2


def test_rows_index_and_columns_stay(make_effects: Make, make_studies: Make) -> None:
    frame = make_effects(SMD, OR, {"effect_type": "BETA", "effect": 1.0})
    frame.index = pd.Index([30, 10, 20])
    found = effect_sizes(frame, metric="g", studies=make_studies())
    assert found.index.tolist() == [30, 10, 20]
    pd.testing.assert_frame_equal(found[frame.columns], frame)
    assert list(found.columns[len(frame.columns) :]) == [
        "yi", "vi", "sei", "metric", "derivation", "variance_from", "design_effect", "icc",
        "cluster_size", "assumptions", "flags", "unusable",
    ]  # fmt: skip
    assert found["unusable"].tolist() == ["", "other-metric", "beta"]
    assert found["yi"].isna().tolist() == [False, True, True]
    assert found["derivation"].cat.ordered
    assert found["derivation"].cat.categories.tolist() == list(DERIVATIONS)
    assert found.loc[[10, 20], ["assumptions", "flags"]].eq("").all(axis=None)


def test_no_rows(make_effects: Make, make_studies: Make) -> None:
    found = effect_sizes(make_effects(SMD).iloc[:0], metric="g", studies=make_studies())
    assert found.empty
    assert "yi" in found


def test_unknown_metric_and_study(make_effects: Make, make_studies: Make) -> None:
    with pytest.raises(UsageError, match="no metric"):
        effect_sizes(make_effects(SMD), metric="d", studies=make_studies())
    with pytest.raises(UsageError, match="no row: b"):
        effect_sizes(make_effects({**SMD, "study_id": "b"}), metric="g", studies=make_studies())


@pytest.mark.parametrize(
    ("metric", "row", "reason"),
    [
        ("g", {**SMD, "turn": "unknown"}, "direction-unknown"),
        ("g", {**SMD, "turn": "unusable"}, "figure-unusable"),
        ("g", {**SMD, "not_convertible": "difference-of-medians"}, "difference-of-medians"),
        ("g", {**SMD, "not_convertible": "other"}, "not-convertible"),
        ("g", {**SMD, "lower_is_better": None}, "no-better-direction"),
        ("g", {**SMD, "favours": "control"}, "direction-contradicted"),
        ("g", {"effect_type": "SMD", "effect": 0.2}, "no-variance"),
        ("g", {"effect_type": "MD", "effect": 0.2, "se": 0.1}, "no-sd"),
        ("g", {"mean_i": 1.0, "mean_c": 2.0, "n_i": 9, "n_c": 9}, "no-sd"),
        ("g", {}, "no-figure"),
        ("log_or", {**OR, "effect": -0.8, "ci_low": -1.0}, "not-positive"),
        ("log_rr", OR, "other-metric"),
        ("log_irr", {"events_i": 3, "total_i": 9, "events_c": 4, "total_c": 9}, "other-metric"),
    ],
)
def test_reasons(
    make_effects: Make, make_studies: Make, metric: str, row: dict[str, object], reason: str
) -> None:
    found = effect_sizes(make_effects(row), metric=metric, studies=make_studies()).iloc[0]
    assert found["unusable"] == reason
    assert reason in REASONS
    assert np.isnan(found[["yi", "vi", "sei", "design_effect"]].astype(float)).all()
    assert pd.isna(found["derivation"])


def test_excluded_rows(make_effects: Make, make_studies: Make) -> None:
    excluded = pd.DataFrame({"file": ["effects", "studies"], "key": ["a-02", "a-01"]})
    found = effect_sizes(
        make_effects(SMD, SMD), metric="g", studies=make_studies(), excluded=excluded
    )
    assert found["unusable"].tolist() == ["", "excluded"]


CLUSTERED = {"design": "cluster-rct", "n_clusters": 20}


def test_design_effect_where_clustering_was_not_accounted_for(
    make_effects: Make, make_studies: Make
) -> None:
    row = {**SMD, "n_i": 210, "n_c": 190}
    frame = make_effects(
        {**row, "clustering": "accounted"}, {**row, "clustering": "not-stated"},
        {**row, "clustering": "not-accounted"}, {**SMD, "clustering": None},
    )  # fmt: skip
    found = effect_sizes(frame, metric="g", studies=make_studies(CLUSTERED), icc=0.02)
    assert found["design_effect"].tolist() == pytest.approx(
        [1, 1.38, 1.38, 1 + (DEFAULT_CLUSTER_SIZE - 1) * 0.02]
    )
    assert found["vi"].tolist() == pytest.approx((PLAIN * found["design_effect"]).tolist())
    assert found["flags"].tolist() == [
        "", "clustering-not-stated", "clustering-not-accounted",
        "clustering-not-stated;cluster-size-assumed",
    ]  # fmt: skip
    assert found["assumptions"].tolist() == [
        "smd-taken-as-g",
        *["smd-taken-as-g;icc-given;equal-clusters"] * 3,
    ]


def test_raw_figures_know_nothing_of_clusters(make_effects: Make, make_studies: Make) -> None:
    frame = make_effects(
        {"events_i": 20, "total_i": 100, "events_c": 30, "total_c": 100, "clustering": "accounted"}
    )
    found = effect_sizes(frame, metric="log_or", studies=make_studies(CLUSTERED), icc=0.05)
    assert found["design_effect"].tolist() == pytest.approx([1.45])
    assert found["flags"].tolist() == ["clustering-not-accounted"]


def test_intra_cluster_correlation_of_the_domain(make_effects: Make, make_studies: Make) -> None:
    table = pd.DataFrame(
        {"domain_id": ["x", "x", "other"], "icc": [0.01, 0.03, 0.9], "statistic": "estimate"}
    )
    row = {**SMD, "n_i": 210, "n_c": 190, "clustering": "not-stated"}
    found = effect_sizes(
        make_effects({**row, "domain_id": "x"}, {**row, "domain_id": "other"}),
        metric="g", studies=make_studies(CLUSTERED), icc=table,
    )  # fmt: skip
    assert found["icc"].tolist() == pytest.approx([0.02, DEFAULT_ICC])
    assert found["cluster_size"].tolist() == [20, 20]
    assert found["assumptions"].str.contains("icc-domain").tolist() == [True, False]
    assert found["assumptions"].str.contains("icc-default").tolist() == [False, True]


def test_individual_trials_have_no_design_effect(make_effects: Make, make_studies: Make) -> None:
    found = effect_sizes(make_effects(SMD), metric="g", studies=make_studies(), icc=0.1)
    assert found["design_effect"].tolist() == [1]
    assert found["icc"].isna().all()


def flags(
    make_effects: Make, make_studies: Make, row: dict[str, object], metric: str = "g",
    study: dict[str, object] | None = None, measures: pd.DataFrame | None = None,
) -> str:  # fmt: skip
    found = effect_sizes(
        make_effects(row), metric=metric, studies=make_studies(study or {}), measures=measures
    )
    return str(found["flags"].iloc[0])


@pytest.mark.parametrize(
    ("study", "flag"),
    [
        ({"design": "quasi-experimental"}, "quasi-experiment"),
        ({"second_hand": "yes"}, "second-hand"),
        ({"selective_figures": "yes"}, "selective-source"),
    ],
)
def test_flags_of_the_study(
    make_effects: Make, make_studies: Make, study: dict[str, object], flag: str
) -> None:
    assert flags(make_effects, make_studies, SMD, study=study) == flag


def test_variance_from_the_number_randomised(make_effects: Make, make_studies: Make) -> None:
    row = {"effect_type": "SMD", "effect": -0.4}
    assert (
        flags(make_effects, make_studies, row, study={"n_intervention": 60, "n_control": 50})
        == "variance-from-n;variance-from-randomised-n"
    )
    row = {**row, "n_i": 60, "n_c": 50, "n_basis": "randomised"}
    assert "variance-from-randomised-n" in flags(make_effects, make_studies, row)
    part = {"effect_type": "SMD", "effect": -0.4, "part": "subgroup"}
    found = effect_sizes(
        make_effects(part), metric="g",
        studies=make_studies({"n_intervention": 60, "n_control": 50}),
    )  # fmt: skip
    assert found["unusable"].tolist() == ["no-variance"]
    # The interval knows how many were measured.
    assert flags(make_effects, make_studies, {**row, **SMD}) == ""


def test_implausible_sizes(make_effects: Make, make_studies: Make) -> None:
    huge = {"effect_type": "SMD", "effect": -3.2, "se": 0.3}
    assert flags(make_effects, make_studies, huge) == "implausible"
    ratio = {"effect_type": "OR", "effect": 0.04, "ci_low": 0.01, "ci_high": 0.16, "ci_level": 95}
    assert flags(make_effects, make_studies, ratio, metric="log_or") == "implausible"
    measures = pd.DataFrame({"measure_id": ["m"], "sd": [2.0]})
    points = {"effect_type": "MD", "effect": -7.0, "se": 1.0, "measure_id": "m"}
    assert flags(make_effects, make_studies, points, "md", measures=measures) == "implausible"


def test_standard_error_given_as_standard_deviation(make_effects: Make, make_studies: Make) -> None:
    arms = {"n_i": 100, "mean_i": 9.0, "sd_i": 0.6, "n_c": 100, "mean_c": 10.0, "sd_c": 0.6}
    measures = pd.DataFrame({"measure_id": ["m"], "sd": [6.0]})
    row = {**arms, "measure_id": "m"}
    assert flags(make_effects, make_studies, row, measures=measures) == "sd-may-be-se"
    assert flags(make_effects, make_studies, arms) == ""
    assert flags(make_effects, make_studies, {**arms, "mean_i": 8.0}) == "implausible;sd-may-be-se"


def test_interval_far_from_its_effect(make_effects: Make, make_studies: Make) -> None:
    assert flags(make_effects, make_studies, {**SMD, "effect": -0.7}) == "interval-off-centre"


def test_codes_are_short_and_explained() -> None:
    for table in (ASSUMPTIONS, DERIVATIONS, FLAGS, METRICS, REASONS):
        for code, sentence in table.items():
            assert ";" not in code
            assert code == code.lower()
            assert len(sentence) > 10


@pytest.fixture(scope="module")
def trials(project: Project) -> Trials:
    return read_trials(project)


@pytest.fixture(scope="module")
def sizes(trials: Trials) -> dict[str, pd.DataFrame]:
    return {
        metric: effect_sizes(
            trials.effects, metric=metric, studies=trials.studies, measures=trials.measures,
            icc=trials.icc, excluded=trials.excluded,
        )
        for metric in METRICS
    }  # fmt: skip


def test_every_published_row_has_an_effect_size_or_a_reason(
    sizes: dict[str, pd.DataFrame], trials: Trials
) -> None:
    for found in sizes.values():
        assert len(found) == len(trials.effects)
        good = found["unusable"] == ""
        assert np.isfinite(found.loc[good, ["yi", "vi", "sei"]]).all(axis=None)
        assert (found.loc[good, "vi"] > 0).all()
        assert (found.loc[good, "design_effect"] >= 1).all()
        assert found.loc[~good, ["yi", "vi"]].isna().all(axis=None)
        assert set(found["unusable"]) <= {"", *REASONS}
        for column, table in (("flags", FLAGS), ("assumptions", ASSUMPTIONS)):
            assert set(";".join(found[column]).split(";")) <= {"", *table}


def test_rows_struck_out_by_hand_have_none(sizes: dict[str, pd.DataFrame], trials: Trials) -> None:
    struck = set(trials.excluded.loc[trials.excluded["file"] == "effects", "key"])
    assert struck
    for found in sizes.values():
        assert (found.loc[found["effect_id"].isin(struck), "unusable"] != "").all()


def test_rows_fail_in_their_own_metric_for_a_reason_of_their_own(
    sizes: dict[str, pd.DataFrame],
) -> None:
    for metric, kind in EFFECT_TYPE.items():
        found = sizes[metric]
        mine = found[found["effect_type"] == kind]
        assert "other-metric" not in set(mine["unusable"])
        assert "no-figure" not in set(mine["unusable"])


def test_no_sign_contradicts_what_the_source_says(sizes: dict[str, pd.DataFrame]) -> None:
    for found in sizes.values():
        assert not (found["unusable"] == "direction-contradicted").any()
        assert not ((found["favours"] == "intervention") & (found["yi"] < 0)).any()
        assert not ((found["favours"] == "control") & (found["yi"] > 0)).any()


def test_one_instrument_is_one_metric(sizes: dict[str, pd.DataFrame]) -> None:
    # A row is an odds ratio, a risk ratio and a risk difference only through its counts.
    for metric in ("log_or", "log_rr", "rd"):
        found = sizes[metric]
        borrowed = (found["unusable"] == "") & (found["effect_type"] != EFFECT_TYPE[metric])
        assert (found.loc[borrowed, "derivation"] == "counts").all()
