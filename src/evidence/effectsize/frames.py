"""Columns of a frame as plain arrays."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evidence.effectsize.registry import Array

Bool: TypeAlias = NDArray[np.bool_]
Text: TypeAlias = NDArray[np.object_]


def numbers(frame: pd.DataFrame, name: str) -> Array:
    """Numbers of a column, NaN where a cell is empty."""
    return frame[name].to_numpy(dtype=float, na_value=np.nan)


def text(frame: pd.DataFrame, name: str) -> Text:
    """Words of a column, an empty string where a cell is empty."""
    return frame[name].astype(object).where(frame[name].notna(), "").to_numpy()
