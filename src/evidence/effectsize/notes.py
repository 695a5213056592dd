"""What is said beside an effect size: why there is none, what it assumes, what to beware of."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evidence.effectsize.codes import REASONS
from evidence.effectsize.frames import Bool, Text, numbers, text
from evidence.effectsize.ladder import COUNTED, EFFECT_TYPE, RAW, Figures
from evidence.effectsize.registry import Array
from evidence.effectsize.reported import RATIOS

IMPLAUSIBLE = 3.0
"""Largest size of g, of a log ratio, and of a mean difference in standard deviations."""

_TOO_SMALL_SD = 1 / 3
"""A standard deviation below this share of the instrument's published one is suspect."""

_OFF_CENTRE = 0.5
"""Distance of the effect from the middle of its interval, as a share of half the width."""


def reasons(
    effects: pd.DataFrame,
    figures: Figures,
    metric: str,
    y: Array,
    excluded: pd.DataFrame | None,
) -> Text:
    """Why a row has no effect size; empty where it has one."""
    turn, hindrance = text(effects, "turn"), text(effects, "not_convertible")
    favours, kind = text(effects, "favours"), figures.kind
    struck = np.zeros(len(effects), dtype=bool)
    if excluded is not None:
        keys = excluded.loc[excluded["file"] == "effects", "key"]
        struck = effects["effect_id"].isin(set(keys)).to_numpy()
    mine, empty = kind == EFFECT_TYPE[metric], np.isnan(y)
    counts = np.isfinite(figures.events1 + figures.total1 + figures.events2 + figures.total2)
    means = np.isfinite(figures.mean1 + figures.mean2)
    effect = numbers(effects, "effect")
    against = ((favours == "intervention") & (y < 0)) | ((favours == "control") & (y > 0))
    first = {
        "direction-unknown": turn == "unknown",
        "figure-unusable": turn == "unusable",
    }
    said = np.where(np.isin(hindrance, list(REASONS)), hindrance, "not-convertible")
    then = {
        "excluded": struck,
        "no-better-direction": np.isnan(figures.sign),
        "direction-contradicted": against,
        "beta": empty & (kind == "BETA"),
        "not-positive": empty & mine & np.isin(kind, RATIOS) & (effect <= 0),
        "no-variance": empty & mine & np.isfinite(effect),
        "no-events": empty & counts & (metric in COUNTED),
        "no-sd": empty & (metric in ("g", "md")) & ((kind == "MD") | means),
        "other-metric": empty & ((np.isfinite(effect) & ~mine) | counts | means),
        "no-figure": empty,
    }
    return np.select(
        [*first.values(), hindrance != "", *then.values()], [*first, said, *then], ""
    ).astype(object)


def assumptions_of(
    effects: pd.DataFrame,
    figures: Figures,
    derivation: Text,
    source: Text,
) -> dict[str, Bool]:
    """Assumptions, each with the rows whose effect size rests on it."""
    cells = [figures.events1, figures.events2, figures.total1 - figures.events1,
             figures.total2 - figures.events2]  # fmt: skip
    reported = np.char.startswith(derivation.astype(str), "reported-")
    return {
        "smd-taken-as-g": reported & (figures.kind == "SMD"),
        "level-95": (source == "interval") & effects["ci_level"].isna().to_numpy(),
        "se-on-log-scale": (source == "se") & np.isin(figures.kind, RATIOS),
        "p-from-normal": np.isin(source, ["p", "p-bound"]) & (derivation != "p-through-t"),
        "instrument-sd": derivation == "md-over-published-sd",
        "equal-variances": np.isin(
            derivation, ["md-over-arm-sd", "md-through-t", "p-through-t"]
        ) | (source == "n"),
        "half-added": (derivation == "counts") & (np.minimum.reduce(cells) == 0),
    }  # fmt: skip


def flags_of(
    study: pd.DataFrame,
    figures: Figures,
    metric: str,
    y: Array,
    derivation: Text,
    source: Text,
    randomised: Bool,
    part: Text,
) -> dict[str, Bool]:
    """Warnings, each with the rows that it concerns."""
    printed, raw = figures.printed, np.isin(source, RAW)
    arm_sd, sd = figures.arm_sd, figures.instrument_sd
    with np.errstate(invalid="ignore", divide="ignore"):
        off = np.abs(2 * printed.y - printed.low - printed.high) / (printed.high - printed.low)
        scale = np.where(np.isfinite(arm_sd), arm_sd, sd) if metric == "md" else 1.0
        far = np.abs(y / scale) > IMPLAUSIBLE
        suspect = (arm_sd < _TOO_SMALL_SD * sd) | (np.abs(figures.raw("SMD")[0]) > IMPLAUSIBLE)
        risks = figures.events1 / figures.total1 - figures.events2 / figures.total2
    raw_difference = figures.sign * np.where(np.isnan(risks), figures.mean1 - figures.mean2, risks)
    return {
        "quasi-experiment": text(study, "design") == "quasi-experimental",
        "part-of-trial": part == "subgroup",
        "variance-from-n": source == "n",
        "variance-from-randomised-n": raw & randomised,
        "variance-from-p-bound": source == "p-bound",
        "interval-off-centre": (source == "interval") & (off > _OFF_CENTRE),
        "second-hand": text(study, "second_hand") == "yes",
        "selective-source": text(study, "selective_figures") == "yes",
        "implausible": far,
        "sd-may-be-se": suspect & np.isin(derivation, ["arm-means", "md-over-arm-sd"]),
        "raw-and-reported-disagree": raw_difference * printed.y < 0,
    }
