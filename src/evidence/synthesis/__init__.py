"""Models of many effect sizes: meta-analysis, its results and its diagnostics."""

from evidence.synthesis.bayes_meta import BayesResults, bayes_meta
from evidence.synthesis.diagnostics import baujat, funnel_limits, gosh, influence, radial
from evidence.synthesis.estimates import construct_effects, estimates, silent_trials
from evidence.synthesis.glmm import GlmmResults, glmm
from evidence.synthesis.ladder import Rung, climb
from evidence.synthesis.mantel_haenszel import mantel_haenszel
from evidence.synthesis.meta import fit_arrays, meta
from evidence.synthesis.multiverse import MultiverseResults, multiverse
from evidence.synthesis.normal_normal import NormalNormalResults, normal_normal
from evidence.synthesis.permutation import PermutationResults, permutation_test
from evidence.synthesis.peto import peto
from evidence.synthesis.priors import (
    HalfCauchy,
    HalfNormal,
    HalfT,
    InverseGamma,
    LogNormal,
    LogT,
    Normal,
    Uniform,
)
from evidence.synthesis.results import MetaResults
from evidence.synthesis.subgroups import SubgroupResults, subgroups

__all__ = [
    "BayesResults",
    "GlmmResults",
    "HalfCauchy",
    "HalfNormal",
    "HalfT",
    "InverseGamma",
    "LogNormal",
    "LogT",
    "MetaResults",
    "MultiverseResults",
    "Normal",
    "NormalNormalResults",
    "PermutationResults",
    "Rung",
    "SubgroupResults",
    "Uniform",
    "baujat",
    "bayes_meta",
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
    "multiverse",
    "normal_normal",
    "permutation_test",
    "peto",
    "radial",
    "silent_trials",
    "subgroups",
]
