"""Plots in one style: figures that carry their caption and their words for who cannot see."""

from evidence.plots import style
from evidence.plots.figure import Figure

__all__ = ["Figure", "style"]
