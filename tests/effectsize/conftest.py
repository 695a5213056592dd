"""Small frames in the shape of the trials data package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

TEXT = {
    "effect_id": "a-01", "study_id": "a", "domain_id": "conduct-problems", "measure_id": None,
    "lower_is_better": "yes", "effect_type": None, "p": None, "favours": None, "turn": "none",
    "adjusted": "yes", "clustering": "not-applicable", "n_basis": "analysed",
    "not_convertible": None, "part": "whole",
}  # fmt: skip
NUMBERS = (
    "n_i", "mean_i", "sd_i", "n_c", "mean_c", "sd_c", "events_i", "total_i", "events_c", "total_c",
    "effect", "ci_low", "ci_high", "ci_level", "se",
)  # fmt: skip
STUDY = {
    "study_id": "a", "design": "rct", "second_hand": "no", "selective_figures": "no",
    "n_clusters": None, "n_intervention": None, "n_control": None,
}  # fmt: skip


@pytest.fixture(scope="session")
def make_effects() -> Callable[..., pd.DataFrame]:
    """Frame of effects, each given by the cells in which it differs from an empty row."""

    def make(*rows: dict[str, Any]) -> pd.DataFrame:
        full = [
            {**TEXT, **dict.fromkeys(NUMBERS), "effect_id": f"a-{place:02d}", **row}
            for place, row in enumerate(rows, 1)
        ]
        frame = pd.DataFrame(full)
        numbers = dict.fromkeys(NUMBERS, "float64")
        whole = dict.fromkeys(("n_i", "n_c", "events_i", "total_i", "events_c", "total_c"), "Int64")
        return frame.astype(dict.fromkeys(TEXT, "str") | numbers).astype(whole)

    return make


@pytest.fixture(scope="session")
def make_studies() -> Callable[..., pd.DataFrame]:
    """Frame of studies, each given by the cells in which it differs from a plain trial."""

    def make(*rows: dict[str, Any]) -> pd.DataFrame:
        frame = pd.DataFrame([{**STUDY, **row} for row in rows or ({},)])
        whole = dict.fromkeys(("n_clusters", "n_intervention", "n_control"), "Int64")
        return frame.astype(whole)

    return make
