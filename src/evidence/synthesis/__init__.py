"""Models of many effect sizes: meta-analysis, its results and its diagnostics."""

from evidence.synthesis.diagnostics import baujat, funnel_limits, gosh, influence, radial
from evidence.synthesis.estimates import construct_effects, estimates, silent_trials
from evidence.synthesis.glmm import GlmmResults, glmm
from evidence.synthesis.ladder import Rung, climb
from evidence.synthesis.mantel_haenszel import mantel_haenszel
from evidence.synthesis.meta import fit_arrays, meta
from evidence.synthesis.normal_normal import NormalNormalResults, normal_normal
from evidence.synthesis.peto import peto
from evidence.synthesis.priors import HalfCauchy, HalfNormal, Normal, Uniform
from evidence.synthesis.results import MetaResults

__all__ = [
    "GlmmResults",
    "HalfCauchy",
    "HalfNormal",
    "MetaResults",
    "Normal",
    "NormalNormalResults",
    "Rung",
    "Uniform",
    "baujat",
    "climb",
    "construct_effects",
    "estimates",
    "fit_arrays",
    "funnel_limits",
    "glmm",
    "gosh",
    "influence",
    "mantel_haenszel",
    "meta",
    "normal_normal",
    "peto",
    "radial",
    "silent_trials",
]
