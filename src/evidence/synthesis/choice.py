"""One result per trial: which row of a trial speaks for it in a construct, decided beforehand."""

from __future__ import annotations

import numpy as np
import pandas as pd


def independent(studies: pd.DataFrame) -> pd.Series:
    """Name of the independent group of people behind each study.

    Reports on the same people share a cohort, and arms compared with one control group share that
    control; either way their results are not independent.

    Parameters
    ----------
    studies : pandas.DataFrame
        study_id, cohort_id and shared_control_id.

    Returns
    -------
    pandas.Series
        From study_id to the name.
    """
    name = studies["shared_control_id"].fillna(studies["cohort_id"]).fillna(studies["study_id"])
    return pd.Series(name.to_numpy(), index=studies["study_id"], name="cluster")


def choose(rows: pd.DataFrame, construct: pd.Series) -> pd.Series:
    """Choose one row of each independent trial.

    The order of preference is fixed before any result is looked at and is the same for all
    constructs: the whole sample before a part of it; rows of their own before those that repeat
    people of another row; the construct's instruments in their order;
    a primary outcome; the follow-up nearest to the construct's target; an adjusted analysis; the
    first id. Of what remains it takes the first that can be used.

    Parameters
    ----------
    rows : pandas.DataFrame
        Effects of one construct with ``cluster`` and ``unusable`` beside the columns of
        ``effects.csv``.
    construct : pandas.Series
        Row of ``constructs.csv``.

    Returns
    -------
    pandas.Series of bool
        True for the row that speaks for its trial; index as ``rows``.
    """
    order = str(construct["instrument_order"]) if pd.notna(construct["instrument_order"]) else ""
    instruments = [part.strip().lower() for part in order.split(";") if part.strip()]

    def rank(row: pd.Series) -> int:
        measure = str(row["measure_id"]).lower() if pd.notna(row["measure_id"]) else ""
        words = str(row["outcome_measure"]).lower()
        for place, instrument in enumerate(instruments):
            if instrument == measure or (instrument and instrument in words):
                return place
        return len(instruments)

    target = construct["target_months"]
    away = (rows["follow_up_months"].astype(float) - float(target)).abs() if pd.notna(target) else (
        pd.Series(0.0, index=rows.index)
    )  # fmt: skip
    keys = pd.DataFrame({
        "cluster": rows["cluster"],
        "useless": rows["unusable"] != "",
        "part": rows["part"] == "subgroup",
        "overlaps": rows["overlaps"] == "yes",
        "instrument": [rank(row) for _, row in rows.iterrows()],
        "secondary": rows["primary"] != "yes",
        "away": away.fillna(np.inf),
        "raw": rows["adjusted"] != "yes",
        "effect_id": rows["effect_id"],
    })  # fmt: skip
    first = keys.sort_values(list(keys.columns)).drop_duplicates("cluster").index
    chosen = pd.Series(rows.index.isin(first), index=rows.index, name="chosen")
    return chosen & (rows["unusable"] == "")
