"""The forest plot of one construct, from the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from evidence.briefing.wording import (
    COMPARATORS,
    Scale,
    country_name,
    figure_text,
    measure,
    scale_of,
    study_name,
)
from evidence.facts import Name, sentence
from evidence.plots.figure import Figure

if TYPE_CHECKING:
    from evidence.briefing.evidence import Evidence


def scale_for(evidence: Evidence, construct_id: str) -> Scale:
    """How the effects of a construct are shown."""
    construct = evidence.construct(construct_id)
    measures = evidence.trials.measures.set_index("measure_id")["instrument"]
    unit = "points"
    if pd.notna(construct["measure_id"]):
        unit = measure(str(measures[str(construct["measure_id"])]))
    return scale_of(construct, evidence.chosen(construct_id), unit)


def draw(evidence: Evidence, construct_id: str) -> Figure:
    """Draw the forest plot of a construct.

    Parameters
    ----------
    evidence : Evidence
        Trials and estimates.
    construct_id : str
        A construct with at least one trial that prints figures.

    Returns
    -------
    Figure
        Labelled ``fig-`` and the construct's id.
    """
    from evidence.briefing.evidence import label_of
    from evidence.plots import forest_alt, forest_figure

    construct = evidence.construct(construct_id)
    scale = scale_for(evidence, construct_id)
    trials = _trials(evidence, construct_id, scale)
    summaries = _summaries(evidence, construct_id, scale)
    unprinted = _unprinted(evidence, construct_id)
    worthwhile = construct["smallest_worthwhile"]
    options: dict[str, Any] = {
        "scale": "log" if scale.ratio else "difference",
        "axis_label": _axis(evidence, construct_id, scale),
        "favours": scale.sides,
        "worthwhile": None
        if scale.statutory or pd.isna(worthwhile)
        else float(_turned(pd.Series([worthwhile]), scale).iloc[0]),
        "write": lambda value: figure_text(value, scale),
    }  # fmt: skip
    figure = forest_figure(trials, summaries, unprinted, **options)
    caption = sentence("{label}.", label=Name(str(construct["label"])))
    return Figure.from_matplotlib(
        figure,
        alt=f"{construct['label']}. {forest_alt(trials, summaries, unprinted, **options)}",
        caption=caption,
        label=label_of(construct_id),
    )


def _axis(evidence: Evidence, construct_id: str, scale: Scale) -> str:
    if scale.metric == "g":
        return "difference in standard deviations"
    if scale.metric == "md":
        return scale.unit.removeprefix("on the measure ").strip("“”")
    return scale.axis


def _turned(values: pd.Series, scale: Scale) -> pd.Series:
    """Stored effects on the analysis scale in the direction in which they are shown."""
    return values.astype(float) * scale.sign * (100 if scale.metric == "rd" else 1)


def _limits(low: pd.Series, high: pd.Series, scale: Scale) -> tuple[pd.Series, pd.Series]:
    one, other = _turned(low, scale), _turned(high, scale)
    return (one, other) if scale.sign > 0 else (other, one)


def _trials(evidence: Evidence, construct_id: str, scale: Scale) -> pd.DataFrame:
    rows = evidence.chosen(construct_id)
    studies = evidence.studies.loc[rows["study_id"]]
    lower, upper = _limits(rows["lower"], rows["upper"], scale)
    pooled = evidence.estimate(construct_id, "all", "ladder")
    tau2 = float("nan") if pooled is None else float(pooled["tau2"])
    weight = 1 / (rows["vi"] + tau2)
    return pd.DataFrame({
        "group": rows["british_irish"].map({True: "Britain and Ireland", False: "Elsewhere"}),
        "label": [study_name(study) for _, study in studies.iterrows()],
        "place": [country_name(code) for code in studies["country"]],
        "n": rows["n_children"].to_numpy(dtype=float),
        "comparator": COMPARATORS[str(evidence.constructs.at[construct_id, "comparator_class"])],
        "estimate": _turned(rows["yi"], scale).to_numpy(),
        "lower": lower.to_numpy(),
        "upper": upper.to_numpy(),
        "weight": (weight / weight.sum()).to_numpy(),
        "flagged": (rows["flags"] != "").to_numpy(),
    })  # fmt: skip


_LINES = (
    ("british_irish", "ladder", "British and Irish trials", True),
    ("british_irish", "unprinted_at_zero", "with unprinted results at zero", False),
    ("british_irish", "without_flagged", "without flagged trials", False),
    ("all", "ladder", "All trials", False),
    ("all", "unprinted_at_zero", "all, with unprinted results at zero", False),
)


def _summaries(evidence: Evidence, construct_id: str, scale: Scale) -> pd.DataFrame:
    lines = []
    home, everywhere = (evidence.k(construct_id, name) for name in ("british_irish", "all"))
    for stratum, model, label, strong in _LINES:
        row = evidence.estimate(construct_id, stratum, model)
        if row is None or row["form"] not in ("bayes", "reml"):
            continue
        # One pool is shown once.
        if stratum == "all" and home == everywhere:
            continue
        lines.append({"label": label, "strong": strong, **row})
    frame = pd.DataFrame(
        lines,
        columns=["label", "strong", "estimate", "ci_lower", "ci_upper", "pi_lower", "pi_upper"],
    )
    lower, upper = _limits(frame["ci_lower"], frame["ci_upper"], scale)
    pi_lower, pi_upper = _limits(frame["pi_lower"], frame["pi_upper"], scale)
    return pd.DataFrame({
        "label": frame["label"], "estimate": _turned(frame["estimate"], scale),
        "lower": lower, "upper": upper, "pi_lower": pi_lower, "pi_upper": pi_upper,
        "strong": frame["strong"].astype(bool),
    })  # fmt: skip


DIRECTIONS = {
    "no-difference": "no difference reported",
    "favours-intervention": "better with the programme",
    "favours-control": "worse with the programme",
    "not-stated": "direction not stated",
    "unusable": "figures that cannot be used",
}


def _unprinted(evidence: Evidence, construct_id: str) -> pd.DataFrame | None:
    rows = evidence.unheard(construct_id)
    if rows.empty:
        return None
    studies = evidence.studies.loc[rows["study_id"]]
    return pd.DataFrame({
        "label": [study_name(study) for _, study in studies.iterrows()],
        "place": [country_name(code) for code in studies["country"]],
        "n": rows["n_total"].to_numpy(dtype=float),
        "direction": rows["told"].map(DIRECTIONS).to_numpy(),
    })  # fmt: skip
