"""Effect sizes of published results, row by row, pointing the way that is better."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from evidence.effectsize.clusters import DEFAULT_CLUSTER_SIZE, DEFAULT_ICC, clustering
from evidence.effectsize.codes import DERIVATIONS, METRICS
from evidence.effectsize.frames import Bool, numbers, text
from evidence.effectsize.ladder import RAW, Figures, rungs
from evidence.effectsize.notes import assumptions_of, flags_of, reasons
from evidence.effectsize.registry import Array
from evidence.effectsize.reported import RATIOS, orient, parse_p
from evidence.errors import UsageError


def effect_sizes(
    effects: pd.DataFrame,
    *,
    metric: str,
    studies: pd.DataFrame,
    measures: pd.DataFrame | None = None,
    icc: pd.DataFrame | float | None = None,
    excluded: pd.DataFrame | None = None,
    default_icc: float = DEFAULT_ICC,
    default_cluster_size: float = DEFAULT_CLUSTER_SIZE,
) -> pd.DataFrame:
    """Effect sizes in one metric, positive where the programme did better.

    No row is dropped and none is converted from another metric. Printed figures come before raw
    ones of the same row; the standard error is that of the interval at the row's level, else the
    printed one, else the one that an exact p value implies, else one from the size of the arms.

    Parameters
    ----------
    effects : pandas.DataFrame
        Rows of ``effects.csv`` as :func:`evidence.read_trials` gives them, k rows.
    metric : {"g", "md", "log_or", "log_rr", "log_irr", "log_hr", "rd"}
        Scale of the result.
    studies : pandas.DataFrame
        ``studies.csv``, with a row for each study of ``effects``.
    measures : pandas.DataFrame, optional
        ``measures.csv``: published standard deviations of instruments.
    icc : pandas.DataFrame or float, optional
        ``icc.csv``, of which each domain's median is used, or one intra-cluster correlation for
        all rows.
    excluded : pandas.DataFrame, optional
        ``excluded.csv``: rows that have no effect size whatever they print.
    default_icc, default_cluster_size : float
        For cluster trials where they are not known.

    Returns
    -------
    pandas.DataFrame
        The columns and index of ``effects`` and: yi, vi, sei; metric; derivation (ordered, see
        :data:`DERIVATIONS`); variance_from (interval, se, p, p-bound, n, arms, counts);
        design_effect, by which ``vi`` has been multiplied; icc and cluster_size where one was;
        assumptions and flags (codes of :data:`ASSUMPTIONS` and :data:`FLAGS` joined by ``;``);
        unusable (empty, or a code of :data:`REASONS`, and then yi is NaN).

    Raises
    ------
    evidence.errors.UsageError
        If the metric is not known or a study has no row.
    """
    if metric not in METRICS:
        raise UsageError(f'no metric "{metric}"; there are {", ".join(METRICS)}')
    study = _studies_of(effects, studies)
    figures, randomised = _figures(effects, study, measures)
    k = len(effects)
    y, v = np.full(k, np.nan), np.full(k, np.nan)
    derivation = np.full(k, "", dtype=object)
    source = np.full(k, "", dtype=object)
    for rung in rungs(figures, metric):
        new = np.isnan(y) & np.isfinite(rung.y) & np.isfinite(rung.v) & (rung.v > 0)
        y, v = np.where(new, rung.y, y), np.where(new, rung.v, v)
        derivation = np.where(new, rung.derivation, derivation)
        source = np.where(new, rung.source, source)

    reason = reasons(effects, figures, metric, y, excluded)
    good = reason == ""
    y, v = np.where(good, y, np.nan), np.where(good, v, np.nan)
    derivation = np.where(good, derivation, "")
    source = np.where(good, source, "")
    clusters = clustering(
        effects, study, figures.n1 + figures.n2, good, np.isin(source, RAW),
        icc, default_icc, default_cluster_size,
    )  # fmt: skip
    v = v * clusters.factor
    return effects.assign(
        yi=y,
        vi=v,
        sei=np.sqrt(v),
        metric=metric,
        derivation=pd.Categorical(
            pd.Series(derivation).where(good).to_numpy(), categories=list(DERIVATIONS), ordered=True
        ),
        variance_from=source,
        design_effect=np.where(good, clusters.factor, np.nan),
        icc=clusters.icc,
        cluster_size=clusters.size,
        assumptions=_joined(
            {**assumptions_of(effects, figures, derivation, source), **clusters.assumptions}, good
        ),
        flags=_joined(
            {
                **clusters.flags,
                **flags_of(
                    study, figures, metric, y, derivation, source, randomised, text(effects, "part")
                ),
            },
            good,
        ),
        unusable=reason,
    )


def _studies_of(effects: pd.DataFrame, studies: pd.DataFrame) -> pd.DataFrame:
    unknown = sorted(set(effects["study_id"]) - set(studies["study_id"]))
    if unknown:
        raise UsageError(f"effects name studies that have no row: {', '.join(unknown)}")
    return studies.drop_duplicates("study_id").set_index("study_id").loc[effects["study_id"]]


def _figures(
    effects: pd.DataFrame, study: pd.DataFrame, measures: pd.DataFrame | None
) -> tuple[Figures, Bool]:
    """Figures of the rows, and where the size of the arms is the number randomised."""
    kind, lower = text(effects, "effect_type"), text(effects, "lower_is_better")
    printed = orient(
        numbers(effects, "effect"), numbers(effects, "ci_low"), numbers(effects, "ci_high"),
        turn=text(effects, "turn"), lower_is_better=lower == "yes", ratio=np.isin(kind, RATIOS),
    )  # fmt: skip
    p, bound = parse_p(effects["p"])
    # A part of a trial's people has fewer than the trial randomised, and how many is not known.
    whole = text(effects, "part") != "subgroup"
    sizes = [
        (numbers(effects, "n_i"), numbers(effects, "n_c")),
        (numbers(effects, "total_i"), numbers(effects, "total_c")),
        tuple(
            np.where(whole, numbers(study, name), np.nan)
            for name in ("n_intervention", "n_control")
        ),
    ]
    n1, n2 = np.full(len(effects), np.nan), np.full(len(effects), np.nan)
    randomised = text(effects, "n_basis") == "randomised"
    for place, (one, other) in enumerate(sizes):
        new = np.isnan(n1) & (one > 0) & (other > 0)
        n1, n2 = np.where(new, one, n1), np.where(new, other, n2)
        randomised = np.where(new & (place == len(sizes) - 1), True, randomised)
    level = numbers(effects, "ci_level")
    figures = Figures(
        kind=kind, printed=printed, level=np.where(np.isnan(level), 95.0, level),
        se=numbers(effects, "se"), p=p, p_bound=bound,
        sign=np.select([lower == "yes", lower == "no"], [-1.0, 1.0], np.nan),
        n1=n1, n2=n2,
        mean1=numbers(effects, "mean_i"), sd1=numbers(effects, "sd_i"),
        mean2=numbers(effects, "mean_c"), sd2=numbers(effects, "sd_c"),
        events1=numbers(effects, "events_i"), total1=numbers(effects, "total_i"),
        events2=numbers(effects, "events_c"), total2=numbers(effects, "total_c"),
        instrument_sd=_instrument_sd(effects, measures),
        through_t=(text(study, "design") == "rct")
        & (text(effects, "adjusted") == "no")
        & np.isin(text(effects, "clustering"), ["not-applicable", ""]),
    )  # fmt: skip
    return figures, randomised


def _instrument_sd(effects: pd.DataFrame, measures: pd.DataFrame | None) -> Array:
    if measures is None:
        return np.full(len(effects), np.nan)
    sds = measures.drop_duplicates("measure_id").set_index("measure_id")["sd"]
    return effects["measure_id"].map(sds).to_numpy(dtype=float, na_value=np.nan)


def _joined(codes: Mapping[str, Bool], good: Bool) -> list[str]:
    """Codes that hold in each row, in the order of the table, joined by semicolons."""
    table = np.array([np.asarray(holds, dtype=bool) & good for holds in codes.values()])
    names = list(codes)
    return [";".join(names[i] for i in np.flatnonzero(column)) for column in table.T]
