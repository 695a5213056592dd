"""Effect sizes of published results, row by row, pointing the way that is better."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evidence.effectsize.clusters import (
    DEFAULT_CLUSTER_SIZE,
    DEFAULT_ICC,
    design_effect,
    domain_iccs,
)
from evidence.effectsize.codes import DERIVATIONS, METRICS, REASONS
from evidence.effectsize.ladder import EFFECT_TYPE, Figures, rungs
from evidence.effectsize.registry import Array
from evidence.effectsize.reported import RATIOS, orient, parse_p
from evidence.errors import UsageError

IMPLAUSIBLE = 3.0
"""Largest size of g, of a log ratio, and of a mean difference in standard deviations."""

_TOO_SMALL_SD = 1 / 3
"""A standard deviation below this share of the instrument's published one is suspect."""

_OFF_CENTRE = 0.5
"""Distance of the effect from the middle of its interval, as a share of half the width."""

_RAW = ("n", "arms", "counts")
"""Sources of a variance that know nothing of clusters, whatever the authors did."""

Bool = NDArray[np.bool_]


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

    reason = _reasons(effects, figures, metric, y, excluded)
    good = reason == ""
    y, v = np.where(good, y, np.nan), np.where(good, v, np.nan)
    derivation = np.where(good, derivation, "")
    source = np.where(good, source, "")
    clusters = _Clusters(
        effects, study, figures, source, good, icc, default_icc, default_cluster_size
    )
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
            {**_assumptions(effects, figures, derivation, source), **clusters.assumptions}, good
        ),
        flags=_joined(
            {
                **clusters.flags,
                **_flags(study, figures, metric, y, derivation, source, randomised),
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


def _numbers(frame: pd.DataFrame, name: str) -> Array:
    return frame[name].to_numpy(dtype=float, na_value=np.nan)


def _text(frame: pd.DataFrame, name: str) -> NDArray[np.object_]:
    return frame[name].astype(object).where(frame[name].notna(), "").to_numpy()


def _figures(
    effects: pd.DataFrame, study: pd.DataFrame, measures: pd.DataFrame | None
) -> tuple[Figures, Bool]:
    """Figures of the rows, and where the size of the arms is the number randomised."""
    kind, lower = _text(effects, "effect_type"), _text(effects, "lower_is_better")
    printed = orient(
        _numbers(effects, "effect"), _numbers(effects, "ci_low"), _numbers(effects, "ci_high"),
        turn=_text(effects, "turn"), lower_is_better=lower == "yes", ratio=np.isin(kind, RATIOS),
    )  # fmt: skip
    p, bound = parse_p(effects["p"])
    sizes = [
        (_numbers(effects, "n_i"), _numbers(effects, "n_c")),
        (_numbers(effects, "total_i"), _numbers(effects, "total_c")),
        (_numbers(study, "n_intervention"), _numbers(study, "n_control")),
    ]
    n1, n2 = np.full(len(effects), np.nan), np.full(len(effects), np.nan)
    randomised = _text(effects, "n_basis") == "randomised"
    for place, (one, other) in enumerate(sizes):
        new = np.isnan(n1) & (one > 0) & (other > 0)
        n1, n2 = np.where(new, one, n1), np.where(new, other, n2)
        randomised = np.where(new & (place == len(sizes) - 1), True, randomised)
    level = _numbers(effects, "ci_level")
    figures = Figures(
        kind=kind, printed=printed, level=np.where(np.isnan(level), 95.0, level),
        se=_numbers(effects, "se"), p=p, p_bound=bound,
        sign=np.select([lower == "yes", lower == "no"], [-1.0, 1.0], np.nan),
        n1=n1, n2=n2,
        mean1=_numbers(effects, "mean_i"), sd1=_numbers(effects, "sd_i"),
        mean2=_numbers(effects, "mean_c"), sd2=_numbers(effects, "sd_c"),
        events1=_numbers(effects, "events_i"), total1=_numbers(effects, "total_i"),
        events2=_numbers(effects, "events_c"), total2=_numbers(effects, "total_c"),
        instrument_sd=_instrument_sd(effects, measures),
        through_t=(_text(study, "design") == "rct")
        & (_text(effects, "adjusted") == "no")
        & np.isin(_text(effects, "clustering"), ["not-applicable", ""]),
    )  # fmt: skip
    return figures, randomised


def _instrument_sd(effects: pd.DataFrame, measures: pd.DataFrame | None) -> Array:
    if measures is None:
        return np.full(len(effects), np.nan)
    sds = measures.drop_duplicates("measure_id").set_index("measure_id")["sd"]
    return effects["measure_id"].map(sds).to_numpy(dtype=float, na_value=np.nan)


def _reasons(
    effects: pd.DataFrame,
    figures: Figures,
    metric: str,
    y: Array,
    excluded: pd.DataFrame | None,
) -> NDArray[np.object_]:
    """Why a row has no effect size; empty where it has one."""
    turn, hindrance = _text(effects, "turn"), _text(effects, "not_convertible")
    favours, kind = _text(effects, "favours"), figures.kind
    struck = np.zeros(len(effects), dtype=bool)
    if excluded is not None:
        keys = excluded.loc[excluded["file"] == "effects", "key"]
        struck = effects["effect_id"].isin(set(keys)).to_numpy()
    mine, empty = kind == EFFECT_TYPE[metric], np.isnan(y)
    counts = np.isfinite(figures.events1 + figures.total1 + figures.events2 + figures.total2)
    means = np.isfinite(figures.mean1 + figures.mean2)
    effect = _numbers(effects, "effect")
    against = ((favours == "intervention") & (y < 0)) | ((favours == "control") & (y > 0))
    tests = {
        "excluded": struck,
        "direction-unknown": turn == "unknown",
        "figure-unusable": turn == "unusable",
        **{code: hindrance == code for code in REASONS if code in set(hindrance)},
        "not-convertible": (hindrance != "") & ~np.isin(hindrance, list(REASONS)),
        "no-better-direction": np.isnan(figures.sign),
        "direction-contradicted": ~empty & against,
        "beta": kind == "BETA",
        "not-positive": empty & mine & np.isin(kind, RATIOS) & (effect <= 0),
        "no-variance": empty & mine & np.isfinite(effect),
        "no-events": empty & counts & (metric in ("log_or", "log_rr", "rd")),
        "no-sd": empty & (metric in ("g", "md")) & ((kind == "MD") | means),
        "other-metric": empty & ((np.isfinite(effect) & ~mine) | counts | means),
        "no-figure": empty,
    }
    # A row with a usable figure of its own is not held back by a coefficient beside it.
    tests["beta"] = tests["beta"] & (empty | (hindrance == "beta"))
    return np.select(list(tests.values()), list(tests), "").astype(object)


class _Clusters:
    """Design effects of the rows whose variance does not know that groups were randomised."""

    def __init__(
        self,
        effects: pd.DataFrame,
        study: pd.DataFrame,
        figures: Figures,
        source: NDArray[np.object_],
        good: Bool,
        icc: pd.DataFrame | float | None,
        default_icc: float,
        default_size: float,
    ) -> None:
        said = _text(effects, "clustering")
        trial = _text(study, "design") == "cluster-rct"
        grouped = trial | np.isin(said, ["accounted", "not-stated", "not-accounted"])
        ignored = ~np.isin(said, ["accounted", "not-applicable"]) | np.isin(source, _RAW)
        where = good & grouped & ignored
        if icc is None or isinstance(icc, pd.DataFrame):
            known = pd.Series(dtype=float) if icc is None else domain_iccs(icc)
            rho = effects["domain_id"].map(known).to_numpy(dtype=float, na_value=np.nan)
        else:
            rho = np.full(len(effects), float(icc))
        fits = np.isfinite(rho)
        rho = np.where(fits, rho, default_icc)
        with np.errstate(invalid="ignore", divide="ignore"):
            size = (figures.n1 + figures.n2) / _numbers(study, "n_clusters")
        stated = np.isfinite(size) & (size >= 1)
        size = np.where(stated, size, default_size)

        self.factor = np.where(where, design_effect(size, rho), 1.0)
        self.icc = np.where(where, rho, np.nan)
        self.size = np.where(where, size, np.nan)
        given = icc is not None and not isinstance(icc, pd.DataFrame)
        self.assumptions = {
            "icc-given": where & given,
            "icc-domain": where & fits & (not given),
            "icc-default": where & ~fits,
            "equal-clusters": where,
        }
        silent = ~np.isin(said, ["accounted", "not-accounted", "not-applicable"])
        self.flags = {
            "clustering-not-stated": where & silent,
            "clustering-not-accounted": where & ~silent,
            "cluster-size-assumed": where & ~stated,
        }


def _assumptions(
    effects: pd.DataFrame,
    figures: Figures,
    derivation: NDArray[np.object_],
    source: NDArray[np.object_],
) -> dict[str, Bool]:
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


def _flags(
    study: pd.DataFrame,
    figures: Figures,
    metric: str,
    y: Array,
    derivation: NDArray[np.object_],
    source: NDArray[np.object_],
    randomised: Bool,
) -> dict[str, Bool]:
    printed, raw = figures.printed, np.isin(source, _RAW)
    arm_sd, sd = figures.arm_sd, figures.instrument_sd
    with np.errstate(invalid="ignore", divide="ignore"):
        off = np.abs(2 * printed.y - printed.low - printed.high) / (printed.high - printed.low)
        scale = np.where(np.isfinite(arm_sd), arm_sd, sd) if metric == "md" else 1.0
        far = np.abs(y / scale) > IMPLAUSIBLE
        suspect = (arm_sd < _TOO_SMALL_SD * sd) | (np.abs(figures.raw("SMD")[0]) > IMPLAUSIBLE)
        risks = figures.events1 / figures.total1 - figures.events2 / figures.total2
    raw_difference = figures.sign * np.where(np.isnan(risks), figures.mean1 - figures.mean2, risks)
    return {
        "quasi-experiment": _text(study, "design") == "quasi-experimental",
        "variance-from-n": source == "n",
        "variance-from-randomised-n": raw & randomised,
        "variance-from-p-bound": source == "p-bound",
        "interval-off-centre": (source == "interval") & (off > _OFF_CENTRE),
        "second-hand": _text(study, "second_hand") == "yes",
        "selective-source": _text(study, "selective_figures") == "yes",
        "implausible": far,
        "sd-may-be-se": suspect & np.isin(derivation, ["arm-means", "md-over-arm-sd"]),
        "raw-and-reported-disagree": raw_difference * printed.y < 0,
    }


def _joined(codes: Mapping[str, Bool], good: Bool) -> list[str]:
    """Codes that hold in each row, in the order of the table, joined by semicolons."""
    table = np.array([np.asarray(holds, dtype=bool) & good for holds in codes.values()])
    names = list(codes)
    return [";".join(names[i] for i in np.flatnonzero(column)) for column in table.T]
