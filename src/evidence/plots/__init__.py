"""Plots in one style: figures that carry their caption and their words for who cannot see."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from evidence.plots import style
from evidence.plots.figure import Figure

if TYPE_CHECKING:
    from evidence.plots.forest import forest_figure
    from evidence.plots.forest_words import forest_alt
    from evidence.plots.needs import needs_figure
    from evidence.plots.spend import spend_figure

__all__ = ["Figure", "forest_alt", "forest_figure", "needs_figure", "spend_figure", "style"]

_HOME = {
    "forest_alt": "forest_words",
    "forest_figure": "forest",
    "needs_figure": "needs",
    "spend_figure": "spend",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
