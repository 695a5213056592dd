"""What the trials of each construct say: the rows that count, and the estimates made of them."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from evidence.synthesis.choice import choose, independent
from evidence.synthesis.ladder import POOLED, Rung, climb

if TYPE_CHECKING:
    from evidence.literature import Trials

STRATA = ("british_irish", "all")
MODELS = ("ladder", "unprinted_at_zero", "not_significant_only", "without_flagged")
HOME = ("GB", "IE")
DOMINANT = 0.5
"""Share of the weight above which a flagged row dominates its pool."""

_Z = 1.959963984540054

_COLUMNS = [
    "estimate_id", "construct_id", "stratum", "model", "form", "metric", "k", "n_studies",
    "n_children", "estimate", "se", "ci_lower", "ci_upper", "pi_lower", "pi_upper", "tau2", "I2",
    "p_benefit", "p_harm", "effect_ids", "warnings", "inputs_sha256",
]  # fmt: skip


def construct_effects(trials: Trials) -> pd.DataFrame:
    """Every effect that belongs to a construct, as an effect size in the construct's metric.

    Parameters
    ----------
    trials : Trials
        The trials data package.

    Returns
    -------
    pandas.DataFrame
        One row per effect with a construct: the columns of ``effects.csv``, those of
        :func:`evidence.effectsize.effect_sizes`, and cluster (independent people), british_irish,
        lower and upper (95 % limits), n_children (analysed, else randomised; NaN if neither is
        known) and chosen (whether the row speaks for its trial).
    """
    from evidence.effectsize import effect_sizes

    parts = []
    clusters = independent(trials.studies)
    studies = trials.studies.set_index("study_id")
    constructs = trials.constructs.set_index("construct_id")
    mine = trials.effects[trials.effects["construct_id"].notna()]
    for construct_id, rows in mine.groupby("construct_id", sort=True):
        construct = cast("pd.Series[Any]", constructs.loc[construct_id])
        part = effect_sizes(
            rows, metric=str(construct["metric"]), studies=trials.studies,
            measures=trials.measures, icc=trials.icc, excluded=trials.excluded,
        )  # fmt: skip
        part = part.assign(
            cluster=rows["study_id"].map(clusters),
            british_irish=rows["study_id"].map(studies["country"]).isin(HOME),
            n_children=_children(rows, studies),
        )
        part["lower"], part["upper"] = part["yi"] - _Z * part["sei"], part["yi"] + _Z * part["sei"]
        part["chosen"] = choose(part, construct)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _children(rows: pd.DataFrame, studies: pd.DataFrame) -> pd.Series:
    def both(frame: pd.DataFrame, one: str, other: str) -> pd.Series:
        return frame[one].astype(float) + frame[other].astype(float)

    randomised = both(studies.loc[rows["study_id"]], "n_intervention", "n_control").to_numpy()
    return (
        both(rows, "n_i", "n_c")
        .fillna(both(rows, "total_i", "total_c"))
        .fillna(pd.Series(randomised, index=rows.index))
    )


def silent_trials(trials: Trials, effects: pd.DataFrame) -> pd.DataFrame:
    """Trials that measured a construct's outcome without a figure that can be used.

    Parameters
    ----------
    trials : Trials
        The trials data package.
    effects : pandas.DataFrame
        From :func:`construct_effects`.

    Returns
    -------
    pandas.DataFrame
        One row per construct and independent trial that has no chosen row: construct_id, study_id,
        cluster, british_irish, n_total, follow_up_months, ``source`` (``unprinted:ID`` or
        ``effects:ID``), ``told`` (the direction that the source states, or ``unusable``), reason
        (why a printed figure is of no use) and ``at_zero``: whether it may stand at no difference.
        It may not where the source says that the programme did better, nor where it printed
        figures.
    """
    countries = trials.studies.set_index("study_id")["country"]
    clusters = independent(trials.studies)
    unprinted = trials.unprinted[trials.unprinted["construct_id"].notna()]
    useless = effects[effects["unusable"] != ""]
    rows = pd.concat([
        pd.DataFrame({
            "construct_id": unprinted["construct_id"], "study_id": unprinted["study_id"],
            "n_total": unprinted["n_total"].astype(float),
            "follow_up_months": unprinted["follow_up_months"].astype(float),
            "source": "unprinted:" + unprinted["unprinted_id"],
            "told": unprinted["stated_direction"], "reason": "",
        }),
        pd.DataFrame({
            "construct_id": useless["construct_id"], "study_id": useless["study_id"],
            "n_total": useless["n_children"].astype(float),
            "follow_up_months": useless["follow_up_months"].astype(float),
            "source": "effects:" + useless["effect_id"],
            "told": "unusable", "reason": useless["unusable"],
        }),
    ], ignore_index=True)  # fmt: skip
    rows["cluster"] = rows["study_id"].map(clusters)
    rows["british_irish"] = rows["study_id"].map(countries).isin(HOME)
    rows["at_zero"] = ~rows["told"].isin(["favours-intervention", "unusable"])
    keys = ["construct_id", "cluster"]
    chosen = effects.loc[effects["chosen"], keys]
    spoken = set(chosen.itertuples(index=False, name=None))
    quiet = [pair not in spoken for pair in rows[keys].itertuples(index=False, name=None)]
    return rows[quiet].drop_duplicates(keys).reset_index(drop=True)


def estimates(trials: Trials, effects: pd.DataFrame | None = None) -> pd.DataFrame:
    """Estimates of every construct (interface E).

    Parameters
    ----------
    trials : Trials
        The trials data package.
    effects : pandas.DataFrame, optional
        From :func:`construct_effects`, if it is there already.

    Returns
    -------
    pandas.DataFrame
        One row per construct, stratum (``british_irish``, ``all``) and model: ``ladder``;
        ``unprinted_at_zero``, with trials that printed nothing entered as no difference;
        ``not_significant_only``, without results whose interval excludes zero in the programme's
        favour, a lower bound where such results alone get printed (Mathur and VanderWeele 2020);
        ``without_flagged``, without rows that carry a flag. ``form`` says what the ladder made of
        ``k`` independent trials. Variants stand beside an average only, and are left out where
        their rows are those of the ladder.

    References
    ----------
    Mathur MB, VanderWeele TJ (2020). Sensitivity analysis for publication bias in meta-analyses.
    Journal of the Royal Statistical Society C 69, 1091-1119.
    """
    frame = construct_effects(trials) if effects is None else effects
    silent = silent_trials(trials, frame)
    constructs = trials.constructs.set_index("construct_id")
    sds = trials.measures.set_index("measure_id")["sd"]
    found = []
    for construct_id, construct in constructs.sort_index().iterrows():
        chosen = frame[(frame["construct_id"] == construct_id) & frame["chosen"]]
        quiet = silent[(silent["construct_id"] == construct_id) & silent["at_zero"]]
        measure = construct["measure_id"]
        sd = float(sds.get(measure, math.nan)) if pd.notna(measure) else math.nan
        for stratum in STRATA:
            rows, dumb, pooled = chosen, quiet, False
            if stratum == "british_irish":
                rows, dumb = rows[rows["british_irish"]], dumb[dumb["british_irish"]]
            for model, use in _models(rows, dumb, chosen):
                rung = climb(use["yi"], use["vi"], str(construct["metric"]), sd=sd)
                if model == "ladder":
                    pooled = rung.form in POOLED
                elif not pooled:
                    # What is not averaged needs no second average beside it.
                    continue
                warnings = [*rung.warnings, *_dominant(use, rung)]
                found.append({
                    "construct_id": construct_id, "stratum": stratum, "model": model,
                    "metric": construct["metric"], "n_studies": use["study_id"].nunique(),
                    "n_children": float(use["n_children"].sum(min_count=1)),
                    "effect_ids": ";".join(sorted(use["effect_id"])),
                    "rung": rung, "warnings": "; ".join(warnings), "inputs_sha256": _sha256(use),
                })  # fmt: skip
    return _table(found)


def _models(
    rows: pd.DataFrame, quiet: pd.DataFrame, everywhere: pd.DataFrame
) -> list[tuple[str, pd.DataFrame]]:
    """The models of one construct and stratum with the rows that each uses."""
    models = [("ladder", rows)]
    if len(quiet) and len(rows):
        models.append(("unprinted_at_zero", _with_zeros(rows, quiet, everywhere)))
    modest = rows[~(rows["lower"] > 0)]
    if len(modest) < len(rows):
        models.append(("not_significant_only", modest))
    clean = rows[rows["flags"] == ""]
    if len(clean) < len(rows):
        models.append(("without_flagged", clean))
    return models


def _with_zeros(rows: pd.DataFrame, quiet: pd.DataFrame, everywhere: pd.DataFrame) -> pd.DataFrame:
    """Add a row at zero for each silent trial.

    Its variance is that of the construct's other trials brought to its size: the median of
    variance times children, over its children; without a size, the largest variance there is.
    """
    sized = everywhere[everywhere["n_children"] > 0]
    per_child = float((sized["vi"] * sized["n_children"]).median()) if len(sized) else math.nan
    children = quiet["n_total"].astype(float)
    variance = (per_child / children).fillna(float(everywhere["vi"].max()))
    zeros = pd.DataFrame({
        "effect_id": quiet["source"],
        "study_id": quiet["study_id"], "yi": 0.0, "vi": variance, "sei": np.sqrt(variance),
        "n_children": children, "flags": "",
    })  # fmt: skip
    return pd.concat([rows[list(zeros.columns)], zeros], ignore_index=True)


def _dominant(rows: pd.DataFrame, rung: Rung) -> list[str]:
    """Say which flagged row holds more than half of a pool's weight."""
    shares = zip(rows["effect_id"], rows["flags"], rung.weights, strict=False)
    return [
        f"flagged row dominates: {effect}" for effect, flags, share in shares
        if flags and share > DOMINANT
    ]  # fmt: skip


def _sha256(rows: pd.DataFrame) -> str:
    """Hash of the effects that an estimate is made of, independent of their order."""
    used = sorted(rows[["effect_id", "yi", "vi"]].itertuples(index=False, name=None))
    text = "\n".join(f"{effect} {yi!r} {vi!r}" for effect, yi, vi in used)
    return hashlib.sha256(text.encode()).hexdigest()


def _table(found: list[dict[str, Any]]) -> pd.DataFrame:
    rows = []
    for item in found:
        numbers = asdict(item.pop("rung"))
        del numbers["weights"], numbers["warnings"]
        name = f"{item['construct_id']}/{item['stratum']}/{item['model']}"
        rows.append({"estimate_id": name, **item, **numbers})
    return pd.DataFrame(rows, columns=_COLUMNS)
