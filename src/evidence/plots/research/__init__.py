"""Plots for researchers: what a meta-analysis rests on, and how it could have come out."""

from evidence.plots.research.baujat import baujat_figure
from evidence.plots.research.funnel import funnel_figure
from evidence.plots.research.gap_map import gap_map_figure
from evidence.plots.research.gosh import gosh_figure
from evidence.plots.research.influence import influence_figure
from evidence.plots.research.labbe import labbe_figure
from evidence.plots.research.orchard import orchard_figure
from evidence.plots.research.posterior import posterior_figure
from evidence.plots.research.refits import refits_figure
from evidence.plots.research.specifications import specifications_figure

__all__ = [
    "baujat_figure",
    "funnel_figure",
    "gap_map_figure",
    "gosh_figure",
    "influence_figure",
    "labbe_figure",
    "orchard_figure",
    "posterior_figure",
    "refits_figure",
    "specifications_figure",
]
