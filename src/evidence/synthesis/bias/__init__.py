"""Bias and sensitivity: what missing or small-study results may have done to a mean."""

from evidence.synthesis.bias.asymmetry import AsymmetryResults, asymmetry
from evidence.synthesis.bias.fail_safe import FailSafeResults, fail_safe
from evidence.synthesis.bias.p_values import p_values
from evidence.synthesis.bias.pet_peese import PetPeeseResults, pet_peese
from evidence.synthesis.bias.rank_correlation import RankCorrelationResults, rank_correlation

__all__ = [
    "AsymmetryResults",
    "FailSafeResults",
    "PetPeeseResults",
    "RankCorrelationResults",
    "asymmetry",
    "fail_safe",
    "p_values",
    "pet_peese",
    "rank_correlation",
]
