"""Plots for researchers: drawn from real models, the words from the same numbers."""

import numpy as np
import pandas as pd
import pytest

from evidence.plots import Figure
from evidence.plots.research import (
    baujat_figure,
    funnel_figure,
    gap_map_figure,
    gosh_figure,
    influence_figure,
    labbe_figure,
    orchard_figure,
    posterior_figure,
    refits_figure,
    specifications_figure,
)
from evidence.synthesis import HalfNormal, meta, normal_normal
from evidence.synthesis.diagnostics import baujat, gosh, influence
from evidence.synthesis.refits import leave_one_out

# Colditz and others (1994): tuberculosis with and without vaccination, thirteen trials.
EVENTS = np.array([4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27])
TREATED = np.array([123, 306, 231, 13598, 5069, 1541, 2545, 88391, 7499, 1716, 50634, 2498, 16913])
CASES = np.array([11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29])
CONTROL = np.array([139, 303, 220, 12867, 5808, 1451, 629, 88391, 7277, 1665, 27338, 2341, 17854])
YI = np.log(EVENTS / TREATED) - np.log(CASES / CONTROL)
VI = 1 / EVENTS - 1 / TREATED + 1 / CASES - 1 / CONTROL
NAMES = [f"Trial {i + 1}" for i in range(13)]


@pytest.fixture(scope="module")
def fit():  # type: ignore[no-untyped-def]
    return meta(YI, VI)


def test_funnel_counts_what_it_shows(fit) -> None:  # type: ignore[no-untyped-def]
    studies = pd.DataFrame({"estimate": YI, "se": np.sqrt(VI)})
    centre = float(fit.params.iloc[0])
    figure = funnel_figure(studies, centre=centre, scale="log", title="Risk ratio")
    assert f"{(centre > YI).sum()} below and {(centre < YI).sum()} above" in figure.alt
    assert "pooled effect of 0.49" in figure.alt  # published: 0.4894 with REML
    studies["filled"] = [False] * 12 + [True]
    assert "Trim and fill adds one study" in funnel_figure(studies, centre=centre).alt


def test_baujat_names_the_study_farthest_out(fit) -> None:  # type: ignore[no-untyped-def]
    table = baujat(fit).set_axis(NAMES)
    alt = baujat_figure(table).alt
    far = (table / table.max()).sum(axis=1).idxmax()
    assert f"Farthest out: {far}" in alt


def test_influence_names_the_influential(fit) -> None:  # type: ignore[no-untyped-def]
    table = influence(fit).table.set_axis(NAMES)
    assert "None passes" in influence_figure(table.assign(influential=False)).alt
    marked = table.assign(influential=[name == "Trial 8" for name in NAMES])
    assert "Influential: Trial 8." in influence_figure(marked).alt


def test_gosh_tells_its_range(fit) -> None:  # type: ignore[no-untyped-def]
    found = gosh(fit, subsets=400, seed=1)
    figure = gosh_figure(found.table, every=found.every, scale="log")
    low = np.exp(np.nanquantile(found.table["estimate"], 0.05))
    assert f"{low:.2f} to" in figure.alt and "randomly drawn" in figure.alt


def test_labbe_draws_what_a_ratio_implies() -> None:
    studies = pd.DataFrame(
        {"programme": EVENTS / TREATED, "control": CASES / CONTROL, "n": TREATED + CONTROL}
    )
    rarer = int((EVENTS / TREATED < CASES / CONTROL).sum())
    for measure in ("RR", "OR", "RD"):
        alt = labbe_figure(studies, effect=-0.3, measure=measure).alt
        assert f"rarer with the programme in {rarer}" in alt
    with pytest.raises(ValueError, match="RR, OR or RD"):
        labbe_figure(studies, measure="HR")


def test_orchard_gives_mean_and_interval_of_each_group(fit) -> None:  # type: ignore[no-untyped-def]
    where = fit.predict().iloc[0]
    groups = pd.DataFrame(
        {"estimate": [where["mean"]], "ci_lower": [where["mean_ci_lower"]],
         "ci_upper": [where["mean_ci_upper"]], "pi_lower": [where["pi_lower"]],
         "pi_upper": [where["pi_upper"]]}, index=["BCG"])  # fmt: skip
    studies = pd.DataFrame({"group": "BCG", "estimate": YI, "se": np.sqrt(VI)})
    alt = orchard_figure(studies, groups, scale="log").alt
    assert "BCG: 13 effects, mean 0.49" in alt
    with pytest.raises(ValueError, match="groups without a row"):
        orchard_figure(studies.assign(group="other"), groups)


def test_posterior_reads_its_quantiles_off_the_density() -> None:
    exact = normal_normal(YI, VI, tau_prior=HalfNormal(0.5))
    grid = np.linspace(-3, 2, 2001)
    mean, sd = exact._given_tau  # conditional on each τ of the quadrature

    def density(spread: np.ndarray) -> np.ndarray:
        z = (grid[:, None] - mean) / spread
        return (np.exp(-(z**2) / 2) / spread / np.sqrt(2 * np.pi)) @ exact.weights

    densities = pd.DataFrame({"effect": grid, "mean": density(sd),
                              "prediction": density(np.hypot(sd, exact.nodes))})  # fmt: skip
    alt = posterior_figure(densities, scale="log").alt
    low, high = np.exp([exact.quantile(0.025), exact.quantile(0.975)])
    assert f"{low:.2f} to {high:.2f}" in alt


@pytest.mark.parametrize("kind", ["leave-one-out", "cumulative"])
def test_refits_say_their_range(fit, kind) -> None:  # type: ignore[no-untyped-def]
    table = leave_one_out(fit).set_axis(NAMES)
    figure = refits_figure(table, kind=kind, reference=float(fit.params.iloc[0]), scale="log")
    assert figure.label == f"fig-{kind}"
    if kind == "leave-one-out":
        lowest = np.exp(table["estimate"].min())
        assert f"from {lowest:.2f} to" in figure.alt
        assert "in 13 of 13 refits" in figure.alt


def test_specifications_tell_the_share_that_excludes_no_effect() -> None:
    rows = []
    for method in ("DL", "REML", "PM", "EE"):
        for test in ("z", "knha"):
            one = meta(YI, VI, method=method, test="z" if method == "EE" else test).to_frame()
            rows.append(one.assign(method=method, test=test).iloc[0])
    table = pd.DataFrame(rows).reset_index(drop=True)
    figure = specifications_figure(table, ["method", "test"], scale="log")
    assert figure.alt.startswith("8 analyses: estimates from")
    assert "in 100 per cent" in figure.alt


def test_gap_map_counts_its_gaps() -> None:
    cells = pd.DataFrame([[3, 0], [0, 11]], index=["Parenting", "Visiting"], columns=["a", "b"])
    alt = gap_map_figure(cells).alt
    assert "14 trials" in alt and "2 of 4 cells hold none" in alt
    with pytest.raises(ValueError, match="whole"):
        gap_map_figure(cells - 1)


def test_nothing_to_draw_is_refused_and_bytes_repeat() -> None:
    empty = pd.DataFrame({"heterogeneity": [], "influence": []})
    with pytest.raises(ValueError, match="nothing to draw"):
        baujat_figure(empty)
    with pytest.raises(ValueError, match="columns missing: influence"):
        baujat_figure(empty[["heterogeneity"]])
    table = pd.DataFrame({"heterogeneity": [1.0, 2.0], "influence": [0.1, 0.5]})
    one, two = baujat_figure(table), baujat_figure(table)
    assert isinstance(one, Figure) and one.svg == two.svg
