"""Diagnostics of a fitted meta-analysis: one method a file."""

from evidence.synthesis.diagnostics.baujat import baujat
from evidence.synthesis.diagnostics.funnel_limits import funnel_limits
from evidence.synthesis.diagnostics.gosh import Gosh, gosh
from evidence.synthesis.diagnostics.influence import Influence, influence
from evidence.synthesis.diagnostics.radial import radial

__all__ = ["Gosh", "Influence", "baujat", "funnel_limits", "gosh", "influence", "radial"]
